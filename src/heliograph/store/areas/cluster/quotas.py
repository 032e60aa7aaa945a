"""Limits that processes share: each takes a little at a time of what is left, from counts and from buckets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, bulk, value

THOUSAND = 1_000
ROOMY = 8  # blocks that must be left, or no more is given than is needed


class CountAsk(NamedTuple):
    """Of a count that may come to `most` until a moment (Unix ms): `need` more, or `block` if that is more and there
    is plenty. A need below 0 gives back."""

    scope: str
    period: str
    until: int
    most: int
    need: int
    block: int


class RateAsk(NamedTuple):
    """Of a bucket that fills at `rate` a second and holds a second's worth: `need` tokens, or `block`, likewise."""

    name: str
    rate: int
    need: int
    block: int


class Grant(NamedTuple):
    """What was given, and how it stands then: of a count what is used, of a bucket what is in it (thousandths)."""

    given: int
    stands: int


Asks = tuple[list[CountAsk], list[RateAsk]]
Grants = tuple[list[Grant], list[Grant]]


def quotas(payloads: Sequence[Asks]) -> Plan[list[Grants]]:
    """Grants, in the order in which they were asked for."""
    counts = yield from _counts([ask for payload in payloads for ask in payload[0]])
    rates = yield from _rates([ask for payload in payloads for ask in payload[1]])
    taken: list[Grants] = []
    for count_asks, rate_asks in payloads:
        taken.append(([next(counts) for _ in count_asks], [next(rates) for _ in rate_asks]))
    return taken


def _counts(asks: Sequence[CountAsk]) -> Plan[Iterator[Grant]]:
    if not asks:
        return iter(())
    spans = {(ask.scope, ask.period): ask.until for ask in asks}
    yield bulk("make_volumes", [(*name, until) for name, until in sorted(spans.items())])
    names = sorted(spans)
    text = yield value("lock_volumes", [scope for scope, _ in names], [period for _, period in names])
    used = {
        (scope, period): count for scope, period, count in msgspec.json.decode(text, type=list[tuple[str, str, int]])
    }
    grants = []
    for ask in asks:
        name = (ask.scope, ask.period)
        given = _given(ask.need, ask.block, ask.most - used[name])
        used[name] = max(0, used[name] + given)
        grants.append(Grant(given, used[name]))
    yield bulk("set_volumes", [(*name, used[name]) for name in names])
    return iter(grants)


def _rates(asks: Sequence[RateAsk]) -> Plan[Iterator[Grant]]:
    if not asks:
        return iter(())
    names = sorted({ask.name for ask in asks})
    yield bulk("make_buckets", [(name,) for name in names])
    text = yield value("lock_buckets", names)
    stood = {name: rest for name, *rest in msgspec.json.decode(text)}
    levels: dict[str, int] = {}
    grants = []
    for ask in asks:
        full = ask.rate * THOUSAND
        if ask.name not in levels:
            level, at, now = stood[ask.name]
            levels[ask.name] = full if level < 0 else min(full, level + ask.rate * max(0, now - at))
        given = _given(ask.need, ask.block, levels[ask.name] // THOUSAND)
        levels[ask.name] = min(full, levels[ask.name] - given * THOUSAND)
        grants.append(Grant(given, levels[ask.name]))
    yield bulk("set_buckets", [(name, levels[name], stood[name][2]) for name in names])
    return iter(grants)


def _given(need: int, block: int, left: int) -> int:
    """As much as is needed as far as it goes; a whole block only where that leaves plenty for others."""
    if need < 0:
        return need
    wanted = max(need, block) if left >= ROOMY * block else need
    return max(0, min(wanted, left))


class Quotas(Area):
    """What is left of limits."""

    async def take_quotas(self, counts: list[CountAsk], rates: list[RateAsk]) -> Grants:
        """Take from counts and buckets; what each gave."""
        result: Grants = await self.engine.write("quotas", (counts, rates))
        return result
