"""In-app messages over real HTTP and real WebSockets: every outcome, kept messages, devices, what users write."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.testing import KEY, OTHER_KEY, Running, eventually, running, workspace
from heliograph.wire import jwt

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP, CLOSED_APP, BARE_APP = "AP00000001", "AP00000002", "AP00000003"
PROFILE_KEY = "the-profile-key"
LANE = f"demo/{APP}~sandbox"
SECRET = b"0123456789abcdef0123456789abcdef"
LAPSED = "Delivery notification of a message expired"


def document(url: str) -> dict[str, Any]:
    """A sandbox service with an app in real time, an app without it, and one that keeps nothing."""
    found = workspace(url)
    tenant = found["tenants"][0]
    secret = {"id": "k1", "secret": base64.b64encode(SECRET).decode()}
    tenant |= {"profile_key": PROFILE_KEY}
    tenant["apps"] = [
        {
            "id": APP,
            "features": {"rtm": True, "push": True},
            "rtm": {"tokens": [secret], "origins": ["https://a.example"]},
        },
        {"id": CLOSED_APP, "features": {"push": True}},
        {"id": BARE_APP, "features": {"rtm": True}, "rtm": {"tokens": [secret], "store": False}},
    ]
    tenant["services"][0]["channels"] |= {"rt": {"app": APP}, "push": {"app": APP}}
    tenant["services"].append(
        {"id": "real", "keys": ["33333333-3333-4333-8333-333333333333"], "channels": {"rt": {"app": APP}}}
    )
    return found


REAL_KEY = "33333333-3333-4333-8333-333333333333"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform."""
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data, document) as platform:
        yield platform


async def send(live: Running, *users: str, key: str = KEY, **more: Any) -> list[Any]:
    """The answer's elements for a message to these users."""
    fields = {"message": {"text": "Hi"}, **more.pop("fields", {})}
    body = {
        "deliverychannel": "rt",
        "channels": {"appmessaging": fields},
        "destination": [{"userid": [*users]}],
        **more,
    }
    answer: list[Any] = (await live.send(body, key=key)).json()["response"]
    return answer


async def told(live: Running, transid: str, code: str) -> dict[str, Any]:
    """The receipt of a transaction with that code, once it was told."""

    async def came() -> Any:
        for call in (await live.client.get("/sim/bin/dr")).json()["calls"]:
            item = json.loads(call["body"])["deliveryInfoNotification"]
            if item["transid"] == transid and item["deliveryInfo"]["code"] == code:
                return item["deliveryInfo"]
        return None

    found: dict[str, Any] = await eventually(came)
    return found


def token(user: str, secret: bytes = SECRET, **claims: Any) -> str:
    """An app token."""
    return jwt.sign({"iss": APP, "sub": user, "iat": int(time.time()), **claims}, secret)


class Device:
    """An app's connection, spoken by the `websockets` client."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, kind: str, **members: Any) -> None:
        """One frame."""
        await self.socket.send(json.dumps({"t": kind, **members}))

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next frame of a kind."""
        async with asyncio.timeout(10):
            while True:
                frame: dict[str, Any] = json.loads(await self.socket.recv())
                if frame["t"] == kind:
                    return frame

    async def closed(self) -> int:
        """The code that the connection ends with."""
        async with asyncio.timeout(10):
            while True:
                try:
                    await self.socket.recv()
                except ConnectionClosed as end:
                    return end.rcvd.code if end.rcvd else 1006


@asynccontextmanager
async def device(
    live: Running, user: str, name: str = "phone", *, lane: str = LANE, given: str = "", **hello: Any
) -> AsyncIterator[Device]:
    """A device of a user, welcomed."""
    async with plain(live, lane) as found:
        await found.say("hello", token=given or token(user), device=name, **hello)
        await found.hear("welcome")
        yield found


@asynccontextmanager
async def plain(live: Running, lane: str = LANE, **more: Any) -> AsyncIterator[Device]:
    """A connection that has said nothing yet."""
    url = f"{live.url.replace('http', 'ws', 1)}/rt/{lane}"
    async with connect(url, subprotocols=["heliograph.v1"], proxy=None, **more) as socket:
        yield Device(socket)


