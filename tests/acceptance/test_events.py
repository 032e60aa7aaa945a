"""The Event API over HTTP: every published row with its exact text, the shapes of answers, what is kept."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.events.taking import NO_RULE
from heliograph.model.ids import parse_transid
from heliograph.store import StoreUnavailable
from heliograph.testing import KEY, OTHER_KEY, Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/resources/v1/events/externalevent"
EVENTS = [
    {
        "id": "4451",
        "name": "order_shipped",
        "services": ["orders", "fenced"],
        "parameters": [
            {"name": "firstName", "mandatory": True},
            {"name": "city", "default": "London"},
            {"name": "tier", "mandatory": True, "default": "plain"},
            {"name": "items", "type": "number"},
            {"name": "gift", "type": "boolean"},
            {"name": "due", "type": "date"},
            {"name": "order", "type": "json"},
        ],
    },
    {"id": "bare"},
    {"id": "ruled"},
]
SECRET = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
RULE = {"name": "r", "on": {"event": "ruled"}, "then": [{"stop": True}]}
GOOD = {"evtid": "4451", "correlationid": "ABC123", "parameters": {"firstName": "Ada"}}


def declared(url: str) -> dict[str, Any]:
    """Services in every condition that a caller may meet."""
    document = workspace(url, jwt=[{"id": "orders", "secret": SECRET}])
    demo = document["tenants"][0]
    demo |= {"events": EVENTS, "rules": [RULE]}
    demo["services"] += [
        {"id": "asleep", "keys": ["key-of-asleep"], "status": "suspended"},
        {"id": "fenced", "keys": ["key-of-fenced"], "ip_allowlist": ["10.0.0.0/8"]},
    ]
    document["tenants"] += [
        {"id": "walled", "ip_allowlist": ["10.0.0.0/8"], "services": [{"id": "a", "keys": ["key-of-walled"]}]},
        {"id": "off", "status": "suspended", "services": [{"id": "a", "keys": ["key-of-off"]}]},
        {
            "id": "limited",
            "limits": {"event_per_second": 2},
            "events": [{"id": "bare"}],
            "services": [{"id": "a", "keys": ["key-of-limited"]}],
        },
    ]
    return document


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform with these services."""
    async with running(tmp_path_factory.mktemp("data"), declared) as platform:
        yield platform


async def send(live: Running, body: Any, key: str | None = KEY, **headers: str) -> Any:
    """The `response` to a call; a dict goes as JSON."""
    more = {"content": body} if isinstance(body, bytes | str) else {"json": body}
    sent = {"key": key, **headers} if key is not None else headers
    answer = await live.client.post(PATH, headers=sent, **more)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["response"]


async def one(live: Running, event: Any, **more: Any) -> Any:
    """What became of one event."""
    [element] = await send(live, {"events": [event], **more})
    return element


async def kept(live: Running, transid: str) -> Any:
    """An event as operators see it."""
    return (await live.admin("GET", f"/events/{transid}")).json()


@dataclass
class Case:
    """A call: its body, who sends it, whether its answer is an element, and what fills in its text."""

    body: Any
    key: str | None = KEY
    element: bool = False
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def events(*found: Any, **more: Any) -> dict[str, Any]:
    """A call with these events."""
    return {"events": list(found), **more}


