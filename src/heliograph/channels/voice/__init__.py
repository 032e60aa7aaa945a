"""Voice: the passport of the channel. Calls are placed over SIP and RTP."""

from __future__ import annotations

from heliograph.channels.voice import settings
from heliograph.channels.voice.flow.reading import LONGEST_TEXT
from heliograph.channels.voice.request import MEMBERS, MISSING_KEYS, RULES
from heliograph.channels.voice.trunk import SipConnector
from heliograph.channels.voice.wanted import asks, attach, declared_faults, objection
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.channel import Channel, ConnectorKind

SIP = ConnectorKind("sip", settings.check, SipConnector, settings.sandbox, ahead=False, single=True)
"""The one kind of connector: a SIP trunk."""

CHANNEL = Channel(
    name="voice",
    wire_name="voice",
    path=("voice",),
    rules=RULES,
    members=MEMBERS,
    missing_keys=MISSING_KEYS,
    addresses=("msisdn", "customerid"),
    kinds={"sip": SIP},
    normalise=normalise_msisdn,
    limit=LONGEST_TEXT,
    sender_field="cli",
    attach=attach,
    objection=objection,
    asks=asks,
    faults=declared_faults,
    afterwards=True,
)
"""All the platform knows of voice."""
