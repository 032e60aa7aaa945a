"""From a content to a text: the template chosen and its placeholders filled. Pure."""

from __future__ import annotations

import msgspec

from heliograph.model.message import Content
from heliograph.model.placeholders import fill, missing, placeholders
from heliograph.model.workspace import Template

__all__ = ["apply_template", "fill", "missing", "placeholders"]


def apply_template(content: Content, template: Template) -> Content:
    """The content with the template's text where the call gave none of its own."""
    return msgspec.structs.replace(content, fields={"text": template.text, **content.fields})
