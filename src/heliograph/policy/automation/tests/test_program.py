"""A rule's actions in a row: every way through them ends."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.automation import Action
from heliograph.policy.automation.program import END, Step, program_of

SEND = {"send": {"channel": "sms", "to": {"msisdn": "1"}, "content": {"text": "x"}}}
PLAIN = st.sampled_from([SEND, {"wait": "2m"}, {"notify": {"url": "http://a.example/"}}, {"stop": True}])
ACTIONS = st.recursive(
    PLAIN,
    lambda inner: st.builds(
        lambda otherwise: {**SEND, "within": "2m", "otherwise": otherwise}, st.lists(inner, max_size=3)
    ),
    max_leaves=10,
)


def program(actions: list[dict[str, Any]]) -> tuple[Step, ...]:
    return program_of(msgspec.convert(actions, tuple[Action, ...]))


def test_a_message_that_does_not_get_there_is_followed_by_what_is_done_otherwise() -> None:
    steps = program([{**SEND, "within": "2m", "otherwise": [SEND]}, {"wait": "1m"}])

    assert [(step.place, step.what, step.next, step.other) for step in steps] == [
        ("then[0]", "send", 1, 2),
        ("then[0]", "await", 3, 2),
        ("then[0].otherwise[0]", "send", 3, None),
        ("then[1]", "wait", END, None),
    ]


@given(st.lists(ACTIONS, min_size=1, max_size=5))
def test_a_run_only_goes_forward(actions: list[dict[str, Any]]) -> None:
    steps = program(actions)

    for place, step in enumerate(steps):
        for there in (step.next, step.past, step.next if step.other is None else step.other):
            assert there == END or place < there < len(steps)


@given(st.lists(ACTIONS, min_size=1, max_size=5))
def test_every_action_has_its_place(actions: list[dict[str, Any]]) -> None:
    places = [step.place for step in program(actions) if step.what != "await"]

    assert len(places) == len(set(places))
