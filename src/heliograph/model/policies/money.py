"""What messages cost: the balance of a tenant and its rate plan. Amounts are decimal text."""

from __future__ import annotations

from typing import Literal

from heliograph.model.policies.part import Part


class Rate(Part, frozen=True):
    """The price of a unit to the destinations of a channel that begin with a prefix. `pulse` is how a minute is
    counted, in seconds: `60`, or `30+6` for a first block of 30 and then blocks of 6."""

    channel: str
    price: str
    prefix: str = ""
    unit: Literal["part", "message", "minute"] = "part"
    pulse: str = "60"


class Billing(Part, frozen=True):
    """A prepaid account. `balance` is what it was opened with."""

    currency: str = "EUR"
    balance: str = "0"
    rate_plan: tuple[Rate, ...] = ()
