"""The gates of a destination: each by an object of the tenant, or by a fact of the address, that only it refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from heliograph import catalogue
from heliograph.model.message import Address
from heliograph.model.people import NOTHING_KNOWN, DndRow, Known, Person, Profile
from heliograph.policy import explain, explain_all, judge_address, judge_addresses, judge_message, story

NUMBER = "447700900001"
DIRECT = Address("msisdn", "+44 7700 900-001")
CUSTOMER, USER = Address("customerid", "C-77"), Address("userid", "u1")
MONDAY_NOON = int(datetime.fromisoformat("2026-01-05T12:00Z").timestamp()) * 1_000
HOURS = {"windows": [{"days": ["tue"], "start": "09:00", "end": "18:00"}]}
BILLING = {"balance": "1.00", "rate_plan": [{"channel": "sms", "prefix": "44", "price": "0.04"}]}


def customer(**members: Any) -> Person:
    return Person(customer=Profile(id="C-77", addresses={"msisdn": NUMBER}, **members))


def user(**members: Any) -> Person:
    return Person(app=Profile(id="u1", kind="app", addresses={"msisdn": NUMBER}, **members))


def known(person: Person | None = None, **facts: Any) -> Known:
    people = {(address.kind, address.value): person for address in (DIRECT, CUSTOMER, USER)} if person else {}
    return Known(people=people, **facts)


# members of the tenant, what is known, the destination, the refusal, its gate, its value, what decided
Row = tuple[dict[str, Any], Known, Address, str, str, str, str]
ROWS: dict[str, Row] = {
    "a customer who is inactive": ({}, known(customer(active=False)), DIRECT, "inactive_profile", "customer",
                                   "status 0", "customer profile C-77, status"),
    "a user who is inactive": ({}, known(user(active=False)), USER, "user_not_active", "user", "status 0",
                               "app profile u1, status"),
    "a profile without an address": ({}, known(Person(customer=Profile(id="C-77"))), CUSTOMER, "profile_not_found",
                                     "profile", "customerid C-77", "customer profile C-77 has no address for sms"),
    "a profile that is not verified": ({"verified_only": True}, known(customer()), CUSTOMER, "profile_not_verified",
                                       "verified", "customer profile C-77 is not verified",
                                       "tenants[demo].verified_only"),
    "nobody, where profiles are verified": ({"verified_only": True}, NOTHING_KNOWN, DIRECT, "profile_not_verified",
                                            "verified", "no profile is known of the address",
                                            "tenants[demo].verified_only"),
    "a declared entry": ({"dnd": [{"address": "+447700900001", "channel": "sms", "reason": "May"}]},
                         NOTHING_KNOWN, DIRECT, "user_in_dnd", "dnd",
                         "sms, every category, by workspace, May", f"tenants[demo].dnd[{NUMBER}]"),
    "a declared entry for the id": ({"dnd": [{"address": "C-77"}]}, known(customer()), CUSTOMER,
                                             "user_in_dnd", "dnd", "every channel, every category, by workspace",
                                             "tenants[demo].dnd[C-77]"),
    "a stored entry": ({}, known(dnd={NUMBER: (DndRow(NUMBER, origin="keyword", since=1_000),)}), DIRECT,
                       "user_in_dnd", "dnd", "every channel, every category, by keyword, since 1970-01-01T00:00Z",
                       f"tenants[demo].dnd[{NUMBER}]"),
    "a cap that is reached": ({"frequency_caps": [{"most": 9}, {"most": 2, "per": "week", "channel": "sms"}]},
                              known(sent={("day/utc//", NUMBER): 3, ("week/utc/sms/", NUMBER): 2}), DIRECT,
                              "user_in_dnd", "frequency", "frequency_cap: 2 of 2 a week",
                              "tenants[demo].frequency_caps[1]"),
    "outside the hours of a prefix": ({"social_hours": HOURS, "timezone": "Europe/London"}, NOTHING_KNOWN, DIRECT,
                                      "social_hours", "hours",
                                      "Mon 2026-01-05 12:00 +0000 in Europe/London by the prefix 4477, closed; "
                                      "opens Tue 2026-01-06 09:00 +0000", "tenants[demo].social_hours"),
    "outside the hours of a profile": ({"social_hours": [HOURS]}, known(customer(timezone="Asia/Tokyo")), DIRECT,
                                       "social_hours", "hours",
                                       "Mon 2026-01-05 21:00 +0900 in Asia/Tokyo by the profile, closed; "
                                       "opens Tue 2026-01-06 09:00 +0900", "tenants[demo].social_hours[0]"),
    "outside the hours of the tenant": ({"social_hours": {**HOURS, "zone": "tenant"}, "timezone": "Asia/Kolkata"},
                                        known(customer(timezone="Asia/Tokyo")), DIRECT, "social_hours", "hours",
                                        "Mon 2026-01-05 17:30 +0530 in Asia/Kolkata by the tenant, closed; "
                                        "opens Tue 2026-01-06 09:00 +0530", "tenants[demo].social_hours"),
    "no price": ({"billing": {"rate_plan": [{"channel": "sms", "prefix": "1", "price": "0.04"}]}}, NOTHING_KNOWN,
                 DIRECT, "rate_plan_missing", "plan", f"sms to {NUMBER}", "tenants[demo].billing.rate_plan"),
    "not enough money": ({"billing": BILLING}, known(balance=39_999), DIRECT, "not_enough_credits", "credit",
                         "0.04 EUR needed, 0.039999 EUR left", "tenants[demo].billing.balance"),
}  # fmt: skip
rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


@rows
def test_a_destination_is_refused_by_its_gate(row: Row, facts_of: Any, message_of: Any) -> None:
    tenant, facts, address, key, gate, value, decided_by = row
    verdict = judge_message(message_of(text="Hello"), facts_of(tenant=tenant), MONDAY_NOON)
    refused = judge_address(address, verdict, facts).refused

    assert refused is not None
    assert (refused.key, refused.gate, refused.value, refused.decided_by) == (key, gate, value, decided_by)
    assert judge_addresses((address,), verdict, facts) == [refused]


@rows
def test_the_story_ends_at_the_gate_that_refused(row: Row, facts_of: Any, message_of: Any) -> None:
    tenant, facts, address, _, gate, value, decided_by = row
    lines = story(judge_message(message_of(text="Hello"), facts_of(tenant=tenant), MONDAY_NOON), address, facts)

    assert lines[-1] == {"gate": gate, "ok": False, "value": value, "decided_by": decided_by}
    assert all(line["ok"] and line["value"] and line["decided_by"] for line in lines[:-1])


@rows
def test_it_is_the_only_fault_to_explain(row: Row, facts_of: Any, message_of: Any) -> None:
    tenant, facts, address, key, *_ = row
    found = explain_all(message_of(text="Hello"), address, facts_of(tenant=tenant), MONDAY_NOON, facts)
    unresolved = ["invalid_address"] if key == "profile_not_found" else []

    assert [refused.key for refused in found] == [key, *unresolved]
    assert all(catalogue.find(refused.key).phase == "policy" for refused in found)


GOOD: dict[str, tuple[dict[str, Any], dict[str, Any], Known, Address]] = {
    "a customer": ({}, {}, known(customer()), CUSTOMER),
    "a user": ({}, {}, known(user()), USER),
    "a user nobody knows, in the sandbox": ({}, {"sandbox": True}, NOTHING_KNOWN, Address("userid", NUMBER)),
    "a profile that is verified": ({"verified_only": True}, {}, known(customer(verified=True)), DIRECT),
    "an entry of another channel": ({"dnd": [{"address": NUMBER, "channel": "voice"}]}, {}, NOTHING_KNOWN, DIRECT),
    "an entry that ended": ({"dnd": [{"address": NUMBER, "expires": "2026-01-05"}]}, {}, NOTHING_KNOWN, DIRECT),
    "a service that is transactional": ({"dnd": [{"address": NUMBER}], "social_hours": HOURS},
                                        {"category": "transactional"}, NOTHING_KNOWN, DIRECT),
    "a cap that is not reached": ({"frequency_caps": [{"most": 2}]}, {}, known(sent={("day/utc//", NUMBER): 1}),
                                  DIRECT),
    "hours of another country": ({"social_hours": {**HOURS, "countries": ["US", "IN"]}}, {}, NOTHING_KNOWN, DIRECT),
    "hours of another channel": ({"social_hours": {**HOURS, "channels": ["voice"]}}, {}, NOTHING_KNOWN, DIRECT),
    "hours that are open where the person is": (
        {"social_hours": {"windows": [{"start": "20:00", "end": "22:00"}]}}, {},
        known(customer(timezone="Asia/Tokyo")), DIRECT),
    "a profile whose zone is none": ({"social_hours": {"preset": "office"}}, {}, known(customer(timezone="Mars")),
                                     DIRECT),
    "money enough": ({"billing": BILLING}, {}, known(balance=40_000), DIRECT),
    "no account yet": ({"billing": BILLING}, {}, NOTHING_KNOWN, DIRECT),
}  # fmt: skip
good = pytest.mark.parametrize(("tenant", "service", "facts", "address"), GOOD.values(), ids=GOOD)


@good
def test_a_destination_may_go(
    tenant: Any, service: Any, facts: Known, address: Address, facts_of: Any, message_of: Any
) -> None:
    verdict = judge_message(message_of(text="Hello"), facts_of(tenant=tenant, **service), MONDAY_NOON)
    judged = judge_address(address, verdict, facts)
    lines = story(verdict, address, facts)

    assert (judged.refused, judged.to, judged.opens) == (None, NUMBER, 0)
    assert judged.body is verdict.body
    assert all(line["ok"] and line["value"] and line["decided_by"] for line in lines)


def test_a_message_is_held_until_the_hours_open(facts_of: Any, message_of: Any) -> None:
    facts = facts_of(tenant={"social_hours": {**HOURS, "outside": "hold"}})
    verdict = judge_message(message_of(text="Hello"), facts, MONDAY_NOON)
    judged = judge_address(DIRECT, verdict)
    [line] = [line for line in story(verdict, DIRECT) if line["gate"] == "hours"]

    assert (judged.refused, judged.opens - MONDAY_NOON) == (None, 21 * 3_600_000)
    assert (line["ok"], "opens Tue 2026-01-06 09:00 +0000, held until then" in str(line["value"])) == (True, True)


def test_a_prefix_whose_zones_never_open_together_leaves_it_to_the_tenant(facts_of: Any, message_of: Any) -> None:
    tenant = {"social_hours": {"preset": "office"}, "timezone": "Europe/London"}
    verdict = judge_message(message_of(text="Hello"), facts_of(tenant=tenant), MONDAY_NOON)
    [line] = [line for line in story(verdict, Address("msisdn", "70001234567")) if line["gate"] == "hours"]

    assert (line["ok"], "Europe/London by the tenant" in str(line["value"])) == (True, True)


def test_the_money_of_a_chunk_is_spent_in_order(facts_of: Any, message_of: Any) -> None:
    verdict = judge_message(message_of(text="Hello"), facts_of(tenant={"billing": BILLING}), MONDAY_NOON)
    bad = Address("msisdn", "12")
    found = judge_addresses((DIRECT, bad, DIRECT, DIRECT), verdict, known(balance=80_000))

    assert [refused.key if refused else "" for refused in found] == ["", "invalid_address", "", "not_enough_credits"]
    assert judge_address(DIRECT, verdict, known(balance=80_000)).price == 40_000


def test_parts_are_paid_each(facts_of: Any, message_of: Any) -> None:
    verdict = judge_message(message_of(text="x" * 161), facts_of(tenant={"billing": BILLING}), MONDAY_NOON)

    assert judge_address(DIRECT, verdict).price == 80_000


HELLO = {"template": "1"}


def test_a_profile_fills_what_the_call_leaves_open(facts_of: Any, message_of: Any) -> None:
    verdict = judge_message(message_of(**HELLO), facts_of(), MONDAY_NOON)
    ann, bob = known(customer(attributes={"name": "Ann"})), known(customer(attributes={"name": "Bob"}))
    bodies = [judge_address(DIRECT, verdict, facts).body for facts in (ann, bob, ann)]

    assert [body.text if body else None for body in bodies] == ["Hello Ann", "Hello Bob", "Hello Ann"]
    assert bodies[0] is bodies[2]


def test_a_call_wins_over_a_profile(facts_of: Any, message_of: Any) -> None:
    message = message_of(**HELLO, parameters={"name": "you"})
    verdict = judge_message(message, facts_of(), MONDAY_NOON)
    body = judge_address(DIRECT, verdict, known(customer(attributes={"name": "Ann"}))).body

    assert body is verdict.body


@pytest.mark.parametrize("person", [None, customer(), customer(attributes={"other": "x"})])
def test_what_nobody_fills_is_refused(person: Person | None, facts_of: Any, message_of: Any) -> None:
    verdict = judge_message(message_of(**HELLO), facts_of(), MONDAY_NOON)
    refused = judge_address(DIRECT, verdict, known(person)).refused

    assert refused is not None
    assert (refused.key, refused.value) == ("params_unresolved", "name")


def test_a_value_that_a_profile_lacks_is_missed_although_it_has_others(facts_of: Any, message_of: Any) -> None:
    message = message_of(text="${name} ${city}", parameters={"x": "y"})
    verdict = judge_message(message, facts_of(), MONDAY_NOON)
    refused = judge_address(DIRECT, verdict, known(customer(attributes={"name": "Ann"}))).refused

    assert refused is not None
    assert (refused.value, refused.decided_by) == ("city", "`message.parameters` and the profile")


def test_what_a_profile_fills_in_is_measured_and_read(facts_of: Any, message_of: Any) -> None:
    facts = facts_of(tenant={"spam_words": ["free money"]})
    verdict = judge_message(message_of(**HELLO), facts, MONDAY_NOON)
    said = [
        judge_address(DIRECT, verdict, known(customer(attributes={"name": name}))).refused
        for name in ("x" * 4_000, "free money")
    ]

    assert [refused.key if refused else "" for refused in said] == ["message_too_long", "spam_content"]


def test_explaining_shows_each_what_they_would_get_and_when(facts_of: Any, message_of: Any) -> None:
    tenant = {
        "billing": BILLING,
        "social_hours": {**HOURS, "channels": ["sms"]},
        "dnd": [{"address": "447700900009"}],
    }
    other, never = Address("msisdn", "447700900002"), Address("msisdn", "447700900009")
    message = msgspec.structs.replace(message_of(**HELLO), addresses=(DIRECT, other, never))
    ann = known(customer(attributes={"name": "Ann"}))
    found = explain(message, facts_of(tenant=tenant), MONDAY_NOON, ann)
    opens = MONDAY_NOON + 21 * 3_600_000

    assert [(to.text, to.price, to.permitted) for to in found.to] == [
        ("Hello Ann", "0.04", opens), ("Hello ${name}", "0.04", opens), ("Hello ${name}", "0.04", None),
    ]  # fmt: skip
    assert found.currency == "EUR"
    assert [[refused.key for refused in to.against] for to in found.to] == [
        ["social_hours"], ["params_unresolved", "social_hours"],
        ["params_unresolved", "user_in_dnd", "social_hours"],
    ]  # fmt: skip


def test_what_is_held_is_no_fault_but_has_its_moment(facts_of: Any, message_of: Any) -> None:
    tenant = {"social_hours": {**HOURS, "outside": "hold"}}
    [to] = explain(message_of(text="x"), facts_of(tenant=tenant), MONDAY_NOON).to

    assert (to.against, to.permitted) == ((), MONDAY_NOON + 21 * 3_600_000)
