"""The do-not-disturb list over HTTP and by what people write; frequency caps; the import of a file."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from heliograph.testing import Running, eventually, running, workspace

NUMBER = "447700900001"
COMMAND = "from heliograph.cli.main import main; main()"


def tenant_with(**changes: Any) -> Any:
    """A workspace whose tenant differs."""

    def make(url: str) -> dict[str, Any]:
        document = workspace(url)
        document["tenants"][0].update(changes)
        return document

    return make


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Running]:
    """A platform with one declared entry, and answers to those who stop and start."""
    opt_out = {"reply_stop": "You will hear nothing more.", "reply_start": "Welcome back."}
    make = tenant_with(dnd=[{"address": "447700900009", "channel": "sms"}], opt_out=opt_out)
    async with running(tmp_path, make) as platform:
        yield platform


async def listed(live: Running, **query: str) -> list[Any]:
    found: list[Any] = (await live.admin("GET", "/tenants/demo/dnd", params=query)).json()["entries"]
    return found


async def code(live: Running, number: str = NUMBER, **sms: Any) -> str:
    element = (await live.sms(number, **sms))[0]
    return str(element["code"])


async def test_an_entry_holds_from_its_answer_on(live: Running) -> None:
    before = await code(live)
    answer = await live.admin("POST", "/tenants/demo/dnd", json={"address": "+44 7700 900001", "reason": "asked"})
    element = (await live.sms(NUMBER))[0]
    row = (await live.status(element["transid"]))[0]

    assert answer.json() == {"added": 1, "changed": 0, "refused": []}
    assert (before, element["code"], row["code"]) == ("1001", "7109", "7109")
    assert row["additionalInfo"].startswith("every channel, every category, by api, asked, since ")
    assert row["additionalInfo"].endswith(f"; tenants[demo].dnd[{NUMBER}]")


async def test_an_entry_holds_for_what_was_queued_before_it(tmp_path: Path) -> None:
    gone = [{"name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 9, "system_id": "x",
             "password": "y"}]  # fmt: skip

    def make(url: str) -> dict[str, Any]:
        document = tenant_with(connectors=gone)(url)
        document["tenants"][0]["services"][0]["sandbox"] = False
        return document

    async with running(tmp_path, make) as live:
        element = (await live.sms(NUMBER))[0]
        await live.admin("POST", "/tenants/demo/dnd", json={"address": NUMBER})
        document = make(live.url)
        document["tenants"][0]["connectors"] = workspace(live.url)["tenants"][0]["connectors"]
        document["tenants"][0]["services"][0]["sandbox"] = True
        await live.admin("PUT", "/workspace", json=document)
        async with asyncio.timeout(8):  # what waits for a lane that is gone is searched for every 10 s, and now
            row = await live.final(element["transid"])

    assert (element["code"], row["code"]) == ("1001", "7109")


async def test_an_entry_is_taken_off(live: Running) -> None:
    await live.admin("POST", "/tenants/demo/dnd", json={"address": NUMBER})
    answer = await live.admin("DELETE", f"/tenants/demo/dnd/{NUMBER}")
    again = await live.admin("DELETE", "/tenants/demo/dnd", params={"address": NUMBER})

    assert (answer.json(), again.status_code, await code(live)) == ({"removed": 1}, 404, "1001")


async def test_a_declared_entry_is_taken_off_in_the_workspace(live: Running) -> None:
    before = await code(live, "447700900009")
    await live.admin("DELETE", "/tenants/demo/dnd/447700900009")
    document = (await live.admin("GET", "/workspace")).json()

    assert (before, await code(live, "447700900009")) == ("7109", "1001")
    assert "dnd" not in document["tenants"][0]


async def test_the_list_is_paged_with_the_declared_ones_first(live: Running) -> None:
    entries = [{"address": f"44770090010{index}", "channel": "sms"} for index in range(5)]
    await live.admin("POST", "/tenants/demo/dnd", json={"entries": entries})
    found, cursor = [], ""
    while cursor is not None:
        page = (await live.admin("GET", "/tenants/demo/dnd", params={"limit": "2", "cursor": cursor})).json()
        found += page["entries"]
        cursor = page["cursor"]

    assert [(entry["address"], entry["origin"]) for entry in found] == [
        ("447700900009", "workspace"), *((f"44770090010{index}", "api") for index in range(5)),
    ]  # fmt: skip
    assert [entry["address"] for entry in await listed(live, address="447700900103")] == ["447700900103"]


async def test_good_entries_are_taken_whatever_the_others_are(live: Running) -> None:
    entries = [{"address": NUMBER}, {"address": ""}, {"channel": "sms"}, 7, {"address": "1", "channel": "fax"}]
    answer = (await live.admin("POST", "/tenants/demo/dnd", json={"entries": entries})).json()

    assert (answer["added"], [(one["index"], one["field"]) for one in answer["refused"]]) == (
        1, [(1, "address"), (2, "address"), (3, "entry"), (4, "channel")],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("demo", {"address": ""}, 400, "address"),
        ("demo", {"address": "1", "expires": "soon"}, 400, "expires"),
        ("nobody", {"address": "1"}, 404, "tenant"),
        ("demo", {"entries": [{}] * 10_001}, 413, "entries"),
    ],
)
async def test_what_is_wrong_is_named(live: Running, path: str, body: Any, status: int, field: str) -> None:
    answer = await live.admin("POST", f"/tenants/{path}/dnd", json=body)

    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


async def test_transactional_messages_go_to_who_is_on_the_list(live: Running) -> None:
    await live.admin("POST", "/tenants/demo/dnd", json={"address": NUMBER})

    assert [await code(live), await code(live, extras={"category": "transactional"})] == ["7109", "1001"]


async def test_who_writes_stop_hears_nothing_until_they_write_start(live: Running) -> None:
    simulators = live.platform.simulators
    await live.sms("447700900001")  # binds the connector
    for count in (1, 2):  # the second is not answered
        simulators.send_mo("447700900321", "HELIO", " stop. ")
        await live.calls("inbound", count)
    stopped = [await code(live, "447700900321"), await listed(live, address="447700900321")]
    simulators.send_mo("447700900321", "HELIO", "Start")
    await live.calls("inbound", 3)

    assert stopped[0] == "7109"
    [entry] = stopped[1]
    assert (entry["origin"], entry["channel"], entry["reason"]) == ("keyword", "sms", "wrote stop. to HELIO")
    assert await code(live, "447700900321") == "1001"
    texts = [row["text"] for row in await answers(live)]
    assert texts == ["You will hear nothing more.", "Welcome back."]


async def answers(live: Running) -> list[Any]:
    """What was sent to the person, oldest first."""

    async def came() -> Any:
        path = "/tenants/demo/messages?destination=447700900321&limit=50"
        rows = (await live.admin("GET", path)).json()["messages"]
        stories = [await live.story(row["transid"]) for row in reversed(rows)]
        found = [
            one for story in stories if (one := {"text": str(story["request"]["content"]["fields"].get("text"))})
        ]
        said = [one for one in found if one["text"] != "Hello"]
        return said if len(said) == 2 else None

    found: list[Any] = await eventually(came)
    return found


async def test_another_word_is_no_wish(live: Running) -> None:
    await live.sms("447700900001")
    live.platform.simulators.send_mo("447700900321", "HELIO", "please stop that")
    await live.calls("inbound", 1)

    assert await listed(live, address="447700900321") == []


async def test_a_frequency_cap_is_7109_with_its_reason(tmp_path: Path) -> None:
    caps = [{"most": 2, "per": "day", "channel": "sms"}]
    async with running(tmp_path, tenant_with(frequency_caps=caps)) as live:
        for _ in range(2):
            await live.final((await live.sms(NUMBER))[0]["transid"])
        element = (await live.sms(NUMBER))[0]
        row = (await live.status(element["transid"]))[0]
        other = await code(live, "447700900002")

    assert (element["code"], element["description"], other) == ("7109", "User in DnD", "1001")
    assert row["additionalInfo"] == "frequency_cap: 2 of 2 a day; tenants[demo].frequency_caps[0]"


async def test_what_failed_does_not_count_towards_a_cap(tmp_path: Path) -> None:
    async with running(tmp_path, tenant_with(frequency_caps=[{"most": 1, "per": "week"}])) as live:
        rows = [await live.final((await live.sms("9990007202"))[0]["transid"]) for _ in range(2)]

    assert [row["code"] for row in rows] == ["7202", "7202"]


async def test_one_call_with_an_address_twice_counts_it_twice(tmp_path: Path) -> None:
    async with running(tmp_path, tenant_with(frequency_caps=[{"most": 1}])) as live:
        elements = await live.sms(NUMBER, NUMBER)
        rows = [await live.final(element["transid"]) for element in elements]

    assert sorted(row["code"] for row in rows) == ["7109", "7500"]


async def test_a_file_is_imported_with_an_outcome_for_each_row(live: Running, tmp_path: Path, command: Any) -> None:
    file, outcome = tmp_path / "list.csv", tmp_path / "outcome.csv"
    rows = [["address", "channel", "reason"], ["+44 7700 900001", "sms", "letter"], ["447700900002", "fax", ""],
            ["", "sms", ""], ["447700900003", "", ""]]  # fmt: skip
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    status, out, _ = await command(live, "dnd", "import", str(file), "--tenant", "demo", "--outcome", str(outcome))
    with outcome.open(newline="", encoding="utf-8") as stream:
        said = list(csv.reader(stream))

    assert (status, "2 of 4" in out) == (1, True)
    assert [row[:3] for row in said] == [
        ["line", "address", "outcome"], ["2", "+44 7700 900001", "listed"], ["3", "447700900002", "refused"],
        ["4", "", "refused"], ["5", "447700900003", "listed"],
    ]  # fmt: skip
    assert "fax" in said[2][3]
    assert await code(live) == "7109"
    assert (await listed(live, address=NUMBER))[0]["origin"] == "import"


async def test_a_file_without_heads_is_addresses(live: Running, tmp_path: Path, command: Any) -> None:
    file = tmp_path / "numbers.txt"
    file.write_text("447700900001\n447700900002\n")
    status, out, _ = await command(live, "dnd", "import", str(file), "--tenant", "demo", "--channel", "sms", "--json")

    assert (status, '"listed": 2' in out) == (0, True)
    assert (await listed(live, address=NUMBER))[0]["channel"] == "sms"


@pytest.mark.parametrize(("arguments", "word"), [(["nothing.csv", "--tenant", "demo"], "nothing.csv")])
async def test_a_file_that_is_not_there_is_named(
    live: Running, arguments: list[str], word: str, command: Any
) -> None:
    status, _, err = await command(live, "dnd", "import", *arguments)

    assert (status, word in err) == (1, True)
