"""Hints between processes: at most once, never waited for, nothing is lost with them; the tables decide."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)

Handler = Callable[[bytes], None]
"""What a listener does with a signal's data. It does not wait."""


class Signals(Protocol):
    """Everyone who listens hears: in this process at once, in others soon, or not at all."""

    def signal(self, subject: str, data: bytes = b"") -> None:
        """Tell whoever listens. A subject is words joined by dots."""

    def listen(self, subject: str, handler: Handler) -> Callable[[], None]:
        """Hear that subject from now on; what ends it is given back."""


class LocalSignals:
    """Signals within one process."""

    def __init__(self) -> None:
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)

    def signal(self, subject: str, data: bytes = b"") -> None:
        """See `Signals`."""
        for handler in tuple(self._handlers.get(subject, ())):
            try:
                handler(data)
            except Exception:  # the loop over listeners: a fault of one keeps nothing from the others
                log.exception("a listener of the signal %s failed", subject)

    def listen(self, subject: str, handler: Handler) -> Callable[[], None]:
        """See `Signals`."""
        self._handlers[subject].append(handler)
        return lambda: self._forget(subject, handler)

    def heard(self, subject: str) -> bool:
        """Whether anyone in this process listens."""
        return bool(self._handlers.get(subject))

    def _forget(self, subject: str, handler: Handler) -> None:
        if handler in self._handlers.get(subject, ()):
            self._handlers[subject].remove(handler)
