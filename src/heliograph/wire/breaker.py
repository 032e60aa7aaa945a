"""A circuit breaker as a pure state machine: stop asking a far end that does not answer, ask it now and then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half-open"]


@dataclass(slots=True)
class Breaker:
    """Opens after `failures` in a row for `pause` seconds, then lets one call through to see; each failure of such a
    probe doubles the pause up to `longest`. Times are monotonic seconds."""

    failures: int = 5
    pause: float = 1.0
    longest: float = 60.0
    _failed: int = 0
    _until: float = 0.0
    _next: float = 0.0
    _probing: bool = False

    def state(self, now: float) -> State:
        """Where it stands."""
        if not self._until:
            return "closed"
        return "half-open" if now >= self._until else "open"

    @property
    def until(self) -> float:
        """When calls may start again; 0 while they may."""
        return self._until

    def room(self, now: float, most: int) -> int:
        """How many of `most` calls may start."""
        match self.state(now):
            case "closed":
                return most
            case "open":
                return 0
            case _:
                return 0 if self._probing else min(1, most)

    def opens_in(self, now: float) -> float:
        """Seconds until a call may be tried; 0 while it is not open."""
        return max(0.0, self._until - now)

    def started(self, now: float) -> None:
        """A call started."""
        self._probing = self.state(now) == "half-open"

    def succeeded(self) -> None:
        """The far end answered."""
        self._failed, self._until, self._next, self._probing = 0, 0.0, 0.0, False

    def failed(self, now: float) -> float:
        """The far end did not answer; seconds until calls may start again, 0 while they may."""
        self._failed += 1
        if self._failed < self.failures and not self._until:
            return 0.0
        return self.hold(now, self._next or self.pause)

    def hold(self, now: float, seconds: float) -> float:
        """Stop for so long whatever was counted: the seconds."""
        self._next = min(seconds * 2, self.longest)
        self._until, self._probing = now + seconds, False
        return seconds
