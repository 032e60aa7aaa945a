"""A provider that hangs: its breaker opens, messages wait or expire, none is lost, others are not slowed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from heliograph.testing import Running, eventually, running, workspace
from heliograph.wire.graph import connector
from heliograph.wire.graph.standin import GraphStandIn

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE, NUMBER = "a_100000000000000001", "a_100000000000000004"
LANE = f"demo/{PAGE}~sandbox"
PEOPLE = 120
UNSETTLED = ("queued", "sent")


def document(url: str) -> dict[str, Any]:
    found = workspace(url)
    tenant = found["tenants"][0]
    tenant["apps"] = [{"id": PAGE, "messenger": {"window": 20}}, {"id": NUMBER, "whatsapp": {}}]
    tenant["services"][0]["channels"] |= {"fb": {"app": PAGE}, "whatsapp": {"app": NUMBER}}
    return found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are waited for no longer than two seconds."""
    monkeypatch.setattr(connector, "FAST_TIMEOUT", 2.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data, document) as platform:
        yield platform


async def messages(live: Running, people: list[str], **more: Any) -> str:
    """A call to people of the page; its transid, which stands for all of them."""
    body = {
        "deliverychannel": "fb",
        "channels": {"OTT-Messaging": {"fb": {"text": "Hi"}}},
        "destination": [{"psid": people}],
        **more,
    }
    answer = (await live.send(body)).json()["response"]
    assert {item["code"] for item in answer} == {"1001"}
    return str(answer[0]["transid"])


async def delivered(live: Running, channel: str, kind: str, to: str, objects: Any) -> str:
    """A message on another channel, delivered; its transid."""
    body = {"deliverychannel": channel, "channels": objects, "destination": [{kind: [to]}]}
    [element] = (await live.send(body)).json()["response"]

    async def there() -> bool:
        return (await live.status(element["transid"]))[0]["status"] in ("delivered", "read")

    await eventually(there)
    return str(element["transid"])


async def test_a_provider_that_hangs_harms_nobody_else(live: Running) -> None:
    far = cast(GraphStandIn, live.platform.simulators.stand_ins["graph"])
    far.mood = "hang"
    many = await messages(live, [f"1257357297{number:06d}" for number in range(PEOPLE)])
    soon = (datetime.now(UTC) + timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    short = await messages(live, [f"2257357297{number:06d}" for number in range(10)], expiry=soon)

    async def opened() -> bool:
        return bool((await live.admin("GET", "/connectors")).json()[LANE]["breaker"] != "closed")

    await eventually(opened)
    beside = await asyncio.gather(
        *(delivered(live, "sms", "msisdn", f"4477009001{n:02d}", {"sms": {"text": "Hi"}}) for n in range(20)),
        *(
            delivered(
                live, "whatsapp", "waid", f"4477009002{n:02d}", {"OTT-Messaging": {"wa": {"text": {"body": "Hi"}}}}
            )
            for n in range(20)
        ),
    )
    assert len(beside) == 40  # all of them while the page still hangs

    async def expired() -> bool:
        return all(row["status"] not in UNSETTLED for row in await live.status(short))

    await eventually(expired)
    waiting = [row for row in await live.status(many) if row["status"] == "queued"]
    assert len(waiting) > PEOPLE / 2
    far.mood = "fine"

    async def ended() -> Any:
        rows = await live.status(many)
        return rows if all(row["status"] not in UNSETTLED and row["code"] != "7500" for row in rows) else None

    rows = await eventually(ended)
    codes = Counter(row["code"] for row in rows)
    assert set(codes) == {"7307", "7502"}
    assert codes["7502"] > PEOPLE / 2  # what waited went out
    assert codes.total() == PEOPLE
    assert {row["code"] for row in await live.status(short)} <= {"7019", "7301", "7307"}
    assert max(Counter(call.message["recipient"]["id"] for call in far.seen).values()) == 1
    assert (await live.admin("GET", "/connectors")).json()[LANE]["breaker"] == "closed"


async def test_a_provider_that_is_down_loses_nothing(live: Running) -> None:
    far = cast(GraphStandIn, live.platform.simulators.stand_ins["graph"])
    far.mood = "down"
    many = await messages(live, [f"3257357297{number:06d}" for number in range(60)])
    await asyncio.sleep(1.0)
    far.mood = "fine"

    async def ended() -> Any:
        rows = await live.status(many)
        return rows if all(row["code"] in ("7307", "7502") for row in rows) else None

    codes = Counter(row["code"] for row in await eventually(ended))
    assert codes["7502"] > codes["7307"]
    came = [call.message["recipient"]["id"] for call in far.seen]
    assert len([person for person in came if person.startswith("325")]) == codes["7502"]
