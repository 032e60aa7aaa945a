"""Push to Android, iOS and browsers: the passport of the channel. Messages are checked; nothing sends them yet."""

from __future__ import annotations

from heliograph.channels.push.request import INTERACTIVE, MEMBERS, MISSING_KEYS, PATH_ALIASES, RULES
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import NO_LIMIT, Channel

TOKEN_CHARACTERS = 4_096

CHANNEL = Channel(
    name="push",
    wire_name="push",
    path=("push",),
    path_aliases=PATH_ALIASES,
    rules=RULES,
    members=MEMBERS,
    objects=MEMBERS,
    missing_keys=MISSING_KEYS,
    addresses=(
        "android_pushid", "ios_pushid", "chrome_pushid", "firefox_pushid", "safari_pushid", "pushid", "userid",
        "customerid",
    ),
    normalise=lambda value: normalise_id(value, TOKEN_CHARACTERS),
    limit=NO_LIMIT,  # a payload that is too large is 7505 or 7510
    priority_path=("android", "priority"),
    interactive=INTERACTIVE,
)  # fmt: skip
"""All the platform knows of push."""
