"""Prices: amounts in whole millionths of the currency, and the longest prefix that a plan has for a number. Pure."""

from __future__ import annotations

from typing import NamedTuple

from heliograph.model.policies import Billing, Rate
from heliograph.model.policies.texts import amount_of, pulse_of


class Priced(NamedTuple):
    """What a message costs, in millionths, and which entry of the plan says so."""

    amount: int
    place: int


class _Entry(NamedTuple):
    place: int
    price: int
    unit: str
    pulse: tuple[int, int]


class Plan:
    """A rate plan. `currency` is for people."""

    def __init__(self, billing: Billing) -> None:
        self.currency = billing.currency
        self.opening = amount_of(billing.balance) or 0
        self._entries: dict[str, dict[str, _Entry]] = {}
        for index, rate in enumerate(billing.rate_plan):
            self._entries.setdefault(rate.channel, {})[rate.prefix] = _entry(index, rate)
        self._longest = {channel: max(map(len, entries)) for channel, entries in self._entries.items()}

    def price(self, channel: str, number: str, parts: int, seconds: int = 0) -> Priced | None:
        """What a message of so many parts (or a call of so many seconds) to a number costs; None where the plan has
        no entry. A destination that is no phone number has the number ""."""
        entries = self._entries.get(channel)
        if entries is None:
            return None
        for length in range(min(self._longest[channel], len(number)), -1, -1):
            entry = entries.get(number[:length])
            if entry is not None:
                return Priced(_charge(entry, parts, seconds), entry.place)
        return None


def _entry(index: int, rate: Rate) -> _Entry:
    return _Entry(index, amount_of(rate.price) or 0, rate.unit, pulse_of(rate.pulse) or (60, 60))


def _charge(entry: _Entry, parts: int, seconds: int) -> int:
    if entry.unit == "part":
        return entry.price * parts
    if entry.unit == "message":
        return entry.price
    return -(-entry.price * billed_seconds(seconds, entry.pulse) // 60)


def billed_seconds(seconds: int, pulse: tuple[int, int]) -> int:
    """The seconds of a call that are paid for: the first block always, then whole blocks that were begun."""
    first, block = pulse
    return first + max(0, -(-(seconds - first) // block)) * block
