"""A channel as the contract sees it: the rules of sms, nothing behind them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from heliograph.channels.sms.request import MEMBERS, MISSING_KEYS, RULES
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.channel import Channel, Connector, ConnectorKind, Peers, Tools
from heliograph.model.workspace import ConnectorSpec


def _build(spec: ConnectorSpec, tools: Tools) -> Connector:
    raise NotImplementedError(spec.name)


def _check(spec: ConnectorSpec) -> list[str]:
    faults = [] if spec.host else ["host is missing"]
    if not isinstance(spec.options.get("encoding", ""), str):
        faults.append("options.encoding must be text")
    return faults


def _sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    return msgspec.structs.replace(spec, host=peers["smsc"].host, port=peers["smsc"].port)


SMS = Channel(
    name="sms",
    wire_name="SMS",
    path=("sms",),
    rules=RULES,
    members=MEMBERS,
    missing_keys=MISSING_KEYS,
    addresses=("msisdn", "customerid"),
    kinds={"smpp": ConnectorKind("smpp", _check, _build, _sandbox)},
    normalise=normalise_msisdn,
    compose=lambda content, text: text,
    allows=lambda content, sender: None,
    measure=lambda content, text: (1, "gsm7", len(text)),
    limit=4000,
    sender_field="senderid",
    aliases=("textmessage",),
    objects=("extras",),
)


@pytest.fixture(scope="session")
def channels() -> Mapping[str, Channel]:
    """Passports by every spelling of their names."""
    return {"sms": SMS, "textmessage": SMS}
