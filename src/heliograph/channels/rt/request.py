"""What the contract demands of `channels.appmessaging`. Source: messaging.md 6.4."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.rules import Action, Interactive, Members, OneOf, Path, Rule, ValueIn

MEMBERS = ("thread_id", "priority", "message", "notification")
OBJECTS = ("message", "notification")
MISSING_KEYS = (keys.RT_OBJECT_MISSING,)

PRIORITIES = {level: level for level in ("1", "2", "3", "4", "5")}


def _notification(path: Path) -> Action:
    return Action(
        path=(*path, "notificationaction"),
        actions=("OPEN_URL", "OPENWEBVIEW", "DEEPLINK", "OPEN_HTML", "OPEN_APP"),
        bare=("OPEN_APP",),
        default="OPEN_APP",
        missing_key=keys.ACTION_VALUE_MISSING,
        invalid_key=keys.INVALID_ACTION,
    )


RULES: tuple[Rule, ...] = (
    Members((), objects=OBJECTS),
    Members(("message",), texts=("text",), objects=("attachment", "extras")),
    Members(
        ("notification",),
        texts=("title", "text"),
        objects=("android_extras", "ios_extras", "web_extras", "windows_extras", "interactive"),
    ),
    OneOf((("message", "text"), ("message", "attachment")), keys.RT_TEXT_MISSING),
    ValueIn(("priority",), PRIORITIES, keys.INVALID_PRIORITY, "1 to 5, 5 is the highest"),
    _notification(("notification", "android_extras")),
    _notification(("notification", "ios_extras")),
    _notification(("notification", "windows_extras")),
)

INTERACTIVE = Interactive(("notification", "interactive"), devices=False)
