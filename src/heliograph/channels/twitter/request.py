"""What the contract demands of `channels.OTT-Messaging.twitter`. Source: messaging.md 6.6."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.rules import Members, Required, Rule

MEMBERS = ("text", "attachment", "quick_reply")
OBJECTS = ("attachment", "quick_reply")
MISSING_KEYS = (keys.TWITTER_OTT_MISSING, keys.TWITTER_OBJECT_MISSING)

RULES: tuple[Rule, ...] = (
    Members((), objects=OBJECTS),
    Members(("attachment",), texts=("type",), objects=("media",)),
    Required(("text",), keys.TWITTER_TEXT_MISSING, note="an attachment does not stand for it"),
)