PUBLISHED: dict[str, list[Case]] = {
    keys.QUEUED: [Case(events(GOOD), element=True, text="Queued")],
    keys.INVALID_JSON: [Case(body) for body in ("{", "", "[]", "1", '"x"', "null", b"\xff", "[" * 20_000)],
    keys.AUTHENTICATION_FAILED: [
        Case(events(GOOD), key="33333333-3333-4333-8333-333333333333"),
        Case(events(GOOD, key="nobody"), key=None),
        Case(events(GOOD), headers={"authorization": "Bearer x.y.z"}),
    ],
    keys.SERVICE_KEY_MISSING: [
        Case(body, key=key)
        for body in (events(GOOD), events(GOOD, key=""), events(GOOD, key=7), "{")
        for key in (None, "")
    ],
    keys.INVALID_VALUE: [
        *(
            Case(body)
            for body in (
                events(), {"events": {}}, {"events": {"evtid": "4451"}}, {"events": "x"}, {"events": 7},
                events(*[GOOD] * 101), events(GOOD, expiry="soon"), events(GOOD, expiry=7),
                events(GOOD, notifyurl="ftp://a.example"), events(GOOD, notifyurl=7),
                events(GOOD, notifyurl="/here"), events(GOOD, notifyurl="http://a.example/" + "x" * 2_048),
            )
        ),
        *(
            Case(events(event), element=True)
            for event in (
                {}, {"evtid": ""}, {"evtid": None}, {"evtid": "9"}, {"evtid": []}, {"evtid": True}, 7, "x", None, [],
                {**GOOD, "correlationid": "x" * 51}, {**GOOD, "correlationid": "é" * 26},
                {**GOOD, "correlationid": "a\0"}, {**GOOD, "correlationid": {}},
                {**GOOD, "parameters": []}, {**GOOD, "parameters": "x"},
                *(
                    {**GOOD, "parameters": {"firstName": "Ada", **wrong}}
                    for wrong in (
                        {"items": "many"}, {"items": True}, {"gift": "perhaps"}, {"due": "tomorrow"},
                        {"firstName": {}}, {"firstName": "x" * 4_097},
                    )
                ),
            )
        ),
    ],
    keys.CUSTOM_PARAMETER_MISSING: [
        Case(events({"evtid": "4451", **more}), element=True)
        for more in ({}, {"parameters": {}}, {"parameters": {"firstName": ""}}, {"parameters": {"firstName": None}})
    ],
}  # fmt: skip
FROM_MESSAGING: dict[str, list[Case]] = {
    keys.EVENTS_MISSING: [Case(body) for body in ({}, {"events": None}, {"events": ""})],
    keys.IP_NOT_ALLOWED: [Case(events(GOOD), key="key-of-walled")],
    keys.SERVICE_IP_NOT_ALLOWED: [Case(events(GOOD), key="key-of-fenced")],
    keys.SERVICE_INACTIVE: [Case(events(GOOD), key="key-of-asleep"), Case(events(GOOD), key="key-of-off")],
    keys.REQUEST_EXPIRED: [Case(events(GOOD, expiry="2015-04-12T18:51:19"))],
    keys.TRANSACTION_LIMIT: [Case(events(*[{"evtid": "bare"}] * 3), key="key-of-limited")],
}
CASES = [(key, case) for rows in (PUBLISHED, FROM_MESSAGING) for key, cases in rows.items() for case in cases]


@pytest.mark.parametrize(("key", "case"), CASES, ids=[key for key, _ in CASES])
async def test_a_row_is_answered_to_the_letter(live: Running, key: str, case: Case) -> None:
    found = await send(live, case.body, case.key, **case.headers)
    row = catalogue.find(key, catalogue.EVENT)
    [refusal] = found if case.element else [found]

    assert (refusal["code"], refusal["description"]) == (row.code, case.text or row.message)
    assert parse_transid(refusal["transid"])
    members = {"code", "description", "transid"} | ({"correlationid"} if case.element else set())
    assert set(refusal) - {"parameters"} == members
    assert ("parameters" in refusal) == (key == keys.CUSTOM_PARAMETER_MISSING)


async def test_an_outage_of_the_store_is_7005(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Any) -> None:
        raise StoreUnavailable("in this test")

    monkeypatch.setattr(live.platform.store, "accept_events", away)
    refusal = await send(live, events(GOOD))

    assert (refusal["code"], refusal["description"]) == ("7005", "Internal error occurred")


async def test_a_fault_of_ours_is_7006(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Any) -> None:
        raise RuntimeError("in this test")

    monkeypatch.setattr(live.platform.store, "accept_events", broken)
    refusal = await send(live, events(GOOD))

    assert (refusal["code"], refusal["description"]) == ("7006", "Internal error occurred")


