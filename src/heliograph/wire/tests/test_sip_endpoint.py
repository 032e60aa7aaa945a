"""Endpoints on real sockets: calls between two of them over UDP, TCP and TLS, and what strangers get."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from heliograph.wire.sip import session as ss
from heliograph.wire.sip.dialog import response_to
from heliograph.wire.sip.endpoint import Endpoint
from heliograph.wire.sip.incoming import IncomingCall
from heliograph.wire.sip.layer import Key, Target
from heliograph.wire.sip.message import Message, Request, Response, decode, encode
from heliograph.wire.sip.outgoing import OutgoingCall, Plan
from heliograph.wire.sip.transactions import Timers
from heliograph.wire.sip.transport import Streams, Udp

HOST = "127.0.0.1"
FAST = Timers(t1=0.05, t2=0.2, t4=0.2, patience=1.0, lost=1.0, d=1.0)
NUMBERS = itertools.count(1)


def token() -> str:
    return f"t{next(NUMBERS)}"


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def certificate(folder: Path) -> Path:
    """Of 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "trunk")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "trunk.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Side:
    """An endpoint that takes every call: it rings, answers, and keeps what happened."""

    def __init__(self, kind: str, transport: Udp | Streams, takes: bool = True) -> None:
        self.kind, self.transport = kind, transport
        self.endpoint = Endpoint({kind: transport}, FAST, self._invited if takes else None)
        self.facts: list[ss.Fact] = []
        self.call: IncomingCall | None = None

    async def start(self) -> Target:
        await self.endpoint.start()
        return Target(self.kind, HOST, self.transport.local(Target(self.kind, HOST, 9))[1])

    def _invited(self, key: Key, request: Request, source: Target) -> None:
        own = self.endpoint.own(source, "b")
        self.call = call = IncomingCall(key, request, own.contact, own.hop, token)
        self.endpoint.hold(call, source, self.facts.append, lambda way, message: None)
        self.endpoint.do(call, call.ring())
        self.endpoint.do(call, call.pick_up(b"answer"))

    def place(self, target: Target) -> tuple[OutgoingCall, list[ss.Fact], list[tuple[str, Message]]]:
        """Call there: the call, what happens in it, its messages."""
        own = self.endpoint.own(target, "a")
        call = OutgoingCall(Plan("sip:b@there", "sip:a@here", own.contact, b"offer"), own.hop, None, token)
        told: list[ss.Fact] = []
        trace: list[tuple[str, Message]] = []
        self.endpoint.hold(call, target, told.append, lambda way, message: trace.append((way, message)))
        self.endpoint.do(call, call.begin())
        return call, told, trace


def transports(kind: str, folder: Path) -> tuple[Udp | Streams, Udp | Streams]:
    if kind == "udp":
        return Udp(HOST, 0), Udp(HOST, 0)
    if kind == "tcp":
        return Streams("tcp", HOST, 0), Streams("tcp", HOST, 0)
    pem = certificate(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cafile=str(pem))
    return Streams("tls", HOST, 0, client=client), Streams("tls", HOST, 0, client=client, server=server)


@asynccontextmanager
async def two(kind: str, folder: Path, takes: bool = True) -> AsyncIterator[tuple[Side, Side, Target]]:
    first, second = transports(kind, folder)
    near, far = Side(kind, first, takes=False), Side(kind, second, takes)
    await near.start()
    target = await far.start()
    try:
        yield near, far, target
    finally:
        await near.endpoint.close()
        await far.endpoint.close()


KINDS = pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])


@KINDS
async def test_a_call_is_placed_answered_and_ended_by_the_caller(kind: str, tmp_path: Path) -> None:
    async with two(kind, tmp_path) as (near, far, target):
        call, told, trace = near.place(target)
        await until(lambda: ss.Up(b"answer") in told)
        near.endpoint.do(call, call.hang_up(near.endpoint.now()))
        await until(lambda: told[-1] == ss.Over(ss.Ending("us")))

        assert far.facts == [ss.Over(ss.Ending("far"))]
        assert [message.start.partition(" ")[0] for way, message in trace if way == "sent"] == [
            "INVITE",
            "ACK",
            "BYE",
        ]


@KINDS
async def test_a_call_is_ended_by_the_called(kind: str, tmp_path: Path) -> None:
    async with two(kind, tmp_path) as (near, far, target):
        call, told, _ = near.place(target)
        await until(lambda: far.call is not None and far.call.acked)
        assert far.call is not None
        far.endpoint.do(far.call, far.call.hang_up(0.0))
        await until(lambda: any(isinstance(fact, ss.Over) for fact in told))

        assert told[-1] == ss.Over(ss.Ending("far"))
        near.endpoint.release(call)


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_datagrams_that_are_lost_are_sent_again(lost: int, tmp_path: Path) -> None:
    async with two("udp", tmp_path) as (near, far, target):
        for side in (near, far):
            numbers = itertools.count()
            assert isinstance(side.transport, Udp)
            side.transport.drop = lambda data, numbers=numbers: next(numbers) % 3 < min(lost, 2)  # type: ignore[misc]
        call, told, _ = near.place(target)
        await until(lambda: ss.Up(b"answer") in told)
        near.endpoint.do(call, call.hang_up(near.endpoint.now()))
        await until(lambda: isinstance(told[-1], ss.Over))


