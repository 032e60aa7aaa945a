"""Each gate by a workspace and a message that only it refuses, and the order in which gates decide."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph import catalogue
from heliograph.model.message import Address
from heliograph.model.outcome import Refused
from heliograph.policy import explain_all, judge_address, judge_addresses, judge_message, story
from heliograph.policy.gates import CHECKS, AddressGate

NOW = 1_700_000_000_000
GOOD = Address("msisdn", "+44 7700 900001")
SHORT = Address("msisdn", "12")
CUSTOMER = Address("customerid", "C-77")
TEXT = {"text": "Hello"}
OWN = {"text": "Hello", "senderid": "HELIO"}

# Members of the service and the tenant, members of the message, the refusal, the gate, what decided.
Row = tuple[dict[str, Any], dict[str, Any], str, str, str]
MESSAGE_ROWS: dict[str, Row] = {
    "tenant suspended": ({"tenant": {"status": "suspended"}}, TEXT, "inactive_profile", "tenant",
                         "tenants[demo].status"),
    "expired in the queue": ({}, {**TEXT, "expiry": NOW - 1}, "request_expired", "expiry", "expiry of the request"),
    "expires now": ({}, {**TEXT, "expiry": NOW}, "request_expired", "expiry", "expiry of the request"),
    "no binding": ({"channels": {}}, OWN, "channel_not_configured", "channel",
                   "tenants[demo].services[orders].channels[sms] is not declared"),
    "a binding without connector": ({"channels": {"sms": {"sender": "HELIO"}}}, TEXT, "channel_not_configured",
                                    "channel", "tenants[demo].services[orders].channels[sms] is not declared"),
    "a connector that is gone": ({"channels": {"sms": {"connector": "x"}}}, OWN, "channel_not_configured", "channel",
                                 "tenants[demo].connectors[x] is not declared"),
    "a channel that is gone": ({}, {**TEXT, "channel": "fax"}, "channel_not_configured", "channel",
                               "no connector kind for this channel"),
    "a connector without host": ({"channels": {"sms": {"connector": "bare", "sender": "HELIO"}}}, TEXT,
                                 "configuration_error", "channel", "tenants[demo].connectors[bare]"),
    "a connector of another channel": ({"channels": {"sms": {"connector": "trunk", "sender": "HELIO"}}}, TEXT,
                                       "configuration_error", "channel", "tenants[demo].connectors[trunk]"),
    "a sender that is not ours": ({}, {**TEXT, "senderid": "NOBODY"}, "invalid_sender_id", "sender",
                                  "tenants[demo].senders[NOBODY] is not declared for sms"),
    "no sender at all": ({"channels": {"sms": {"connector": "smsc"}}}, TEXT, "invalid_sender_id", "sender",
                         "tenants[demo].services[orders].channels[sms]"),
    "an unknown template": ({}, {"template": "9"}, "invalid_template", "template",
                            "tenants[demo].templates[9] is not declared"),
    "an inactive template": ({}, {"template": "2"}, "invalid_template", "template",
                             "tenants[demo].templates[2].status"),
    "a template of another channel": ({}, {"template": "3"}, "invalid_template", "template",
                                      "tenants[demo].templates[3].channel"),
    "a placeholder without value": ({}, {"template": "1"}, "params_unresolved", "template", "`message.parameters`"),
    "a placeholder with null": ({}, {"template": "1", "parameters": {"name": None}}, "params_unresolved", "template",
                                "`message.parameters`"),
    "a placeholder with a list": ({}, {"template": "1", "parameters": {"name": ["Ann"]}}, "params_unresolved",
                                  "template", "`message.parameters`"),
    "a text's placeholder": ({}, {"text": "${a} ${b}", "parameters": {"a": "x"}}, "params_unresolved", "template",
                             "`message.parameters`"),
    "a type the sender has not": ({}, {**TEXT, "senderid": "PLAIN", "type": "flash"}, "invalid_message_type", "type",
                                  "tenants[demo].senders[PLAIN].types"),
    "a text too long": ({}, {"text": "x" * 4001}, "message_too_long", "length", "limit of the channel"),
    "a text too long once it is filled": ({}, {"template": "1", "parameters": {"name": "x" * 4000}},
                                          "message_too_long", "length", "limit of the channel"),
    "a text too long with its link": ({}, {"text": "x" * 3999, "media-path": "http://a"}, "message_too_long",
                                      "length", "limit of the channel"),
}  # fmt: skip
rows = pytest.mark.parametrize("row", MESSAGE_ROWS.values(), ids=MESSAGE_ROWS.keys())


@rows
def test_a_message_is_refused_by_its_gate(row: Row, facts_of: Any, message_of: Any) -> None:
    service, message, key, gate, decided_by = row
    verdict = judge_message(message_of(**message), facts_of(**service), NOW)
    judged = judge_address(GOOD, verdict)
    refused = judged.refused

    assert refused is not None
    assert (judged.to, refused.key, refused.gate, refused.decided_by) == ("", key, gate, decided_by)
    assert verdict.body is None


@rows
def test_every_refusal_is_a_row_of_the_catalogue(row: Row) -> None:
    assert catalogue.find(row[2]).phase == "policy"


@rows
def test_the_story_ends_at_the_gate_that_refused(row: Row, facts_of: Any, message_of: Any) -> None:
    service, message, _, gate, decided_by = row
    lines = story(judge_message(message_of(**message), facts_of(**service), NOW), GOOD)

    assert [line["ok"] for line in lines] == [True] * (len(lines) - 1) + [False]
    assert (lines[-1]["gate"], lines[-1]["decided_by"]) == (gate, decided_by)


@rows
def test_a_single_fault_is_all_there_is_to_explain(row: Row, facts_of: Any, message_of: Any) -> None:
    service, message, key, gate, _ = row
    found = explain_all(message_of(**message), GOOD, facts_of(**service), NOW)

    assert [(refused.key, refused.gate) for refused in found] == [(key, gate)]


ADDRESSES = {"12": (SHORT, "invalid_address", "address"), "a customer": (CUSTOMER, "profile_not_found", "profile"),
             "a user": (Address("userid", "447700900001"), "profile_not_found", "profile"),
             "nothing": (Address("msisdn", ""), "invalid_address", "address")}  # fmt: skip


@pytest.mark.parametrize(("address", "key", "gate"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_a_destination_is_refused_alone(
    address: Address, key: str, gate: str, facts_of: Any, message_of: Any
) -> None:
    verdict = judge_message(message_of(**TEXT), facts_of(), NOW)
    before, found, after = judge_addresses((GOOD, address, GOOD), verdict)

    assert before is after is None
    assert found is not None
    assert (found.key, found.gate, verdict.refused) == (key, gate, None)


def test_a_good_destination_goes_in_the_form_of_the_channel(facts_of: Any, message_of: Any) -> None:
    verdict = judge_message(message_of(**TEXT), facts_of(), NOW)

    judged = judge_address(GOOD, verdict)

    assert (judged.to, judged.kind, judged.refused, judged.body) == ("447700900001", "msisdn", None, verdict.body)
    assert verdict.connector == "smsc"


def test_the_story_of_a_good_destination_has_every_gate_in_order(facts_of: Any, message_of: Any) -> None:
    lines = story(judge_message(message_of(**TEXT), facts_of(), NOW), GOOD)

    assert [line["gate"] for line in lines] == [gate.name for gate in CHECKS]
    assert all(line["ok"] and line["value"] and line["decided_by"] for line in lines)


@pytest.mark.parametrize("address", [SHORT, CUSTOMER])
@rows
def test_a_gate_that_stands_before_another_decides(
    row: Row, address: Address, facts_of: Any, message_of: Any
) -> None:
    service, message, _, gate, _ = row
    order = [item.name for item in CHECKS]
    verdict = judge_message(message_of(**message), facts_of(**service), NOW)
    refused = judge_address(address, verdict).refused
    its_gate = "profile" if address is CUSTOMER else "address"

    assert refused is not None
    assert refused.gate == min(gate, its_gate, key=order.index)
    assert judge_addresses((address,), verdict) == [refused]
    assert story(verdict, address)[-1]["gate"] == refused.gate


def test_a_customer_with_a_bad_address_has_no_profile_first(facts_of: Any, message_of: Any) -> None:
    verdict = judge_message(message_of(**TEXT), facts_of(), NOW)
    [refused] = judge_addresses((CUSTOMER,), verdict)

    assert refused is not None
    assert refused.key == "profile_not_found"


def test_the_order_is_the_published_one() -> None:
    assert [gate.name for gate in CHECKS] == [
        "tenant", "customer", "expiry", "channel", "sender", "profile", "user", "verified", "system", "token",
        "address", "template", "type", "length", "parameters", "content", "dnd", "frequency", "hours", "plan",
        "credit", "attempts",
    ]  # fmt: skip
    assert [gate.name for gate in CHECKS if isinstance(gate, AddressGate)] == [
        "customer", "profile", "user", "verified", "system", "token", "address", "dnd", "frequency", "hours", "plan",
        "credit",
    ]  # fmt: skip


def test_everything_that_is_wrong_is_explained_at_once(facts_of: Any, message_of: Any) -> None:
    message = message_of(text="x" * 4001, senderid="NOBODY", template="9", expiry=1)
    found = explain_all(message, CUSTOMER, facts_of(tenant={"status": "suspended"}, channels={}), NOW)

    assert [refused.key for refused in found] == [
        "inactive_profile", "request_expired", "channel_not_configured", "invalid_sender_id", "profile_not_found",
        "invalid_address", "invalid_template",
    ]  # fmt: skip


def test_nothing_wrong_needs_no_explanation(facts_of: Any, message_of: Any) -> None:
    assert explain_all(message_of(**TEXT), GOOD, facts_of(), NOW) == []


BODIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a text": (TEXT, "Hello", "HELIO"),
    "a sender that was given": ({**TEXT, "senderid": "PLAIN"}, "Hello", "PLAIN"),
    "a template": ({"template": "1", "parameters": {"name": "Ann"}}, "Hello Ann", "HELIO"),
    "a number": ({"template": "1", "parameters": {"name": 7}}, "Hello 7", "HELIO"),
    "an empty value": ({"template": "1", "parameters": {"name": ""}}, "Hello ", "HELIO"),
    "a value like a placeholder": ({"template": "1", "parameters": {"name": "${x}"}}, "Hello ${x}", "HELIO"),
    "a value too many": ({"template": "1", "parameters": {"name": "Ann", "x": "y"}}, "Hello Ann", "HELIO"),
    "a text over the template's": ({"template": "1", "text": "Bye ${a}", "parameters": {"a": "x"}}, "Bye x", "HELIO"),
    "a text with parameters": ({"text": "Bye ${a}", "parameters": {"a": True}}, "Bye true", "HELIO"),
    "a text that is no template": ({"text": "Costs ${a}"}, "Costs ${a}", "HELIO"),
    "a link": ({**TEXT, "media-path": "http://a"}, "Hello http://a", "HELIO"),
    "the longest text": ({"text": "x" * 4000}, "x" * 4000, "HELIO"),
}  # fmt: skip


@pytest.mark.parametrize(("message", "text", "sender"), BODIES.values(), ids=BODIES.keys())
def test_a_good_message_has_a_body_ready_to_send(
    message: dict[str, Any], text: str, sender: str, facts_of: Any, message_of: Any
) -> None:
    body = judge_message(message_of(**message), facts_of(), NOW).body

    assert body is not None
    assert (body.text, body.sender, body.encoding, body.parts) == (text, sender, "gsm7", 1 + len(text) // 161)


def test_an_expiry_ahead_lets_a_message_pass(facts_of: Any, message_of: Any) -> None:
    assert judge_message(message_of(**TEXT, expiry=NOW + 1), facts_of(), NOW).refused is None


def test_a_sandbox_connector_may_leave_its_settings_out(facts_of: Any, message_of: Any) -> None:
    facts = facts_of(sandbox=True, channels={"sms": {"connector": "bare", "sender": "HELIO"}})

    assert judge_message(message_of(**TEXT), facts, NOW).refused is None


def test_an_equal_body_may_take_the_place_of_another(facts_of: Any, message_of: Any) -> None:
    first, second = (judge_message(message_of(**TEXT), facts_of(), NOW) for _ in range(2))

    assert first.body == second.body
    assert second.with_body(first.body).body is first.body


@given(st.lists(st.builds(Address, st.sampled_from(["msisdn", "customerid"]), st.text("0123+ -x", max_size=18))))
def test_many_are_judged_as_each_alone(facts_of: Any, message_of: Any, addresses: list[Address]) -> None:
    for message in (message_of(**TEXT), message_of(text="x" * 4001), message_of(**TEXT, senderid="NOBODY")):
        verdict = judge_message(message, facts_of(), NOW)
        alone = [judge_address(address, verdict).refused for address in addresses]

        assert judge_addresses(addresses, verdict) == alone
        assert all(refused is None or isinstance(refused, Refused) for refused in alone)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.lists(st.text())
    | st.dictionaries(st.text(), st.text())
)
FIELDS = st.dictionaries(st.sampled_from(["text", "body", "type", "senderid", "extras"]), VALUES)


@given(
    FIELDS, st.sampled_from(["", "1", "2", "9"]), st.dictionaries(st.sampled_from(["name", "a"]), VALUES), st.text()
)
def test_no_message_is_too_odd_to_be_judged(
    facts_of: Any, message_of: Any, fields: dict[str, Any], template: str, parameters: dict[str, Any], to: str
) -> None:
    message = message_of(template=template, parameters=parameters, **fields)
    address, facts = Address("msisdn", to), facts_of()
    verdict = judge_message(message, facts, NOW)
    refused = judge_address(address, verdict).refused
    found = explain_all(message, address, facts, NOW)

    assert (refused is None) == (not found)
    assert refused is None or refused == found[0]
    assert msgspec.json.encode(story(verdict, address))