async def test_no_row_of_the_event_section_is_missing() -> None:
    rows = {row.key for row in catalogue.ROWS if row.api == catalogue.EVENT}

    assert rows - PUBLISHED.keys() == {keys.EVENT_NOT_STORED, keys.INTERNAL_ERROR_AT_ACCEPT}


# Who calls


def _part(members: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=")


async def test_a_token_is_as_good_as_a_key_and_wins_over_it(live: Running) -> None:
    claims = {"iss": "orders", "iat": int(time.time())}
    signed = b".".join(_part(part) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    digest = hmac.new(base64.b64decode(SECRET), signed, "sha256").digest()
    token = b".".join((signed, base64.urlsafe_b64encode(digest).rstrip(b"="))).decode()
    [taken] = await send(live, events(GOOD), "nonsense", authorization=f"Bearer {token}")

    assert taken["code"] == "1002"


async def test_the_key_may_stand_in_the_body(live: Running) -> None:
    [taken] = await send(live, events(GOOD, key=KEY), None)

    assert taken["code"] == "1002"


async def test_the_key_of_the_head_wins_over_that_of_the_body(live: Running) -> None:
    assert (await send(live, events(GOOD, key=KEY), "nonsense"))["code"] == "7001"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_events_are_posted(live: Running, method: str) -> None:
    assert (await live.client.request(method, PATH, headers={"key": KEY})).status_code == 405


async def test_a_trailing_slash_is_served(live: Running) -> None:
    answer = await live.client.post(f"{PATH}/", headers={"key": KEY}, json=events(GOOD))

    assert answer.json()["response"][0]["code"] == "1002"


# Many at once


async def test_each_event_has_its_own_answer_in_its_place(live: Running) -> None:
    found = await send(live, events(GOOD, {"evtid": "9", "correlationid": 7}, {"evtid": "4451"}, {"evtid": "bare"}))
    base = found[0]["transid"]

    assert [row["code"] for row in found] == ["1002", "7004", "7025", "1002"]
    assert [row["transid"] for row in found] == [base, f"{base}_1", f"{base}_2", f"{base}_3"]
    assert [row["correlationid"] for row in found] == ["ABC123", "7", "", ""]
    assert found[2]["parameters"] == ["firstName"]


async def test_a_hundred_events_are_taken(live: Running) -> None:
    found = await send(live, events(*[{"evtid": "bare"}] * 100))

    assert {row["code"] for row in found} == {"1002"}
    assert len({row["transid"] for row in found}) == 100


async def test_a_refused_call_takes_nothing(live: Running) -> None:
    before = await live.platform.store.occurrence_counts()
    await send(live, events(GOOD, {"evtid": "bare"}, expiry="2015-04-12T18:51:19"))
    await send(live, events({"evtid": "9"}))

    assert await live.platform.store.occurrence_counts() == before


# What is kept


async def test_parameters_are_kept_in_their_types_with_defaults(live: Running) -> None:
    given = {
        "firstName": 7, "city": "", "items": "42", "gift": "true", "due": "2030-02-28",
        "order": {"lines": [{"sku": "a"}]}, "more": {"x": [1]},
    }  # fmt: skip
    taken = await one(live, {**GOOD, "parameters": given})
    found = await kept(live, taken["transid"])

    assert found["payload"] == {
        "evtid": "4451",
        "name": "order_shipped",
        "correlationid": "ABC123",
        "parameters": {
            "firstName": "7", "city": "London", "tier": "plain", "items": 42, "gift": True, "due": "2030-02-28",
            "order": {"lines": [{"sku": "a"}]}, "more": {"x": [1]},
        },
    }  # fmt: skip


async def test_a_number_is_as_good_as_its_text(live: Running) -> None:
    taken = await one(live, {**GOOD, "evtid": 4451, "correlationid": 12})

    assert (taken["code"], taken["correlationid"]) == ("1002", "12")


async def test_texts_of_any_kind_are_kept(live: Running) -> None:
    name = 'Zoë "quoted" \U0001f600 \u0000 \\'
    taken = await one(live, {"evtid": "bare", "parameters": {"name": name, name: 1}})

    assert (await kept(live, taken["transid"]))["payload"]["parameters"] == {"name": name, name: 1}


async def test_an_event_without_a_rule_is_unresolved(live: Running) -> None:
    taken = await one(live, {"evtid": "bare"})
    found = await kept(live, taken["transid"])

    assert (found["state"], found["note"], found["service"]) == ("unresolved", NO_RULE, "orders")
    assert (found["trigger"], found["name"], found["origin"]) == ("event", "bare", taken["transid"])


async def test_an_event_with_a_rule_is_not_unresolved_at_once(live: Running) -> None:
    taken = await one(live, {"evtid": "ruled"})

    assert (await kept(live, taken["transid"]))["state"] != "unresolved"


async def test_an_event_with_the_key_of_another_service_is_taken_and_flagged(live: Running) -> None:
    [taken] = await send(live, events(GOOD), OTHER_KEY)
    found = await kept(live, taken["transid"])

    assert taken["code"] == "1002"
    assert (found["state"], found["service"]) == ("unresolved", "other")
    assert found["note"] == "it came with a key of the service other; the event is for orders, fenced"


# Named calls


async def test_a_named_call_is_taken_once(live: Running) -> None:
    first = await send(live, events(GOOD), **{"idempotency-key": "once"})
    second = await send(live, events(GOOD), **{"idempotency-key": "once"})
    other = await send(live, events(GOOD), **{"idempotency-key": "twice"})

    assert first == second
    assert first != other


async def test_a_name_that_was_given_to_another_body_is_7004(live: Running) -> None:
    await send(live, events(GOOD), **{"idempotency-key": "mine"})
    refusal = await send(live, events(GOOD, GOOD), **{"idempotency-key": "mine"})

    assert (refusal["code"], refusal["description"]) == ("7004", "invalid value for param 'Idempotency-Key'")


async def test_names_of_events_are_apart_from_names_of_messages(live: Running) -> None:
    body = {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "x"}},
        "destination": [{"msisdn": ["447700900001"]}],
    }
    sent = await live.send(body, **{"idempotency-key": "both"})
    [taken] = await send(live, events(GOOD), **{"idempotency-key": "both"})

    assert (sent.json()["response"][0]["code"], taken["code"]) == ("1001", "1002")


