"""Judges a message: its gates once, then each of its destinations, first refusal in the order of `CHECKS` wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from heliograph.catalogue import keys
from heliograph.model.channel import Body, Channel, Device
from heliograph.model.message import Address, Message
from heliograph.model.outcome import Refused
from heliograph.model.people import NOTHING_KNOWN, Known, Person
from heliograph.policy.explaining import refused
from heliograph.policy.facts import Facts
from heliograph.policy.gates import CHECKS, AddressGate, Case, Gate, Looked, Target
from heliograph.policy.gates.case import PROFILE_KINDS, personal

_END = len(CHECKS)
_ADDRESS_GATES = tuple(
    tuple(gate for gate in CHECKS[:stop] if isinstance(gate, AddressGate)) for stop in range(_END + 1)
)
"""The gates of the destination that stand before each place in the order."""

FAULT = Refused(keys.INTERNAL_SERVER_ERROR, "fault", "", "an error of the server, which its log describes")
"""What a message gets that cannot be judged for a fault of ours (7006)."""

PERSONAL_KEPT = 1_000  # bodies of one message that differ by what profiles filled in


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The message-wide part of the judgement.

    `refused` says why no destination may go, `stop` where in `CHECKS` that was decided: a destination gate that
    stands before it still decides for its destination. With no refusal there is a `body`, ready to send over
    `connector`. `looked` is what the message gates saw, in order; `plain` says that an address in the form of the
    channel passes all gates of destinations as long as nothing is known of it. `personal` keeps the verdicts on the
    message as profiles fill it.
    """

    case: Case
    connector: str
    body: Body | None
    refused: Refused | None
    stop: int
    looked: tuple[Looked, ...]
    plain: bool
    personal: dict[tuple[str, ...], Verdict] = {}

    @property
    def channel(self) -> Channel | None:
        """The channel, None when this installation has none of the name."""
        return self.case.channel

    def with_body(self, body: Body | None) -> Verdict:
        """The same verdict with an equal body of known identity."""
        return msgspec.structs.replace(self, body=body)


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One destination: why it may not go or, when it may, its address as the channel takes it, what kind of address
    that is and whose devices, the body, the price in millionths. `opens` is until when it has to wait (Unix
    milliseconds by our clock), 0 for not at all."""

    refused: Refused | None
    to: str = ""
    kind: str = ""
    body: Body | None = None
    devices: tuple[Device, ...] = ()
    price: int = 0
    opens: int = 0


def judge_message(
    message: Message,
    facts: Facts,
    now_ms: int,
    *,
    attempted: bool = False,
    attributes: Mapping[str, str] | None = None,
    locale: str = "",
) -> Verdict:
    """Every message gate up to the first that refuses, once. `attempted` says that the far end was tried before,
    `attributes` fill the placeholders that the call leaves open, `locale` chooses among a template's texts."""
    case = Case(message, facts, now_ms, attempted=attempted, attributes=attributes, locale=locale)
    looked: list[Looked] = []
    for stop, gate in enumerate(CHECKS):
        if isinstance(gate, Gate):
            found = gate.check(case)
            looked.append(found)
            if not found.ok:
                return _verdict(case, looked, stop, None)
    body = Body(
        content=case.content, text=case.text, sender=case.sender.id if case.sender else "", parts=case.parts,
        encoding=case.encoding, attached=case.channel.attach(case.content, facts.tenant) if case.channel else None,
        links=case.links,
    )  # fmt: skip
    return _verdict(case, looked, _END, body)


def _verdict(case: Case, looked: list[Looked], stop: int, body: Body | None) -> Verdict:
    demands = case.facts.tenant.verified_only or (case.used_app is not None and case.used_app.verified_only)
    return Verdict(
        case=case,
        connector=case.way.spec.name if case.way else case.binding.connector,
        body=body,
        refused=None if body else refused(looked[-1]),
        stop=stop,
        looked=tuple(looked),
        plain=not (demands or case.facts.declared.asks_addresses),
    )


