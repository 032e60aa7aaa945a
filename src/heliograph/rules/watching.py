"""Runs that wait for a message to get there: looked at together, in one read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from heliograph.model.outcome import State
from heliograph.policy.automation import Await
from heliograph.rules.acting import Held
from heliograph.rules.seams import RuleStore

MOST = 50_000  # runs that are watched; others are looked at when their time is over

_REACHED = {
    "submitted": frozenset({State.SUBMITTED, State.LAPSED, State.DELIVERED, State.READ}),
    "delivered": frozenset({State.DELIVERED, State.READ}),
    "read": frozenset({State.READ}),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A wait that is over, and whether the message got there."""

    held: Held
    reached: bool


def over(reached: str, states: Iterable[int], *, late: bool) -> bool | None:
    """Whether messages in these states got there; None while that is open. All of a call must, and one that failed
    ends the wait; of what is no longer kept nothing is known."""
    found = {State(state) for state in states}
    if found and found <= _REACHED[reached]:
        return True
    if State.FAILED in found or late:
        return False
    return None


class Watcher:
    """Holds the runs that wait."""

    def __init__(self, store: RuleStore, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._held: dict[int, Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, held: Held) -> bool:
        """Watch a run; whether there is room for it."""
        if len(self._held) >= MOST:
            return False
        self._held[held.run.id] = held
        return True

    async def look(self) -> list[Seen]:
        """The waits that are over; they are watched no more."""
        if not self._held:
            return []
        held = list(self._held.values())
        states = await self._store.states_of({one.run.awaits for one in held})
        now_ms = self._clock_ms()
        found = []
        for one in held:
            act = one.steps[one.run.step].act
            reached = act.reached if isinstance(act, Await) else "delivered"
            end = over(reached, states.get(one.run.awaits, ()), late=one.run.until <= now_ms)
            if end is not None:
                del self._held[one.run.id]
                found.append(Seen(one, end))
        return found
