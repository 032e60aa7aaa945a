"""The step that keeps what happened, for any plan: an occurrence is kept in the commit that caused it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from heliograph.model.events import Occurrence
from heliograph.store.steps import Step, add

_encode = msgspec.json.Encoder().encode


def occur(occurrences: Sequence[Occurrence]) -> Step:
    """The step that keeps occurrences, for any plan."""
    return add("insert_occurrences", [_row(one) for one in occurrences])


def _row(one: Occurrence) -> tuple[object, ...]:
    return (
        one.id, one.tenant, one.service, one.trigger, one.name, _encode(one.payload).decode(), one.at, one.depth,
        one.origin, int(one.state), one.correlation, one.notify, one.note,
    )  # fmt: skip
