"""What the contract demands of `channels.voice`. Source: messaging.md 6.2."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.rules import OneOf, Rule, Yields

MEMBERS = ("callflowid", "media", "promptid", "cli")
MISSING_KEYS = (keys.VOICE_OBJECT_MISSING,)

RULES: tuple[Rule, ...] = (
    OneOf((("callflowid",), ("media",), ("promptid",)), keys.VOICE_CONTENT_MISSING),
    Yields(("callflowid",), (("media",), ("promptid",))),  # the prompt wins (messaging.md 10, 19)
)
