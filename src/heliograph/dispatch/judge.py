"""Judging again before dispatch, with what is the same for a request element worked out once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from heliograph.catalogue import keys
from heliograph.dispatch.story import line
from heliograph.model.channel import Outbound
from heliograph.model.ids import Ids
from heliograph.model.message import Request, Transaction
from heliograph.model.outcome import Refused
from heliograph.model.record import StoryLine
from heliograph.policy import Verdict, judge_address, judge_message, story
from heliograph.policy.directory import Directory
from heliograph.policy.facts import OTHER_WINDOW_MS
from heliograph.policy.outcomes import OutcomeBook, Outcomes
from heliograph.store.cache import Recent

KEPT = 4_096
FRESH_MS = 1_000  # a judgement is good for a second: time, money and lists change
NO_SERVICE = Refused(
    keys.CHANNEL_NOT_CONFIGURED, "service", "", "the service was removed from the workspace after acceptance"
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One request element as the workspace has it by now; `verdict` is None when its service is gone. `window_ms`
    is how long a receipt is waited for, `expiry` Unix milliseconds or 0."""

    version: int
    at_ms: int
    verdict: Verdict | None
    outcomes: Outcomes
    window_ms: int
    expiry: int

    def holds(self, now_ms: int) -> bool:
        """Whether it is still good: for a second, but not past the expiry."""
        return 0 <= now_ms - self.at_ms < FRESH_MS and not self.at_ms < self.expiry <= now_ms


class Judge:
    """Judgements by request element."""

    def __init__(self, directory: Callable[[], Directory], ids: Ids) -> None:
        self._directory = directory
        self._ids = ids
        self._kept: Recent[tuple[int, int], Judgement] = Recent(KEPT)
        self._book = OutcomeBook(directory, ids.next)

    def of(self, request: Request, element: int, now_ms: int) -> Judgement:
        """The judgement of a request element, at most a second old."""
        directory = self._directory()
        identity = (request.id, element)
        kept = self._kept.get(identity)
        if kept is not None and kept.version == directory.version and kept.holds(now_ms):
            return kept
        facts = directory.facts(request.tenant, request.service)
        message = request.messages[element]
        verdict = judge_message(message, facts, now_ms) if facts else None
        if verdict and kept and kept.verdict and kept.verdict.body == verdict.body:
            verdict = verdict.with_body(kept.verdict.body)  # connectors keep what they encoded by identity
        window = facts.windows.get(message.content.channel, OTHER_WINDOW_MS) if facts else OTHER_WINDOW_MS
        outcomes = self._book.of(request, element)
        made = Judgement(directory.version, now_ms, verdict, outcomes, window, message.expiry)
        self._kept.put(identity, made)
        return made

    def outbound(self, judgement: Judgement, row: Transaction, now_ms: int) -> Outbound | Refused:
        """The message as the connector takes it, or why it may not go now."""
        verdict = judgement.verdict
        if verdict is None:
            return NO_SERVICE
        to, refused = judge_address(row.address, verdict)
        if refused is not None:
            return refused
        body = verdict.body
        assert body is not None  # noqa: S101 - a verdict that refuses nobody has a body
        expiry = judgement.expiry
        validity = max(1, (expiry - now_ms) // 1000) if expiry else 0
        return Outbound(
            row.request, row.ordinal, to, body, validity, row.attempt + 1, row.duplicate, row.address.kind
        )

    def gates(self, judgement: Judgement, row: Transaction, now_ms: int) -> StoryLine:
        """The gates a message passed or failed, as a story line."""
        data: list[dict[str, object]]
        if judgement.verdict is None:
            data = [{"gate": "service", "ok": False, "value": "", "decided_by": NO_SERVICE.decided_by}]
        else:
            data = story(judgement.verdict, row.address)
        return line(self._ids.next(), (row.request, row.ordinal), now_ms, "gates", data)
