"""How far rules that set each other off may spread: the depth bounds how long that goes on, this how wide it gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from heliograph.model.automation import DEEPEST, Action, Rule
from heliograph.model.automation.naming import key_of

Node = tuple[str, str]
RECEIPT: Node = ("receipt", "")
PROFILE: Node = ("profile", "")
TOLD = 3  # states that a message is told to come to: submitted, delivered, read


def runs_at_most(rules: Sequence[Rule]) -> int:
    """The runs that one occurrence can lead to, were all conditions met and all states reached."""
    causes: dict[Node, list[Counter[Node]]] = {}
    weights: dict[Node, list[int]] = {}
    for rule in rules:
        if rule.status == "active":
            node = key_of(rule.on)
            causes.setdefault(node, []).append(Counter(_caused(rule.then)))
            weights.setdefault(node, []).append(_times(rule))
    below: dict[Node, int] = {}
    for _ in range(DEEPEST + 1):
        below = {
            node: sum(
                times * (1 + sum(count * below.get(other, 0) for other, count in caused.items()))
                for caused, times in zip(causes[node], weights[node], strict=True)
            )
            for node in causes
        }
    return max(below.values(), default=0)


def _times(rule: Rule) -> int:
    """How often one message may set a rule on receipts off: a code is told once."""
    receipt = rule.on.receipt
    return 1 if receipt is None or receipt.codes else min(TOLD, len(receipt.states) or TOLD)


def _caused(actions: Iterable[Action]) -> Iterable[Node]:
    for action in actions:
        if action.emit is not None:
            yield "event", action.emit.event
        elif action.send is not None:
            yield from [RECEIPT] * sum(len(one) if isinstance(one, tuple) else 1 for one in action.send.to.values())
        elif action.profile is not None:
            yield PROFILE
        yield from _caused(action.otherwise)
