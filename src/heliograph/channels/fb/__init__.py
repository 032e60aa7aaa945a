"""Facebook Messenger: the passport of the channel. A page is an app; it sends by the Send API of Graph."""

from __future__ import annotations

from functools import partial

from heliograph.channels.fb import settings
from heliograph.channels.fb.hook import hook
from heliograph.channels.fb.payload import message_id, pieces
from heliograph.channels.fb.request import MEMBERS, MISSING_KEYS, OBJECTS, RULES
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import AppUse, Channel, Connector, ConnectorKind, Tools
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.graph.account import account
from heliograph.wire.graph.connector import GraphConnector, Medium
from heliograph.wire.graph.meanings import load

PSID_CHARACTERS = 64
TEXT_CHARACTERS = 2_000  # decisions 3
WINDOW, PER_SECOND, HEAVY_PER_SECOND = 50, 300, 10  # providers 1.5: calls of a page

MEANINGS = load(__name__)


def build(spec: ConnectorSpec, tools: Tools) -> Connector:
    """The connector of a page."""
    tags = frozenset(spec.options.get("tags") or ())
    medium = Medium("fb", MEANINGS, partial(pieces, tags=tags), message_id, True, HEAVY_PER_SECOND)
    return GraphConnector(medium, account(spec.options, settings.NODE, settings.TOKEN), spec.window, tools)


GRAPH = ConnectorKind("graph", settings.check, build, settings.sandbox)
"""The one kind of connector: a page on the Graph API."""

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
    kinds={"graph": GRAPH},
    app=AppUse("graph", settings.options, WINDOW, PER_SECOND),
    hook=hook,
)
"""All the platform knows of Messenger."""
