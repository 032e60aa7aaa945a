"""What the contract demands of `channels.voice`. Source: messaging.md 6.2; `text` is ours."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.rules import OneOf, Rule, Yields

MEMBERS = ("callflowid", "media", "promptid", "text", "cli")
MISSING_KEYS = (keys.VOICE_OBJECT_MISSING,)

RULES: tuple[Rule, ...] = (
    OneOf((("callflowid",), ("media",), ("promptid",), ("text",)), keys.VOICE_CONTENT_MISSING),
    Yields(("callflowid",), (("media",), ("promptid",))),  # the prompt wins (messaging.md 10, 19)
)