def _for_person(verdict: Verdict, person: Person | None) -> Verdict:
    """The verdict on the message as a person's profile fills and words it; the shared one when the profile has no
    say. Links are the same for everybody: a text with others is not taken."""
    case = verdict.case
    attributes, locale = personal(case, person)
    if not attributes and not locale:
        return verdict
    values = (locale, *(attributes.get(name, "") for name in case.unfilled), *attributes)
    found = verdict.personal.get(values)
    if found is None:
        for spoken in (locale, ""):
            found = judge_message(
                case.message, case.facts, case.real_ms, attempted=case.attempted, attributes=attributes,
                locale=spoken,
            )  # fmt: skip
            if found.case.links == case.links:
                break
        assert found is not None  # noqa: S101 - the loop has a turn
        if len(verdict.personal) < PERSONAL_KEPT:
            verdict.personal[values] = found
    return found


def _target(
    address: Address, verdict: Verdict, channel: Channel, known: Known, left: int | None
) -> tuple[Target, Verdict]:
    """A destination, and the verdict that is for it."""
    target = Target(address, verdict.case, channel, known, left)
    if verdict.case.unfilled or verdict.case.texts:
        verdict = _for_person(verdict, target.person)
        target.case = verdict.case
    return target, verdict


def judge_address(
    address: Address, verdict: Verdict, known: Known = NOTHING_KNOWN, left: int | None = None
) -> Judged:
    """One destination. `left` is the money left for it where that differs from the balance that is known."""
    channel = verdict.channel
    if channel is None:
        return Judged(verdict.refused)
    if verdict.plain and known.nothing and left is None and address.kind not in PROFILE_KINDS:
        to = channel.normalise(address.value)
        if to is not None:  # nothing else is asked of it
            return Judged(verdict.refused) if verdict.refused else Judged(None, to, address.kind, verdict.body)
    target, verdict = _target(address, verdict, channel, known, known.balance if left is None else left)
    for gate in _ADDRESS_GATES[verdict.stop]:
        against = gate.check(target)
        if against is not None:
            return Judged(refused(against))
    if verdict.refused is not None:
        return Judged(verdict.refused)
    opens = target.opens - verdict.case.facts.ahead_ms if target.opens else 0
    return Judged(None, target.to or "", target.kind, verdict.body, target.devices, target.price, opens)


def judge_addresses(
    addresses: Sequence[Address], verdict: Verdict, known: Known = NOTHING_KNOWN
) -> list[Refused | None]:
    """The refusals of many addresses, in their order; those before it use up the money for one."""
    channel, late = verdict.channel, verdict.refused
    if channel is None:
        return [late] * len(addresses)
    if verdict.plain and known.nothing:
        normalise = channel.normalise
        return [
            judge_address(address, verdict).refused
            if address.kind in PROFILE_KINDS or normalise(address.value) is None
            else late
            for address in addresses
        ]
    left = known.balance
    refusals = []
    for address in addresses:
        judged = judge_address(address, verdict, known, left)
        refusals.append(judged.refused)
        if left is not None and judged.refused is None:
            left -= judged.price
    return refusals


def story(
    verdict: Verdict, address: Address, known: Known = NOTHING_KNOWN, refused: Refused | None = None
) -> list[dict[str, object]]:
    """Every gate one destination passed, up to the one that refused it, for people. `refused` is what was decided
    already, by more than is known here (what those before it in the chunk cost)."""
    channel, target = verdict.channel, None
    if channel is not None:
        target, verdict = _target(address, verdict, channel, known, known.balance)
    lines: list[Looked] = []
    looked = iter(verdict.looked)
    for gate in CHECKS[: verdict.stop + 1]:
        if refused is not None and gate.name == refused.gate:
            lines.append(Looked(gate.name, False, refused.value, refused.decided_by))
        elif isinstance(gate, Gate):
            lines.append(next(looked))
        elif target is not None:
            lines.append(gate.look(target))
        if not lines[-1].ok:
            break
    return [{"gate": line.gate, "ok": line.ok, "value": line.value, "decided_by": line.decided_by} for line in lines]
