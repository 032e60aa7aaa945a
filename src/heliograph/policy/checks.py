"""May it go now? The gates in their fixed order, stated once.

The published order (decisions 2), with gates of later objects named where they will stand: 7008 tenant -> 7019
expiry -> 7114 / 7106 configuration (7104, 7117, 7118 apps) -> 7101 sender -> 7105 profile (7110, 7116, 7119) ->
7102 address -> 7108 / 7121 template -> 7112 / 7107 type and length (7120) -> 7111 content -> 7109 / 7113 people
and hours -> 7115 / 7103 money -> the channel.

A gate of scope `message` is the same for all destinations of a message and is evaluated once; one of scope
`destination` looks at the address. Each says what it looked at and which object decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from heliograph.model.channel import Body, Channel
from heliograph.model.message import Address, Content, Message
from heliograph.model.outcome import Refused
from heliograph.model.workspace import Binding, ConnectorSpec, Sender
from heliograph.policy.content import apply_template, fill, missing
from heliograph.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class Looked:
    """What a gate saw: `value` is what was looked at, `decided_by` the object that decided."""

    gate: str
    ok: bool
    value: str
    decided_by: str
    key: str = ""


@dataclass(slots=True)
class Case:
    """A message while it passes the gates; gates fill in what they found for those behind them."""

    message: Message
    facts: Facts
    now_ms: int
    channel: Channel | None = None
    binding: Binding = field(default_factory=Binding)
    spec: ConnectorSpec | None = None
    sender: Sender | None = None
    content: Content | None = None
    text: str = ""
    parts: int = 1
    encoding: str = ""

    def passed(self, gate: str, value: object, decided_by: str) -> Looked:
        """The gate lets it through."""
        return Looked(gate, True, str(value), decided_by)

    def failed(self, gate: str, key: str, value: object, decided_by: str) -> Looked:
        """The gate refuses it."""
        return Looked(gate, False, str(value), decided_by, key)

    @property
    def service_path(self) -> str:
        """Where the service stands in the workspace."""
        return f"tenants[{self.facts.tenant.id}].services[{self.facts.service.id}]"

    @property
    def tenant_path(self) -> str:
        """Where the tenant stands in the workspace."""
        return f"tenants[{self.facts.tenant.id}]"


def tenant(case: Case) -> Looked:
    """7008: the tenant is active."""
    status, path = case.facts.tenant.status, f"{case.tenant_path}.status"
    if status != "active":
        return case.failed("tenant", "inactive_profile", status, path)
    return case.passed("tenant", status, path)


def expiry(case: Case) -> Looked:
    """7019: the message has not expired while it waited."""
    ends = case.message.expiry
    if ends and ends <= case.now_ms:
        late = (case.now_ms - ends) / 1000
        return case.failed("expiry", "request_expired", f"expired {late:.1f} s ago", "expiry of the request")
    return case.passed("expiry", ends or "none", "expiry of the request")


def configuration(case: Case) -> Looked:
    """7106: the service has a way out on this channel. 7114: and that way is set up whole."""
    name = case.message.content.channel
    path = f"{case.service_path}.channels[{name}]"
    case.channel = case.facts.channels.get(name)
    binding = case.facts.service.channels.get(name)
    if case.channel is None or not case.channel.kinds:
        return case.failed("channel", "channel_not_configured", name, "no connector kind for this channel")
    if binding is None or not binding.connector:
        return case.failed("channel", "channel_not_configured", name, f"{path} is not declared")
    case.binding = binding
    case.spec = case.facts.connectors.get(binding.connector)
    connector = f"{case.tenant_path}.connectors[{binding.connector}]"
    if case.spec is None:
        return case.failed("channel", "channel_not_configured", binding.connector, f"{connector} is not declared")
    if case.spec.channel != name:
        value = f"{binding.connector} is for {case.spec.channel}"
        return case.failed("channel", "configuration_error", value, connector)
    if faults := case.facts.faults.get(binding.connector):
        return case.failed("channel", "configuration_error", "; ".join(faults), connector)
    return case.passed("channel", binding.connector, path)


def sender(case: Case) -> Looked:
    """7101: the sender is one of the tenant's, given or by default."""
    channel = case.channel
    if channel is None or not channel.sender_field:
        return case.passed("sender", "none needed", "channel")
    given = str(case.message.content.fields.get(channel.sender_field) or "")
    wanted = given or case.binding.sender
    source = f"`{channel.sender_field}` of the request" if given else f"{case.service_path}.channels"
    if not wanted:
        return case.failed("sender", "invalid_sender_id", "none given, no default", source)
    case.sender = case.facts.senders.get((channel.name, wanted))
    path = f"{case.tenant_path}.senders[{wanted}]"
    if case.sender is None:
        return case.failed("sender", "invalid_sender_id", wanted, f"{path} is not declared for {channel.name}")
    return case.passed("sender", wanted, path)


def template(case: Case) -> Looked:
    """7108: the template exists, is active and for this channel. 7121: every placeholder has a value."""
    content = case.message.content
    if not content.template:
        case.content = content
    else:
        path = f"{case.tenant_path}.templates[{content.template}]"
        found = case.facts.templates.get(content.template)
        if found is None:
            return case.failed("template", "invalid_template", content.template, f"{path} is not declared")
        if found.status != "active":
            return case.failed("template", "invalid_template", found.status, f"{path}.status")
        if found.channel != content.channel:
            return case.failed("template", "invalid_template", found.channel, f"{path}.channel")
        case.content = apply_template(content, found)
    assert case.channel is not None  # noqa: S101 - `configuration` has found it
    text = case.channel.compose(case.content, str(case.content.fields.get("text") or ""))
    if content.template and (names := missing(text, content.parameters)):
        return case.failed("template", "params_unresolved", ", ".join(names), "`message.parameters`")
    case.text = fill(text, content.parameters) if content.template else text
    return case.passed("template", content.template or "none", "`message.template`")


