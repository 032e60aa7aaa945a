"""Facebook Messenger: the passport of the channel. Messages are checked; nothing sends them yet."""

from __future__ import annotations

from heliograph.channels.fb.request import MEMBERS, MISSING_KEYS, OBJECTS, RULES
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import Channel

PSID_CHARACTERS = 64
TEXT_CHARACTERS = 2_000  # decisions 3

CHANNEL = Channel(
    name="fb",
    wire_name="fb",
    path=("OTT-Messaging", "fb"),
    rules=RULES,
    members=MEMBERS,
    objects=OBJECTS,
    missing_keys=MISSING_KEYS,
    addresses=("psid", "fbid", "customerid"),
    address_aliases={"fbid": "psid"},
    normalise=lambda value: normalise_id(value, PSID_CHARACTERS),
    limit=TEXT_CHARACTERS,
)
"""All the platform knows of Messenger."""
