"""What can become of a message: a closed set of values that connectors, contract and policy give back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec


class State(IntEnum):
    """Where a transaction stands. It only moves to a greater ten: FAILED and DELIVERED never change places."""

    QUEUED = 10  # durable, waits for dispatch
    SENDING = 20  # claimed; the far end may have it (the in-flight window)
    SUBMITTED = 30  # the far end accepted it; a receipt may come
    LAPSED = 40  # no receipt inside its window; a late receipt still moves it on
    FAILED = 50
    DELIVERED = 51
    READ = 60


class Rejected(Exception):
    """The contract refuses the call (or one element of a list): a catalogue key and its filled-in values."""

    def __init__(self, key: str, *values: object) -> None:
        super().__init__(key, *values)
        self.key = key
        self.values = values


@dataclass(frozen=True, slots=True)
class Refused:
    """A policy's decision against one destination: the catalogue key, and what was looked at by which object.

    `gate` names the check, `value` what it looked at, `decided_by` the configured object, e.g.
    `senders[HELIO]`, for people.
    """

    key: str
    gate: str
    value: str
    decided_by: str

    @property
    def detail(self) -> str:
        """What the caller is told beside the code: what was looked at, and what decided."""
        return f"{self.value}; {self.decided_by}" if self.value else self.decided_by


class DeviceEnd(NamedTuple):
    """What became of a message on one device of its user: how that is addressed (`ios_pushid`, say, and its token),
    its id as profiles know it, the catalogue key, what else is known."""

    kind: str
    token: str
    device: str
    key: str
    detail: str = ""


class Submitted(msgspec.Struct, frozen=True, gc=False):
    """The far end accepted the message.

    `native_ids` are the far end's ids, one per part in order; `native` the exchange as it went over the
    wire, request and answer alternating, decoded only when the story is kept. `thread` and `sent_ms` are for far ends
    that report on everything sent to somebody until a moment (`Receipt.until_ms`): how they name that person, and
    when this went out by their clock, or ours where theirs is not known (Unix milliseconds). Without `more` the far
    end never reports anything else of it: it stays submitted. `ends` are the devices of a message to a user, those it
    reached first, in the order of `native_ids`.
    """

    native_ids: tuple[str, ...]
    native: tuple[bytes, ...] = ()
    thread: str = ""
    sent_ms: int = 0
    more: bool = True
    ends: tuple[DeviceEnd, ...] = ()


class SendError(msgspec.Struct, frozen=True, gc=False):
    """The far end, or the way to it, refused.

    `retry` says how: `no` ends the message with `key`; `soon` tries again with back-off, `late` after
    longer, `once` a single time; `free` again without counting an attempt (throttled); `unknown` means the fate
    is not known and nothing may be sent again blindly; `resend` that it is not known and is sent again all the
    same, flagged as a possible duplicate; `wait` that nothing was sent and the far end is left alone, which counts as
    no attempt. `after` is how many seconds the far end asks to be left alone, whatever the class says. `ends` are the
    devices of a message to a user.
    """

    key: str
    retry: str = "no"
    native_code: str = ""
    detail: str = ""
    native: tuple[bytes, ...] = ()
    after: float = 0.0
    ends: tuple[DeviceEnd, ...] = ()


TAPPED = "tapped"
"""The `native_code` of a receipt of a button that was tapped; its `detail` is the button."""


class Reference(NamedTuple):
    """Which message, and which part of how many."""

    request: int
    ordinal: int
    part: int = 0
    parts: int = 1


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What the far end reported of a message it had accepted, before it is matched to a transaction.

    With `until_ms` it speaks of everything that went to `destination` until then (Unix milliseconds), as read marks
    do, and has no `native_id`. `reference` is what the connector let the far end repeat to us: it finds the message
    although the answer to its submit never came; `sent_ms` is when that went to `destination` by the far end's clock,
    where that is to be known for `until_ms`.
    """

    connector: str
    native_id: str
    key: str
    native_code: str = ""
    detail: str = ""
    destination: str = ""
    raw: str = ""
    until_ms: int = 0
    reference: Reference | None = None
    sent_ms: int = 0


@dataclass(frozen=True, slots=True)
class Reachability:
    """News of an address on a channel: it can no longer be reached (a dead token, a follower gone), or can again.
    `at_ms` is since when by the far end's clock (Unix milliseconds, 0: now); `replaced_by` the address that took
    its place, `reason` the native word."""

    connector: str
    channel: str
    address: str
    reachable: bool
    at_ms: int = 0
    replaced_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message that a person sent to one of our addresses. `native_id` is the far end's id of it: a message that
    comes twice is kept and told once. `native` holds what else the channel tells of it, as JSON values."""

    connector: str
    channel: str
    sender: str
    destination: str
    text: str
    native: dict[str, Any] = field(default_factory=dict)
    native_id: str = ""