def message_type(case: Case) -> Looked:
    """7112: the sender may send this type."""
    assert case.content is not None  # noqa: S101
    assert case.channel is not None  # noqa: S101
    kind = str(case.content.fields.get("type") or "text")
    if case.sender is None:
        return case.passed("type", kind, "channel")
    why = case.channel.allows(case.content, case.sender)
    path = f"{case.tenant_path}.senders[{case.sender.id}].types"
    return case.failed("type", "invalid_message_type", why, path) if why else case.passed("type", kind, path)


def length(case: Case) -> Looked:
    """7107: the text is not longer than the channel takes."""
    assert case.content is not None  # noqa: S101
    assert case.channel is not None  # noqa: S101
    size = len(case.text)
    if size <= case.channel.limit:
        case.parts, case.encoding, size = case.channel.measure(case.content, case.text)
    if size > case.channel.limit:
        value = f"{size} characters, {case.channel.limit} at most"
        return case.failed("length", "message_too_long", value, "limit of the channel")
    return case.passed("length", f"{size} characters in {case.parts} parts, {case.encoding}", "limit of the channel")


def profile(address: Address, channel: Channel) -> Looked:
    """7105: an address given by a profile's id is found. There is no profile store in this release."""
    if address.kind in ("customerid", "userid"):
        return Looked("profile", False, address.kind, "no profile has this id", "profile_not_found")
    return Looked("profile", True, "address given directly", "destination")


def address_form(address: Address, channel: Channel) -> Looked:
    """7102: the address has the channel's form."""
    if channel.normalise(address.value) is None:
        return Looked("address", False, address.kind, f"form of the channel {channel.name}", "invalid_address")
    return Looked("address", True, address.kind, f"form of the channel {channel.name}")


MessageCheck = Callable[[Case], Looked]
AddressCheck = Callable[[Address, Channel], Looked]

# The order. Destination gates stand between message gates: what fails first decides.
BEFORE_ADDRESS: tuple[MessageCheck, ...] = (tenant, expiry, configuration, sender)
ADDRESS: tuple[AddressCheck, ...] = (profile, address_form)
AFTER_ADDRESS: tuple[MessageCheck, ...] = (template, message_type, length)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The message-wide part of the judgement. `early` and `late` are refusals of gates before and behind the
    destination gates; with neither there is a `body`, ready to send over `connector`."""

    channel: Channel | None
    connector: str
    body: Body | None
    early: Looked | None
    late: Looked | None
    looked: tuple[Looked, ...]
    split: int

    def with_body(self, body: Body | None) -> Verdict:
        """The same verdict with an equal body of known identity."""
        return replace(self, body=body)


def judge_message(message: Message, facts: Facts, now_ms: int) -> Verdict:
    """Every message gate, once."""
    case = Case(message, facts, now_ms)
    looked: list[Looked] = []
    early = _first_failure(BEFORE_ADDRESS, case, looked)
    split = len(looked)
    late = None if early else _first_failure(AFTER_ADDRESS, case, looked)
    body = None
    if early is None and late is None and case.content is not None:
        body = Body(
            content=case.content,
            text=case.text,
            sender=case.sender.id if case.sender else "",
            parts=case.parts,
            encoding=case.encoding,
        )
    return Verdict(case.channel, case.binding.connector, body, early, late, tuple(looked), split)


def _first_failure(gates: tuple[MessageCheck, ...], case: Case, looked: list[Looked]) -> Looked | None:
    for gate in gates:
        found = gate(case)
        looked.append(found)
        if not found.ok:
            return found
    return None


def judge_address(address: Address, verdict: Verdict) -> tuple[str, Refused | None]:
    """The address as the channel takes it, and why it may not go, if it may not."""
    if verdict.early is not None or verdict.channel is None:
        return "", _refused(verdict.early)
    for gate in ADDRESS:
        found = gate(address, verdict.channel)
        if not found.ok:
            return "", _refused(found)
    if verdict.late is not None:
        return "", _refused(verdict.late)
    return verdict.channel.normalise(address.value) or "", None


def judge_addresses(addresses: tuple[Address, ...], verdict: Verdict) -> list[Refused | None]:
    """The refusals of many addresses; the usual case, all plain and welcome, is a loop over one function."""
    if verdict.early is not None or verdict.channel is None:
        return [_refused(verdict.early)] * len(addresses)
    normalise, late = verdict.channel.normalise, _refused(verdict.late)
    return [
        late
        if address.kind not in ("customerid", "userid") and normalise(address.value) is not None
        else judge_address(address, verdict)[1]
        for address in addresses
    ]


def _refused(looked: Looked | None) -> Refused | None:
    return Refused(looked.key, looked.gate, looked.value, looked.decided_by) if looked else None


def story(verdict: Verdict, address: Address) -> list[dict[str, object]]:
    """Every gate one destination passed, up to the one that refused it, for people."""
    lines = list(verdict.looked[: verdict.split])
    if verdict.early is None and verdict.channel is not None:
        for gate in ADDRESS:
            found = gate(address, verdict.channel)
            lines.append(found)
            if not found.ok:
                break
        else:
            lines.extend(verdict.looked[verdict.split :])
    return [{"gate": line.gate, "ok": line.ok, "value": line.value, "decided_by": line.decided_by} for line in lines]
