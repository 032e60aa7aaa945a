"""What applying a workspace would change, in lines for people; secrets are never printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from heliograph.model.workspace import Document

LONGEST = 200  # characters of a value that are shown
_SECRET = re.compile(
    r"(^|_)(keys?|password|secret|token|pem|certificate|credentials?|jwt)$|private_key|service_account", re.IGNORECASE
)
_Identity = tuple[str, str]


def diff(old: Document, new: Document) -> list[str]:
    """`+ tenants[demo].senders[HELIO]`, `~ tenants[demo].status active -> suspended`, `- ...`; empty exactly
    when the documents are equal."""
    return list(_changes("", old, new))


def _changes(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, msgspec.Struct) and isinstance(new, msgspec.Struct):
        for name in old.__struct_fields__:
            inner = f"{path}.{name}" if path else name
            yield from _member(inner, name, getattr(old, name), getattr(new, name))
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _mapping(path, old, new)
    elif (before := _keyed(old)) is not None and (after := _keyed(new)) is not None:
        yield from _collection(path, before, after)
    elif old is None or new is None:
        yield f"{'+' if old is None else '-'} {path}"
    else:
        yield _leaf(path, old, new)


def _member(path: str, name: str, old: Any, new: Any) -> Iterator[str]:
    if not _SECRET.search(name):
        yield from _changes(path, old, new)
    elif old != new:
        yield f"~ {path} changed"


def _mapping(path: str, old: dict[Any, Any], new: dict[Any, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        inner = f"{path}[{name}]"
        if name not in old:
            yield f"+ {inner}"
        elif name not in new:
            yield f"- {inner}"
        else:
            yield from _member(inner, str(name), old[name], new[name])


def _collection(path: str, old: dict[_Identity, Any], new: dict[_Identity, Any]) -> Iterator[str]:
    for identity in dict.fromkeys((*old, *new)):
        inner = f"{path}[{identity[0]}]"
        if identity not in old:
            yield f"+ {inner}"
        elif identity not in new:
            yield f"- {inner}"
        else:
            yield from _changes(inner, old[identity], new[identity])
    if old.keys() == new.keys() and list(old) != list(new):
        yield f"~ {path} order"


def _keyed(items: Any) -> dict[_Identity, Any] | None:
    """The objects of a list by what names them; None where something is not named, or not named once."""
    if not isinstance(items, list | tuple):
        return None
    found = {_identity(item): item for item in items}
    return found if len(found) == len(items) and ("", "") not in found else None


def _identity(item: Any) -> _Identity:
    def of(name: str) -> Any:
        return item.get(name) if isinstance(item, dict) else getattr(item, name, None)

    name = of("id") or of("name") or of("address")
    return (name, str(of("channel") or "")) if isinstance(name, str) else ("", "")


def _leaf(path: str, old: Any, new: Any) -> str:
    before, after = _shown(old), _shown(new)
    if before == after or not before or not after:
        return f"~ {path} changed"
    return f"~ {path} {before} -> {after}"


def _shown(value: Any) -> str:
    """A value as it may be printed; "" for one that may hold anything."""
    if isinstance(value, str):
        text = _without_secrets(value)
        text = text if text and text.isprintable() else msgspec.json.encode(text).decode()
    elif value is None or isinstance(value, int | float) or _is_plain_list(value):
        text = msgspec.json.encode(value).decode()
    else:
        return ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _is_plain_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and not any(isinstance(item, dict | list | tuple) for item in value)


def _without_secrets(text: str) -> str:
    """A URL without what callers hide in it: user, password and query."""
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return text.partition("://")[0] + "://..."
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?...' if parts.query else ''}"
