"""What the contract demands of `channels.push`, for Android, iOS and browsers. Source: messaging.md 6.3.

Times to live and sizes are no matter of the contract: they end as 7505, 7506, 7510 and 7511.
"""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.categories import notification_action
from heliograph.model.rules import (
    PRIORITY_LEVELS,
    Alias,
    EachIn,
    Interactive,
    Members,
    OneOf,
    Required,
    Rule,
    ValueIn,
    given,
)

MEMBERS = ("android", "ios", "web", "interactive")
MISSING_KEYS = (keys.PUSH_OBJECT_MISSING,)
PATH_ALIASES = {"push": "apnp"}

BROWSERS = frozenset({"chrome", "firefox", "safari"})

_CUSTOM = ("customtags", "notificationaction")


RULES: tuple[Rule, ...] = (
    Members((), objects=MEMBERS),
    Members(("android",), texts=("title", "text"), objects=("extras",)),
    Members(("android", "extras"), objects=_CUSTOM),
    Members(("ios",), texts=("title", "text"), objects=("extras",)),
    Members(("ios", "extras"), objects=_CUSTOM),
    Members(("web",), texts=("title", "text", "url", "actiontext"), objects=("extras",)),
    Members(("web", "extras"), objects=("customtags",)),
    Alias(("web", "platform_types"), "platorm_types"),
    OneOf((("android",), ("ios",), ("web",)), keys.PUSH_PLATFORM_MISSING, bare=True),
    Required(("android", "text"), keys.ANDROID_TEXT_MISSING, given("android"), "where `android` is there"),
    Required(("ios", "text"), keys.IOS_TEXT_MISSING, given("ios"), "where `ios` is there"),
    Required(
        ("web", "platform_types"), keys.PLATFORM_TYPES_MISSING, given("web"), "where `web` is there", always=True
    ),
    Required(("web", "text"), keys.WEB_TEXT_MISSING, given("web"), "where `web` is there"),
    ValueIn(("android", "priority"), PRIORITY_LEVELS, keys.INVALID_PRIORITY, "1 to 5, 5 is the highest"),
    EachIn(("web", "platform_types"), BROWSERS, keys.INVALID_PARAM, "chrome, firefox, safari"),
    notification_action(("android", "extras")),
    notification_action(("ios", "extras")),
)

INTERACTIVE = Interactive(("interactive",), devices=True)
