"""How fast a connector may be used: a token bucket that slows down when the far end says so."""

from __future__ import annotations

SLOW_SECONDS = 60.0  # how long a throttling answer is felt
SLOW_FACTOR = 0.85
FLOOR = 0.1  # of the configured rate


class Bucket:
    """Tokens for `rate` messages a second (0: unlimited), a tenth of a second of burst. Time is an argument."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._factor = 1.0
        self._slow_until = 0.0
        self._pause_until = 0.0
        self._tokens = max(1.0, rate / 10)
        self._at = 0.0

    def available(self, now: float) -> int:
        """How many may go now; `now` is monotonic seconds."""
        if now < self._pause_until:
            return 0
        if not self.rate:
            return 1 << 30
        if now >= self._slow_until:
            self._factor = 1.0
        rate = self.rate * self._factor
        self._tokens = min(max(1.0, rate / 10), self._tokens + (now - self._at) * rate if self._at else self._tokens)
        self._at = now
        return int(self._tokens)

    def take(self, count: int) -> None:
        """Use tokens that were available."""
        if self.rate:
            self._tokens -= count

    def wait(self, now: float) -> float:
        """Seconds until there may be a token again."""
        if now < self._pause_until:
            return self._pause_until - now
        if not self.rate:
            return 0.0
        return max(0.0, (1 - self._tokens) / (self.rate * self._factor))

    def throttled(self, now: float, pause: float) -> None:
        """The far end said "too fast": stop for `pause` seconds, then go slower for a while."""
        self._pause_until = max(self._pause_until, now + pause)
        self._slow_until = now + SLOW_SECONDS
        self._factor = max(FLOOR, self._factor * SLOW_FACTOR)
