"""Rules, made ready, by their wording, so that a run ends by the rule it began with."""

from __future__ import annotations

import logging
from collections.abc import Collection

import msgspec

from heliograph.model.automation import Rule
from heliograph.policy.automation import Compiled, compiled
from heliograph.rules.seams import RuleStore

log = logging.getLogger(__name__)

KEPT = 20_000

_decode = msgspec.json.Decoder(Rule).decode


class Wordings:
    """Remembers rules; what it does not know is read from the table."""

    def __init__(self, store: RuleStore) -> None:
        self._store = store
        self._known: dict[tuple[str, str], Compiled] = {}

    def know(self, tenant: str, rule: Compiled) -> None:
        """Take a rule in that is at hand."""
        while len(self._known) >= KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[tenant, rule.digest] = rule

    async def rules(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Compiled]:
        """Rules by tenant and digest; unknown ones are missing from the answer."""
        missing = {name for name in wanted if name not in self._known}
        if missing:
            for name, text in (await self._store.rule_texts(missing)).items():
                rule = _read(text)
                if rule is not None:
                    self.know(name[0], rule)
        return {name: self._known[name] for name in wanted if name in self._known}


def _read(text: str) -> Compiled | None:
    """A rule by its wording; None for one that this release cannot read."""
    try:
        return compiled(_decode(text))
    except (msgspec.MsgspecError, ValueError) as error:
        log.error("the wording of a rule cannot be read: %s", error)
        return None
