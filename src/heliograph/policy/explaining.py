"""Says what would become of a message: every gate asked, whatever those before it said. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from heliograph.model.message import Address, Message
from heliograph.model.outcome import Refused
from heliograph.model.people import NOTHING_KNOWN, Known
from heliograph.model.policies.texts import amount_text
from heliograph.policy.facts import Facts
from heliograph.policy.gates import CHECKS, AddressGate, Case, Gate, Looked, Target
from heliograph.policy.gates.case import personal


class ExplainedTo(msgspec.Struct, frozen=True, kw_only=True):
    """One destination: everything that stands against it, in order, and what it would get. `price` is decimal text,
    "" without a rate plan; `permitted` the Unix milliseconds from which no wish or hour stands against it, None when
    there is no such moment."""

    normalised: str
    against: tuple[Refused, ...]
    text: str
    parts: int
    encoding: str
    price: str
    permitted: int | None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent, as far as it can be told, and to whom."""

    sender: str
    connector: str
    currency: str
    to: tuple[ExplainedTo, ...]


def explain(message: Message, facts: Facts, now_ms: int, known: Known = NOTHING_KNOWN) -> Explained:
    """What would become of a message now."""
    shared, looked = _asked(Case(message, facts, now_ms))
    plan = facts.declared.plan
    return Explained(
        sender=shared.sender.id if shared.sender else "",
        connector=shared.way.spec.name if shared.way else shared.binding.connector,
        currency=plan.currency if plan else "",
        to=tuple(_explain_to(address, shared, looked, known) for address in message.addresses),
    )


def _asked(case: Case) -> tuple[Case, dict[str, Looked]]:
    return case, {gate.name: gate.check(case) for gate in CHECKS if isinstance(gate, Gate)}


def _explain_to(address: Address, case: Case, looked: dict[str, Looked], known: Known) -> ExplainedTo:
    channel = case.channel
    if channel is None:
        against = tuple(refused(found) for found in looked.values() if not found.ok)
        return ExplainedTo(normalised="", against=against, text=case.text, parts=1, encoding="", price="",
                           permitted=None)  # fmt: skip
    target = Target(address, case, channel, known, known.balance)
    filled, locale = personal(case, target.person)
    if filled or locale:
        case, looked = _asked(Case(case.message, case.facts, case.real_ms, attributes=filled, locale=locale))
        target.case = case
    found = list(_faults(target, looked))
    return ExplainedTo(
        normalised=target.to or "",
        against=tuple(refused(item) for item, _ in found if not item.ok),
        text=case.text,
        parts=case.parts,
        encoding=case.encoding,
        price=amount_text(target.price) if case.facts.declared.plan else "",
        permitted=_permitted(target, found),
    )


TIMED = frozenset({"dnd", "frequency", "hours"})
"""The gates that time opens."""


def _faults(target: Target, looked: dict[str, Looked]) -> Iterator[tuple[Looked, int]]:
    """What stands against a destination, and when that ends (Unix milliseconds, 0 for never)."""
    for gate in CHECKS:
        target.opens = 0
        found = gate.look(target) if isinstance(gate, AddressGate) else looked[gate.name]
        if not found.ok or (gate.name in TIMED and target.opens):
            yield found, target.opens


def _permitted(target: Target, found: list[tuple[Looked, int]]) -> int | None:
    timed = [opens for item, opens in found if item.gate in TIMED]
    return max(timed, default=target.case.now_ms) if all(timed) else None


def refused(looked: Looked) -> Refused:
    """What a gate said, as the decision it is."""
    return Refused(looked.key, looked.gate, looked.value, looked.decided_by)


def explain_all(
    message: Message, address: Address, facts: Facts, now_ms: int, known: Known = NOTHING_KNOWN
) -> list[Refused]:
    """Everything that stands against one destination, in order, and not only the first."""
    alone = msgspec.structs.replace(message, addresses=(address,))
    return list(explain(alone, facts, now_ms, known).to[0].against)
