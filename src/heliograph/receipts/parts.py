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
_READ_SINCE = (keys.DELIVERED, keys.READ)


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
            parts = {}
            for earlier in await self._store.receipts(*identity):
                _note(parts, earlier.part, earlier.key)
            self._known.put(identity, parts)
        _note(parts, match.part, reported.key)
        failed = [(part, key) for part, key in sorted(parts.items()) if state_of(key) is State.FAILED]
        if whole == "any":
            return (reported.key, detail) if len(failed) == match.parts else (keys.SUBMITTED, "")
        if failed:
            part, key = failed[0]
            row = catalogue.find(key)
            return MULTIPART_FAILED, f"part {part + 1} of {match.parts}: {row.code} {row.message} {detail}".rstrip()
        if len(parts) == match.parts:
            return (keys.READ if set(parts.values()) == {keys.READ} else keys.DELIVERED), ""
        return keys.SUBMITTED, ""


def _note(parts: dict[int, str], part: int, key: str) -> None:
    """The first word on a part stands, but that what was delivered may have been read since."""
    if state_of(key) is not State.SUBMITTED and (part not in parts or (parts[part], key) == _READ_SINCE):
        parts[part] = key
