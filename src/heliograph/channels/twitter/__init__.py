"""Direct messages on X (Twitter): the passport of the channel. They are checked; nothing sends them yet."""

from __future__ import annotations

from heliograph.channels.twitter.request import MEMBERS, MISSING_KEYS, OBJECTS, RULES
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import Channel

ID_CHARACTERS = 64
TEXT_CHARACTERS = 10_000  # decisions 3

CHANNEL = Channel(
    name="twitter",
    wire_name="twitter",
    path=("OTT-Messaging", "twitter"),
    rules=RULES,
    members=MEMBERS,
    objects=OBJECTS,
    missing_keys=MISSING_KEYS,
    addresses=("twitterid", "customerid"),
    normalise=lambda value: normalise_id(value, ID_CHARACTERS),
    limit=TEXT_CHARACTERS,
)
"""All the platform knows of direct messages on X."""
