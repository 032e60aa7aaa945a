"""What the contract demands of `channels.sms`. Source: messaging.md 6.1."""

from __future__ import annotations

from typing import Any

from heliograph.catalogue import keys
from heliograph.model.rules import OneOf, Required, Rule, ValueIn

MEMBERS = ("type", "text", "body", "senderid", "media-path", "extras")
MISSING_KEYS = (keys.SMS_OBJECT_MISSING,)

TYPES = {
    "1": "text", "2": "flash", "3": "binary", "4": "unicode",
    "text": "text", "flash": "flash", "binary": "binary", "unicode": "unicode",
}  # fmt: skip


def _type(found: dict[str, Any]) -> str:
    value = found.get("type")
    return TYPES.get(str(value).strip().lower(), "unknown") if value not in (None, "") else "text"


RULES: tuple[Rule, ...] = (
    Required(("text",), keys.SMS_TEXT_MISSING, lambda found: _type(found) == "text", "type 1 or absent"),
    Required(("body",), keys.SMS_BODY_MISSING, lambda found: _type(found) == "binary", "type 3"),
    OneOf(
        (("text",), ("body",)),
        keys.SMS_BODY_MISSING,
        lambda found: _type(found) not in ("text", "binary"),
        "types 2 and 4",
    ),
    ValueIn(("type",), TYPES, keys.INVALID_SMS_TYPE, "1 text, 2 flash, 3 binary, 4 unicode"),
)
