"""May it go now? The gates in their fixed order, stated once in `CHECKS`.

The published order (decisions 2), with the gates of later objects named where they will stand: 7008 tenant -> 7019
expiry -> 7114 / 7106 configuration (7104, 7117, 7118 apps) -> 7101 sender -> 7105 profile (7110, 7116, 7119) ->
7102 address -> 7108 / 7121 template -> 7112 / 7107 type and length (7120) -> 7111 content -> 7109 / 7113 people
and hours -> 7115 / 7103 money -> 7503 / 7301 expiry -> the channel.

A gate of the message is the same for all its destinations and is evaluated once; a gate of the destination looks
at the address. Each says what it looked at and which object decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from heliograph.catalogue import keys
from heliograph.model.channel import Channel
from heliograph.model.message import Address, Content, Message
from heliograph.model.workspace import Binding, ConnectorSpec, Sender
from heliograph.policy.content import apply_template, fill, missing
from heliograph.policy.facts import Facts
from heliograph.policy.ways import Way

PROFILE_KINDS = frozenset({"customerid", "userid"})
LONGEST = 64  # characters of a value that is shown


class Looked(msgspec.Struct, frozen=True, gc=False):
    """What a gate saw: `value` is what was looked at, `decided_by` the object that decided, `key` the refusal."""

    gate: str
    ok: bool
    value: str
    decided_by: str
    key: str = ""


class Case:
    """A message while it passes the gates; gates fill in what they found for those behind them. All of it has a
    value from the start, so that a gate can be asked although one before it refused."""

    __slots__ = (
        "app", "binding", "channel", "content", "encoding", "facts", "message", "now_ms", "parts", "sender",
        "tenant_path", "text", "way",
    )  # fmt: skip

    def __init__(self, message: Message, facts: Facts, now_ms: int) -> None:
        name = message.content.channel
        self.message = message
        self.facts = facts
        self.now_ms = now_ms
        self.tenant_path = f"tenants[{facts.tenant.id}]"
        self.channel: Channel | None = facts.channels.get(name)
        self.binding: Binding = facts.service.channels.get(name) or Binding()
        self.app = message.content.appid if self.channel and self.channel.app else ""
        self.way: Way | None = facts.ways.get((name, self.app))
        self.sender: Sender | None = None
        self.content: Content = message.content
        self.text = ""
        self.parts = 1
        self.encoding = ""

    @property
    def binding_path(self) -> str:
        """Where the service's binding for the channel stands in the workspace."""
        return f"{self.tenant_path}.services[{self.facts.service.id}].channels[{self.message.content.channel}]"


def tenant(case: Case) -> Looked:
    """7008: the tenant is active."""
    status, path = case.facts.tenant.status, f"{case.tenant_path}.status"
    if status != "active":
        return Looked("tenant", False, status, path, keys.INACTIVE_PROFILE)
    return Looked("tenant", True, status, path)


def expiry(case: Case) -> Looked:
    """7019: the message has not expired while it waited."""
    ends, path = case.message.expiry, "expiry of the request"
    if ends and ends <= case.now_ms:
        late = f"expired {(case.now_ms - ends) / 1000:.1f} s ago"
        return Looked("expiry", False, late, path, keys.REQUEST_EXPIRED)
    return Looked("expiry", True, str(ends or "none"), path)


def configuration(case: Case) -> Looked:
    """7106: the service has a way out on this channel. 7104: the app that was asked for is one. 7114: and that way is
    set up whole."""
    name, binding = case.message.content.channel, case.binding
    if case.channel is None or not case.channel.kinds:
        return Looked("channel", False, name, "no connector kind for this channel", keys.CHANNEL_NOT_CONFIGURED)
    wanted = case.app or binding.connector or binding.app
    if not wanted:
        return Looked("channel", False, name, f"{case.binding_path} is not declared", keys.CHANNEL_NOT_CONFIGURED)
    by_app = bool(case.app or not binding.connector)
    path = f"{case.tenant_path}.{'apps' if by_app else 'connectors'}[{wanted[:LONGEST]}]"
    if case.way is None:
        return _no_way(case, wanted, path, by_app)
    if case.way.faults:
        return Looked("channel", False, "; ".join(case.way.faults), path, keys.CONFIGURATION_ERROR)
    return Looked("channel", True, wanted, case.binding_path)


def _no_way(case: Case, wanted: str, path: str, by_app: bool) -> Looked:
    name, tenant = case.message.content.channel, case.facts.tenant
    declared = tenant.apps if by_app else tenant.connectors
    known = next((item for item in declared if wanted in (getattr(item, "id", ""), getattr(item, "name", ""))), None)
    value, key = wanted[:LONGEST], keys.INVALID_APP_ID if by_app else keys.CHANNEL_NOT_CONFIGURED
    if known is None:
        return Looked("channel", False, value, f"{path} is not declared", key)
    if isinstance(known, ConnectorSpec):
        return Looked("channel", False, f"{value} is for {known.channel}", path, keys.CONFIGURATION_ERROR)
    return Looked("channel", False, f"{value} is not for {name}", path, key)


