"""A tenant with everything a message needs, and the passport of a medium like sms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from heliograph.channels.sms.request import MEMBERS, MISSING_KEYS, RULES
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.channel import Channel, Connector, ConnectorKind, Peers, Tools
from heliograph.model.message import Address, Content, Message
from heliograph.model.workspace import ConnectorSpec, Document, Sender
from heliograph.policy.facts import Facts, facts_for

WORKSPACE: dict[str, Any] = {
    "id": "demo",
    "senders": [{"id": "HELIO", "channel": "sms"}, {"id": "PLAIN", "channel": "sms", "types": ["text"]}],
    "connectors": [
        {"name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1"},
        {"name": "bare", "channel": "sms", "kind": "smpp"},
        {"name": "trunk", "channel": "voice", "kind": "sip"},
    ],
    "templates": [
        {"id": "1", "channel": "sms", "text": "Hello ${name}"},
        {"id": "2", "channel": "sms", "text": "x", "status": "inactive"},
        {"id": "3", "channel": "rt", "text": "x"},
    ],
    "services": [{"id": "orders", "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}}}],
}


def _build(spec: ConnectorSpec, tools: Tools) -> Connector:
    raise NotImplementedError(spec.name)


def _check(spec: ConnectorSpec) -> list[str]:
    return [] if spec.host else ["`host` is missing"]


def _sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    return msgspec.structs.replace(spec, host=peers["smsc"].host, port=peers["smsc"].port)


def _allows(content: Content, sender: Sender) -> str | None:
    kind = str(content.fields.get("type") or "text")
    return None if kind in sender.types else f"{sender.id} does not send {kind}"


SMS = Channel(
    name="sms",
    wire_name="SMS",
    path=("sms",),
    rules=RULES,
    members=MEMBERS,
    missing_keys=MISSING_KEYS,
    addresses=("msisdn", "userid", "customerid"),
    kinds={"smpp": ConnectorKind("smpp", _check, _build, _sandbox)},
    normalise=normalise_msisdn,
    compose=lambda content, text: (
        f"{text} {content.fields['media-path']}" if "media-path" in content.fields else text
    ),
    allows=_allows,
    measure=lambda content, text: (1 + len(text) // 161, "gsm7", len(text)),
    limit=4000,
    sender_field="senderid",
)

MakeFacts = Callable[..., Facts]
MakeMessage = Callable[..., Message]


@pytest.fixture(scope="session")
def facts_of() -> MakeFacts:
    """Facts of the tenant; members of the service as arguments, members of the tenant in `tenant`."""

    def make(*, tenant: dict[str, Any] | None = None, **service: Any) -> Facts:
        plain = {**WORKSPACE, **(tenant or {}), "services": [{**WORKSPACE["services"][0], **service}]}
        [read] = msgspec.convert({"tenants": [plain]}, Document).tenants
        return facts_for(read, read.services[0], {"sms": SMS})

    return make


@pytest.fixture(scope="session")
def message_of() -> MakeMessage:
    """A plain message; members of the channel object, and of the message, as arguments."""

    def make(*, channel: str = "sms", expiry: int = 0, **members: Any) -> Message:
        template, parameters = members.pop("template", ""), members.pop("parameters", {})
        content = Content(channel=channel, fields=members, template=template, parameters=parameters)
        return Message(content=content, addresses=(Address("msisdn", "447700900001"),), expiry=expiry)

    return make
