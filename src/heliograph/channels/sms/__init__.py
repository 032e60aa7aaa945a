"""SMS: the passport of the channel. Its operators are reached over SMPP 3.4."""

from __future__ import annotations

from heliograph.channels.sms import settings
from heliograph.channels.sms.request import MEMBERS, MISSING_KEYS, RULES
from heliograph.channels.sms.smpp import SmppConnector
from heliograph.channels.sms.text import allows, compose, measure
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.channel import Channel, ConnectorKind

SMPP = ConnectorKind("smpp", settings.check, lambda spec, _: SmppConnector(spec), settings.sandbox, single=True)
"""The one kind of connector: an SMPP 3.4 bind to an SMSC."""

CHANNEL = Channel(
    name="sms",
    wire_name="SMS",
    path=("sms",),
    rules=RULES,
    members=MEMBERS,
    missing_keys=MISSING_KEYS,
    addresses=("msisdn", "customerid"),
    kinds={"smpp": SMPP},
    normalise=normalise_msisdn,
    compose=compose,
    allows=allows,
    measure=measure,
    limit=4000,
    sender_field="senderid",
    objects=("extras",),
)
"""All the platform knows of SMS."""
