"""Reads a declared call flow: its steps, or every fault of it with its path. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from heliograph.channels.voice.flow.steps import (
    Flow,
    Gather,
    Goto,
    Hangup,
    Label,
    Notify,
    Pause,
    Play,
    Press,
    Say,
    Set,
    Step,
    Transfer,
)  # fmt: skip
from heliograph.model.placeholders import placeholders

Fault = tuple[str, str]

LONGEST_TEXT = 2_000
STEPS_MOST = 200
_NAME = re.compile(r"[^\W\d][\w.]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")
_CALLEE = re.compile(r"\+?[0-9]{2,15}|sips?:[^\s<>\"]{1,200}")


class Unread(Exception):
    """A member of a step that cannot be used: its path within the step, and a sentence."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(path, sentence)
        self.path = path
        self.sentence = sentence


def read_flow(declared: Mapping[str, Any]) -> Flow:
    """A flow that `flow_faults` has nothing against; raises `Unread`, or KeyError, for another."""
    steps = tuple(_step(step) for step in declared["steps"])
    return Flow(id=str(declared["id"]), steps=steps, language=_language(declared))


def flow_faults(declared: Mapping[str, Any]) -> Iterator[Fault]:
    """Everything wrong with a declared flow, each with its path within it."""
    for name in sorted(declared.keys() - {"id", "name", "language", "steps"}):
        yield name, "there is no such member; there are id, name, language, steps"
    try:
        _language(declared)
    except Unread as fault:
        yield fault.path, fault.sentence
    steps = declared.get("steps")
    if not isinstance(steps, list | tuple) or not steps:
        yield "steps", "must be a list of steps, with one at least"
        return
    if len(steps) > STEPS_MOST:
        yield "steps", f"must be {STEPS_MOST} steps at most"
    read: list[tuple[int, Step]] = []
    for index, step in enumerate(steps):
        try:
            read.append((index, _step(step)))
        except Unread as fault:
            yield ".".join(filter(None, (f"steps[{index}]", fault.path))), fault.sentence
    yield from _label_faults(read)


def _label_faults(read: list[tuple[int, Step]]) -> Iterator[Fault]:
    labels: set[str] = set()
    for index, step in read:
        if isinstance(step, Label):
            if step.name in labels:
                yield f"steps[{index}].label", f"the label {step.name!r} stands twice"
            labels.add(step.name)
    for index, step in read:
        for path, label in _aims(step):
            if label not in labels:
                yield f"steps[{index}].{path}", f"there is no label {label!r}"


def _aims(step: Step) -> Iterator[tuple[str, str]]:
    if isinstance(step, Goto):
        yield "goto", step.label
    elif isinstance(step, Gather):
        for digits, label in step.branches.items():
            yield f"gather.branches[{digits}]", label
        for name in ("none", "other"):
            if label := getattr(step, name):
                yield f"gather.{name}", label


def _step(declared: Any) -> Step:
    if not isinstance(declared, Mapping):
        raise Unread("", "must be an object with one step in it")
    kinds = [name for name in declared if name in _READERS]
    if len(kinds) != 1:
        raise Unread("", f"must be one of {', '.join(_READERS)}")
    kind = kinds[0]
    reader, companions = _READERS[kind]
    for name in declared:
        if name != kind and name not in companions:
            raise Unread(str(name), f"is no member of a step {kind}")
    return reader(declared)


def _say(declared: Mapping[str, Any]) -> Say:
    return Say(text=_text(declared, "say", LONGEST_TEXT), language=_language(declared))


def _play(declared: Mapping[str, Any]) -> Play:
    return Play(prompt=_text(declared, "play", 2_000))


def _pause(declared: Mapping[str, Any]) -> Pause:
    return Pause(seconds=_number(declared, "pause", 0.02, 600))


def _gather(declared: Mapping[str, Any]) -> Gather:
    inner = _object(declared, "gather")
    try:
        return _gathered(inner)
    except Unread as fault:
        raise Unread(f"gather.{fault.path}", fault.sentence) from None


def _gathered(inner: Mapping[str, Any]) -> Gather:
    known = {*Gather.__struct_fields__, "say", "play", "language"} - {"ask"}
    for name in inner:
        if name not in known:
            raise Unread(str(name), f"there is no such member; there are {', '.join(sorted(known))}")
    if "say" in inner and "play" in inner:
        raise Unread("play", "there is `say` already")
    asks = _say(inner) if "say" in inner else _play(inner) if "play" in inner else None
    finish = _text(inner, "finish", 1) if "finish" in inner else ""
    if finish and not _DIGITS.fullmatch(finish):
        raise Unread("finish", "must be one of 0-9, *, #, A-D")
    into = _text(inner, "into", 64) if "into" in inner else "digits"
    if not _NAME.fullmatch(into):
        raise Unread("into", "must be the name of a variable: letters, digits, dots, underscores")
    branches = _texts(inner, "branches") if "branches" in inner else {}
    for digits in branches:
        if not _DIGITS.fullmatch(digits):
            raise Unread(f"branches[{digits}]", "must be digits that can be pressed: 0-9, *, #, A-D")
    return Gather(
        ask=asks, finish=finish, into=into, branches=branches,
        length=int(_number(inner, "length", 1, 32, 1, whole=True)), timeout=_number(inner, "timeout", 0.1, 60, 5.0),
        between=_number(inner, "between", 0.1, 60, 3.0), tries=int(_number(inner, "tries", 1, 10, 1, whole=True)),
        none=_text(inner, "none", 64) if "none" in inner else "",
        other=_text(inner, "other", 64) if "other" in inner else "", hidden=_flag(inner, "hidden"),
    )  # fmt: skip


