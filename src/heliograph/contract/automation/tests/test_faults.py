"""One fault of a rule each, told with its place."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels import channels as found_channels
from heliograph.contract.workspace import Faults, read_workspace
from heliograph.model.channel import Channel

AT = "tenants[demo].rules[shipped]"
SEND: dict[str, Any] = {"channel": "sms", "template": "1001", "to": {"msisdn": "${parameters.to}"}}
RULE: dict[str, Any] = {"name": "shipped", "on": {"event": "4451"}, "then": [{"send": SEND}]}
TENANT: dict[str, Any] = {
    "id": "demo",
    "profile_store": {"attributes": [{"name": "City"}]},
    "senders": [{"id": "HELIO", "channel": "sms"}],
    "connectors": [{"name": "smsc", "channel": "sms", "kind": "smpp"}],
    "templates": [
        {"id": "1001", "channel": "sms", "text": "Hello ${name}"},
        {"id": "1002", "channel": "sms", "text": "Old", "status": "inactive"},
        {"id": "1003", "channel": "voice", "text": "Hello"},
    ],
    "events": [{"id": "4451", "name": "order_shipped"}],
    "links": [{"id": "shop", "url": "https://shop.example/"}],
    "services": [{"id": "orders", "sandbox": True, "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}}}],
}
NOTIFY = {"notify": {"url": "https://a.example/x?c=${parameters.city}"}}
GOOD: dict[str, Any] = {
    "the rule of the specification": RULE,
    "conditions in one another": {
        "when": [{"any": [{"field": "parameters.a", "value": 1}, {"not": {"field": "profile.city", "value": "x"}}]}],
        "person": {"customerid": "${parameters.customer}"},
    },
    "a chain": {"then": [{"send": SEND, "within": "2m", "otherwise": [{"send": SEND}]}]},
    "every action": {
        "then": [
            NOTIFY, {"wait": "2m"}, {"emit": {"event": "4451", "parameters": {"a": "${parameters.b}"}}},
            {"profile": {"customer": "${parameters.c}", "attributes": {"CITY": "${parameters.city}"}}},
            {"dnd": {"address": "${parameters.to}", "channel": "sms", "expires": "30d"}}, {"stop": True},
        ],
    },
    "a message from a person": {"on": {"inbound": {"channel": "sms", "keyword": "help"}}, "then": [
        {"send": {**SEND, "to": {"msisdn": "${from}"}}}]},
    "a receipt": {"on": {"receipt": {"states": ["Failed"], "codes": ["7206"]}}, "then": [NOTIFY_PLAIN := {
        "notify": {"url": "https://a.example/"}}]},
    "a click": {"on": {"click": {"link": "shop"}}, "then": [NOTIFY_PLAIN]},
    "a profile": {"on": {"profile": {"acts": ["updated"], "attributes": ["city"]}}, "then": [NOTIFY_PLAIN]},
    "a time": {"since": "2026-01-01", "until": "2027-01-01T00:00:00Z"},
}  # fmt: skip
THEN = f"{AT}.then[0]"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no trigger": ({"on": {}}, f"{AT}.on"),
    "two triggers": ({"on": {"event": "4451", "click": {}}}, f"{AT}.on"),
    "an event that is not there": ({"on": {"event": "1"}}, f"{AT}.on.event"),
    "a hook that is not there": ({"on": {"hook": "H"}, "then": [NOTIFY_PLAIN]}, f"{AT}.on.hook"),
    "a channel of a trigger": (
        {"on": {"inbound": {"channel": "x"}}, "then": [NOTIFY_PLAIN]}, f"{AT}.on.inbound.channel"),
    "a state that is none": (
        {"on": {"receipt": {"states": ["x"]}}, "then": [NOTIFY_PLAIN]}, f"{AT}.on.receipt.states"),
    "a code that is none": ({"on": {"receipt": {"codes": ["x"]}}, "then": [NOTIFY_PLAIN]}, f"{AT}.on.receipt.codes"),
    "a link that is not there": ({"on": {"click": {"link": "x"}}, "then": [NOTIFY_PLAIN]}, f"{AT}.on.click.link"),
    "an attribute of a trigger": ({"on": {"profile": {"attributes": ["x"]}}, "then": [NOTIFY_PLAIN]},
                                  f"{AT}.on.profile.attributes"),
    "a service that is not there": ({"service": "x"}, f"{AT}.service"),
    "a time that is none": ({"since": "soon"}, f"{AT}.since"),
    "an end before its beginning": ({"since": "2027-01-01", "until": "2026-01-01"}, f"{AT}.until"),
    "a person by what is no key": ({"person": {"shoe": "1"}}, f"{AT}.person"),
    "no action": ({"then": []}, f"{AT}.then"),
    "two actions in one": ({"then": [{"wait": "2m", "stop": True}]}, THEN),
    "an action without any": ({"then": [{}]}, THEN),
    "a wait that is none": ({"then": [{"wait": "soon"}]}, f"{THEN}.wait"),
    "a wait that is too long": ({"then": [{"wait": "32d"}]}, f"{THEN}.wait"),
    "otherwise without within": ({"then": [{"send": SEND, "otherwise": [{"stop": True}]}]}, f"{THEN}.otherwise"),
    "within beside no message": ({"then": [{"stop": True, "within": "2m"}]}, f"{THEN}.within"),
    "a channel that is none": ({"then": [{"send": {**SEND, "channel": "pigeon"}}]}, f"{THEN}.send.channel"),
    "a channel that the service is not on": (
        {"then": [{"send": {**SEND, "channel": "voice", "template": "1003"}}]}, f"{THEN}.send.channel"),
    "a template that is not there": ({"then": [{"send": {**SEND, "template": "x"}}]}, f"{THEN}.send.template"),
    "a template of another channel": ({"then": [{"send": {**SEND, "template": "1003"}}]}, f"{THEN}.send.template"),
    "an inactive template": ({"then": [{"send": {**SEND, "template": "1002"}}]}, f"{THEN}.send.template"),
    "nothing to be sent": ({"then": [{"send": {**SEND, "template": ""}}]}, f"{THEN}.send"),
    "nobody to be sent to": ({"then": [{"send": {**SEND, "to": {}}}]}, f"{THEN}.send.to"),
    "an address of another channel": ({"then": [{"send": {**SEND, "to": {"psid": "1"}}}]}, f"{THEN}.send.to.psid"),
    "a name that the trigger does not give": (
        {"then": [{"send": {**SEND, "parameters": {"a": "${params.x}"}}}]}, f"{THEN}.send"),
    "content and parameters": (
        {"then": [{"send": {**SEND, "content": {"text": "${parameters.a}"}, "parameters": {"a": "b"}}}]},
        f"{THEN}.send.content"),
    "a placeholder in a host": ({"then": [{"notify": {"url": "https://${parameters.h}/x"}}]}, f"{THEN}.notify.url"),
    "a URL that is none": ({"then": [{"notify": {"url": "ftp://a.example"}}]}, f"{THEN}.notify.url"),
    "an attribute that is not there": (
        {"then": [{"profile": {"customer": "1", "attributes": {"shoe": 1}}}]}, f"{THEN}.profile.attributes.shoe"),
    "no customer": (
        {"then": [{"profile": {"customer": " ", "attributes": {"city": 1}}}]}, f"{THEN}.profile.customer"),
    "no address to be left alone": ({"then": [{"dnd": {"address": ""}}]}, f"{THEN}.dnd.address"),
    "an event to be emitted": ({"then": [{"emit": {"event": "1"}}]}, f"{THEN}.emit.event"),
    "an action inside a chain": (
        {"then": [{"send": SEND, "within": "2m", "otherwise": [{"emit": {"event": "1"}}]}]},
        f"{THEN}.otherwise[0].emit.event"),
    "a profile of nobody": ({"when": [{"field": "profile.city", "value": 1}]}, f"{AT}.when[0].field"),
    "an attribute in a condition": (
        {"when": [{"field": "profile.shoe", "value": 1}], "person": {"customerid": "1"}}, f"{AT}.when[0].field"),
    "a field that is no name": ({"when": [{"field": "a b", "value": 1}]}, f"{AT}.when[0].field"),
    "a field that is not there": ({"when": [{"field": "params.city", "value": 1}]}, f"{AT}.when[0].field"),
    "all parameters": ({"when": [{"field": "parameters", "value": 1}]}, f"{AT}.when[0].field"),
    "a condition of two kinds": ({"when": [{"field": "parameters.a", "all": []}]}, f"{AT}.when[0]"),
    "a condition of none": ({"when": [{}]}, f"{AT}.when[0]"),
    "an empty group": ({"when": [{"any": []}]}, f"{AT}.when[0].any"),
    "a condition inside others": (
        {"when": [{"all": [{"not": {"field": "parameters.a", "op": "regex", "value": "("}}]}]},
        f"{AT}.when[0].all[0].not.value"),
    "an expression that takes too long": (
        {"when": [{"field": "parameters.a", "op": "regex", "value": "(x{0,30}){0,30}"}]}, f"{AT}.when[0].value"),
    "a membership of no list": (
        {"when": [{"field": "parameters.a", "op": "in", "value": "b"}]}, f"{AT}.when[0].value"),
    "an order of texts": ({"when": [{"field": "parameters.a", "op": "less", "value": "b"}]}, f"{AT}.when[0].value"),
    "a value that is an object": ({"when": [{"field": "parameters.a", "value": {}}]}, f"{AT}.when[0].value"),
}  # fmt: skip


CHANNELS = found_channels()


@pytest.fixture(scope="module")
def channels() -> Mapping[str, Channel]:
    """The passports of this installation."""
    return CHANNELS


def document(rule: dict[str, Any]) -> dict[str, Any]:
    return {"tenants": [{**copy.deepcopy(TENANT), "rules": [{**RULE, **rule}]}]}


def places(rule: dict[str, Any], channels: Mapping[str, Channel]) -> list[str]:
    try:
        read_workspace(document(rule), channels)
    except Faults as error:
        return [path for path, sentence in error.faults if sentence]
    return []


@pytest.mark.parametrize(("rule", "path"), BAD.values(), ids=BAD.keys())
def test_a_fault_is_told_with_its_place(rule: dict[str, Any], path: str, channels: Mapping[str, Channel]) -> None:
    assert places(rule, channels) == [path]


@pytest.mark.parametrize("rule", GOOD.values(), ids=GOOD.keys())
def test_what_is_no_fault(rule: dict[str, Any], channels: Mapping[str, Channel]) -> None:
    assert places(rule, channels) == []


def test_a_member_that_is_not_there_is_told_with_its_place(channels: Mapping[str, Channel]) -> None:
    assert places({"then": [{"send": {**SEND, "colour": "red"}}]}, channels) == [f"{THEN}.send.colour"]


def test_conditions_without_end_are_refused(channels: Mapping[str, Channel]) -> None:
    condition: dict[str, Any] = {"field": "parameters.a", "value": 1}
    for _ in range(20):
        condition = {"not": condition}

    assert places({"when": [condition]}, channels) != []


def test_a_document_that_is_nested_without_end_is_refused(channels: Mapping[str, Channel]) -> None:
    condition: dict[str, Any] = {"field": "parameters.a", "value": 1}
    for _ in range(5_000):
        condition = {"not": condition}

    assert places({"when": [condition]}, channels) == ["document"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["field", "op", "value", "all", "any", "not", "send", "to", "channel", "wait", "then"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_whatever_a_rule_holds_it_is_read_or_refused(when: Any, then: Any) -> None:
    places({"when": when, "then": then}, CHANNELS)


@pytest.mark.parametrize(("emits", "fits"), [(1, True), (5, True), (6, False), (60, False)])
def test_rules_may_set_each_other_off_but_not_spread_without_end(
    emits: int, fits: bool, channels: Mapping[str, Channel]
) -> None:
    found = places({"then": [{"emit": {"event": "4451"}}] * emits}, channels)

    assert found == ([] if fits else ["tenants[demo].rules"])


def test_messages_that_answer_receipts_may_not_spread_without_end(channels: Mapping[str, Channel]) -> None:
    send = {"send": {**SEND, "to": {"msisdn": "${destination}"}}}

    assert places({"on": {"receipt": {"states": ["Delivered"]}}, "then": [send]}, channels) == []
    assert places({"on": {"receipt": {}}, "then": [send] * 6}, channels) == ["tenants[demo].rules"]
