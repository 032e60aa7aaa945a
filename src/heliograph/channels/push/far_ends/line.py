"""How a far end is faring: left alone for a while when it does not answer, refuses us, or asks for it."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from heliograph.catalogue import keys
from heliograph.channels.push.far_ends.base import Result
from heliograph.channels.push.outcomes import CREDENTIALS, DOWN, PAUSE, SUSPECT, Outcome
from heliograph.wire.breaker import Breaker

log = logging.getLogger(__name__)

HOLD_SECONDS = 30.0  # before a far end that refused our credentials is asked again
PAUSE_SECONDS = 60.0  # that a far end is left alone when it wants a pause and does not say for how long
FAST_SECONDS = 0.1  # both, and the breaker's first pause, in the sandbox
SUSPECTS = 3  # refusals in a row until they are put down to our credentials
PROBE_SECONDS, FAST_PROBE_SECONDS = 1.0, 0.05  # to wait while somebody else tries whether it is well again
ERRORS_KEPT = 5


class Line:
    """One far end, as one set of credentials reaches it. Times are monotonic seconds."""

    def __init__(self, name: str, *, fast: bool) -> None:
        self.name = name
        self._fast = fast
        self._breaker = Breaker(pause=FAST_SECONDS, longest=1.0) if fast else Breaker()
        self._errors: deque[str] = deque(maxlen=ERRORS_KEPT)
        self._suspects = 0
        self._refused = ""
        self.key = keys.PUSH_UNKNOWN_ERROR  # of the last push that was not taken

    @property
    def why(self) -> str:
        """Why nothing goes, for who waits."""
        return self._refused or (self._errors[-1] if self._errors else "")

    def wait(self, now: float) -> float:
        """Seconds until a push may go; 0 when it may go now."""
        if self._breaker.room(now, 1):
            return 0.0
        return self._breaker.opens_in(now) or (FAST_PROBE_SECONDS if self._fast else PROBE_SECONDS)

    def room(self, now: float, most: int) -> int:
        """How many pushes may go."""
        return self._breaker.room(now, most)

    def started(self, now: float) -> None:
        """A push goes."""
        self._breaker.started(now)

    def ended(self, now: float, result: Result, outcome: Outcome | None) -> None:
        """It was answered, or will not be; without an outcome it was taken."""
        if outcome is None:
            self._well()
            return
        self.key = outcome.key
        self._errors.append(" ".join(part for part in (*result.codes[:1], result.detail) if part))
        effect = outcome.effect
        if effect == DOWN:
            self._breaker.failed(now)
            if result.after:
                self._breaker.hold(now, result.after)
        elif effect == PAUSE:
            self._breaker.hold(now, result.after or (FAST_SECONDS if self._fast else PAUSE_SECONDS))
        elif effect == CREDENTIALS or (effect == SUSPECT and self._suspected()):
            self._refuse(now, result)
        elif effect != SUSPECT:
            self._well()  # it answered about this one push
        else:
            self._breaker.succeeded()

    def abandoned(self, now: float) -> None:
        """A push that was started will not be ended."""
        self._breaker.failed(now)

    def _suspected(self) -> bool:
        self._suspects += 1
        return self._suspects >= SUSPECTS

    def _well(self) -> None:
        self._breaker.succeeded()
        self._suspects = 0
        if self._refused:
            log.info("%s takes our credentials again", self.name)
            self._refused = ""

    def _refuse(self, now: float, result: Result) -> None:
        reason = " ".join(part for part in (result.codes[0], result.detail) if part)
        if not self._refused:
            log.error("%s refuses our credentials: %s", self.name, reason)
        self._refused = reason
        self._breaker.hold(now, FAST_SECONDS if self._fast else HOLD_SECONDS)

    def status(self, now: float) -> dict[str, Any]:
        """For people."""
        breaker = self._breaker.state(now)
        state = "error" if self._refused else "ready" if breaker == "closed" else "down"
        shown: dict[str, Any] = {"state": state, "breaker": breaker}
        if self._refused:
            shown["refused"] = self._refused
        if self._errors:
            shown["last_errors"] = list(self._errors)
        return shown
