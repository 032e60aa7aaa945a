"""WeChat: the passport of the channel."""

from __future__ import annotations

from heliograph.channels.wechat.hook import hook
from heliograph.channels.wechat.official import OfficialAccount
from heliograph.channels.wechat.request import MEMBERS, MISSING_KEYS, OBJECTS, RULES
from heliograph.channels.wechat.settings import KIND, check, sandbox
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import AppUse, Channel, ConnectorKind
from heliograph.model.message import Content
from heliograph.model.workspace import Tenant

OPENID_CHARACTERS = 64
TEXT_BYTES = 2_048  # decisions 3


def measure(content: Content, text: str) -> tuple[int, str, int]:
    """`(1, utf-8, bytes)`: WeChat counts bytes."""
    return 1, "utf-8", len(text.encode())


def attach(content: Content, tenant: Tenant) -> bool:
    """Whether files may be fetched from private addresses."""
    return tenant.allow_private_targets


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
    kinds={KIND: ConnectorKind(KIND, check, OfficialAccount, sandbox)},
    app=AppUse(KIND, lambda app: app.wechat),
    hook=hook,
    attach=attach,
)
"""All the platform knows of WeChat."""
