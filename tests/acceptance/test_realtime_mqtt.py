"""In-app messages by MQTT: brokers of others, and a client of others on the far side."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gmqtt
import pytest
import pytest_asyncio
from gmqtt.mqtt.constants import MQTTv50, MQTTv311

from heliograph.testing import KEY, Running, eventually, nats, running, workspace
from heliograph.wire import jwt

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP = "AP00000001"
PREFIX = f"app/{APP}~sandbox"
SECRET = b"0123456789abcdef0123456789abcdef"

NATS = """
listen: "127.0.0.1:-1"
server_name: test
jetstream {{ store_dir: "{folder}" }}
mqtt {{ listen: "127.0.0.1:{port}" }}
authorization {{ users: [ {{ user: helio, password: secret }} ] }}
"""
MOSQUITTO = """
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
persistence false
"""


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    """Where a program of others is; without it the test is skipped."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if found is None:
        pytest.skip(f"needs the program {name}: apt install mosquitto")
    return found


async def command(kind: str, folder: Path, port: int) -> list[str]:
    """How a broker is started."""
    if kind == "nats":
        (folder / "nats.conf").write_text(NATS.format(folder=folder, port=port), encoding="utf-8")
        return [str(nats.program()), "-c", str(folder / "nats.conf")]
    found, maker = program("mosquitto"), program("mosquitto_passwd")
    made = await asyncio.create_subprocess_exec(maker, "-b", "-c", str(folder / "passwords"), "helio", "secret")
    assert await made.wait() == 0
    root = "user root\n" if os.geteuid() == 0 else ""  # else it gives up the rights to read its folder
    (folder / "mosquitto.conf").write_text(MOSQUITTO.format(folder=folder, port=port) + root, encoding="utf-8")
    return [found, "-c", str(folder / "mosquitto.conf")]


class Broker:
    """A broker of others, which can be stopped and started again."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.version = "3.1.1" if kind == "nats" else "5"
        self.port = free_port()
        self._kind = kind
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Until it listens."""
        started = await command(self._kind, self._folder, self.port)
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*started, stdout=log, stderr=log)

        async def listens() -> bool:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return True
            return False

        await eventually(listens)

    async def stop(self) -> None:
        """At once."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["nats", "mosquitto"])
async def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker that runs."""
    found = Broker(request.param, tmp_path_factory.mktemp(request.param))
    await found.start()
    yield found
    await found.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform whose app has that broker."""

    def document(url: str) -> dict[str, Any]:
        found = workspace(url)
        tokens = [{"id": "k", "secret": base64.b64encode(SECRET).decode()}]
        mqtt = {
            "host": "127.0.0.1", "port": broker.port, "username": "helio", "password": "secret",
            "version": broker.version,
        }  # fmt: skip
        app = {"id": APP, "features": {"rtm": True}, "rtm": {"tokens": tokens, "mqtt": mqtt}}
        found["tenants"][0]["apps"] = [app]
        found["tenants"][0]["services"][0]["channels"] |= {"rt": {"app": APP}}
        return found

    async with running(tmp_path_factory.mktemp("data"), document) as platform:
        await bridged(platform)
        yield platform


async def bridged(live: Running) -> None:
    """Wait until both ways of the app, the sandbox's and the other, have the broker."""

    async def connected() -> bool:
        bridges = live.platform.realtime.bridges
        return bridges is not None and bridges.connected >= 1

    await eventually(connected)


