"""Rules as a workspace declares them: on what, when, and then what. The structs are the shape of the document."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from heliograph.model.policies.part import Part

Operator = Literal[
    "equals", "not_equals", "contains", "not_contains", "prefix", "suffix", "regex", "in", "not_in", "less",
    "at_most", "greater", "at_least", "exists",
]  # fmt: skip
"""How a field is compared with a value."""


class OnInbound(Part, frozen=True):
    """Messages from people: on a channel, to one of our addresses, with a first word; "" stands for any."""

    channel: str = ""
    to: str = ""
    keyword: str = ""


class OnReceipt(Part, frozen=True):
    """What became of messages: on a channel, the words of receipts, the codes; "" and none stand for any."""

    channel: str = ""
    states: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


class OnClick(Part, frozen=True):
    """Clicks on a smart link, by its id; "" stands for every link."""

    link: str = ""


class OnProfile(Part, frozen=True):
    """Changes of customer profiles: what was done, and to which attributes; none stands for any."""

    acts: tuple[Literal["created", "updated", "deleted"], ...] = ()
    attributes: tuple[str, ...] = ()


class On(Part, frozen=True):
    """What sets a rule off: one of these."""

    event: str = ""
    hook: str = ""
    inbound: OnInbound | None = None
    receipt: OnReceipt | None = None
    click: OnClick | None = None
    profile: OnProfile | None = None


class Condition(Part, frozen=True):
    """A comparison of a field, or several conditions together: `all`, `any`, `not`."""

    field: str = ""
    op: Operator = "equals"
    value: Any = None
    ignore_case: bool = False
    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    negated: Condition | None = msgspec.field(default=None, name="not")


class Send(Part, frozen=True):
    """A message: `to` are addresses by kind, `content` is the channel's object, `parameters` fill a template. The
    service is the rule's unless it says another."""

    channel: str
    to: dict[str, str | tuple[str, ...]]
    template: str = ""
    parameters: dict[str, Any] = {}
    content: dict[str, Any] = {}
    correlation: str = ""
    callback_data: str = ""
    priority: int = 0
    service: str = ""


class CallUrl(Part, frozen=True):
    """A call of a URL with a body; without one the body tells of what happened."""

    url: str
    body: dict[str, Any] = {}


class SetProfile(Part, frozen=True):
    """Attributes of a customer profile. `put` makes a customer where there is none, and then
    needs what a new one must have; null takes an attribute away."""

    customer: str
    attributes: dict[str, Any]
    act: Literal["update", "put"] = "update"


class LeaveAlone(Part, frozen=True):
    """An entry of the do-not-disturb list; `channel` and `category` "" stand for all, `expires` "" for never."""

    address: str
    channel: str = ""
    category: str = ""
    reason: str = ""
    expires: str = ""


class Emit(Part, frozen=True):
    """An event of the tenant's, which has rules of its own."""

    event: str
    parameters: dict[str, Any] = {}
    correlation: str = ""


class Action(Part, frozen=True):
    """One thing to be done. A `send` that says `within` has to be `reached` by then, or `otherwise` is done; without
    `within` nobody waits for it."""

    send: Send | None = None
    notify: CallUrl | None = None
    profile: SetProfile | None = None
    dnd: LeaveAlone | None = None
    emit: Emit | None = None
    wait: str = ""
    stop: bool = False
    when: tuple[Condition, ...] = ()
    within: str = ""
    reached: Literal["submitted", "delivered", "read"] = "delivered"
    otherwise: tuple[Action, ...] = ()


class Rule(Part, frozen=True):
    """On what, when, then what. `service` is in whose name it acts ("": that which the occurrence belongs to);
    `person` says whose profile its conditions and texts mean, by the kind of an address; `since` and `until` bound
    the time it is in force."""

    name: str
    on: On
    then: tuple[Action, ...]
    when: tuple[Condition, ...] = ()
    status: Literal["active", "inactive"] = "active"
    service: str = ""
    person: dict[str, str] = {}
    since: str = ""
    until: str = ""
