"""WeChat: the passport of the channel. Messages are checked; nothing sends them yet."""

from __future__ import annotations

from heliograph.channels.wechat.request import MEMBERS, MISSING_KEYS, OBJECTS, RULES
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import Channel
from heliograph.model.message import Content

OPENID_CHARACTERS = 64
TEXT_BYTES = 2_048  # decisions 3


def measure(content: Content, text: str) -> tuple[int, str, int]:
    """`(1, utf-8, bytes)`: WeChat counts bytes."""
    return 1, "utf-8", len(text.encode())


CHANNEL = Channel(
    name="wechat",
    wire_name="wechat",
    path=("OTT-Messaging", "wechat"),
    rules=RULES,
    members=MEMBERS,
    objects=OBJECTS,
    missing_keys=MISSING_KEYS,
    addresses=("wechatid", "customerid"),
    normalise=lambda value: normalise_id(value, OPENID_CHARACTERS),
    measure=measure,
    limit=TEXT_BYTES,
)
"""All the platform knows of WeChat."""
