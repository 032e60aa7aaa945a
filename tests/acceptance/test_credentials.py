"""Credentials that a far end refuses: the channel stands in error, tells the operator in the log, the metrics, the
admin API and the doctor, and goes on by itself once they are taken again."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.api.admin.credentials import credentials
from heliograph.channels.wechat.settings import made_up as made_up_account
from heliograph.testing import Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUSH, PAGE, NUMBER, X, ACCOUNT = "AP00000001", "a_1", "a_2", "a_3", "a_4"
DAY_MS = 86_400_000
GATEWAY = "51a0ed" + "ab" * 27 + "7514"  # APNs says that the key is for another environment


@dataclass(frozen=True)
class Medium:
    """A channel: its app, the system of it that is broken, a good call, and how to break and to mend it."""

    channel: str
    app: str
    channels: Any
    to: dict[str, list[str]]
    system: str = ""

    @property
    def lane(self) -> str:
        """The name of its connector."""
        return f"demo/{self.app}~sandbox"

    def body(self, **to: list[str]) -> dict[str, Any]:
        """A call."""
        return {"deliverychannel": self.channel, "channels": self.channels, "destination": [to or self.to]}


OTT: dict[str, Any] = {"OTT-Messaging": {name: {"text": "Hi"} for name in ("fb", "twitter", "wechat")}}
MEDIA = [
    Medium("push", PUSH, {"push": {"ios": {"text": "Hi"}}}, {"ios_pushid": ["cd" * 32]}, "ios"),
    Medium("fb", PAGE, OTT, {"psid": ["1257357297610042"]}),
    Medium("whatsapp", NUMBER, {"OTT-Messaging": {"wa": {"type": "text", "text": {"body": "Hi"}}}},
           {"waid": ["447700900001"]}),
    Medium("twitter", X, OTT, {"twitterid": ["1577568001"]}),
    Medium("wechat", ACCOUNT, OTT, {"wechatid": ["oPerson"]}),
]  # fmt: skip
EVERY = pytest.mark.parametrize("medium", MEDIA, ids=[medium.channel for medium in MEDIA])


def document(url: str) -> dict[str, Any]:
    """The test workspace with an app for each."""
    found = workspace(url)
    tenant = found["tenants"][0]
    tenant["apps"] = [
        {"id": PUSH, "features": {"push": True}, "android": {}, "ios": {}, "web": {}},
        {"id": PAGE, "messenger": {}}, {"id": NUMBER, "whatsapp": {}}, {"id": X, "twitter": {}},
        {"id": ACCOUNT, "wechat": {}},
    ]  # fmt: skip
    tenant["services"][0]["channels"] |= {medium.channel: {"app": medium.app} for medium in MEDIA}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform with that workspace."""
    data: Path = tmp_path_factory.mktemp("credentials")
    async with running(data, document) as platform:
        yield platform


async def send(live: Running, body: dict[str, Any]) -> str:
    [element] = (await live.send(body)).json()["response"]
    assert element["code"] == "1001", element
    return str(element["transid"])


async def went(live: Running, medium: Medium) -> None:
    """A message goes out: WeChat says no more of it than that."""
    transid = await send(live, medium.body())

    async def out() -> Any:
        [row] = await live.status(transid)
        return row["status"] in ("sent", "delivered", "read")

    await eventually(out)


async def broken(live: Running, medium: Medium) -> tuple[str, Callable[[], Awaitable[None]]]:
    """The far end refuses the credentials from now on: the transid of a message that finds out, and the mend."""
    stand_ins: Any = live.platform.simulators.stand_ins
    if medium.channel == "push":
        return await send(live, medium.body(ios_pushid=[GATEWAY])), _nothing
    if medium.channel == "twitter":
        await stand_ins["x"].revoke(medium.lane, old=False)
        return await send(live, medium.body()), lambda: _done(stand_ins["x"].restore, medium.lane)
    if medium.channel == "wechat":
        refused, appid = stand_ins["wechat"].doors.refused, made_up_account(medium.lane)["appid"]
        refused.add(appid)
        return await send(live, medium.body()), lambda: _done(refused.discard, appid)
    far = stand_ins["graph" if medium.channel == "fb" else "whatsapp"]
    far.revoked.add(medium.lane)
    return await send(live, medium.body()), lambda: _done(far.revoked.discard, medium.lane)


