"""The rules of a tenant, made ready once per version of the workspace and found by what sets them off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from heliograph.model.automation import On, Rule
from heliograph.model.automation.naming import fields_of, is_of_profile, key_of
from heliograph.model.events import Occurrence
from heliograph.model.policies.texts import moment_of
from heliograph.policy.automation.conditions import Test, all_of, literals
from heliograph.policy.automation.filling import text_of
from heliograph.policy.automation.program import Step, program_of
from heliograph.policy.automation.scope import Scope

DIGEST_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule made ready. `text` is its wording as JSON, `digest` tells wordings apart; `asks` says that it needs the
    profile of a person for its conditions."""

    rule: Rule
    place: int
    text: str
    digest: str
    test: Test | None
    steps: tuple[Step, ...]
    since: int
    until: int
    asks: bool

    def in_force(self, now_ms: int) -> bool:
        """Whether it is active at a moment."""
        return self.since <= now_ms and (not self.until or now_ms < self.until)

    def holds(self, scope: Scope) -> bool:
        """Whether its conditions do."""
        return self.test is None or self.test(scope)


def digest_of(text: str) -> str:
    """What tells the wording of a rule apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]


def compiled(rule: Rule, place: int = 0) -> Compiled:
    """A rule made ready."""
    text = msgspec.json.encode(rule).decode()
    return Compiled(
        rule=rule, place=place, text=text, digest=digest_of(text), test=all_of(rule.when),
        steps=program_of(rule.then), since=moment_of(rule.since) or 0 if rule.since else 0,
        until=moment_of(rule.until) or 0 if rule.until else 0,
        asks=any(map(is_of_profile, fields_of(rule.when))),
    )  # fmt: skip


@dataclass(slots=True)
class _Shelf:
    """Rules that one thing sets off: those that must find one of some texts in a field stand under these."""

    plain: list[Compiled] = field(default_factory=list)
    by_field: dict[str, dict[str, list[Compiled]]] = field(default_factory=dict)

    def put(self, one: Compiled) -> None:
        """Take a rule in."""
        fields = literals(one.rule.when)
        if not fields:
            self.plain.append(one)
            return
        name = min(fields, key=lambda field_name: len(fields[field_name]))
        for text in dict.fromkeys(fields[name]):
            self.by_field.setdefault(name, {}).setdefault(text, []).append(one)

    def candidates(self, scope: Scope) -> list[Compiled]:
        """The rules whose conditions may hold, in the order in which they are declared, each once."""
        found = {one.place: one for one in self.plain}
        for name, by_text in self.by_field.items():
            for value in scope.values(name):
                for one in by_text.get(text_of(value), ()):
                    found[one.place] = one
        return [found[place] for place in sorted(found)]


class RuleBook:
    """The active rules of a tenant."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._shelves: dict[tuple[str, str], _Shelf] = {}
        self.triggers: set[str] = set()
        for place, rule in enumerate(rules):
            if rule.status == "active":
                trigger, name = key_of(rule.on)
                self._shelves.setdefault((trigger, name), _Shelf()).put(compiled(rule, place))
                self.triggers.add(trigger)

    def has(self, trigger: str, name: str = "") -> bool:
        """Whether there is a rule for a trigger, and for the event or hook of that name."""
        return (trigger, name) in self._shelves if trigger in _NAMED else trigger in self.triggers

    def candidates(self, scope: Scope, now_ms: int) -> list[Compiled]:
        """The rules that an occurrence sets off unless their conditions say no."""
        occurrence = scope.occurrence
        shelf = self._shelves.get((occurrence.trigger, occurrence.name if occurrence.trigger in _NAMED else ""))
        if shelf is None:
            return []
        return [one for one in shelf.candidates(scope) if one.in_force(now_ms) and _set_off(one.rule.on, occurrence)]


_NAMED = frozenset({"event", "hook"})


def _set_off(on: On, occurrence: Occurrence) -> bool:
    payload = occurrence.payload
    if on.inbound is not None:
        wanted = on.inbound
        return (
            _one(wanted.channel, payload.get("channel"))
            and _one(wanted.to, payload.get("to"))
            and _one(wanted.keyword.casefold(), str(payload.get("keyword", "")).casefold())
        )
    if on.receipt is not None:
        return (
            _one(on.receipt.channel, payload.get("channel"))
            and _some(on.receipt.states, [payload.get("state")])
            and _some(on.receipt.codes, [payload.get("code")])
        )
    if on.click is not None:
        return _one(on.click.link, payload.get("link"))
    if on.profile is not None:
        changed = [str(name).lower() for name in payload.get("changed", [])]
        asked = [name.lower() for name in on.profile.attributes]
        return _some(on.profile.acts, [payload.get("act")]) and _some(asked, changed)
    return True


def _one(wanted: str, found: Any) -> bool:
    return not wanted or wanted == found


def _some(wanted: Sequence[str], found: Iterable[Any]) -> bool:
    return not wanted or any(item in wanted for item in found)