def sender(case: Case) -> Looked:
    """7101: the sender is one of the tenant's, given or by default."""
    channel = case.channel
    if channel is None or not channel.sender_field:
        return Looked("sender", True, "none needed", "channel")
    given = str(case.message.content.fields.get(channel.sender_field) or "")
    wanted = given or case.binding.sender
    if not wanted:
        return Looked("sender", False, "none given, no default", case.binding_path, keys.INVALID_SENDER_ID)
    case.sender = case.facts.senders.get((channel.name, wanted))
    path = f"{case.tenant_path}.senders[{wanted[:LONGEST]}]"
    if case.sender is None:
        reason = f"{path} is not declared for {channel.name}"
        return Looked("sender", False, wanted[:LONGEST], reason, keys.INVALID_SENDER_ID)
    return Looked("sender", True, wanted, path)


def template(case: Case) -> Looked:
    """7108: the template exists, is active and for this channel. 7121: every placeholder has a value."""
    content = case.message.content
    name = content.template
    refused = _unusable_template(case) if name else None
    if refused is not None:
        return refused
    if name:
        case.content = content = apply_template(content, case.facts.templates[name])
    text = str(content.fields.get("text") or "")
    case.text = case.channel.compose(content, text) if case.channel else text
    if name or content.parameters:  # a text without a `message` object is sent as it was written
        if names := missing(case.text, content.parameters):
            return Looked("template", False, ", ".join(names), "`message.parameters`", keys.PARAMS_UNRESOLVED)
        case.text = fill(case.text, content.parameters)
    return Looked("template", True, name or "none", "`message.template`")


def _unusable_template(case: Case) -> Looked | None:
    name = case.message.content.template
    path = f"{case.tenant_path}.templates[{name[:LONGEST]}]"
    found = case.facts.templates.get(name)
    if found is None:
        return Looked("template", False, name[:LONGEST], f"{path} is not declared", keys.INVALID_TEMPLATE)
    if found.status != "active":
        return Looked("template", False, found.status, f"{path}.status", keys.INVALID_TEMPLATE)
    if found.channel != case.message.content.channel:
        return Looked("template", False, found.channel, f"{path}.channel", keys.INVALID_TEMPLATE)
    return None


def asset(case: Case) -> Looked:
    """7114: what the content names of the workspace, a call flow say, is there. 7121: it has the values it asks
    for."""
    against = case.channel.objection(case.content, case.facts.tenant) if case.channel else None
    if against is None:
        return Looked("asset", True, "all there is", "workspace")
    return Looked("asset", False, against.value, against.decided_by, against.key)


def message_type(case: Case) -> Looked:
    """7112: the sender may send this type."""
    kind = str(case.content.fields.get("type") or "text")
    if case.sender is None or case.channel is None:
        return Looked("type", True, kind, "channel")
    why = case.channel.allows(case.content, case.sender)
    path = f"{case.tenant_path}.senders[{case.sender.id}].types"
    return Looked("type", False, why, path, keys.INVALID_MESSAGE_TYPE) if why else Looked("type", True, kind, path)


def length(case: Case) -> Looked:
    """7107: the text is not longer than the channel takes."""
    channel, size, path = case.channel, len(case.text), "limit of the channel"
    if channel is None:
        return Looked("length", True, f"{size} characters", path)
    if size <= channel.limit:
        case.parts, case.encoding, size = channel.measure(case.content, case.text)
    if size > channel.limit:
        value = f"{size} characters, {channel.limit} at most"
        return Looked("length", False, value, path, keys.MESSAGE_TOO_LONG)
    return Looked(
        "length", True, f"{size} characters, {case.parts} part{'s' if case.parts > 1 else ''}, {case.encoding}", path
    )


def profile(address: Address, channel: Channel) -> str:
    """7105: an address given by a profile's id is found. There is no profile store in this release."""
    return "no profile has this id" if address.kind in PROFILE_KINDS else ""


def address_form(address: Address, channel: Channel) -> str:
    """7102: the address has the channel's form."""
    return f"form of an address of {channel.name}" if channel.normalise(address.value) is None else ""


MessageCheck = Callable[[Case], Looked]
AddressCheck = Callable[[Address, Channel], str]


@dataclass(frozen=True, slots=True)
class Gate:
    """One step of the order. `check` looks at the message and says what it saw."""

    name: str
    check: MessageCheck
    scope: Literal["message"] = "message"


@dataclass(frozen=True, slots=True)
class AddressGate:
    """One step of the order. `check` looks at one destination and names what decided against it, or "";
    `decided_by` is what lets the others pass, `key` the refusal."""

    name: str
    key: str
    decided_by: str
    check: AddressCheck
    scope: Literal["destination"] = "destination"

    def look(self, address: Address, channel: Channel) -> Looked:
        """What the gate sees of an address, for people."""
        against = self.check(address, channel)
        value = f"{address.kind} {address.value[:LONGEST]}"
        return Looked(self.name, not against, value, against or self.decided_by, self.key if against else "")


CHECKS: tuple[Gate | AddressGate, ...] = (
    Gate("tenant", tenant),
    Gate("expiry", expiry),
    Gate("channel", configuration),
    Gate("sender", sender),
    AddressGate("profile", keys.PROFILE_NOT_FOUND, "the address is given directly", profile),
    AddressGate("address", keys.INVALID_ADDRESS, "form of an address of the channel", address_form),
    Gate("template", template),
    Gate("asset", asset),
    Gate("type", message_type),
    Gate("length", length),
)