# Limits


async def test_a_caller_is_told_of_its_limit(live: Running) -> None:
    answer = await live.client.post(PATH, headers={"key": "key-of-limited"}, json=events({"evtid": "bare"}))

    assert answer.headers["x-rate-limit-limit"] == "2"


# For operators


async def test_the_unresolved_are_listed_newest_first_page_by_page(live: Running) -> None:
    sent = [(await one(live, {"evtid": "bare"}))["transid"] for _ in range(3)]
    path = "/events?state=unresolved&tenant=demo&name=bare&limit=2"
    first = (await live.admin("GET", path)).json()
    second = (await live.admin("GET", f"{path}&cursor={first['cursor']}")).json()

    assert [row["origin"] for row in first["events"] + second["events"][:1]] == sent[::-1]


@pytest.mark.parametrize(
    "query", ["state=unresolved", "state=unresolved&tenant=demo", "tenant=demo", "name=bare", ""]
)
async def test_they_are_listed_by_what_they_are(live: Running, query: str) -> None:
    taken = await one(live, {"evtid": "bare"})
    found = (await live.admin("GET", f"/events?{query}")).json()["events"]

    assert found[0]["origin"] == taken["transid"]


async def test_an_event_of_a_call_with_many_is_found_by_its_transid(live: Running) -> None:
    _, second = await send(live, events(GOOD, {"evtid": "bare"}))

    assert (await kept(live, second["transid"]))["name"] == "bare"


