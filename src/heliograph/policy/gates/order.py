"""The gates in their fixed order.

The published order (decisions 2): 7008 tenant or master profile -> 7019 expiry -> 7114 / 7106 / 7104 / 7117 / 7118
configuration -> 7101 sender -> 7105 / 7110 / 7116 / 7119 profile, 7512 / 7513 where its pushes go -> 7102 address ->
7108 / 7121 template -> 7112 / 7107 / 7120 type and length -> 7111 content -> 7109 / 7113 people and hours -> 7115 /
7103 money -> 7503 / 7301 expiry between attempts -> the channel.

A gate of the message is the same for all its destinations and is evaluated once; a gate of the destination looks
at the address and at what is known of it. Each says what it looked at and which object decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from heliograph.policy.gates import content, money, people, setup, timing
from heliograph.policy.gates.case import Case, Looked, Target


@dataclass(frozen=True, slots=True)
class Gate:
    """One step of the order. `check` looks at the message and says what it saw."""

    name: str
    check: Callable[[Case], Looked]
    scope: Literal["message"] = "message"


@dataclass(frozen=True, slots=True)
class AddressGate:
    """One step of the order. `check` looks at one destination and gives what it has against it, or None; `seen` says
    of one that passes what was looked at and which object let it pass."""

    name: str
    check: Callable[[Target], Looked | None]
    seen: Callable[[Target], tuple[str, str]]
    scope: Literal["destination"] = "destination"

    def look(self, target: Target) -> Looked:
        """What the gate sees of a destination, for people."""
        return self.check(target) or Looked(self.name, True, *self.seen(target))


CHECKS: tuple[Gate | AddressGate, ...] = (
    Gate("tenant", setup.tenant),
    AddressGate("customer", people.customer, people.customer_seen),
    Gate("expiry", timing.expiry),
    Gate("channel", setup.configuration),
    Gate("sender", setup.sender),
    AddressGate("profile", people.profile, people.profile_seen),
    AddressGate("user", people.user, people.user_seen),
    AddressGate("verified", people.verified, people.verified_seen),
    AddressGate("system", people.system, people.system_seen),
    AddressGate("token", people.token, people.token_seen),
    AddressGate("address", people.address_form, people.address_seen),
    Gate("template", content.template),
    Gate("type", content.message_type),
    Gate("length", content.length),
    Gate("parameters", content.parameters),
    Gate("content", content.words),
    AddressGate("dnd", people.dnd, people.dnd_seen),
    AddressGate("frequency", people.frequency, people.frequency_seen),
    AddressGate("hours", timing.hours, timing.hours_seen),
    AddressGate("plan", money.plan, money.plan_seen),
    AddressGate("credit", money.credit, money.credit_seen),
    Gate("attempts", timing.attempts),
)
