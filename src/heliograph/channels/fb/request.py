"""What the contract demands of `channels.OTT-Messaging.fb`. Source: messaging.md 6.5."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.rules import Members, OneOf, Rule

MEMBERS = (
    "text", "attachment", "sender_action", "quick_replies", "notification_type", "messaging_type", "tag",
)  # fmt: skip
OBJECTS = ("attachment", "quick_replies")
MISSING_KEYS = (keys.FB_OTT_MISSING, keys.FB_OBJECT_MISSING)

RULES: tuple[Rule, ...] = (
    Members((), objects=("attachment",)),
    OneOf((("text",), ("attachment",), ("sender_action",)), keys.FB_TEXT_MISSING),
)
