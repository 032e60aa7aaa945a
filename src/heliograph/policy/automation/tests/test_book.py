"""Which rules something sets off."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heliograph.model.automation import Rule
from heliograph.model.events import Occurrence, Trigger
from heliograph.policy.automation import RuleBook, Scope

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000  # 2027-01-15
SEND = [{"send": {"channel": "sms", "to": {"msisdn": "1"}, "content": {"text": "x"}}}]


def names(rules: list[dict[str, Any]], trigger: Trigger, name: str, payload: dict[str, Any]) -> list[str]:
    book = RuleBook(msgspec.convert([{"then": SEND, **rule} for rule in rules], list[Rule]))
    scope = Scope(Occurrence(7, "demo", "orders", trigger, name, payload, NOW_MS))
    return [one.rule.name for one in book.candidates(scope, NOW_MS) if one.holds(scope)]


@pytest.mark.parametrize(
    ("on", "trigger", "name", "payload", "expected"),
    [
        ({"event": "1"}, "event", "1", {}, True),
        ({"event": "1"}, "event", "2", {}, False),
        ({"event": "1"}, "hook", "1", {}, False),
        ({"hook": "H"}, "hook", "H", {}, True),
        ({"inbound": {}}, "inbound", "sms", {"channel": "sms"}, True),
        ({"inbound": {"channel": "fb"}}, "inbound", "sms", {"channel": "sms"}, False),
        ({"inbound": {"keyword": "help"}}, "inbound", "sms", {"keyword": "HELP"}, True),
        ({"inbound": {"keyword": "help"}}, "inbound", "sms", {"keyword": "no"}, False),
        ({"inbound": {"to": "447"}}, "inbound", "sms", {"to": "447"}, True),
        ({"receipt": {}}, "receipt", "sms", {"state": "Failed"}, True),
        ({"receipt": {"states": ["Failed", "Read"]}}, "receipt", "sms", {"state": "Read"}, True),
        ({"receipt": {"states": ["Failed"]}}, "receipt", "sms", {"state": "Read"}, False),
        ({"receipt": {"codes": ["7206"]}}, "receipt", "sms", {"code": "7206"}, True),
        ({"receipt": {"channel": "push"}}, "receipt", "sms", {"channel": "sms"}, False),
        ({"click": {}}, "click", "shop", {"link": "shop"}, True),
        ({"click": {"link": "shop"}}, "click", "other", {"link": "other"}, False),
        ({"profile": {}}, "profile", "updated", {"act": "updated", "changed": ["city"]}, True),
        ({"profile": {"acts": ["created"]}}, "profile", "updated", {"act": "updated"}, False),
        ({"profile": {"attributes": ["City"]}}, "profile", "updated", {"changed": ["city"]}, True),
        ({"profile": {"attributes": ["email"]}}, "profile", "updated", {"changed": ["city"]}, False),
    ],
)
def test_what_sets_a_rule_off(on: Any, trigger: Trigger, name: str, payload: dict[str, Any], expected: bool) -> None:
    assert bool(names([{"name": "r", "on": on}], trigger, name, payload)) is expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"since": "2027-01-01"}, True),
        ({"since": "2027-02-01"}, False),
        ({"until": "2027-02-01"}, True),
        ({"until": "2027-01-01"}, False),
        ({"status": "inactive"}, False),
    ],
)
def test_a_rule_is_in_force_for_a_time(bounds: dict[str, str], expected: bool) -> None:
    assert bool(names([{"name": "r", "on": {"event": "1"}, **bounds}], "event", "1", {})) is expected


def test_rules_are_found_in_the_order_in_which_they_are_declared() -> None:
    london = [{"field": "parameters.city", "value": "London"}]
    one_of = [{"field": "parameters.city", "op": "in", "value": ["Paris", "London"]}]
    rules = [
        {"name": "a", "on": {"event": "1"}, "when": one_of},
        {"name": "b", "on": {"event": "1"}},
        {"name": "c", "on": {"event": "1"}, "when": london},
        {"name": "d", "on": {"event": "1"}, "when": [{"field": "parameters.city", "value": "Bath"}]},
    ]

    assert names(rules, "event", "1", {"parameters": {"city": "London"}}) == ["a", "b", "c"]
