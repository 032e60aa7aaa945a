"""A rule's actions as steps in a row, so that how far a run has come is one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from heliograph.model.automation import Action, CallUrl, Emit, LeaveAlone, Send, SetProfile
from heliograph.model.automation.naming import fields_of, is_of_profile, names_in
from heliograph.model.duration import parse_duration
from heliograph.policy.automation.conditions import Test, all_of

END = -1


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is done for so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Await:
    """The message of the step before has to be `reached` within so many seconds."""

    seconds: int
    reached: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The run ends here."""


Act = Send | CallUrl | SetProfile | LeaveAlone | Emit | Wait | Await | Stop

NAMES: dict[type, str] = {
    Send: "send", CallUrl: "notify", SetProfile: "profile", LeaveAlone: "dnd", Emit: "emit", Wait: "wait",
    Await: "await", Stop: "stop",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `place` is where it stands in the rule, `when` whether it is done at all. After it comes `next`, or
    `other` when a message was refused or did not get there, both places in the program or `END`; `other` None means
    that nobody waits for it. What `when` leaves out goes on at `past`. `asks` says that it needs the
    profile of a person."""

    place: str
    act: Act
    when: Test | None
    next: int
    past: int
    other: int | None = None
    asks: bool = False

    @property
    def what(self) -> str:
        """The name of what it does."""
        return NAMES[type(self.act)]


def program_of(actions: Sequence[Action]) -> tuple[Step, ...]:
    """The steps of a rule's actions."""
    steps: list[Step] = []
    _lay(actions, "then", steps)
    count = len(steps)
    return tuple(
        replace(
            step, next=_end(step.next, count), past=_end(step.past, count),
            other=None if step.other is None else _end(step.other, count),
        )
        for step in steps
    )  # fmt: skip


def _end(place: int, count: int) -> int:
    return END if place >= count else place


def _lay(actions: Sequence[Action], path: str, steps: list[Step]) -> None:
    for index, action in enumerate(actions):
        place = f"{path}[{index}]"
        act, when, here, asks = _act(action), all_of(action.when), len(steps), _asks(action)
        if not action.within or not isinstance(act, Send):
            steps.append(Step(place, act, when, here + 1, here + 1, asks=asks))
            continue
        wait = Await(parse_duration(action.within), action.reached)
        steps += [Step(place, act, when, here + 1, 0, here + 2, asks), Step(place, wait, None, 0, 0, here + 2)]
        _lay(action.otherwise, f"{place}.otherwise", steps)
        past = len(steps)
        steps[here] = replace(steps[here], past=past)
        steps[here + 1] = replace(steps[here + 1], next=past, past=past)


def _act(action: Action) -> Act:
    for act in (action.send, action.notify, action.profile, action.dnd, action.emit):
        if act is not None:
            return act
    return Wait(parse_duration(action.wait)) if action.wait else Stop()


def _asks(action: Action) -> bool:
    """Whether an action by itself, without what is done otherwise, names a profile."""
    alone = msgspec.structs.replace(action, otherwise=())
    return any(map(is_of_profile, (*names_in(msgspec.to_builtins(alone)), *fields_of(action.when))))
