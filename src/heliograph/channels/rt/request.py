"""What the contract demands of `channels.appmessaging`. Source: messaging.md 6.4."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.categories import notification_action
from heliograph.model.rules import PRIORITY_LEVELS, Interactive, Members, OneOf, Rule, ValueIn

MEMBERS = ("thread_id", "priority", "message", "notification")
OBJECTS = ("message", "notification")
MISSING_KEYS = (keys.RT_OBJECT_MISSING,)


RULES: tuple[Rule, ...] = (
    Members((), objects=OBJECTS),
    Members(("message",), texts=("text",), objects=("attachment", "extras")),
    Members(
        ("notification",),
        texts=("title", "text"),
        objects=("android_extras", "ios_extras", "web_extras", "windows_extras", "interactive"),
    ),
    OneOf((("message", "text"), ("message", "attachment")), keys.RT_TEXT_MISSING),
    ValueIn(("priority",), PRIORITY_LEVELS, keys.INVALID_PRIORITY, "1 to 5, 5 is the highest"),
    notification_action(("notification", "android_extras")),
    notification_action(("notification", "ios_extras")),
    notification_action(("notification", "windows_extras")),
)

INTERACTIVE = Interactive(("notification", "interactive"), devices=False)
