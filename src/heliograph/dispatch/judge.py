"""Judging again before dispatch, with what is the same for a request element worked out once."""

from __future__ import annotations

from collections.abc import Callable

from heliograph.dispatch.story import line
from heliograph.model.channel import Outbound
from heliograph.model.ids import Ids
from heliograph.model.message import Request, Transaction
from heliograph.model.outcome import Refused
from heliograph.model.record import StoryLine
from heliograph.policy import Verdict, judge_address, judge_message, story
from heliograph.policy.directory import Directory
from heliograph.policy.facts import Facts
from heliograph.policy.outcomes import OutcomeBook, Outcomes
from heliograph.store.cache import Recent

KEPT_VERDICTS = 4_096
FRESH_MS = 1_000  # a verdict is good for a second: time, money and lists change
NO_SERVICE = Refused(
    "channel_not_configured", "service", "", "the service was removed from the workspace after acceptance"
)


class Judge:
    """Verdicts and outcomes by request element."""

    def __init__(self, directory: Callable[[], Directory], ids: Ids) -> None:
        self._directory = directory
        self._ids = ids
        self._verdicts: Recent[tuple[int, int], tuple[int, int, Verdict]] = Recent(KEPT_VERDICTS)
        self._book = OutcomeBook(directory, ids.next)

    def facts(self, request: Request) -> Facts | None:
        """What is known of the request's service now."""
        return self._directory().facts(request.tenant, request.service)

    def verdict(self, request: Request, element: int, facts: Facts, now_ms: int) -> Verdict:
        """The message-wide part of policy, at most a second old."""
        version = self._directory().version
        identity = (request.id, element)
        kept = self._verdicts.get(identity)
        if kept is not None and kept[0] == version and now_ms - kept[1] < FRESH_MS:
            return kept[2]
        verdict = judge_message(request.messages[element], facts, now_ms)
        if kept is not None and kept[2].body == verdict.body:
            verdict = verdict.with_body(kept[2].body)  # connectors keep what they encoded by identity
        self._verdicts.put(identity, (version, now_ms, verdict))
        return verdict

    def outbound(self, request: Request, row: Transaction, now_ms: int) -> Outbound | Refused:
        """The message as the connector takes it, or why it may not go now."""
        facts = self.facts(request)
        if facts is None:
            return NO_SERVICE
        verdict = self.verdict(request, row.element, facts, now_ms)
        to, refused = judge_address(row.address, verdict)
        if refused is not None:
            return refused
        body = verdict.body
        assert body is not None  # noqa: S101  # a verdict that refuses nobody has a body
        expiry = request.messages[row.element].expiry
        validity = max(1, (expiry - now_ms) // 1000) if expiry else 0
        return Outbound(row.request, row.ordinal, to, body, validity, row.attempt + 1, row.duplicate)

    def gates(self, request: Request, row: Transaction, now_ms: int) -> list[StoryLine]:
        """The gates a message passed or failed, as story lines."""
        facts = self.facts(request)
        if facts is None:
            data: list[dict[str, object]] = [
                {"gate": "service", "ok": False, "value": request.service, "decided_by": NO_SERVICE.decided_by}
            ]
        else:
            verdict = self.verdict(request, row.element, facts, now_ms)
            data = story(verdict, row.address)
        return [line(self._ids.next(), (row.request, row.ordinal), now_ms, "gates", data)]

    def outcomes(self, request: Request, element: int) -> Outcomes:
        """The maker of changes for a request element."""
        return self._book.of(request, element)