class Device:
    """An app on the broker, spoken by gmqtt."""

    def __init__(self, broker: Broker, user: str, name: str) -> None:
        self.topic = f"{PREFIX}/{user}/{name}"
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        will = gmqtt.Message(f"{self.topic}/up", '{"t":"bye"}', qos=1)
        self.client = gmqtt.Client(f"{user}-{name}-{time.monotonic_ns()}", clean_session=True, will_message=will)
        self.client.set_auth_credentials("helio", "secret")
        self.client.set_config({"reconnect_retries": 0})
        self.client.on_message = self._take
        self._subscribed = asyncio.Event()
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self._broker = broker

    async def start(self) -> None:
        """Connect and listen."""
        version = MQTTv311 if self._broker.version == "3.1.1" else MQTTv50
        await self.client.connect("127.0.0.1", self._broker.port, version=version)
        for topic in (f"{self.topic}/down", f"{PREFIX}/down"):
            self._subscribed.clear()
            self.client.subscribe(topic, qos=1)
            await asyncio.wait_for(self._subscribed.wait(), 10)

    def _take(self, client: Any, topic: str, payload: bytes, qos: int, properties: Any) -> int:
        self.heard.put_nowait(json.loads(payload))
        return 0

    def say(self, kind: str, **members: Any) -> None:
        """One frame."""
        self.client.publish(f"{self.topic}/up", json.dumps({"t": kind, **members}), qos=1)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next frame of a kind."""
        async with asyncio.timeout(10):
            while (frame := await self.heard.get())["t"] != kind:
                pass
            return frame


@asynccontextmanager
async def device(broker: Broker, user: str, name: str = "phone", *, hello: bool = True) -> AsyncIterator[Device]:
    """A device on the broker, welcomed."""
    found = Device(broker, user, name)
    await found.start()
    try:
        if hello:
            found.say("hello", token=token(user))
            await found.hear("welcome")
        yield found
    finally:
        with contextlib.suppress(ConnectionError):
            await found.client.disconnect()


def token(user: str) -> str:
    """An app token."""
    return jwt.sign({"iss": APP, "sub": user, "iat": int(time.time())}, SECRET)


async def reaches(live: Running, transid: str, code: str) -> None:
    """Wait until a message has a code."""

    async def there() -> bool:
        return bool((await live.status(transid))[0]["code"] == code)

    await eventually(there)


async def connected(live: Running, user: str) -> bool:
    """Whether a user is here."""
    path = f"/resources/v1/messaging/presence/{APP}/{user}"
    return "devices" in (await live.client.get(path, headers={"key": KEY})).json()


async def gone(live: Running, user: str) -> None:
    """Wait until a user is not here."""

    async def away() -> bool:
        return not await connected(live, user)

    await eventually(away)


async def test_a_message_arrives_and_is_acknowledged_and_read(live: Running, broker: Broker) -> None:
    async with device(broker, "ann") as phone:
        transid = await live.app_message("ann", "Hello")
        message = await phone.hear("message")
        phone.say("ack", seq=message["seq"])
        await reaches(live, transid, "7500")
        phone.say("read", seqs=[message["seq"]])
        await reaches(live, transid, "7502")

    assert message["text"] == "Hello"


async def test_what_came_meanwhile_is_given_in_order(live: Running, broker: Broker) -> None:
    async with device(broker, "ben") as phone:
        phone.say("bye")
        await gone(live, "ben")
    for number in range(5):
        await live.app_message("ben", str(number))
    async with device(broker, "ben") as phone:
        texts = [(await phone.hear("message"))["text"] for _ in range(5)]

    assert texts == ["0", "1", "2", "3", "4"]


async def test_a_will_says_that_a_device_is_gone(live: Running, broker: Broker) -> None:
    async with device(broker, "carl") as phone:
        before = await connected(live, "carl")
        phone.client._connection._transport.abort()
        await gone(live, "carl")

    assert before


async def test_what_a_user_writes_is_told(live: Running, broker: Broker) -> None:
    async with device(broker, "dora") as phone:
        phone.say("send", ref="r1", text="Good morning")
        sent = await phone.hear("sent")

    async def told() -> Any:
        calls = (await live.client.get("/sim/bin/inbound")).json()["calls"]
        return [body for call in calls if (body := json.loads(call["body"]))["userId"] == "dora"]

    [inbound] = await eventually(told)
    assert (sent["ref"], inbound["message"]) == ("r1", "Good morning")


REFUSED = [("another user's token", "erin", "phone", {"token": token("fred")}), ("no token", "erin", "phone", {})]


@pytest.mark.parametrize(("user", "name", "hello"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_who_cannot_prove_who_they_are_is_not_let_in(
    live: Running, broker: Broker, user: str, name: str, hello: Any
) -> None:
    async with device(broker, user, name, hello=False) as phone:
        phone.say("hello", **{"token": "x", **hello})
        bye = await phone.hear("bye")

    assert bye["code"] == 4401
    assert not await connected(live, user)


async def test_who_says_no_hello_is_asked_for_it(live: Running, broker: Broker) -> None:
    async with device(broker, "gina", hello=False) as phone:
        phone.say("ack", seq=1)

        assert (await phone.hear("bye"))["code"] == 4408


async def test_all_devices_of_a_user_are_given_a_message(live: Running, broker: Broker) -> None:
    async with device(broker, "hugo", "phone") as phone, device(broker, "hugo", "tablet") as tablet:
        await live.app_message("hugo")
        texts = [(await one.hear("message"))["text"] for one in (phone, tablet)]

    assert texts == ["Hi", "Hi"]


async def test_the_bridge_comes_back_with_its_broker(live: Running, broker: Broker) -> None:
    await broker.stop()

    async def away() -> bool:
        bridges = live.platform.realtime.bridges
        return bridges is not None and bridges.connected == 0

    await eventually(away)
    await broker.start()
    await bridged(live)
    async with device(broker, "ines") as phone:
        await live.app_message("ines", "Back")

        assert (await phone.hear("message"))["text"] == "Back"
