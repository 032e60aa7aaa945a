"""Stand-ins of all three far ends, and connectors to them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from heliograph.bus.tokens import LocalTokens
from heliograph.channels.push import APP
from heliograph.channels.push.connector import PushConnector
from heliograph.channels.push.stand_ins.apns import ApnsStandIn
from heliograph.channels.push.stand_ins.fcm import FcmStandIn
from heliograph.channels.push.stand_ins.webpush import WebPushStandIn
from heliograph.model.channel import Body, Device, Outbound, Peer, Tools
from heliograph.model.message import Content
from heliograph.model.outcome import Reachability, SendError, Submitted
from heliograph.model.workspace import ConnectorSpec

LANE = "demo/AP1~sandbox"
HEX = "ab" * 30 + "0000"
TEXTS: dict[str, Any] = {
    "android": {"title": "T", "text": "Hi"},
    "ios": {"title": "T", "text": "Hi"},
    "web": {"platform_types": ["chrome", "firefox", "safari"], "title": "T", "text": "Hi"},
}


def body_of(parameters: dict[str, object] | None = None, template: str = "", **fields: Any) -> Body:
    """A push with these objects, or with all three."""
    content = Content(channel="push", fields=fields or TEXTS, template=template, parameters=parameters or {})
    return Body(content=content)


def pem(key: Any) -> str:
    """A private key in PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    """A service account's key."""
    return rsa.generate_private_key(65_537, 2048)


@pytest.fixture(scope="session")
def ec_key() -> ec.EllipticCurvePrivateKey:
    """A key for provider tokens."""
    return ec.generate_private_key(ec.SECP256R1())


class Clock:
    """Unix milliseconds that a test may move: real time and what was added."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.added = 0

    def __call__(self) -> int:
        return self._now() + self.added


class Recorder:
    """What a connector reports."""

    def __init__(self) -> None:
        self.results: dict[int, Submitted | SendError] = {}
        self.news: list[Reachability] = []
        self.readied = 0

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        self.results[outbound.ordinal] = result

    def ready(self) -> None:
        self.readied += 1

    def received(self, item: Any, stored: Callable[[bool], None]) -> None:
        self.news.append(item)
        stored(True)


class Line:
    """A connector and what it reported."""

    def __init__(self, connector: PushConnector, recorder: Recorder) -> None:
        self.connector = connector
        self.recorder = recorder
        self._ordinal = 0

    async def send(
        self, kind: str, to: str = "", body: Body | None = None, devices: tuple[Device, ...] = (), validity: int = 0
    ) -> Submitted | SendError:
        """The result of one message."""
        self._ordinal += 1
        ordinal = self._ordinal
        outbound = Outbound(
            7, ordinal, to or "u1", body or body_of(), validity=validity, kind=kind, devices=devices
        )  # fmt: skip
        self.connector.submit(outbound)
        async with asyncio.timeout(10):
            while ordinal not in self.recorder.results:
                await asyncio.sleep(0.002)
        return self.recorder.results[ordinal]

    async def refusal(self, kind: str, to: str = "", body: Body | None = None) -> SendError:
        """The error of one message."""
        result = await self.send(kind, to, body)
        assert isinstance(result, SendError)
        return result


class Far(NamedTuple):
    """The three stand-ins, where they listen, and how to connect to them."""

    fcm: FcmStandIn
    apns: ApnsStandIn
    webpush: WebPushStandIn
    peers: dict[str, Peer]
    connect: Callable[..., Any]


@pytest.fixture
async def far(rsa_key: rsa.RSAPrivateKey, ec_key: ec.EllipticCurvePrivateKey) -> AsyncIterator[Far]:
    """Stand-ins that keep what they took; `connect(options)` gives a `Line` in the sandbox, `connect(options,
    real=True)` one with the credentials given."""
    fcm = FcmStandIn("127.0.0.1", 0, accounts={"me@example.com": rsa_key.public_key()})
    apns = ApnsStandIn("127.0.0.1", 0, keys={("TEAM", "KEY"): ec_key.public_key()})
    webpush = WebPushStandIn("127.0.0.1", 0)
    fcm.messages, apns.pushes, webpush.pushes = [], [], []
    peers = {"fcm": await fcm.start(), "apns": await apns.start(), "webpush": await webpush.start()}
    lines: list[Line] = []

    async def connect(
        options: dict[str, Any] | None = None, *, real: bool = False, fast: bool = True, clock: Any = None,
        tokens: LocalTokens | None = None,
    ) -> Line:  # fmt: skip
        spec = ConnectorSpec(name="AP1", channel="push", kind="app", options=options or {})
        if not real:
            spec = APP.sandbox(spec, LANE, peers)
        assert APP.check(spec) == []
        now = clock or now_ms
        connector = PushConnector(spec, Tools(LANE, fast, tokens or LocalTokens(now), now))
        recorder = Recorder()
        await connector.start(recorder)
        line = Line(connector, recorder)
        lines.append(line)
        return line

    yield Far(fcm, apns, webpush, peers, connect)
    for line in lines:
        await line.connector.stop(1.0)
    for stand_in in (fcm, apns, webpush):
        await stand_in.stop()


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def account(key: rsa.RSAPrivateKey, url: str) -> dict[str, str]:
    """A service account's file for a stand-in."""
    return {
        "type": "service_account", "project_id": "p1", "private_key_id": "k1", "private_key": pem(key),
        "client_email": "me@example.com", "token_uri": f"{url}/token",
    }  # fmt: skip


def sent_data(message: dict[str, Any]) -> Any:
    """Our member of a message that FCM took."""
    return json.loads(message["data"]["heliograph"])
