"""Names that many parts of a workspace use: channels, services, categories."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import urlsplit

from heliograph.contract.shape import Fault

KNOWN_CHANNELS = ("sms", "voice", "push", "rt", "fb", "twitter", "wechat", "whatsapp")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NO_ID = "must be 1 to 64 letters, digits, dots, dashes or underscores"
_CATEGORY = re.compile(r"[A-Za-z0-9_-]{1,32}")


def channel_faults(path: str, name: str) -> Iterator[Fault]:
    """The name of a channel that is none."""
    if name not in KNOWN_CHANNELS:
        yield path, f"{name!r} is no channel; there are {', '.join(KNOWN_CHANNELS)}"


def some_channels_faults(path: str, names: Iterable[str]) -> Iterator[Fault]:
    """Names of channels that are none; where there is none at all, all are meant."""
    for name in names:
        if name:
            yield from channel_faults(path, name)


def category_faults(path: str, *names: str) -> Iterator[Fault]:
    """Names of categories that are none; "" is no category."""
    for name in names:
        if name and not _CATEGORY.fullmatch(name):
            yield path, f"{name!r} is no category; use 1 to 32 letters, digits, dashes or underscores"


def services_faults(path: str, names: Iterable[str], known: Collection[str]) -> Iterator[Fault]:
    """Services that the tenant does not have."""
    for name in names:
        if name not in known:
            yield path, f"the tenant has no service {name!r}"


def unique(path: str, ids: Iterable[str]) -> Iterator[Fault]:
    """Ids that cannot be used, or stand twice."""
    known = list(ids)
    for identity in known:
        if not _ID.fullmatch(identity):
            yield f"{path}[{identity}]", _NO_ID
    yield from twice(path, known)


def twice(path: str, names: list[str]) -> Iterator[Fault]:
    """Names that stand twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{path}[{name}]", "is declared twice"
        seen.add(name)


def is_http(url: str) -> bool:
    """Whether it is an absolute http or https URL that can be called."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and url.isprintable()
