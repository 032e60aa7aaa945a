"""What a connector answered becomes a change of state: submitted, failed, again later, or fate unknown."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from heliograph.catalogue import keys
from heliograph.dispatch import retry
from heliograph.dispatch.around import Surroundings
from heliograph.dispatch.judge import Flight, Judge
from heliograph.dispatch.lane import Lane
from heliograph.dispatch.settler import Settler
from heliograph.dispatch.story import Sampler, attempt_data, line
from heliograph.model.channel import Events, Outbound, Report
from heliograph.model.message import Transaction
from heliograph.model.outcome import DeviceEnd, SendError, State, Submitted
from heliograph.model.record import Change, DeviceRow, Sent
from heliograph.policy.outcomes import untold
from heliograph.policy.windows import window_end_ms


class LaneEvents:
    """A connector's reports, tied to its lane."""

    def __init__(self, results: Results, lane: Lane) -> None:
        self._results = results
        self._lane = lane

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        """See `Events`."""
        self._results.settled(self._lane, outbound, result)

    def ready(self) -> None:
        """See `Events`."""
        self._lane.pump()

    def received(self, item: Report, stored: Callable[[bool], None]) -> None:
        """See `Events`."""
        self._results.received(self._lane.name, item, stored)


class Results:
    """Turns answers into changes and hands them to the settler."""

    def __init__(
        self,
        around: Surroundings,
        settler: Settler,
        judge: Judge,
        sampler: Sampler,
        back: Callable[[list[Transaction]], None],
    ) -> None:
        self._around = around
        self._settler = settler
        self._judge = judge
        self._sampler = sampler
        self._back = back
        self.counts = {"submitted": 0, "refused": 0, "retried": 0, "unanswered": 0}

    def events(self, lane: Lane) -> Events:
        """What the lane's connector reports to."""
        return LaneEvents(self, lane)

    def received(self, connector: str, item: Report, stored: Callable[[bool], None]) -> None:
        """A receipt or inbound message goes to the verb that receives."""
        self._around.receive(connector, item, stored)

    def settled(self, lane: Lane, outbound: Outbound, result: Submitted | SendError) -> None:
        """One submit was answered."""
        flight = lane.answered((outbound.request, outbound.ordinal))
        if isinstance(result, Submitted):
            self._submitted(lane, flight, result)
        else:
            self._refused(lane, flight, result)
        lane.pump()

    def _submitted(self, lane: Lane, flight: Flight, result: Submitted) -> None:
        now_ms = self._around.clock_ms()
        self.counts["submitted"] += 1
        sent = _attempted(flight, lane.name)
        outcomes = flight.judgement.outcomes
        due = window_end_ms(flight.judgement.window_ms, now_ms) if result.more else 0
        change = outcomes.submitted(sent, now_ms, lane.name, result.native_ids, due)
        if self._sampler.keep():
            self._tell_story(lane, flight, result)
        self._around.correlator.submitted(lane.name, result.native_ids, sent)
        if result.ends:
            change = self._by_device(flight, result.ends, change, sent)
        if result.thread:
            at, theirs = result.sent_ms or now_ms, bool(result.sent_ms)
            self._settler.went(Sent(sent.request, sent.ordinal, lane.name, result.thread, at, theirs))
        self._settler.add(change, outcomes, sent)

    def _by_device(
        self, flight: Flight, ends: tuple[DeviceEnd, ...], change: Change, transaction: Transaction
    ) -> Change:
        """A message to a user is told of by device; the change of the whole then tells nothing."""
        outcomes, rows, owed = flight.judgement.outcomes, [], []
        for part, end in enumerate(ends):
            row = DeviceRow(change.request, change.ordinal, part, end.kind, end.token, end.device)
            state = State.SUBMITTED if end.key == keys.SUBMITTED else State.FAILED
            rows.append(row)
            owed += outcomes.of_device(transaction, row, state, end.key, change.at, end.detail)
        self._around.correlator.went_to(rows)
        self._settler.devices(rows, owed)
        return untold(change)

    def _refused(self, lane: Lane, flight: Flight, result: SendError) -> None:
        attempt = flight.outbound.attempt
        if result.retry == "wait":
            self._again(flight, result, retry.LEAST_WAIT, attempt - 1)
            return
        self._tell_story(lane, flight, result)
        if result.retry == "free":
            self._throttled(lane, flight, result)
        elif result.retry == "unknown":
            self._unanswered(lane, flight, result)
        elif (delay := retry.delay_of(result.retry, attempt, lane.fast, self._around.rng)) is not None:
            self._again(flight, result, delay, attempt)
        else:
            self.counts["refused"] += 1
            self._end(lane, flight, result, State.FAILED)

    def _throttled(self, lane: Lane, flight: Flight, result: SendError) -> None:
        """Too fast: the lane slows down and the attempt does not count, except in the sandbox, where someone
        waits for the end."""
        pause = retry.SANDBOX_THROTTLE_PAUSE if lane.fast else retry.THROTTLE_PAUSE
        lane.bucket.throttled(self._around.monotonic(), pause)
        attempt = flight.outbound.attempt
        if lane.fast and attempt >= retry.SANDBOX_THROTTLES:
            self.counts["refused"] += 1
            self._end(lane, flight, result, State.FAILED)
        else:
            self._again(flight, result, pause, attempt if lane.fast else attempt - 1)

    def _unanswered(self, lane: Lane, flight: Flight, result: SendError) -> None:
        """Never sent again blindly: it ends as unknown; a receipt that names the destination moves it on."""
        self.counts["unanswered"] += 1
        attempted, now_ms = _attempted(flight, lane.name), self._around.clock_ms()
        self._around.correlator.unanswered(lane.name, flight.outbound.to, attempted, now_ms)
        self._end(lane, flight, result, State.LAPSED)

    def _end(self, lane: Lane, flight: Flight, result: SendError, state: State) -> None:
        outcomes = flight.judgement.outcomes
        change = outcomes.change(flight.row.ordinal, state, result.key, self._around.clock_ms(), _detail(result))
        if result.ends:
            change = self._by_device(flight, result.ends, change, flight.row)
        self._settler.add(
            msgspec.structs.replace(change, attempt=flight.outbound.attempt, connector=lane.name),
            outcomes,
            _attempted(flight, lane.name),
        )

    def _again(self, flight: Flight, result: SendError, delay: float, attempt: int) -> None:
        self.counts["retried"] += 1
        row, now_ms = flight.row, self._around.clock_ms()
        due_ms = now_ms + int(max(delay, result.after) * 1000)
        twice = row.duplicate or result.retry == "resend"
        change = Change(
            row.request, row.ordinal, State.QUEUED, result.key, now_ms, _detail(result), attempt, "", due_ms, twice
        )
        queued = msgspec.structs.replace(row, key=result.key, attempt=attempt, due=due_ms, duplicate=twice)
        self._settler.add(change, None, row, lambda: self._back([queued]))

    def _tell_story(self, lane: Lane, flight: Flight, result: Submitted | SendError) -> None:
        now_ms, row = self._around.clock_ms(), flight.row
        if flight.outbound.attempt == 1:
            self._settler.note(self._judge.gates(flight.judgement, row, now_ms, flight.known))
        data = attempt_data(lane.connector, lane.name, flight.outbound, result)
        identity = (row.request, row.ordinal)
        self._settler.note(line(self._around.ids.next(), identity, now_ms, "attempt", data))


def _attempted(flight: Flight, connector: str) -> Transaction:
    outbound = flight.outbound
    return Transaction(
        outbound.request, outbound.ordinal, flight.row.element, flight.row.address, State.SENDING, "", "",
        outbound.attempt, connector, duplicate=outbound.duplicate,
    )  # fmt: skip


def _detail(result: SendError) -> str:
    return " ".join(part for part in (result.native_code, result.detail) if part)
