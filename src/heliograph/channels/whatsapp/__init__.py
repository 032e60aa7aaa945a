"""WhatsApp, an extension channel: its passport. A phone number is an app; it sends by the Cloud API of Graph."""

from __future__ import annotations

from heliograph.channels.whatsapp import settings
from heliograph.channels.whatsapp.hook import MEANINGS, hook
from heliograph.channels.whatsapp.payload import compose, message_id, pieces
from heliograph.channels.whatsapp.request import MEMBERS, MISSING_KEYS, OBJECTS, RULES
from heliograph.channels.whatsapp.template import native_of
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.channel import AppUse, Channel, Connector, ConnectorKind, Tools
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.graph.account import account
from heliograph.wire.graph.connector import GraphConnector, Medium

TEXT_CHARACTERS = 4_096
WINDOW, PER_SECOND = 50, 80  # what the Cloud API lets a number send until its throughput is raised

MEDIUM = Medium("whatsapp", MEANINGS, pieces, message_id)


def build(spec: ConnectorSpec, tools: Tools) -> Connector:
    """The connector of a phone number."""
    return GraphConnector(MEDIUM, account(spec.options, settings.NODE, settings.TOKEN), spec.window, tools)


CLOUD = ConnectorKind("cloud", settings.check, build, settings.sandbox)
"""The one kind of connector: a phone number on the Cloud API."""

CHANNEL = Channel(
    name="whatsapp",
    wire_name="whatsapp",
    aliases=("wa",),
    path=("OTT-Messaging", "wa"),
    rules=RULES,
    members=MEMBERS,
    objects=OBJECTS,
    missing_keys=MISSING_KEYS,
    addresses=("waid", "msisdn", "customerid"),
    normalise=normalise_msisdn,
    compose=compose,
    limit=TEXT_CHARACTERS,
    kinds={"cloud": CLOUD},
    app=AppUse("cloud", settings.options, WINDOW, PER_SECOND),
    hook=hook,
    attach=native_of,
)
"""All the platform knows of WhatsApp."""
