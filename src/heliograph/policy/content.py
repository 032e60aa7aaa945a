"""From a content to a text: the template chosen and its placeholders filled. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from heliograph.model.message import Content
from heliograph.model.workspace import Template

_PLACEHOLDER = re.compile(r"\$[{(]([A-Za-z_][\w.]*)[})]")


def apply_template(content: Content, template: Template) -> Content:
    """The content with the template's text where the call gave none of its own."""
    fields = dict(content.fields)
    fields.setdefault("text", template.text)
    return Content(
        channel=content.channel,
        fields=fields,
        template=content.template,
        parameters=content.parameters,
        appid=content.appid,
    )


def placeholders(text: str) -> list[str]:
    """Names a text asks for, in order."""
    return _PLACEHOLDER.findall(text)


def fill(text: str, parameters: Mapping[str, object]) -> str:
    """The text with every placeholder that has a value replaced by it."""
    return _PLACEHOLDER.sub(lambda match: _value(parameters, match), text)


def missing(text: str, parameters: Mapping[str, object]) -> list[str]:
    """Placeholders without a value."""
    return [name for name in placeholders(text) if parameters.get(name) is None]


def _value(parameters: Mapping[str, object], match: re.Match[str]) -> str:
    value = parameters.get(match[1])
    if value is None:
        return match[0]
    return str(value).lower() if isinstance(value, bool) else str(value)
