"""What one step does, worked out or handed to whoever does it, and the run as it stands after that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replace_held
from typing import Any

from msgspec.structs import replace

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.contract.events.calls import BadEvent, read_event
from heliograph.contract.events.definitions import definitions_of
from heliograph.model.automation import CallUrl, Emit, Entry, LeaveAlone, Run, RunState, Send, SetProfile
from heliograph.model.events import Occurrence
from heliograph.model.message import Address
from heliograph.model.outcome import Rejected, State
from heliograph.model.profiles.records import Told, Write
from heliograph.model.record import Accepted, Notice
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.automation import Await, Compiled, NoValue, Scope, Step, fill_members
from heliograph.policy.automation.filling import fill_text
from heliograph.policy.automation.program import END
from heliograph.policy.outcomes import origin_of
from heliograph.rules.bodies import (
    customer_batch,
    dnd_row,
    filled_url,
    message_body,
    nothing_under,
    notify_body,
)
from heliograph.rules.matching import HOLD_MS
from heliograph.rules.seams import Means
from heliograph.store.areas.automation.runs import NO_EFFECTS, Advance, Effects, Moved

FAST_WAIT_MS = 3_000  # what a wait is at most in a sandbox service that does not keep the real pace
LINE = 300  # characters of a sentence in a run's log


@dataclass(frozen=True, slots=True)
class Held:
    """A run in hand: what it follows from, and its rule as it was then."""

    run: Run
    occurrence: Occurrence
    rule: Compiled

    @property
    def steps(self) -> tuple[Step, ...]:
        """The rule's program."""
        return self.rule.steps


class CannotAct(Exception):
    """A step cannot be done, and never will be; the text says why."""


