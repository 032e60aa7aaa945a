"""How many messages X still takes from an account, as its answers say, and how often it may be asked whether it takes
the account at all. Pure; times are Unix milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FIRST_SECONDS, LONGEST_SECONDS = 30.0, 900.0
# Windows of 15 minutes, and of a day for the user and for the app.
FAMILIES = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")


@dataclass(slots=True)
class Quota:
    """What the last answer said: `left` messages until `reset_ms`; nothing is known before the first answer."""

    left: int | None = None
    limit: int = 0
    reset_ms: int = 0

    def read(self, headers: Mapping[str, str]) -> None:
        """Take in the headers of an answer; of several windows the one with the least left counts."""
        found = [one for family in FAMILIES if (one := _window(headers, family)) is not None]
        if found:
            self.left, self.limit, self.reset_ms = min(found, key=lambda one: (one[0], -one[2]))

    def room(self, now_ms: int) -> int | None:
        """How many may be under way; None when X has not said."""
        return self.left if self.left is not None and now_ms < self.reset_ms else None

    def wait_ms(self, now_ms: int) -> int:
        """How long until X takes another one; 0 while it does."""
        return max(0, self.reset_ms - now_ms) if self.left == 0 else 0


def _window(headers: Mapping[str, str], family: str) -> tuple[int, int, int] | None:
    left, reset = _number(headers, f"{family}-remaining"), _number(headers, f"{family}-reset")
    if left is None or reset is None:
        return None
    return left, _number(headers, f"{family}-limit") or 0, reset * 1000


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


@dataclass(slots=True)
class Asking:
    """How often a far end that refuses the account is asked again: each time it waits longer, up to a quarter of an
    hour; in the sandbox never."""

    fast: bool = False
    _next: float = 0.0

    def pause(self) -> float:
        """Seconds to wait before it is asked now."""
        seconds = 0.0 if self.fast else self._next
        self._next = min(self._next * 2 or FIRST_SECONDS, LONGEST_SECONDS)
        return seconds

    def answered(self) -> None:
        """It takes the account again."""
        self._next = 0.0