async def _nothing() -> None:
    """What one message found out, the next one finds mended."""


async def _done(mend: Callable[[str], None], name: str) -> None:
    mend(name)


async def state(live: Running, medium: Medium) -> str:
    status = (await live.admin("GET", "/connectors")).json()[medium.lane]
    return str((status["systems"][medium.system] if medium.system else status)["state"])


async def ready(live: Running, medium: Medium) -> bool:
    return await state(live, medium) == "ready"


async def good(live: Running, medium: Medium) -> str:
    """The sample of the metrics."""
    text = (await live.client.get("/metrics")).text
    name = f'heliograph_credentials_good{{connector="{medium.lane}",system="{medium.system}"}} '
    return next(line.removeprefix(name) for line in text.splitlines() if line.startswith(name))


async def doctor(live: Running, medium: Medium, command: Any) -> dict[str, Any]:
    """What `heliograph doctor` finds of the credentials."""
    _, out, _ = await command(live, "doctor", "--json", "--data", str(live.platform.config.data))
    name = f"credentials {medium.lane} {medium.system}".rstrip()
    return next(one for one in json.loads(out) if one["what"] == name)


@EVERY
async def test_refused_credentials_are_told_and_the_channel_goes_on_when_they_are_mended(
    live: Running, medium: Medium, caplog: pytest.LogCaptureFixture, command: Any
) -> None:
    await went(live, medium)
    before = (await state(live, medium), await good(live, medium))
    _, mend = await broken(live, medium)

    async def refused() -> Any:
        return await state(live, medium) == "error"

    await eventually(refused)
    during = (await state(live, medium), await good(live, medium))
    seen = await doctor(live, medium, command)
    said = [line for line in caplog.messages if medium.app in line and "refuses our credentials" in line]
    await mend()
    await went(live, medium)

    assert (before, during) == (("ready", "1.0"), ("error", "0.0"))
    assert (seen["ok"], "refused" in seen["found"], "in the workspace" in seen["mend"]) == (False, True, True)
    assert len(said) == 1
    assert await eventually(lambda: ready(live, medium))
    assert await good(live, medium) == "1.0"
    assert (await doctor(live, medium, command))["ok"] is True


STATES = [
    ({"state": "ready", "credentials_state": "ok"}, ("", "ok", True)),
    ({"state": "ready", "credentials_state": "ok", "credentials_end_ms": 5 * DAY_MS}, ("", "expiring", True)),
    ({"state": "ready", "credentials_state": "ok", "credentials_end_ms": -1}, ("", "expired", False)),
    ({"state": "error", "credentials_state": "refused", "credentials": "190"}, ("", "refused", False)),
    ({"systems": {"ios": {"state": "error", "credentials": {"kind": "certificate", "state": "expired"}}}},
     ("ios", "expired", False)),
]  # fmt: skip


@pytest.mark.parametrize(("status", "told"), STATES)
async def test_the_standing_of_a_credential(status: dict[str, Any], told: tuple[str, str, bool]) -> None:
    now_ms = time.time_ns() // 1_000_000
    if ends := status.get("credentials_end_ms"):
        status = {**status, "credentials_end_ms": now_ms + ends}
    [found] = credentials({"demo/a": status}, now_ms)

    assert (found.system, found.state, found.good) == told


async def test_what_has_no_credentials_is_not_told() -> None:
    assert list(credentials({"demo/smsc": {"state": "bound"}}, 0)) == []
