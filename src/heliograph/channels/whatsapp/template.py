"""Templates as WhatsApp knows them: a name, a language, and parameters by component. Pure.

A template of the workspace holds the body as it was registered, with our placeholders in the places of the native
ones; the order in which they first appear is the order of the native parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.model.message import Content
from heliograph.model.workspace import Tenant

LANGUAGE = "en"
MEDIA = ("image", "video", "document")

_PLACEHOLDER = re.compile(r"\$(?:\{([^\W\d][\w.]*)\}|\(([^\W\d][\w.]*)\))")


class Unresolved(Exception):
    """A placeholder of the header or a button has no value that can be written there; its argument is the name."""


@dataclass(frozen=True, slots=True)
class Native:
    """A template of the workspace as WhatsApp knows it."""

    name: str
    language: str
    body: str
    header: str = ""
    named: bool = False


def native_of(content: Content, tenant: Tenant) -> Native | None:
    """The template that a message names and does not override by a content of its own; None when there is none."""
    if not content.template:
        return None
    for template in tenant.templates:
        if template.id == content.template and template.channel == content.channel:
            if content.fields.get("text") not in (None, template.text) or content.fields.get("type"):
                return None  # messaging.md 6: what is given in the object wins over the template
            native = template.native or {}
            return Native(
                name=str(native.get("name") or template.id),
                language=str(native.get("language") or LANGUAGE),
                body=template.text,
                header=str(native.get("header") or ""),
                named=native.get("parameters") == "named",
            )
    return None


def shown(text: str, parameters: Mapping[str, object]) -> str:
    """The text with localisable values as they read where nothing localises them."""

    def value(match: re.Match[str]) -> str:
        found = parameters.get(match[1] or match[2])
        return _fallback(found) if isinstance(found, dict) else match[0]

    return _PLACEHOLDER.sub(value, text) if "$" in text else text


def message_of(native: Native, parameters: Mapping[str, object]) -> dict[str, Any]:
    """The `template` object. Raises `Unresolved`."""
    components = [*_header(native, parameters), *_body(native, parameters), *_buttons(parameters)]
    template: dict[str, Any] = {"name": native.name, "language": {"code": native.language}}
    return {**template, "components": components} if components else template


def _header(native: Native, parameters: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    for kind in MEDIA:
        found = parameters.get(kind)
        if isinstance(found, dict) and (found.get("link") or found.get("url") or found.get("id")):
            yield {"type": "header", "parameters": [{"type": kind, kind: medium(found)}]}
            return
    if names := _names(native.header):
        yield {"type": "header", "parameters": [_parameter(name, parameters, native.named) for name in names]}


def _body(native: Native, parameters: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    if names := _names(native.body):
        yield {"type": "body", "parameters": [_parameter(name, parameters, native.named) for name in names]}


def _buttons(parameters: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    """Buttons are parameters whose values say what they are: quick replies first, then URLs and one-time codes."""
    index = 0
    for value in parameters.values():
        for button in value if isinstance(value, list) else ():
            if isinstance(button, dict) and button.get("payload"):
                yield _button("quick_reply", index, {"type": "payload", "payload": str(button["payload"])})
                index += 1
    for value in parameters.values():
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(value, dict) and kind in ("url", "otp"):
            yield _button(
                "url", index, {"type": "text", "text": str(value.get("payload") or value.get("value") or "")}
            )
            index += 1


def _button(kind: str, index: int, parameter: dict[str, str]) -> dict[str, Any]:
    return {"type": "button", "sub_type": kind, "index": str(index), "parameters": [parameter]}


def _parameter(name: str, parameters: Mapping[str, object], named: bool) -> dict[str, Any]:
    value = parameters.get(name)
    made = _localisable(value) if isinstance(value, dict) else _text(name, value)
    return {**made, "parameter_name": name} if named else made


def _text(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": "text", "text": str(value).lower()}
    if isinstance(value, str | int | float):
        return {"type": "text", "text": str(value)}
    raise Unresolved(name)


def _localisable(value: Mapping[str, Any]) -> dict[str, Any]:
    fallback = _fallback(value)
    if value.get("type") == "currency":
        amount = value.get("amount_1000")
        cents = int(amount) if isinstance(amount, int) or (isinstance(amount, str) and amount.isdecimal()) else 0
        inner = {"fallback_value": fallback, "code": str(value.get("currency_code") or ""), "amount_1000": cents}
        return {"type": "currency", "currency": inner}
    if value.get("type") == "date_time":
        return {"type": "date_time", "date_time": {"fallback_value": fallback}}
    return {"type": "text", "text": fallback}


def _fallback(value: Mapping[str, Any]) -> str:
    return str(value.get("fallback_value") or value.get("value") or value.get("text") or "")


def medium(found: Mapping[str, Any]) -> dict[str, Any]:
    """A medium as WhatsApp takes it: by its id there, or by a link."""
    link = found.get("url") or found.get("link")
    made = {"id": found.get("id")} if found.get("id") else {"link": link}
    more = {name: found.get(name) for name in ("caption", "filename") if found.get(name)}
    return {**made, **more}


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(match[1] or match[2] for match in _PLACEHOLDER.finditer(text)))