def _set(declared: Mapping[str, Any]) -> Set:
    values = _texts(declared, "set")
    for name in values:
        if not _NAME.fullmatch(name):
            raise Unread(f"set[{name}]", "must be the name of a variable: letters, digits, dots, underscores")
    return Set(values=values)


def _notify(declared: Mapping[str, Any]) -> Notify:
    inner = declared["notify"]
    inner = {"url": inner} if isinstance(inner, str) else _object(declared, "notify")
    for name in inner:
        if name not in ("url", "data"):
            raise Unread(f"notify.{name}", "there is no such member; there are url, data")
    try:
        url, data = _text(inner, "url", 2_000), _texts(inner, "data") if "data" in inner else {}
    except Unread as fault:
        raise Unread(f"notify.{fault.path}", fault.sentence) from None
    if not url.startswith(("http://", "https://", "${")):
        raise Unread("notify.url", "must be an absolute http or https URL")
    return Notify(url=url, data=data)


def _transfer(declared: Mapping[str, Any]) -> Transfer:
    to = _text(declared, "transfer", 200)
    if not _CALLEE.fullmatch(to) and not placeholders(to):
        raise Unread("transfer", "must be a phone number or a sip URI")
    return Transfer(to=to, timeout=_number(declared, "timeout", 1, 300, 30.0))


def _press(declared: Mapping[str, Any]) -> Press:
    digits = _text(declared, "press", 64)
    if not _DIGITS.fullmatch(digits) and not placeholders(digits):
        raise Unread("press", "must be digits: 0-9, *, #, A-D")
    return Press(digits=digits)


def _label(declared: Mapping[str, Any]) -> Label:
    return Label(name=_text(declared, "label", 64))


def _goto(declared: Mapping[str, Any]) -> Goto:
    return Goto(label=_text(declared, "goto", 64), when=_texts(declared, "when") if "when" in declared else {})


def _hangup(declared: Mapping[str, Any]) -> Hangup:
    if declared["hangup"] is not True:
        raise Unread("hangup", "must be true")
    return Hangup()


_READERS: dict[str, tuple[Callable[[Mapping[str, Any]], Step], tuple[str, ...]]] = {
    "say": (_say, ("language",)),
    "play": (_play, ()),
    "pause": (_pause, ()),
    "gather": (_gather, ()),
    "set": (_set, ()),
    "notify": (_notify, ()),
    "transfer": (_transfer, ("timeout",)),
    "press": (_press, ()),
    "label": (_label, ()),
    "goto": (_goto, ("when",)),
    "hangup": (_hangup, ()),
}
"""Each kind of step: who reads it, and which members may stand beside it."""


def _language(declared: Mapping[str, Any]) -> str:
    language = declared.get("language", "")
    if language and not (isinstance(language, str) and _LANGUAGE.fullmatch(language)):
        raise Unread("language", "must be a language such as en or en-gb")
    return language or ""


def _flag(declared: Mapping[str, Any], name: str) -> bool:
    value = declared.get(name, False)
    if not isinstance(value, bool):
        raise Unread(name, "must be true or false")
    return value


def _object(declared: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = declared[name]
    if not isinstance(value, Mapping):
        raise Unread(name, "must be an object with members")
    return value


def _text(declared: Mapping[str, Any], name: str, longest: int) -> str:
    value = declared.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
        raise Unread(name, f"must be text of 1 to {longest} characters")
    return value


def _texts(declared: Mapping[str, Any], name: str) -> dict[str, str]:
    value = declared[name]
    if not isinstance(value, Mapping) or not value:
        raise Unread(name, "must be an object of names and texts")
    found = {}
    for key, item in value.items():
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise Unread(f"{name}[{key}]", "must be text")
        found[str(key)] = str(item)
    return found


def _number(
    declared: Mapping[str, Any], name: str, low: float, high: float, default: float | None = None, *,
    whole: bool = False,
) -> float:  # fmt: skip
    value = declared.get(name, default)
    right = isinstance(value, int) if whole else isinstance(value, int | float)
    if isinstance(value, bool) or not right or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise Unread(name, f"must be {kind} from {low:g} to {high:g}")
    return float(value)
