"""How the credentials of connectors stand: one view of what each connector says of its own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

GOOD = ("ok", "expiring")
WARN_MS = 30 * 86_400_000  # before its end a credential is called expiring

Connectors = Mapping[str, Mapping[str, Any]]
"""The status of every connector by the name of its lane."""


class Credential(NamedTuple):
    """What an app or account shows to a far end: `system` is which of an app's systems it is for ("" for an account),
    `kind` what it is, `state` ok, expiring, expired or refused, `ends_ms` until when it is good (Unix milliseconds, 0
    where it does not end or that is not known), `why` the far end's words when it is refused."""

    connector: str
    system: str
    kind: str
    state: str
    ends_ms: int = 0
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether messages go out with it."""
        return self.state in GOOD


def credentials(connectors: Connectors, now_ms: int) -> Iterator[Credential]:
    """The credentials of all connectors that say something of them. Tokens that are renewed by themselves are no
    matter of an operator's: their ends are not told."""
    for name, status in connectors.items():
        for system, shown in (status.get("systems") or {}).items():
            health = shown["credentials"]
            ends = health.get("ends") or 0
            yield Credential(name, system, health["kind"], health["state"], ends, shown.get("refused", ""))
        if state := status.get("credentials_state"):
            ends = status.get("credentials_end_ms") or 0
            kind = status.get("authorization") or "token"
            yield Credential(name, "", kind, _aged(state, ends, now_ms), ends, status.get("credentials", ""))


def _aged(state: str, ends_ms: int, now_ms: int) -> str:
    """What is not refused, by its end."""
    if state != "ok" or not ends_ms:
        return str(state)
    return "expired" if ends_ms <= now_ms else "expiring" if ends_ms - now_ms < WARN_MS else "ok"
