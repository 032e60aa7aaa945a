"""What is kept of a message's way: always for failures, for successes while there are few of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from heliograph.model.channel import Connector, Outbound
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.record import StoryLine

KEPT_PER_SECOND = 50  # successes whose story is kept; above that it is a sample


class Sampler:
    """Says which successes are kept: the first of every second."""

    def __init__(self, clock: Callable[[], float], per_second: int = KEPT_PER_SECOND) -> None:
        self._clock = clock
        self._per_second = per_second
        self._second = 0
        self._kept = 0

    def keep(self) -> bool:
        """Whether this one is kept."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._kept = second, 0
        self._kept += 1
        return self._kept <= self._per_second


def attempt_data(
    connector: Connector, name: str, outbound: Outbound, result: Submitted | SendError
) -> dict[str, Any]:
    """One attempt as JSON members: who, when, what went over the wire, what came back."""
    data: dict[str, Any] = {
        "connector": name,
        "attempt": outbound.attempt,
        "possible_duplicate": outbound.duplicate,
        "sender": outbound.body.sender,
        "parts": outbound.body.parts,
        "encoding": outbound.body.encoding,
        "native": [connector.describe(native) for native in result.native],
    }
    if isinstance(result, Submitted):
        data |= {"result": "submitted", "native_ids": list(result.native_ids)}
    else:
        data |= {
            "result": "refused",
            "status": result.key,
            "retry": result.retry,
            "native_code": result.native_code,
            "detail": result.detail,
        }
    return data


def line(new_id: int, identity: tuple[int, int], at: int, step: str, data: object) -> StoryLine:
    """A story line of the transaction `identity` (request, ordinal), its data as JSON text."""
    return StoryLine(new_id, *identity, at, step, msgspec.json.encode(data).decode())