ENDS = {
    "7010": "Service provider exception", "7011": "Unknown exception", "7107": "Message length exceeded",
    "7202": "Delivery failed at platform", "7207": "Subscriber out of coverage area or not reachable",
    "7213": "Unregistered", "7301": "Message expired", "7302": "Rate limit exceeded", "7303": LAPSED,
    "7304": "Invalid app credentials(Invalid OAuth)", "7305": "Invalid user credentials", "7500": "Delivered",
    "7502": "Read", "7602": "User presence failure",
}  # fmt: skip


@pytest.fixture(scope="module")
def sent() -> dict[str, str]:
    """Transids by user."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def transids(live: Running) -> dict[str, str]:
    """One call to a user for each outcome; transids by user."""
    users = [f"user-sim-{code}" for code in ENDS] + ["user-seq-7304", "anybody"]
    elements = await send(live, *users)
    assert {element["code"] for element in elements} == {"1001"}
    return {user: element["transid"] for user, element in zip(users, elements, strict=True)}


@pytest.mark.parametrize("code", ENDS)
async def test_a_user_chooses_the_outcome(live: Running, transids: dict[str, str], code: str) -> None:
    transid = transids[f"user-sim-{code}"]
    if code == "7303":

        async def lapsed() -> Any:
            [row] = await live.status(transid)
            return row if row["code"] == code else None

        row = await eventually(lapsed)
    else:
        row = await live.final(transid)
        if code == "7502":
            await told(live, transid, "7502")
            [row] = await live.status(transid)

    assert (row["code"], row["description"], row["channel"]) == (code, ENDS[code], "rt")
    assert (await told(live, transid, code))["code"] == code


async def test_what_is_refused_later_was_submitted_first(live: Running, transids: dict[str, str]) -> None:
    transid = transids["user-seq-7304"]
    await told(live, transid, "7501")

    assert (await live.final(transid))["code"] == "7304"


async def test_anybody_else_reads(live: Running, transids: dict[str, str]) -> None:
    transid = transids["anybody"]
    receipts = [(await told(live, transid, code))["deliveryStatus"] for code in ("7501", "7500", "7502")]

    assert receipts == ["Submitted", "Delivered", "Read"]


async def test_an_app_that_is_not_for_real_time_is_7117(live: Running) -> None:
    [element] = await send(live, "ann", appid=CLOSED_APP)

    assert (element["code"], element["description"]) == ("7117", "RTM is not enabled for this app")


async def test_a_user_who_is_away_from_an_app_that_keeps_nothing_is_7602(live: Running) -> None:
    async with device(live, "barry", lane=f"demo/{BARE_APP}~sandbox", given=token("barry", iss=BARE_APP)):
        pass
    [element] = await send(live, "barry", appid=BARE_APP)

    record = await live.final(element["transid"])
    assert (record["code"], record["error_message"]) == ("7602", "User presence failure")


async def test_a_connected_device_is_given_what_was_sent(live: Running) -> None:
    fields = {
        "message": {"text": "Hello", "attachment": {"file": "https://a.example/i.jpg"}, "extras": {"k": 1}},
        "thread_id": "t1",
    }
    async with device(live, "carl") as phone:
        [element] = await send(live, "carl", fields=fields)
        message = await phone.hear("message")
        await phone.say("ack", seq=message["seq"])
        delivered = await live.final(element["transid"])
        await phone.say("read", seqs=[message["seq"]])
        read = await told(live, element["transid"], "7502")

    shown = {name: message[name] for name in ("text", "thread", "attachment", "extras")}
    assert shown == {
        "text": "Hello", "thread": "t1", "attachment": {"file": "https://a.example/i.jpg"}, "extras": {"k": 1},
    }  # fmt: skip
    assert (delivered["code"], read["destination"]) == ("7500", "carl")


async def test_what_came_meanwhile_is_given_in_order_and_once(live: Running) -> None:
    async with device(live, "dora"):
        pass
    for number in range(5):
        await send(live, "dora", fields={"message": {"text": str(number)}})
    await _kept(live, "dora", 5)
    async with device(live, "dora") as phone:
        first = [await phone.hear("message") for _ in range(5)]
        await phone.say("ack", seq=first[2]["seq"])
        await asyncio.sleep(0.2)
    async with device(live, "dora") as phone:
        again = [await phone.hear("message") for _ in range(2)]

    assert [message["text"] for message in first] == ["0", "1", "2", "3", "4"]
    assert [message["text"] for message in again] == ["3", "4"]


async def _kept(live: Running, user: str, count: int) -> None:
    async def there() -> bool:
        return len(await live.platform.store.inapp_after((LANE, user), 0, 0, 999)) >= count

    await eventually(there)


async def test_more_than_a_window_waits_until_there_is_room(live: Running) -> None:
    async with device(live, "emma") as phone:
        for _ in range(3):
            await send(live, *["emma"] * 50)
        await _kept(live, "emma", 150)
        seqs = []
        while len(seqs) < 150:
            seqs.append((await phone.hear("message"))["seq"])
            if len(seqs) % 10 == 0:
                await phone.say("ack", seq=seqs[-1])

    assert seqs == list(range(1, 151))


async def test_all_devices_are_given_a_message(live: Running) -> None:
    async with device(live, "fred", "phone") as phone, device(live, "fred", "tablet") as tablet:
        await send(live, "fred")
        texts = [(await one.hear("message"))["text"] for one in (phone, tablet)]
        await phone.say("ack", seq=1)
        await phone.say("read", seqs=[1])
        seen = await tablet.hear("seen")

    assert (texts, seen["seqs"]) == (["Hi", "Hi"], [1])


async def test_a_device_takes_the_place_of_its_former_connection(live: Running) -> None:
    async with device(live, "gina") as former, device(live, "gina") as later:
        code = await former.closed()
        await send(live, "gina")
        message = await later.hear("message")

    assert (code, message["text"]) == (4409, "Hi")


async def test_a_device_may_say_what_it_has_had(live: Running) -> None:
    async with device(live, "hugo") as phone:
        await send(live, "hugo")
        await phone.hear("message")
        await phone.say("ack", seq=1)
    async with device(live, "hugo", after=0) as phone:
        again = await phone.hear("message")

    assert again["seq"] == 1


async def test_what_a_user_writes_is_told(live: Running) -> None:
    async with device(live, "ines") as phone, device(live, "ines", "tablet") as tablet:
        frame = {"ref": "r1", "text": "Good morning", "thread": "t9", "attachment": {"file": "https://a.example/x"}}
        await phone.say("send", **frame)
        await phone.hear("sent")
        own = await tablet.hear("own")
        await phone.say("send", **frame)
        await phone.hear("sent")
    calls = await live.calls("inbound", 1)
    [body] = [found for call in calls if (found := json.loads(call["body"]))["userId"] == "ines"]

    assert own["text"] == "Good morning"
    assert {name: body[name] for name in ("channel", "da", "message", "appId", "event", "thread", "attachments")} == {
        "channel": "Rtm", "da": APP, "message": "Good morning", "appId": APP, "event": "MO", "thread": "t9",
        "attachments": {"file": "https://a.example/x"},
    }  # fmt: skip


async def test_typing_reaches_the_other_devices(live: Running) -> None:
    async with device(live, "jack") as phone, device(live, "jack", "tablet") as tablet:
        await phone.say("typing", thread="t1")
        own = await tablet.hear("typing")
        answer = await live.client.post(
            f"/resources/v1/messaging/typing/{APP}/jack", headers={"key": KEY}, json={"thread": "t2", "on": False}
        )
        theirs = await phone.hear("typing")

    assert (own["thread"], own["on"], own["by"]) == ("t1", True, "jack")
    assert answer.json()["connected"] is True
    assert (theirs["thread"], theirs["on"], theirs["by"]) == ("t2", False, "")


async def presence(live: Running, user: str, key: str = KEY, app: str = APP) -> Any:
    """What the platform says of a user."""
    path = f"/resources/v1/messaging/presence/{app}/{user}"
    return (await live.client.get(path, headers={"key": key})).json()


async def test_presence(live: Running) -> None:
    before = await presence(live, "kate")
    async with device(live, "kate"):
        while_here = await presence(live, "kate")
        elsewhere = await presence(live, "kate", REAL_KEY)

    row = catalogue.find(keys.USER_PRESENCE_FAILURE, catalogue.STATUS)
    assert (before["response"]["code"], before["response"]["description"]) == (row.code, row.message)
    assert while_here == {"appid": APP, "userid": "kate", "connected": True, "devices": ["phone"]}
    assert elsewhere["response"]["code"] == "7602"


REFUSED_QUERIES = [(OTHER_KEY, "AP77", "7600"), (KEY, CLOSED_APP, "7600"), ("", APP, "7002"), ("no key", APP, "7601")]


@pytest.mark.parametrize(("key", "app", "code"), REFUSED_QUERIES)
async def test_a_query_is_refused(live: Running, key: str, app: str, code: str) -> None:
    assert (await presence(live, "ann", key, app))["response"]["code"] == code


BAD_HELLOS: list[tuple[str, Any, int]] = [
    ("another secret", {"token": token("ann", b"x" * 32)}, 4401),
    ("another app", {"token": token("ann", iss=BARE_APP)}, 4401),
    ("old", {"token": token("ann", iat=int(time.time()) - 90_000)}, 4401),
    ("ended", {"token": token("ann", exp=int(time.time()) - 1)}, 4401),
    ("nobody", {"token": token("")}, 4401),
    ("another device", {"token": token("ann", device="tablet"), "device": "phone"}, 4401),
    ("the simulated device", {"token": token("ann"), "device": "simulated"}, 4401),
    ("the simulated device in a token", {"token": token("ann", device="simulated")}, 4401),
    ("no token", {}, 4400),
]


@pytest.mark.parametrize(("hello", "code"), [case[1:] for case in BAD_HELLOS], ids=[case[0] for case in BAD_HELLOS])
async def test_who_cannot_prove_who_they_are_is_not_let_in(live: Running, hello: Any, code: int) -> None:
    async with plain(live) as phone:
        await phone.say("hello", **hello)

        assert await phone.closed() == code


@pytest.mark.parametrize("frame", ["", "{", '{"t":"dance"}', '{"t":"send","ref":"x"}', '{"t":"read","seqs":[]}'])
async def test_what_is_no_frame_ends_the_connection(live: Running, frame: str) -> None:
    async with device(live, "lena") as phone:
        await phone.socket.send(frame)

        assert await phone.closed() == 4400


async def test_a_frame_that_is_too_long_ends_the_connection(live: Running) -> None:
    async with device(live, "lena") as phone:
        await phone.socket.send("x" * 20_000)

        assert await phone.closed() == 1009


async def test_who_says_too_much_is_cut(live: Running) -> None:
    async with device(live, "mike") as phone:
        for _ in range(100):
            await phone.say("ping")

        assert await phone.closed() == 4429


async def test_a_connection_ends_with_its_token(live: Running) -> None:
    short = token("nora", exp=int(time.time()) + 4)
    async with device(live, "nora", given=short) as phone:
        assert await phone.closed() == 4401


@pytest.mark.parametrize(
    ("lane", "origin"),
    [("demo/AP77~sandbox", None), (LANE, "https://evil.example"), (f"demo/{CLOSED_APP}~sandbox", None)],
)
async def test_a_handshake_is_refused(live: Running, lane: str, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with plain(live, lane, origin=origin):
            pass

    assert caught.value.response.status_code == 403


async def test_a_page_of_a_declared_origin_may_connect(live: Running) -> None:
    async with plain(live, origin="https://a.example") as phone:
        await phone.say("hello", token=token("olga"))
        welcome = await phone.hear("welcome")

    assert welcome["user"] == "olga"


async def test_the_sandbox_and_what_is_real_are_apart(live: Running) -> None:
    async with device(live, "pia", lane=f"demo/{APP}") as phone, device(live, "pia") as other:
        [element] = await send(live, "pia", key=REAL_KEY)
        message = await phone.hear("message")
        await phone.say("ack", seq=message["seq"])
        [row] = await eventually(lambda: _with_code(live, element["transid"], "7500"))
        await send(live, "pia")
        first_there = await other.hear("message")

    assert (row["code"], first_there["seq"]) == ("7500", 1)


async def _with_code(live: Running, transid: str, code: str) -> Any:
    rows = await live.status(transid, REAL_KEY)
    return rows if rows[0]["code"] == code else None


async def test_a_change_of_the_workspace_reaches_those_who_are_connected(live: Running) -> None:
    document = live.platform.workspaces.export(secrets=True)
    app = next(one for one in document["tenants"][0]["apps"] if one["id"] == BARE_APP)
    before = dict(app)
    lane = f"demo/{BARE_APP}~sandbox"
    given = token("tina", iss=BARE_APP)
    async with device(live, "tina", lane=lane, given=given) as phone, device(live, "tina") as other:
        app["rtm"] = {"tokens": [{"id": "k2", "secret": base64.b64encode(b"y" * 32).decode()}]}
        await live.platform.workspaces.apply(document)
        first = await phone.closed()
        await other.say("ping")
        await other.hear("pong")
    async with device(live, "tina", lane=lane, given=token("tina", b"y" * 32, iss=BARE_APP)) as phone:
        app["features"] = {"rtm": False}
        await live.platform.workspaces.apply(document)
        second = await phone.closed()
    app.clear()
    app.update(before)
    await live.platform.workspaces.apply(document)

    assert (first, second) == (4401, 4404)


async def test_nobody_is_simulated_outside_the_sandbox(live: Running) -> None:
    [element] = await send(live, "nobody-here", key=REAL_KEY)

    assert element["code"] == "7105"


async def test_a_device_that_was_never_here_gets_its_profile(live: Running) -> None:
    headers, path = {"key": PROFILE_KEY}, f"/resources/v2/customerappprofile/{APP}"
    async with device(live, "sara", lane=f"demo/{APP}"):
        made = (await live.client.get(f"{path}/sara", headers=headers)).json()
    attributes = {"connectStatus": 0, "deviceId": "phone", "rtmId": "sara_phone", "status": 0}
    body = {"Records": [{"customerId": "sara", "Attributes": attributes}]}
    assert (await live.client.put(path, headers=headers, json=body)).json()["code"] == "1000"
    async with device(live, "sara", "tablet", lane=f"demo/{APP}"):
        [element] = await send(live, "sara", key=REAL_KEY)

    assert "sara_phone" in json.dumps(made)
    assert element["code"] == "7110"  # who was made inactive stays it


async def test_a_user_who_is_away_is_pushed_to(live: Running) -> None:
    async with device(live, "rosa"):
        pass
    fields = {"notification": {"title": "News", "text": "You have mail"}}
    [element] = await send(live, "rosa", fields=fields)

    async def pushed() -> Any:
        rows = (await live.admin("GET", "/tenants/demo/messages?channel=push")).json()["messages"]
        return [row for row in rows if row["correlationid"] == element["transid"]]

    [push] = await eventually(pushed)

    async def named() -> bool:
        attempts = (await live.story(element["transid"]))["attempts"]
        return bool(attempts) and attempts[0]["native"][1]["push"] == push["transid"]

    assert push["destination"] == "rosa"
    assert await eventually(named)


async def test_what_nobody_came_for_expires_and_is_not_given_any_more(live: Running) -> None:
    async with device(live, "vera"):
        pass
    soon = datetime.now(UTC) + timedelta(seconds=4)
    [element] = await send(live, "vera", expiry=soon.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    record = await live.final(element["transid"])
    async with device(live, "vera", after=0) as phone:
        await send(live, "vera", fields={"message": {"text": "Later"}})
        message = await phone.hear("message")

    assert (record["code"], record["status"]) == ("7301", "expired")
    assert (message["text"], message["seq"]) == ("Later", 2)


async def test_what_was_kept_outlives_the_process(platforms: None, tmp_path: Path) -> None:
    async with running(tmp_path, document) as live:
        async with device(live, "wilma"):
            pass
        for number in range(3):
            await send(live, "wilma", fields={"message": {"text": str(number)}})
        await _kept(live, "wilma", 3)
    async with running(tmp_path, document) as live:
        await eventually(lambda: _listens(live))
        async with device(live, "wilma") as phone:
            texts = [(await phone.hear("message"))["text"] for _ in range(3)]

    assert texts == ["0", "1", "2"]


async def _listens(live: Running) -> bool:
    with contextlib.suppress(httpx.ConnectError):
        return (await live.client.get("/healthz")).is_success
    return False


async def test_everybody_is_told_to_come_again_when_the_server_stops(platforms: None, tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with running(tmp_path, document) as live:
            phone = await stack.enter_async_context(device(live, "xenia"))
        code = await phone.closed()

    assert code == 1012
