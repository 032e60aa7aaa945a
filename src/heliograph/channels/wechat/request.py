"""What the contract demands of `channels.OTT-Messaging.wechat`. Source: messaging.md 6.7."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.rules import Members, OneOf, Rule

MEMBERS = ("text", "attachment")
OBJECTS = ("attachment",)
MISSING_KEYS = (keys.WECHAT_OTT_MISSING, keys.WECHAT_OBJECT_MISSING)

RULES: tuple[Rule, ...] = (
    Members((), objects=OBJECTS),
    Members(("attachment",), texts=("type",), objects=("media", "thumb", "miniprogram", "data")),
    OneOf((("text",), ("attachment",)), keys.WECHAT_TEXT_MISSING),
)
