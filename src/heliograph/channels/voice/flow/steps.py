"""The steps of a call flow as values. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

BUILT_IN = frozenset({"to", "from", "digits", "transfer", "call"})
"""Variables that every call has."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What all steps are."""


class Say(Step, frozen=True):
    """Speak a text."""

    text: str
    language: str = ""


class Play(Step, frozen=True):
    """Play a prompt, by its id or URL."""

    prompt: str


class Pause(Step, frozen=True):
    """Say nothing for so many seconds."""

    seconds: float


class Gather(Step, frozen=True):
    """Ask for digits: `ask` is said or played and cut short by the first digit. `length` is how many are wanted at
    most, `finish` ends them earlier; `timeout` is seconds until the first one, `between` until the next. The digits
    go to the variable `into` and to the label of `branches` that they choose, `other` where they choose none; without
    any digit to `none`. Before `none` and `other` it is asked `tries` times. What is `hidden` is shown nowhere."""

    ask: Say | Play | None = None
    length: int = 1
    finish: str = ""
    timeout: float = 5.0
    between: float = 3.0
    tries: int = 1
    into: str = "digits"
    branches: dict[str, str] = {}
    none: str = ""
    other: str = ""
    hidden: bool = False


class Set(Step, frozen=True):
    """Give variables values."""

    values: dict[str, str]


class Notify(Step, frozen=True):
    """POST to a URL what is known of the call, and `data`."""

    url: str
    data: dict[str, str] = {}


class Transfer(Step, frozen=True):
    """Ask the far end to connect the callee with somebody else; the call ends when that worked within `timeout`
    seconds, else it goes on."""

    to: str
    timeout: float = 30.0


class Press(Step, frozen=True):
    """Send digits."""

    digits: str


class Label(Step, frozen=True):
    """A place to go to."""

    name: str


class Goto(Step, frozen=True):
    """Go on at a label; with `when` only if the variables have these values."""

    label: str
    when: dict[str, str] = {}


class Hangup(Step, frozen=True):
    """End the call."""


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A call flow: what happens once the callee has answered. After its last step we hang up."""

    id: str
    steps: tuple[Step, ...]
    language: str = ""

    def labels(self) -> dict[str, int]:
        """Where each label stands."""
        return {step.name: index for index, step in enumerate(self.steps) if isinstance(step, Label)}


def texts_of(step: Step) -> Iterator[str]:
    """The texts of a step in which placeholders are filled."""
    match step:
        case Say(text=text):
            yield text
        case Play(prompt=prompt):
            yield prompt
        case Gather(ask=ask):
            yield from texts_of(ask) if ask else ()
        case Set(values=values) | Goto(when=values):
            yield from values.values()
        case Notify(url=url, data=data):
            yield url
            yield from data.values()
        case Transfer(to=to):
            yield to
        case Press(digits=digits):
            yield digits


def prompts_of(flow: Flow) -> Iterator[tuple[int, str]]:
    """The prompts that a flow plays, each with the number of its step."""
    for index, step in enumerate(flow.steps):
        played = step.ask if isinstance(step, Gather) else step
        if isinstance(played, Play):
            yield index, played.prompt


def assigned(flow: Flow) -> set[str]:
    """The variables that the flow itself gives values."""
    names: set[str] = set()
    for step in flow.steps:
        if isinstance(step, Gather):
            names.add(step.into)
        elif isinstance(step, Set):
            names |= step.values.keys()
    return names
