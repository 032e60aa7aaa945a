"""From a content to a text: the template chosen and its placeholders filled. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from heliograph.model.message import Content
from heliograph.model.placeholders import fill, missing, placeholders
from heliograph.model.workspace import Template

__all__ = ["apply_template", "fill", "missing", "placeholders"]


def choose(name: str, templates: Mapping[str, tuple[Template, ...]], channel: str) -> tuple[Template | None, str]:
    """The template that a call names for a channel, `id` for its newest active version or `id@version`; or None and
    what is against it: the member of the template, "" when there is none such."""
    identity, _, version = name.partition("@")
    found = [item for item in templates.get(identity, ()) if not version or version == str(item.version)]
    for against, good in (("channel", lambda item: item.channel == channel), ("status", _active)):
        chosen = [item for item in found if good(item)]
        if found and not chosen:
            return None, against
        found = chosen
    return (found[0], "") if found else (None, "")


def _active(template: Template) -> bool:
    return template.status == "active"


def spoken(texts: Mapping[str, str], locale: str) -> str:
    """Which of the texts by locale is for somebody of a locale: that very one, else the one of the language; "" for
    none."""
    if not texts or not locale:
        return ""
    wanted = locale.replace("_", "-").lower()
    names = {name.replace("_", "-").lower(): name for name in texts}
    return names.get(wanted) or names.get(wanted.partition("-")[0], "")


def apply_template(content: Content, template: Template, locale: str = "") -> Content:
    """The content with the template's members where the call gave none of its own; with the text of a locale."""
    text = template.texts.get(locale, template.text)
    own = {"text": text} if text else {}
    return msgspec.structs.replace(content, fields={**own, **template.fields, **content.fields})


def fill_all(value: object, parameters: Mapping[str, object]) -> object:
    """Every text inside a value filled."""
    if isinstance(value, str):
        return fill(value, parameters)
    if isinstance(value, dict):
        return {name: fill_all(inner, parameters) for name, inner in value.items()}
    return [fill_all(inner, parameters) for inner in value] if isinstance(value, list) else value


def missing_in(value: object, parameters: Mapping[str, object]) -> list[str]:
    """Placeholders anywhere inside a value that have no value, each named once."""
    if isinstance(value, str):
        return missing(value, parameters)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(name for item in inner for name in missing_in(item, parameters)))
