"""Rules over HTTP: events that send messages, chains, waits, calls, profiles, lists, loops that end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from heliograph.model.automation import DEEPEST, Run, RunState
from heliograph.testing import KEY, Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "/resources/v1/events/externalevent"
MESSAGING = "/resources/v1/messaging"


def event(name: str, *parameters: str) -> dict[str, Any]:
    return {"id": name, "parameters": [{"name": one, "mandatory": True} for one in parameters]}


def sms(text: str = "", **more: Any) -> dict[str, Any]:
    content = {"content": {"text": text}} if text else {}
    return {"send": {"channel": "sms", "to": {"msisdn": "${parameters.to}"}, **content, **more}}


def rule(name: str, *then: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A rule on the event of its own name."""
    return {"name": name, "on": {"event": name}, "then": list(then), **more}


def declared(url: str) -> dict[str, Any]:
    """An event and a rule for each thing that rules do."""
    document = workspace(url)
    tenant = document["tenants"][0]
    london = [{"field": "parameters.city", "value": "London"}]
    rules = [
        rule("shipped", sms(template="1001", parameters={"name": "${parameters.firstName}"}), when=london),
        rule("chain", {**sms("first"), "within": "2m", "otherwise": [sms("second", to={"msisdn": "447700900002"})]}),
        rule("wait", {"wait": "2m"}, sms("late")),
        rule("stop", sms("one"), {"stop": True}, sms("two")),
        rule("call", {"notify": {"url": f"{url}/sim/bin/called"}}),
        rule("body", {"notify": {"url": f"{url}/sim/bin/body", "body": {"who": "${parameters.to}", "n": 1}}}),
        rule("city", {"profile": {"act": "put", "customer": "${parameters.to}", "attributes": {
            "msisdn": "${parameters.to}", "city": "Bath"}}}),
        rule("quiet", {"dnd": {"address": "${parameters.to}", "channel": "sms"}}, sms("never")),
        rule("first", {"emit": {"event": "shipped", "parameters": {
            "firstName": "Ann", "to": "${parameters.to}", "city": "London"}}}),
        rule("loop", {"emit": {"event": "loop", "parameters": {"to": "${parameters.to}"}}}),
        rule("lacking", sms("${parameters.absent}"), sms("after")),
        rule("unfilled", sms(template="1001", parameters={"name": "${parameters.absent}"})),
        rule("empty", sms("Hi ${parameters.word}")),
        rule("guarded", {**sms("left out"), "when": london}, sms("done")),
        rule("mine", sms("to ${profile.city}"), person={"customerid": "${parameters.to}"}),
        rule("bath", sms("hello"), person={"customerid": "${parameters.to}"},
             when=[{"field": "profile.city", "value": "Bath"}]),
        rule("over", sms("x"), until="2020-01-01"),
        rule("both", sms("a")),
        {**rule("both", sms("b")), "name": "both2"},
    ]  # fmt: skip
    tenant["profile_store"] = {"attributes": [{"name": "city"}]}
    tenant["events"] = [event(name) for name in dict.fromkeys(one["on"]["event"] for one in rules)]
    tenant["events"][0] = event("shipped", "firstName")
    tenant["rules"] = rules
    return document


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform with these rules."""
    async with running(tmp_path_factory.mktemp("data"), declared) as platform:
        yield platform


async def occur(live: Running, name: str, notify: str = "", **parameters: Any) -> str:
    """Send an event; its transid."""
    body = {"notifyurl": notify, "events": [{"evtid": name, "parameters": parameters}]}
    answer = (await live.client.post(EVENTS, json=body, headers={"key": KEY})).json()["response"]
    assert answer[0]["code"] == "1002", answer
    return str(answer[0]["transid"])


async def runs_of(live: Running, transid: str) -> list[Run]:
    """The runs of an event, once all of them ended."""
    store = live.platform.store
    found: list[Run] = []

    async def ended() -> bool:
        nonlocal found
        newest = await store.occurrences_before(1 << 62, 200)
        found = await store.runs_of([one.id for one in newest if one.origin == transid])
        return bool(found) and all(run.state > RunState.AWAITING for run in found)

    await eventually(ended)
    return found


async def texts(live: Running, run: Run) -> list[str]:
    """What a run sent, in its order."""
    sent = [entry.detail for entry in run.log if entry.what == "send" and entry.ok]
    return [(await live.story(transid))["request"]["content"]["fields"].get("text", "") for transid in sent]


def went(run: Run) -> list[tuple[str, str, bool]]:
    """What a run did, step by step."""
    return [(entry.place, entry.what, entry.ok) for entry in run.log]


async def test_an_event_sends_a_personalised_message(live: Running) -> None:
    transid = await occur(live, "shipped", firstName="Ann", city="London", to="447700900101")
    [run] = await runs_of(live, transid)
    record = await live.final(run.log[0].detail)
    story = await live.story(run.log[0].detail)

    assert (run.state, record["status"]) == (RunState.DONE, "delivered")
    assert (story["destination"], story["request"]["content"]["parameters"]) == ("447700900101", {"name": "Ann"})


async def test_a_message_names_the_rule_that_sent_it_and_what_that_followed_from(live: Running) -> None:
    transid = await occur(live, "both", to="447700900101")
    first, _ = await runs_of(live, transid)
    followed = (await live.story(first.log[0].detail))["followed"]
    [own] = await live.sms("447700900101")

    assert followed == {
        "run": str(first.id), "rule": first.rule, "event": str(first.occurrence), "trigger": "event", "name": "both",
        "origin": transid,
    }  # fmt: skip
    assert (await live.admin("GET", f"/runs/{followed['run']}")).json()["event"] == followed["event"]
    assert (await live.story(own["transid"]))["followed"] is None


async def test_an_event_whose_conditions_are_not_met_is_unresolved(live: Running) -> None:
    transid = await occur(live, "shipped", firstName="Ann", city="Paris", to="447700900101")

    async def resolved() -> Any:
        newest = await live.platform.store.occurrences_before(1 << 62, 50)
        return next((one for one in newest if one.origin == transid and one.note), None)

    found = await eventually(resolved)

    assert (found.state.name, found.note) == ("UNRESOLVED", "the conditions of no rule are met")


async def test_a_message_that_gets_there_needs_no_other(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "chain", to="447700900102"))

    assert went(run) == [("then[0]", "send", True), ("then[0]", "await", True)]
    assert run.state is RunState.DONE


async def test_a_message_that_fails_is_followed_by_the_next_of_its_chain(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "chain", to="9990007206"))

    assert went(run) == [
        ("then[0]", "send", True), ("then[0]", "await", False), ("then[0].otherwise[0]", "send", True),
    ]  # fmt: skip
    assert run.state is RunState.DONE
    assert await texts(live, run) == ["first", "second"]


async def test_a_message_that_is_refused_at_once_is_followed_by_the_next_of_its_chain(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "chain", to="12"))

    assert went(run) == [("then[0]", "send", False), ("then[0].otherwise[0]", "send", True)]
    assert "7102" in run.log[0].detail


async def test_a_rule_waits(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "wait", to="447700900103"))

    assert went(run) == [("then[0]", "wait", True), ("then[1]", "send", True)]
    assert run.log[1].at - run.at >= 3_000  # a sandbox does not wait longer


async def test_a_rule_stops(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "stop", to="447700900104"))

    assert await texts(live, run) == ["one"]


async def test_a_rule_calls_a_url(live: Running) -> None:
    transid = await occur(live, "call", to="447700900105")
    [run] = await runs_of(live, transid)
    [call] = await live.calls("called", 1)
    told = json.loads(call["body"])["ruleNotification"]

    assert (told["rule"], told["run"], told["transid"]) == ("call", str(run.id), transid)
    assert told["payload"]["parameters"] == {"to": "447700900105"}
    assert call["headers"]["x-heliograph-id"] == run.log[0].detail


async def test_a_call_may_have_a_body_of_its_own(live: Running) -> None:
    await runs_of(live, await occur(live, "body", to="447700900106"))
    [call] = await live.calls("body", 1)

    assert json.loads(call["body"]) == {"who": "447700900106", "n": 1}


async def test_a_rule_writes_a_profile_that_others_see(live: Running) -> None:
    [written] = await runs_of(live, await occur(live, "city", to="447700900107"))
    [mine] = await runs_of(live, await occur(live, "mine", to="447700900107"))
    [bath] = await runs_of(live, await occur(live, "bath", to="447700900107"))

    assert written.state is RunState.DONE
    assert await texts(live, mine) == ["to Bath"]
    assert await texts(live, bath) == ["hello"]


async def test_a_rule_has_somebody_left_alone(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "quiet", to="447700900108"))

    assert went(run) == [("then[0]", "dnd", True), ("then[1]", "send", False)]
    assert "7109" in run.log[1].detail
    assert run.state is RunState.FAILED


async def test_an_event_that_a_rule_emits_has_rules_of_its_own(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "first", to="447700900109"))
    [second] = await runs_of(live, f"run {run.id}")

    assert (second.rule, second.state) == ("shipped", RunState.DONE)


async def test_a_rule_that_sets_itself_off_comes_to_an_end_and_that_is_told(live: Running) -> None:
    before = live.platform.rules.runner.counts["loops"]
    [run] = await runs_of(live, await occur(live, "loop", to="447700900110"))
    for _ in range(DEEPEST):
        [run] = await runs_of(live, f"run {run.id}")

    assert run.state is RunState.REFUSED
    assert run.log[0].detail == f"{DEEPEST} rules led to this already: a loop"
    assert live.platform.rules.runner.counts["loops"] == before + 1


async def test_an_action_that_lacks_a_value_fails_and_the_next_is_done(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "lacking", to="447700900111"))

    assert went(run) == [("then[0]", "send", False), ("then[1]", "send", True)]
    assert run.log[0].detail == "there is no value for ${parameters.absent}"
    assert run.state is RunState.FAILED


@pytest.mark.parametrize(
    ("name", "given", "expression", "ok"),
    [("unfilled", {}, "${parameters.absent}", False), ("empty", {"word": ""}, "${parameters.word}", True)],
)
async def test_the_run_names_what_a_text_finds_nothing_under(
    live: Running, name: str, given: dict[str, str], expression: str, ok: bool
) -> None:
    [run] = await runs_of(live, await occur(live, name, to="447700900111", **given))

    assert went(run) == [("then[0]", "fill", True), ("then[0]", "send", ok)]
    assert run.log[0].detail == f"there is nothing in {expression}"


async def test_an_action_whose_conditions_are_not_met_is_left_out(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "guarded", to="447700900112", city="Paris"))

    assert run.log[0].detail == "left out"
    assert (run.state, len(run.log)) == (RunState.DONE, 2)


async def test_every_rule_of_an_event_is_run(live: Running) -> None:
    runs = await runs_of(live, await occur(live, "both", to="447700900113"))

    assert [run.rule for run in runs] == ["both", "both2"]


async def test_a_rule_whose_time_is_over_is_not_run(live: Running) -> None:
    transid = await occur(live, "over", to="447700900114")

    async def resolved() -> Any:
        newest = await live.platform.store.occurrences_before(1 << 62, 50)
        return next((one for one in newest if one.origin == transid and one.note), None)

    assert (await eventually(resolved)).state.name == "UNRESOLVED"


@pytest.mark.parametrize(
    ("to", "code", "description"),
    [("447700900115", "1000", "Success"), ("12", "7006", "Internal error occurred")],
)
async def test_whoever_asked_is_told_when_everything_is_done(
    live: Running, to: str, code: str, description: str
) -> None:
    transid = await occur(live, "both", notify=f"{live.url}/sim/bin/end{code}", to=to)
    [call] = await live.calls(f"end{code}", 1)
    told = json.loads(call["body"])["eventInfoNotification"]

    assert (told["transid"], told["evtid"]) == (transid, "both")
    assert (told["code"], told["description"]) == (code, description)


async def test_operators_see_what_a_run_came_to(live: Running) -> None:
    [run] = await runs_of(live, await occur(live, "chain", to="9990007206"))
    listed = (await live.admin("GET", f"/tenants/demo/runs?rule=chain&event={run.occurrence}")).json()["runs"]
    shown = (await live.admin("GET", f"/runs/{run.id}")).json()

    assert listed == [shown]
    assert (shown["rule"], shown["state"], shown["next_at"]) == ("chain", "done", None)
    assert [(step["action"], step["what"], step["ok"]) for step in shown["steps"]] == went(run)
