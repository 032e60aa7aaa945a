"""Voice: the passport of the channel. Calls are checked and recorded; nothing places them yet."""

from __future__ import annotations

from heliograph.channels.voice.request import MEMBERS, MISSING_KEYS, RULES
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.channel import NO_LIMIT, Channel

CHANNEL = Channel(
    name="voice",
    wire_name="voice",
    path=("voice",),
    rules=RULES,
    members=MEMBERS,
    missing_keys=MISSING_KEYS,
    addresses=("msisdn", "customerid"),
    normalise=normalise_msisdn,
    limit=NO_LIMIT,
    sender_field="cli",
)
"""All the platform knows of voice."""
