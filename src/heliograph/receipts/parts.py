"""A message in parts is delivered when every part is, and failed when one is; to several devices, the other way
round."""

from __future__ import annotations

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.model.outcome import State
from heliograph.model.record import Match, Reported
from heliograph.store import Store
from heliograph.store.cache import Recent

MULTIPART_FAILED = keys.MULTIPART_FAILED
KEPT = 20_000

_STATES = {keys.SUBMITTED: State.SUBMITTED, keys.DELIVERED: State.DELIVERED, keys.READ: State.READ}


def state_of(key: str) -> State:
    """Where a receipt's status leaves the transaction."""
    return _STATES.get(key, State.FAILED)


class Parts:
    """Remembers how the parts of messages under way stand; what it forgot is read from the table."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: Recent[tuple[int, int], dict[int, str]] = Recent(KEPT)

    async def combined(self, reported: Reported, match: Match, detail: str, whole: str) -> tuple[str, str]:
        """The status of the whole message after this part's receipt, and its detail; `whole` as in `Channel`."""
        if whole == "any" and state_of(reported.key) is not State.FAILED:
            return reported.key, detail
        transaction = match.transaction
        identity = (transaction.request, transaction.ordinal)
        parts = self._known.get(identity)
        if parts is None:
            rows = await self._store.receipts(*identity)
            parts = {row.part: row.key for row in rows if state_of(row.key) is not State.SUBMITTED}
            self._known.put(identity, parts)
        if state_of(reported.key) is not State.SUBMITTED:
            parts.setdefault(match.part, reported.key)
        failed = [(part, key) for part, key in sorted(parts.items()) if state_of(key) is State.FAILED]
        if whole == "any":
            return (reported.key, detail) if len(failed) == match.parts else (keys.SUBMITTED, "")
        if failed:
            part, key = failed[0]
            row = catalogue.find(key)
            return MULTIPART_FAILED, f"part {part + 1} of {match.parts}: {row.code} {row.message} {detail}".rstrip()
        if len(parts) == match.parts:
            return keys.DELIVERED, ""
        return keys.SUBMITTED, ""
