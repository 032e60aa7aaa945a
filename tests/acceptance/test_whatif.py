"""What other policies would have made of messages that were sent, over the admin API and on the command line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.testing import Running, eventually, running, workspace

COMMAND = "from heliograph.cli.main import main; main()"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sent(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A tenant whose list of words has stopped one of five messages."""

    def declared(url: str) -> dict[str, Any]:
        document = workspace(url)
        document["tenants"][0]["spam_words"] = ["casino"]
        return document

    async with running(tmp_path_factory.mktemp("data"), declared) as live:
        await live.sms("447700900001", "447700900002", text="a loan for you")
        await live.sms("447700900001", text="a casino")
        await live.sms("12125550123", text="hello")
        await live.sms("12", text="hello")
        yield live


async def ask(live: Running, policy: Any, query: str = "") -> Any:
    answer = await live.admin("POST", f"/tenants/demo/whatif{query}", json=policy)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_without_a_change_nothing_would_differ(sent: Running) -> None:
    report = await ask(sent, {})

    assert (report["judged"], report["changes"], report["examples"], report["more"]) == (5, {}, [], False)
    assert report["before"] == report["after"] == {"1001": 3, "7111": 1, "7102": 1}


POLICIES: dict[str, tuple[Any, dict[str, int]]] = {
    "another word": ({"spam_words": ["casino", "loan"]}, {"1001 -> 7111": 2}),
    "no words": ({"spam_words": []}, {"7111 -> 1001": 1}),
    "an address on the list": ({"dnd": [{"address": "447700900001"}]}, {"1001 -> 7109": 1}),
    "a cap": ({"frequency_caps": [{"most": 1}], "spam_words": []}, {"7111 -> 7109": 1}),
    "no hours of a country": (
        {"social_hours": {"windows": [{"start": "00:00", "end": "00:01", "days": ["mon"]}], "countries": ["US"],
                          "holidays": [f"01-{day:02d}" for day in range(1, 32)]}}, {"1001 -> 7113": 1}),
    "money for one": ({"billing": {"balance": "0.04", "rate_plan": [{"channel": "sms", "price": "0.04"}]}},
                      {"1001 -> 7103": 2}),
    "verified people": ({"verified_only": True}, {"1001 -> 7116": 3, "7111 -> 7116": 1, "7102 -> 7116": 1}),
    "a whole workspace": ({"tenants": [{"id": "demo", "spam_words": ["loan"], "name": "X"}]},
                          {"1001 -> 7111": 2, "7111 -> 1001": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("policy", "changes"), POLICIES.values(), ids=POLICIES)
async def test_what_would_differ_is_counted(sent: Running, policy: Any, changes: dict[str, int]) -> None:
    report = await ask(sent, policy)

    assert report["changes"] == changes
    assert len(report["examples"]) == sum(changes.values())
    assert all(example["transid"] and example["before"] != example["after"] for example in report["examples"])


async def test_an_example_says_what_would_decide(sent: Running) -> None:
    [example, _] = (await ask(sent, {"spam_words": ["casino", "loan"]}))["examples"]

    assert (example["gate"], example["value"], example["decided_by"]) == (
        "content", "loan", "tenants[demo].spam_words[1]",
    )  # fmt: skip
    assert example["destination"] == "447700900001"


async def test_what_would_wait_is_held(sent: Running) -> None:
    every_day = [f"{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 32)]
    closed = {"windows": [{"start": "09:00", "end": "18:00"}], "holidays": every_day, "zone": "tenant"}
    open_later = f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()
    held = {
        "windows": [{"days": [open_later], "start": "09:00", "end": "18:00"}],
        "outside": "hold",
        "zone": "tenant",
    }

    assert (await ask(sent, {"social_hours": held}))["changes"] == {"1001 -> held": 3}
    assert (await ask(sent, {"social_hours": {**closed, "outside": "hold"}}))["changes"] == {"1001 -> 7113": 3}


async def test_the_newest_are_replayed_when_there_are_more(sent: Running) -> None:
    report = await ask(sent, {"spam_words": ["casino", "hello"]}, "?limit=2")

    assert (report["judged"], report["more"], report["changes"]) == (2, True, {"1001 -> 7111": 1})


@pytest.mark.parametrize(
    ("tenant", "policy", "status", "field"),
    [
        ("nobody", {}, 404, "tenant"),
        ("demo", {"services": []}, 400, "services"),
        ("demo", {"spam_words": [{"regex": "("}]}, 400, "tenants[demo].spam_words[0].regex"),
        ("demo", {"tenants": [{"id": "x"}]}, 400, "tenants"),
    ],
)
async def test_what_cannot_be_tried_is_refused(
    sent: Running, tenant: str, policy: Any, status: int, field: str
) -> None:
    answer = await sent.admin("POST", f"/tenants/{tenant}/whatif", json=policy)

    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


ALIVE = ("leases", "inapp_nodes")  # tables


async def quiet(live: Running) -> bool:
    """Nothing is on its way and nobody is owed a call."""
    counts = await live.platform.store.counts()
    if any(counts.get(number) for number in (10, 20, 30)):
        return False
    waiting = [await live.database.rows(f"SELECT 1 FROM {table}") for table in ("windows", "outbox")]
    return not any(waiting) and (await live.platform.store.pending_counts())[:2] == (0, 0)


async def state(live: Running) -> tuple[dict[str, list[Any]], Any, Any]:
    """All that is kept: every table, the workspace, and what the verbs counted. A process that shares its database
    says there that it lives, and counts that."""
    there, shared = live.database, live.platform.cluster.shared
    names = [name for name in await there.tables() if not (shared and name in ALIVE)]
    tables = {table: sorted(await there.rows(f"SELECT * FROM {table}"), key=repr) for table in names}
    numbers = live.platform.surface.numbers()
    if shared:
        numbers = {name: number for name, number in numbers.items() if name != "store"}
    return tables, live.platform.workspaces.export(secrets=True), numbers


async def test_nothing_is_sent_or_changed(sent: Running) -> None:
    """Not a row of any table, not a counter of any verb, not a member of the workspace."""
    await eventually(lambda: quiet(sent))
    before = await state(sent)
    for policy, _ in POLICIES.values():
        await ask(sent, policy)
    after = await state(sent)

    assert sum(len(rows) for rows in before[0].values()) > 20
    assert after == before
    assert (await sent.sms("447700900001", text="a casino"))[0]["code"] == "7111"


async def test_the_command_shows_what_would_differ(sent: Running, tmp_path: Path, command: Any) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("spam_words: [casino, loan]\n")
    status, out, _ = await command(sent, "whatif", "--policy", str(file), "--tenant", "demo", "--from", "1h")
    machine = await command(sent, "whatif", "--policy", str(file), "--tenant", "demo", "--from", "1h", "--json")

    assert (status, "2 would differ: 1001 -> 7111" in out, "spam_words[1]" in out) == (0, True, True)
    assert json.loads(machine[1])["changes"] == {"1001 -> 7111": 2}


async def test_a_moment_that_is_none_is_named(sent: Running, tmp_path: Path, command: Any) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("{}")
    status, _, err = await command(sent, "whatif", "--policy", str(file), "--tenant", "demo", "--from", "yesterday")

    assert (status, "--from" in err) == (1, True)