async def test_a_closed_port_is_told_at_once_and_not_after_timer_b(tmp_path: Path) -> None:
    async with two("udp", tmp_path) as (near, _, _target):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        _, told, _ = near.place(Target("udp", HOST, port))
        await until(lambda: told, 0.5)

        assert told == [ss.Over(ss.Ending("trunk", 0, "the port is closed"))]


@pytest.mark.parametrize("kind", ["tcp", "tls"])
async def test_a_connection_that_cannot_be_made_is_told(kind: str, tmp_path: Path) -> None:
    async with two(kind, tmp_path) as (near, _, _target):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        _, told, _ = near.place(Target(kind, HOST, port))
        await until(lambda: told)

        assert isinstance(told[0], ss.Over)
        assert "connecting failed" in told[0].ending.reason


async def test_a_certificate_that_is_not_trusted_is_told(tmp_path: Path) -> None:
    async with two("tls", tmp_path) as (_, _far, target):
        stranger = Side("tls", Streams("tls", HOST, 0, client=ssl.create_default_context()), takes=False)
        await stranger.start()
        _, told, _ = stranger.place(target)
        await until(lambda: told)
        await stranger.endpoint.close()

        assert isinstance(told[0], ss.Over)
        assert "TLS handshake failed" in told[0].ending.reason


async def test_silence_ends_after_timer_b(tmp_path: Path) -> None:
    async with two("udp", tmp_path) as (near, far, target):
        assert isinstance(far.transport, Udp)
        far.transport.drop = lambda data: True
        _, told, _ = near.place(target)
        await until(lambda: told)

        assert told == [ss.Over(ss.Ending("trunk", 0, "no answer"))]


# What strangers get


def message(method: str, port: int, tag: str = "", call: str = "x") -> bytes:
    to = "<sip:b@b>" + (f";tag={tag}" if tag else "")
    headers = (
        ("Via", f"SIP/2.0/UDP {HOST}:{port};branch=z9hG4bK{method}{tag};rport"), ("To", to),
        ("From", "<sip:a@a>;tag=1"),
        ("Call-ID", call), ("CSeq", f"1 {method}"), ("Contact", f"<sip:a@{HOST}:{port}>"),
    )  # fmt: skip
    return encode(Request(method, "sip:b@b", headers))


STRANGERS = [
    ("OPTIONS", "", 200), ("INVITE", "", 403), ("REGISTER", "", 405), ("BYE", "t", 481), ("INVITE", "t", 481),
    ("CANCEL", "", 481),
]  # fmt: skip


class Datagrams:
    """A bare socket."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]

    async def ask(self, data: bytes, target: Target) -> Response:
        loop = asyncio.get_running_loop()
        await loop.sock_sendto(self.socket, data, (target.host, target.port))
        found = decode(await asyncio.wait_for(loop.sock_recv(self.socket, 65_536), 5))
        assert isinstance(found, Response)
        return found


@pytest.mark.parametrize(("method", "tag", "code"), STRANGERS)
async def test_requests_of_strangers_are_answered(method: str, tag: str, code: int, tmp_path: Path) -> None:
    async with two("udp", tmp_path, takes=False) as (_, _far, target):
        bare = Datagrams()
        answer = await bare.ask(message(method, bare.port, tag), target)
        bare.socket.close()

        assert answer.code == code
        assert f"rport={bare.port}" in answer.first("Via")


async def test_what_is_no_sip_is_passed_over(tmp_path: Path) -> None:
    async with two("udp", tmp_path, takes=False) as (_, _far, target):
        bare = Datagrams()
        for data in (b"", b"\r\n\r\n", b"\0" * 40, b"hello\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n"):
            await asyncio.get_running_loop().sock_sendto(bare.socket, data, (target.host, target.port))
        answer = await bare.ask(message("OPTIONS", bare.port), target)
        bare.socket.close()

        assert answer.code == 200


async def test_a_stream_is_kept_alive_and_one_without_sip_is_closed(tmp_path: Path) -> None:
    async with two("tcp", tmp_path, takes=False) as (_, _far, target):
        reader, writer = await asyncio.open_connection(target.host, target.port)
        writer.write(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(2), 5) == b"\r\n"
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")

        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
        writer.close()


async def test_an_invite_can_be_refused_without_a_call(tmp_path: Path) -> None:
    refused: list[Any] = []

    def invited(key: Key, request: Request, source: Target) -> None:
        refused.append(source)
        endpoint.refuse(key, response_to(request, 486, "Busy Here", "x"))

    endpoint = Endpoint({"udp": (transport := Udp(HOST, 0))}, FAST, invited)
    await endpoint.start()
    bare = Datagrams()
    answer = await bare.ask(
        message("INVITE", bare.port), Target("udp", HOST, transport.local(Target("udp", HOST, 9))[1])
    )
    bare.socket.close()
    await endpoint.close()

    assert (answer.code, len(refused)) == (486, 1)
