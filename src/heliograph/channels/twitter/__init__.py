"""Direct messages on X (Twitter): the passport of the channel."""

from __future__ import annotations

import re

from heliograph.channels.twitter.hook import hook
from heliograph.channels.twitter.request import MEMBERS, MISSING_KEYS, OBJECTS, RULES
from heliograph.channels.twitter.settings import KIND, check, sandbox
from heliograph.channels.twitter.x import XConnector
from heliograph.model.channel import AppUse, Channel, ConnectorKind

TEXT_CHARACTERS = 10_000  # decisions 3
_USER_ID = re.compile(r"[0-9]{1,19}")


def normalise(value: str) -> str | None:
    """The number of a user at X; None for anything else."""
    plain = value.strip()
    return plain if _USER_ID.fullmatch(plain) else None


CHANNEL = Channel(
    name="twitter",
    wire_name="twitter",
    path=("OTT-Messaging", "twitter"),
    rules=RULES,
    members=MEMBERS,
    objects=OBJECTS,
    missing_keys=MISSING_KEYS,
    addresses=("twitterid", "customerid"),
    normalise=normalise,
    limit=TEXT_CHARACTERS,
    kinds={KIND: ConnectorKind(KIND, check, XConnector, sandbox)},
    app=AppUse(KIND, lambda app: app.twitter),
    hook=hook,
)
"""All the platform knows of direct messages on X."""
