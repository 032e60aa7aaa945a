"""What operators see of events from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from heliograph.testing.cluster import until

PATH = "/resources/v1/events/externalevent"


KEY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def sent(server: Any) -> str:
    """The transid of an event that no rule is for."""
    path = Path(server.file())
    document = json.loads(path.read_text())
    document["tenants"][0]["events"] = [{"id": "4451"}]
    path.write_text(json.dumps(document))
    assert server("apply", str(path)).status == 0
    body = {"events": [{"evtid": "4451", "correlationid": "theirs", "parameters": {"name": "Ada [x]"}}]}
    answer = httpx.post(f"{server.url}{PATH}", headers={"key": KEY}, json=body, trust_env=False)
    transid: str = answer.json()["response"][0]["transid"]
    return transid


def test_an_event_is_listed_shown_and_not_run_without_a_rule(server: Any, sent: str) -> None:
    listed = server("events", "list", "--state", "unresolved", "--name", "4451", "--json").json["events"]
    people = server("events", "list", "--state", "unresolved")
    shown = server("events", "show", sent)
    again = server("events", "rerun", sent)
    replayed = server("replay", sent)

    assert [one["origin"] for one in listed][:1] == [sent]
    assert "no rule is for it" in people.out
    assert "Ada [x]" in shown.out
    assert [(one.status, "no rule is for it" in one.err) for one in (again, replayed)] == [(1, True), (1, True)]


def test_all_that_a_rule_is_for_are_run_again(server: Any, sent: str) -> None:
    answer = server("events", "rerun", "unresolved", "--tenant", "demo", "--json")

    assert answer.json == {"rerun": 0}


def test_a_state_that_there_is_not_is_named(server: Any) -> None:
    ended = server("events", "list", "--state", "lost")

    assert (ended.status, "`state` must be one of new" in ended.err) == (1, True)


def test_an_explanation_names_the_rule_that_sent_a_message_and_its_event(server: Any) -> None:
    path = Path(server.file())
    document = json.loads(path.read_text())
    document["tenants"][0]["events"] = [{"id": "4452"}]
    send = {"channel": "sms", "to": {"msisdn": "447700900123"}, "content": {"text": "Hello"}}
    document["tenants"][0]["rules"] = [{"name": "greet", "on": {"event": "4452"}, "then": [{"send": send}]}]
    path.write_text(json.dumps(document))
    assert server("apply", str(path)).status == 0
    body = {"events": [{"evtid": "4452"}]}
    answer = httpx.post(f"{server.url}{PATH}", headers={"key": KEY}, json=body, trust_env=False)
    event = answer.json()["response"][0]["transid"]

    def done() -> Any:
        found = server("rules", "runs", "demo", "--json").json["runs"]
        return found if found and found[0]["state"] == "done" else None

    [run] = until(done)
    out = " ".join(server("explain", run["steps"][0]["detail"]).out.split())

    said = f"sent by the rule greet (run {run['id']}) on event 4452 (event {run['event']}, from {event})"
    assert said in out
