"""What a person may ask for when looking through messages."""

from __future__ import annotations

from dataclasses import dataclass

from heliograph.model.ids import first_id_at

_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Empty members choose everything. `before` is a cursor `(request, ordinal)`; times are Unix ms."""

    tenant: str
    channel: str = ""
    service: str = ""
    keys: tuple[str, ...] = ()
    state: int = 0
    destination: str = ""
    correlation: str = ""
    first_ms: int = 0
    last_ms: int = 0
    before: tuple[int, int] = (_LAST, 0)
    limit: int = 50

    def parameters(self) -> tuple[object, ...]:
        """In the order of the statement `recent`."""
        last = first_id_at(self.last_ms + 1) - 1 if self.last_ms else _LAST
        return (
            self.tenant, *self.before, first_id_at(self.first_ms), last, self.channel, self.service, list(self.keys),
            self.state, self.destination, self.correlation, self.limit,
        )  # fmt: skip
