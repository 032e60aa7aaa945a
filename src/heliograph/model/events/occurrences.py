"""Something that happened and that rules may follow from."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal, get_args

import msgspec

Trigger = Literal["event", "inbound", "receipt", "click", "profile", "hook"]
"""What kind of thing happened."""

TRIGGERS: tuple[str, ...] = get_args(Trigger)


class OccurrenceState(IntEnum):
    """Where an occurrence stands: nobody has looked for its rules yet; its runs are under way; no rule is for it; all
    its runs ended; the filter of its hook left it out."""

    NEW = 0
    MATCHED = 1
    UNRESOLVED = 2
    DONE = 3
    IGNORED = 4


ENDED = (OccurrenceState.UNRESOLVED, OccurrenceState.DONE, OccurrenceState.IGNORED)
"""The states from which it can be run again."""


class Occurrence(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happened. `name` is the id of the event or hook, for other triggers what their own tells apart
    (a channel, a status code, a label); `payload` is the object that rules look into by dotted names. `depth` counts
    the rules that led to it, `origin` says what caused it: a transid, the id of a run, of a message from a person.
    `notify` is the URL to be told when all runs ended, "" for none; `note` says why it stands where it does. `at` is
    Unix milliseconds."""

    id: int
    tenant: str
    service: str
    trigger: Trigger
    name: str
    payload: dict[str, Any]
    at: int
    depth: int = 0
    origin: str = ""
    state: OccurrenceState = OccurrenceState.NEW
    correlation: str = ""
    notify: str = ""
    note: str = ""