async def test_what_has_no_rule_yet_is_not_run_again(live: Running) -> None:
    taken = await one(live, {"evtid": "bare"})
    answer = await live.admin("POST", f"/events/{taken['transid']}/rerun")

    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == NO_RULE


async def test_an_event_of_another_service_is_not_run_again(live: Running) -> None:
    [taken] = await send(live, events(GOOD), OTHER_KEY)
    answer = await live.admin("POST", f"/events/{taken['transid']}/rerun")

    assert "it came with a key of the service other" in answer.json()["error"]["message"]


async def test_an_unresolved_event_is_run_again_once_there_is_a_rule(live: Running) -> None:
    taken = await one(live, {"evtid": "bare"})
    other = await one(live, {"evtid": "bare"})
    rule = {"name": "late", "on": {"event": "bare"}, "then": [{"stop": True}]}
    assert (await live.admin("POST", "/tenants/demo/rules", json=rule)).status_code == 200
    answer = await live.admin("POST", f"/events/{taken['transid']}/rerun")
    many = (await live.admin("POST", "/events/rerun", json={"tenant": "demo", "name": "bare"})).json()
    await live.admin("DELETE", "/tenants/demo/rules/late")

    deeds = (await live.admin("GET", "/audit?tenant=demo&action=events run again&limit=2")).json()["deeds"]

    assert answer.status_code == 200
    assert answer.json()["origin"] == taken["transid"]
    assert [deed["object"] for deed in deeds] == ["bare", answer.json()["id"]]
    assert many["rerun"] >= 1
    assert [(await kept(live, row["transid"]))["state"] == "unresolved" for row in (taken, other)] == [False, False]


# Declared


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"id": "a b"}, "events[a b]"),
    ({"id": "x", "services": ["nobody"]}, "events[x].services"),
    ({"id": "x", "parameters": [{"name": "1"}]}, "events[x].parameters[1].name"),
    ({"id": "x", "parameters": [{"name": "a"}, {"name": "a"}]}, "events[x].parameters[a]"),
    ({"id": "x", "parameters": [{"name": "a", "type": "colour"}]}, "events[x].parameters[a].type"),
    ({"id": "x", "parameters": [{"name": "a", "type": "number", "default": "y"}]}, "events[x].parameters[a].default"),
    ({"id": "x", "colour": 1}, "events[x].colour"),
    ({"id": 7}, "events[0].id"),
]


@pytest.mark.parametrize(("event", "where"), FAULTS, ids=[where for _, where in FAULTS])
async def test_an_event_that_cannot_be_declared_is_named(live: Running, event: dict[str, Any], where: str) -> None:
    document = declared(live.url)
    document["tenants"][0]["events"] = [event]
    answer = await live.admin("PUT", "/workspace?plan=true", json=document)

    assert answer.status_code == 400
    assert f"tenants[demo].{where}" in [fault["path"] for fault in answer.json()["error"]["faults"]]


async def test_an_event_counts_as_soon_as_it_is_declared(live: Running) -> None:
    before = await one(live, {"evtid": "fresh"})
    await live.admin("POST", "/tenants/demo/events", json={"id": "fresh"})
    during = await one(live, {"evtid": "fresh"})
    await live.admin("DELETE", "/tenants/demo/events/fresh")
    after = await one(live, {"evtid": "fresh"})

    assert [row["code"] for row in (before, during, after)] == ["7004", "1002", "7004"]


async def test_events_are_counted(live: Running) -> None:
    before = dict(live.platform.events.taker.counts)
    await send(live, events(GOOD, {"evtid": "9"}, {"evtid": "bare"}))
    after = live.platform.events.taker.counts

    assert {name: after[name] - before[name] for name in ("calls", "events", "refused", "unresolved")} == {
        "calls": 1, "events": 2, "refused": 1, "unresolved": 2,
    }  # fmt: skip
    assert "heliograph_events_total" in (await live.client.get("/metrics")).text
