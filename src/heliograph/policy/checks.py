"""Judges a message: its gates once, then each of its destinations, first refusal in the order of `CHECKS` wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from heliograph.model.channel import Body, Channel
from heliograph.model.message import Address, Message
from heliograph.model.outcome import Refused
from heliograph.policy.facts import Facts
from heliograph.policy.gates import CHECKS, AddressGate, Case, Gate, Looked

_END = len(CHECKS)
_ADDRESS_GATES = tuple(
    tuple(gate for gate in CHECKS[:stop] if isinstance(gate, AddressGate)) for stop in range(_END + 1)
)
"""The gates of the destination that stand before each place in the order."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The message-wide part of the judgement.

    `refused` says why no destination may go, `stop` where in `CHECKS` that was decided: a destination gate that
    stands before it still decides for its destination. With no refusal there is a `body`, ready to send over
    `connector`. `looked` is what the message gates saw, in order.
    """

    channel: Channel | None
    connector: str
    body: Body | None
    refused: Refused | None
    stop: int
    looked: tuple[Looked, ...]

    def with_body(self, body: Body | None) -> Verdict:
        """The same verdict with an equal body of known identity."""
        return msgspec.structs.replace(self, body=body)


def judge_message(message: Message, facts: Facts, now_ms: int) -> Verdict:
    """Every message gate up to the first that refuses, once."""
    case = Case(message, facts, now_ms)
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
    )  # fmt: skip
    return _verdict(case, looked, _END, body)


def _verdict(case: Case, looked: list[Looked], stop: int, body: Body | None) -> Verdict:
    return Verdict(
        channel=case.channel,
        connector=case.way.spec.name if case.way else case.binding.connector,
        body=body,
        refused=None if body else _refused(looked[-1]),
        stop=stop,
        looked=tuple(looked),
    )


def judge_address(address: Address, verdict: Verdict) -> tuple[str, Refused | None]:
    """The address as the channel takes it ("" when it may not go), and why it may not go."""
    channel = verdict.channel
    if channel is None:
        return "", verdict.refused
    for gate in _ADDRESS_GATES[verdict.stop]:
        if gate.check(address, channel):
            return "", _refused(gate.look(address, channel))
    if verdict.refused is not None:
        return "", verdict.refused
    return channel.normalise(address.value) or "", None


def judge_addresses(addresses: Sequence[Address], verdict: Verdict) -> list[Refused | None]:
    """The refusals of many addresses, in their order."""
    channel, late = verdict.channel, verdict.refused
    gates = _ADDRESS_GATES[verdict.stop]
    if channel is None or not gates:
        return [late] * len(addresses)
    refusals = [late] * len(addresses)
    for gate in reversed(gates):  # the first gate of the order has the last word
        check = gate.check
        for index, address in enumerate(addresses):
            if check(address, channel):
                refusals[index] = _refused(gate.look(address, channel))
    return refusals


def story(verdict: Verdict, address: Address) -> list[dict[str, object]]:
    """Every gate one destination passed, up to the one that refused it, for people."""
    lines: list[Looked] = []
    looked = iter(verdict.looked)
    for gate in CHECKS[: verdict.stop + 1]:
        if isinstance(gate, Gate):
            lines.append(next(looked))
        elif verdict.channel is not None:
            lines.append(gate.look(address, verdict.channel))
        if not lines[-1].ok:
            break
    return [{"gate": line.gate, "ok": line.ok, "value": line.value, "decided_by": line.decided_by} for line in lines]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent, as far as it can be told, and per address everything that stands against it, in order."""

    sender: str
    connector: str
    text: str
    parts: int
    encoding: str
    normalised: tuple[str, ...]
    against: tuple[tuple[Refused, ...], ...]


def explain(message: Message, facts: Facts, now_ms: int) -> Explained:
    """Every gate asked, whatever those before it said."""
    case = Case(message, facts, now_ms)
    looked = {gate.name: gate.check(case) for gate in CHECKS if isinstance(gate, Gate)}
    channel = case.channel
    return Explained(
        sender=case.sender.id if case.sender else "",
        connector=case.way.spec.name if case.way else case.binding.connector,
        text=case.text,
        parts=case.parts,
        encoding=case.encoding,
        normalised=tuple((channel.normalise(item.value) or "") if channel else "" for item in message.addresses),
        against=tuple(tuple(_against(address, channel, looked)) for address in message.addresses),
    )


def _against(address: Address, channel: Channel | None, looked: Mapping[str, Looked]) -> Iterator[Refused]:
    for gate in CHECKS:
        if isinstance(gate, Gate):
            found = looked[gate.name]
        elif channel is not None:
            found = gate.look(address, channel)
        else:
            continue
        if not found.ok:
            yield _refused(found)


def explain_all(message: Message, address: Address, facts: Facts, now_ms: int) -> list[Refused]:
    """Everything that stands against one destination, in order, and not only the first."""
    alone = msgspec.structs.replace(message, addresses=(address,))
    return list(explain(alone, facts, now_ms).against[0])


def _refused(looked: Looked) -> Refused:
    return Refused(looked.key, looked.gate, looked.value, looked.decided_by)
