"""A run: one rule that follows from one occurrence, and how far it has come."""

from __future__ import annotations

from enum import IntEnum

import msgspec

DEEPEST = 8
"""How many rules may lead to an occurrence that rules still follow from: what comes of itself ends here."""


class RunState(IntEnum):
    """Where a run stands: something is to be done now or at `due`; it waits for a message to get there; it ended; it
    ended and something in it failed; it was refused before it began, or cut short."""

    OPEN = 0
    AWAITING = 1
    DONE = 2
    FAILED = 3
    REFUSED = 4


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What one step of a run came to: where it stands in the rule (`then[0]`), what was done, whether it worked, and
    a transid, a code or a sentence of it. It holds no address and no text of anybody. `at` is Unix milliseconds."""

    at: int
    place: str
    what: str
    ok: bool
    detail: str = ""


class Run(msgspec.Struct, frozen=True, array_like=True):
    """One rule at work. `digest` tells which wording of the rule it follows to its end; `step` is the place in the
    rule's program, `turn` counts how often the run moved, `tries` how often its step was tried in vain; `awaits` is
    the id of the request whose outcome it waits for, 0 for none, and `until` when that wait ends. `due` is when it is
    taken up next. Times are Unix milliseconds."""

    id: int
    occurrence: int
    tenant: str
    service: str
    rule: str
    digest: str
    at: int
    state: RunState = RunState.OPEN
    step: int = 0
    turn: int = 0
    tries: int = 0
    awaits: int = 0
    until: int = 0
    due: int = 0
    updated: int = 0
    log: list[Entry] = []