class Actor:
    """Does single steps. Whatever a step comes to is written together with how far the run has come."""

    def __init__(self, means: Means, happened: Callable[[list[Occurrence]], None]) -> None:
        """`happened` is called after the commit with what a rule caused."""
        self._means = means
        self._happened = happened
        self.counts = dict.fromkeys(("sends", "refused", "notified", "profiles", "dnd", "emitted"), 0)

    async def act(self, held: Held, scope: Scope) -> tuple[Run, Moved]:
        """Do the step at which a run stands: the run after it. Raises `StoreUnavailable`."""
        step = held.steps[held.run.step]
        held = self._noted(held, step, scope)
        try:
            tenant, service = self._owner(held.run)
            if isinstance(step.act, Send):
                return await self._send(held, step.act, scope)
            effects, line = self._effects(held, step, scope, tenant, service)
        except (NoValue, CannotAct) as error:
            return await self.fail(held, str(error))
        return await self.commit(held, self.after(held, step.next, line), effects)

    def _noted(self, held: Held, step: Step, scope: Scope) -> Held:
        """The run with a line that names what the texts of its step ask for and find nothing under."""
        if not (empty := nothing_under(step.act, scope)):
            return held
        line = f"there is nothing in {', '.join(f'${{{name}}}' for name in empty)}"[:LINE]
        entry = Entry(self._means.clock_ms(), step.place, "fill", True, line)
        return replace_held(held, run=replace(held.run, log=[*held.run.log, entry]))

    async def fail(self, held: Held, why: str) -> tuple[Run, Moved]:
        """The step could not be done: the run goes on with the next, or with what is done otherwise."""
        step = held.steps[held.run.step]
        there = step.next if step.other is None else step.other
        return await self.commit(held, self.after(held, there, why, ok=False), NO_EFFECTS)

    async def commit(self, held: Held, run: Run, effects: Effects) -> tuple[Run, Moved]:
        """Keep what a step comes to; tell of it afterwards."""
        ended = self._means.ended(held.occurrence) if run.state > RunState.AWAITING else None
        moved = await self._means.store.advance(Advance(run, effects, ended))
        if moved.took:
            notices = [*effects.notices, *([moved.owed] if moved.owed else [])]
            if notices:
                self._means.tell(notices)
            if effects.occurrences:
                self._happened(effects.occurrences)
            if effects.dnd:
                self._means.listed(run.tenant)
        return run, moved

    def after(self, held: Held, there: int, line: str, *, ok: bool = True, awaits: int = 0) -> Run:
        """The run after its step, at the place `there`, with a line of what the step came to."""
        run, now_ms = held.run, self._means.clock_ms()
        step = held.steps[run.step]
        log = [*run.log, Entry(now_ms, step.place, step.what, ok, line[:LINE])]
        moved = replace(
            run, step=there, turn=run.turn + 1, tries=0, awaits=0, until=0, updated=now_ms, due=now_ms + HOLD_MS,
            log=log,
        )  # fmt: skip
        if there == END:
            return replace(moved, state=_end_of(log, held.steps), due=0)
        following = held.steps[there].act
        if awaits and isinstance(following, Await):
            until = now_ms + self.wait_ms(run, following.seconds)
            return replace(
                moved, state=RunState.AWAITING, awaits=awaits, until=until, due=until + HOLD_MS
            )  # fmt: skip
        return replace(moved, state=RunState.OPEN)

    def ended(self, held: Held) -> Run:
        """The run at its end, after a wait or steps that were left out."""
        run, now_ms = held.run, self._means.clock_ms()
        state = _end_of(run.log, held.steps)
        return replace(run, state=state, turn=run.turn + 1, tries=0, awaits=0, until=0, due=0, updated=now_ms)

    def wait_ms(self, run: Run, seconds: int) -> int:
        """How long a wait is; short in a sandbox service that does not keep the real pace."""
        found = self._means.directory().service_of(run.tenant, run.service)
        fast = found is not None and found[1].fast
        return min(seconds * 1_000, FAST_WAIT_MS) if fast else seconds * 1_000

    def _owner(self, run: Run, name: str = "") -> tuple[Tenant, Service]:
        found = self._means.directory().service_of(run.tenant, name or run.service)
        if found is None:
            raise CannotAct(f"there is no service {name or run.service!r} any more")
        return found

    async def _send(self, held: Held, send: Send, scope: Scope) -> tuple[Run, Moved]:
        tenant, service = self._owner(held.run, send.service)
        if tenant.status != "active" or service.status != "live":
            raise CannotAct(f"{catalogue.code(keys.SERVICE_INACTIVE)} the service is suspended")
        channel = self._means.directory().channels.get(send.channel)
        if channel is None:
            raise CannotAct(f"there is no channel {send.channel}")
        body = message_body(send, channel, scope)
        written: list[tuple[Run, Moved]] = []

        async def keep(accepted: Accepted) -> bool:
            run = self._sent(held, accepted)
            written.append(await self.commit(held, run, Effects(accepted=accepted)))
            return written[0][1].took

        try:
            await self._means.accept(tenant, service, body, (held.occurrence.depth + 1, held.run.id), keep)
        except Rejected as error:
            self.counts["refused"] += 1
            raise CannotAct(
                f"{catalogue.code(error.key)} {catalogue.text(error.key, values=error.values)}"
            ) from error
        [(run, moved)] = written
        return run, moved

    def _sent(self, held: Held, accepted: Accepted) -> Run:
        """The run after its message was taken; a message that policy refused to all addresses is as good as none."""
        step = held.steps[held.run.step]
        transid = accepted.request.transid(0)
        refused = [change for change in accepted.changes if change.state is State.FAILED]
        if len(refused) < sum(len(run.values) for run in accepted.runs):
            self.counts["sends"] += 1
            return self.after(held, step.next, transid, awaits=accepted.request.id)
        self.counts["refused"] += 1
        there = step.next if step.other is None else step.other
        return self.after(held, there, f"{transid} {catalogue.code(refused[0].key)}", ok=False)

    def _effects(self, held: Held, step: Step, scope: Scope, tenant: Tenant, service: Service) -> tuple[Effects, str]:
        """What a step does beside moving the run, and a line on it. Raises `NoValue` and `CannotAct`."""
        act, run, now_ms = step.act, held.run, self._means.clock_ms()
        if isinstance(act, CallUrl):
            self.counts["notified"] += 1
            return self._notify(act, held, step, scope, service)
        if isinstance(act, SetProfile):
            if tenant.profile_store is None:
                raise CannotAct("the tenant has no profile_store")
            told = None
            if self._means.directory().rules(tenant.id).has("profile"):
                told = Told([self._means.ids.next()], held.occurrence.depth + 1, f"run {run.id}")
            batch = customer_batch(act, tenant, scope, told)
            if refused := batch.changes[0].refused:
                code = catalogue.find(refused, catalogue.PROFILE).code
                text = catalogue.text(refused, catalogue.PROFILE, tuple(batch.changes[0].values))
                raise CannotAct(f"{code} {text}")
            self.counts["profiles"] += 1
            return Effects(profile=Write(batch, None, now_ms)), ""
        if isinstance(act, LeaveAlone):
            self.counts["dnd"] += 1
            return Effects(dnd=[dnd_row(act, run, scope, now_ms)]), ""
        if isinstance(act, Emit):
            self.counts["emitted"] += 1
            return self._emit(act, held, scope, tenant)
        return NO_EFFECTS, ""

    def _notify(self, act: CallUrl, held: Held, step: Step, scope: Scope, service: Service) -> tuple[Effects, str]:
        url, run = filled_url(act.url, scope), held.run
        body = notify_body(act, run, step.place, scope)
        number = self._means.ids.next()
        notice = Notice(
            number, 0, 0, 0, Address("", ""), State.DELIVERED, "inbound", "", self._means.clock_ms(), url,
            origin_of(url), run.tenant, service.id, 0, body,
        )  # fmt: skip
        return Effects(notices=[notice]), f"0.0.{number}"

    def _emit(self, act: Emit, held: Held, scope: Scope, tenant: Tenant) -> tuple[Effects, str]:
        given: dict[str, Any] = {
            "evtid": act.event, "parameters": fill_members(act.parameters, scope),
            "correlationid": fill_text(act.correlation, scope) if act.correlation else held.occurrence.correlation,
        }  # fmt: skip
        try:
            sent = read_event(given, definitions_of(tenant.events))
        except BadEvent as error:
            why = ", ".join(error.parameters) or "it is not declared"
            code = catalogue.find(error.key, catalogue.EVENT).code
            raise CannotAct(f"{code} the event {act.event} is refused: {why}") from error
        if not sent.definition.may_send(held.run.service):
            raise CannotAct(f"the service {held.run.service} may not send the event {act.event}")
        number = self._means.ids.next()
        payload = {
            "evtid": act.event, "name": sent.definition.spec.name, "correlationid": sent.correlation,
            "parameters": sent.parameters,
        }  # fmt: skip
        occurrence = Occurrence(
            number, tenant.id, held.run.service, "event", act.event, payload, self._means.clock_ms(),
            held.occurrence.depth + 1, f"run {held.run.id}", correlation=sent.correlation,
        )  # fmt: skip
        return Effects(occurrences=[occurrence]), str(number)


def _end_of(log: list[Entry], steps: tuple[Step, ...]) -> RunState:
    """How a run ended: the last word on each action counts, but of one with another way only what came of that."""
    handled = {step.place for step in steps if step.other is not None and step.other != step.past}
    last = {entry.place: entry for entry in log}
    failed = any(not entry.ok and entry.place not in handled for entry in last.values())
    return RunState.FAILED if failed else RunState.DONE
