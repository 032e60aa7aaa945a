"""What is written and read back at once, in bulk: changes of state, notices to callers, the story."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from heliograph.model.events import Occurrence
from heliograph.model.message import Address, Request, Transaction
from heliograph.model.outcome import State

KEPT_MS = 86_400_000  # decisions 3: an answer is given again for 24 hours
RELAY_MS = 2_000
"""What a process accepted and has not published after that time is published by any."""


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Consecutive destinations that share everything but the address: thin rows, written in one statement."""

    element: int
    first: int
    kind: str
    correlation: str
    values: list[str]


class Change(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One transaction moves on. It is applied only when `state` is later than what is stored, or when it goes
    back from SENDING to QUEUED for another attempt at `due`.

    With a `notice` id the caller is told at `url`, in the same commit. `natives` are the far end's ids, one
    per part. `attempt` -1 leaves the count as it is. For SUBMITTED `due` is when the wait for a receipt ends
    (0: never). Times are Unix milliseconds.
    """

    request: int
    ordinal: int
    state: State
    key: str
    at: int
    detail: str = ""
    attempt: int = -1
    connector: str = ""
    due: int = 0
    duplicate: bool = False
    notice: int = 0
    url: str = ""
    origin: str = ""
    natives: tuple[str, ...] = ()


class StoryLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of a message's story: `step` is gate, attempt or note; `data` is JSON text."""

    id: int
    request: int
    ordinal: int
    at: int
    step: str
    data: str


class KeptAnswer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The answer to a call that its caller named with a key: `digest` is of the call's body, `answer` JSON text."""

    request: int
    tenant: str
    service: str
    key: str
    digest: str
    answer: str


class Counted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Destinations that count towards a limit: whose, in which span of the calendar (which ends at `until_ms`)."""

    scope: str
    period: str
    until_ms: int
    count: int


class LinkRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A link of a message: `first` is the ordinal at which the message's destinations begin, `number` which link of
    the message it is. It leads to `url`, on iOS and Android to theirs if they have one, from `until` (Unix
    milliseconds) on to `expired`."""

    request: int
    first: int
    number: int
    tenant: str
    label: str
    url: str
    ios: str
    android: str
    expired: str
    until: int


class Click(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A click on a link by one destination."""

    request: int
    ordinal: int
    number: int
    at: int


class Chunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a worker must know of a request element to queue it: where it goes and how urgent it is. `count`
    destinations are to be sent at most; `expiry` is as the caller gave it. With `again` another process may have
    begun with it and died."""

    request: int
    element: int
    count: int
    priority: int
    expiry: int
    tenant: str
    service: str
    channel: str
    app: str = ""
    again: bool = False


class Owed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A row of the outbox: the chunk, of `size` destinations at most, is published at `due` (Unix milliseconds)
    unless the row is gone by then."""

    due: int
    request: int
    element: int
    size: int = 1
    again: bool = False


class Parked(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A chunk that was handed to workers `deliveries` times without an end of it, the last time at `at` (Unix
    milliseconds), and is handed out no more until somebody says so."""

    request: int
    element: int
    at: int
    deliveries: int


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A call to be made durable: its request, its transactions as runs, and what was already decided. What is
    `counted` uses up limits; with `kept` the answer can be given again; `owed` are the chunks that a broker
    is owed."""

    request: Request
    runs: tuple[Run, ...]
    changes: tuple[Change, ...] = ()
    story: tuple[StoryLine, ...] = ()
    counted: tuple[Counted, ...] = ()
    links: tuple[LinkRow, ...] = ()
    kept: KeptAnswer | None = None
    owed: tuple[Owed, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()


class Release(IntEnum):
    """What the changes of a settlement mean for what is set aside for their messages."""

    NOTHING = 0  # there is nothing
    BY_STATE = 1  # what failed gets its money back, all else is spent
    SPENT = 2  # the far end had them, whatever became of them


class Sent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a transaction went out to whom, for far ends that report until a moment. `thread` is the person as the
    far end names them, `at` Unix milliseconds by `theirs`, the far end's clock, or else by ours."""

    request: int
    ordinal: int
    connector: str
    thread: str
    at: int
    theirs: bool = True


class Reported(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A receipt as it is stored. `request` 0 means that nothing was found that it belongs to."""

    id: int
    request: int
    ordinal: int
    part: int
    connector: str
    native_id: str
    key: str
    at: int
    native_code: str = ""
    detail: str = ""
    destination: str = ""
    raw: str = ""


class Delivery(IntEnum):
    """Where a notice stands."""

    PENDING = 0
    DONE = 1
    PARKED = 2  # given up; kept, visible, replayable


class Notice(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One call owed to a caller's URL. For receipts `body` is empty and the envelope is rendered from the
    request; for inbound messages `body` is the JSON itself and `request` is 0. `origin` is scheme, host and
    port of `url`: the unit of isolation. `tenant` and `service` say whose secret signs. Of a message to a user that
    went to a device of theirs, `address` is that device's, and `device` its id."""

    id: int
    request: int
    ordinal: int
    element: int
    address: Address
    state: State
    key: str
    detail: str
    at: int
    url: str
    origin: str
    tenant: str
    service: str
    attempts: int = 0
    body: str = ""
    device: str = ""


FIRST_DEVICE, DEVICE_WIDTH = 1_000, 100  # ids of notices of devices; all others are far greater


def device_notice_id(part: int, state: State) -> int:
    """The id of the notice that a message to a user stands at `state` on the device of that part: the same whoever
    makes it, so that it is told once, and in the order of states."""
    return FIRST_DEVICE + part * DEVICE_WIDTH + state


class DeviceRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One device that a message to a user went to, by the part of the message that its receipts speak of."""

    request: int
    ordinal: int
    part: int
    kind: str
    token: str
    device: str


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes that belong together in one commit: `owed` are notices of single devices, each of which is kept
    unless one of the same device tells as much or more; `occurrences` are what rules are told of, each with the place
    of the change that it needs."""

    changes: list[Change]
    story: list[StoryLine] = []
    release: Release = Release.NOTHING
    sent: list[Sent] = []
    devices: list[DeviceRow] = []
    owed: list[Notice] = []
    occurrences: list[tuple[int, Occurrence]] = []


class Told(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of one try to tell. `due` is when to try again if `delivery` is still PENDING."""

    request: int
    ordinal: int
    id: int
    delivery: Delivery
    attempts: int
    at: int
    due: int = 0
    status: int = 0
    error: str = ""


class Match(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whose native id it is: the transaction, and which part of how many."""

    transaction: Transaction
    part: int = 0
    parts: int = 1


class Queued(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request that still has something to dispatch, as found at start. Channel, priority and expiry are those
    of its first element."""

    request: int
    tenant: str
    service: str
    channel: str
    priority: int
    expiry: int
    elements: int
