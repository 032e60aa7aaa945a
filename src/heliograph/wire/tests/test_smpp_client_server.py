"""Our client and our server over TCP on the loopback."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509.oid import NameOID

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.client import Client, connect
from heliograph.wire.smpp.codec import LocalProtocolError, SubmitTemplate, encode
from heliograph.wire.smpp.pdus import Bind, ShortMessage
from heliograph.wire.smpp.server import Server, ServerLink
from heliograph.wire.smpp.session import Settings, State

MESSAGE = ShortMessage(source_addr="HELIO", destination_addr="447700900123", short_message=b"hi")
USER = Bind("user", "secret")
T = TypeVar("T")


class Inbox:
    """Keeps events and lets a test wait for some number of one kind."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []
        self._came = asyncio.Event()

    def __call__(self, event: ev.Event) -> None:
        self.events.append(event)
        self._came.set()

    async def wait(self, kind: type[T], count: int = 1) -> list[T]:
        async with asyncio.timeout(10):
            while len(found := self._of(kind)) < count:
                self._came.clear()
                await self._came.wait()
        return found

    def _of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]


class Smsc:
    """A server that accepts one password, answers each submit, and remembers what it was told."""

    def __init__(self, settings: Settings) -> None:
        self.inbox = Inbox()
        self.answers = True
        self.server = Server(self._authorise, self._told, "smsc", settings)
        self.port = 0

    @property
    def link(self) -> ServerLink:
        (link,) = self.server.links
        return link

    def _authorise(self, system_id: str, password: str, command_id: int) -> int:
        return c.ESME_ROK if (system_id, password) == ("user", "secret") else c.ESME_RINVPASWD

    def _told(self, link: ServerLink, event: ev.Event) -> None:
        self.inbox(event)
        if isinstance(event, ev.SubmitArrived) and self.answers:
            link.answer(event.command_id, event.sequence, message_id=f"id{event.sequence}")


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    made = Smsc(Settings(window=1000))
    made.port = await made.server.start()
    yield made
    await made.server.close(0.5)


@pytest.fixture
async def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def client(smsc: Smsc, inbox: Inbox) -> AsyncIterator[Client]:
    made = await connect("127.0.0.1", smsc.port, inbox, settings=Settings(window=1000))
    assert await made.bind(USER) == ev.Bound(c.BIND_TRANSCEIVER, "smsc", 0x34)
    yield made
    await made.close(0.5)


async def test_a_wrong_password_is_refused(smsc: Smsc, inbox: Inbox) -> None:
    client = await connect("127.0.0.1", smsc.port, inbox)
    assert await client.bind(Bind("user", "wrong")) == ev.BindRefused(c.ESME_RINVPASWD)
    await client.close()


async def test_a_refused_bind_may_be_tried_again(smsc: Smsc, inbox: Inbox) -> None:
    client = await connect("127.0.0.1", smsc.port, inbox)
    await client.bind(Bind("user", "wrong"))
    assert isinstance(await client.bind(USER, c.BIND_TRANSMITTER), ev.Bound)
    assert client.session.state is State.BOUND_TX
    await client.close()


async def test_the_server_knows_who_is_bound(smsc: Smsc, client: Client) -> None:
    assert (smsc.link.system_id, smsc.link.bind_kind) == ("user", c.BIND_TRANSCEIVER)


async def test_a_submit_is_answered(client: Client, inbox: Inbox) -> None:
    sequence = client.submit(MESSAGE, "ours")
    (answer,) = await inbox.wait(ev.SubmitAnswered)
    assert (answer.status, answer.message_id, answer.context) == (0, f"id{sequence}", "ours")


async def test_a_thousand_submits_are_answered(client: Client, inbox: Inbox) -> None:
    template = SubmitTemplate(MESSAGE)
    for number in range(1000):
        client.submit_template(template, "447700900123", number)
    answers = await inbox.wait(ev.SubmitAnswered, 1000)
    assert [answer.context for answer in answers] == list(range(1000))


async def test_one_turn_of_the_loop_is_one_write(client: Client, inbox: Inbox) -> None:
    writes: list[bytes] = []
    transport = client._transport
    assert transport is not None
    client._transport = Tap(transport, writes)  # type: ignore[assignment]
    for _ in range(50):
        client.submit(MESSAGE)
    await inbox.wait(ev.SubmitAnswered, 50)
    client._transport = transport
    assert len(writes) == 1


class Tap:
    """A transport that remembers what was written through it."""

    def __init__(self, transport: asyncio.Transport, writes: list[bytes]) -> None:
        self._transport = transport
        self._writes = writes

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._writes.append(data)
        self._transport.write(data)


async def test_a_deliver_is_answered_when_we_say_so(smsc: Smsc, client: Client, inbox: Inbox) -> None:
    smsc.link.deliver(MESSAGE, "receipt")
    (arrived,) = await inbox.wait(ev.DeliverArrived)
    assert smsc.link.session.pending == 1
    client.answer(arrived.command_id, arrived.sequence)
    (answered,) = await smsc.inbox.wait(ev.DeliverAnswered)
    assert (answered.status, answered.context) == (0, "receipt")


async def test_close_unbinds(smsc: Smsc, client: Client, inbox: Inbox) -> None:
    await client.close()
    assert inbox.events[-1] == ev.Closed("unbound", True, ())
    assert ev.PeerUnbound() in smsc.inbox.events


async def test_close_waits_for_answers(smsc: Smsc, client: Client, inbox: Inbox) -> None:
    smsc.answers = False
    client.submit(MESSAGE)
    closing = asyncio.create_task(client.close())
    await smsc.inbox.wait(ev.SubmitArrived)
    assert client.room == 0
    smsc.link.answer(c.SUBMIT_SM, client.session._sequence, message_id="late")
    await closing
    assert [type(event) for event in inbox.events[-2:]] == [ev.SubmitAnswered, ev.Closed]


async def test_close_does_not_wait_for_ever(smsc: Smsc, client: Client, inbox: Inbox) -> None:
    smsc.answers = False
    client.submit(MESSAGE, "ours")
    await client.close(0.1)
    assert isinstance(closed := inbox.events[-1], ev.Closed)
    assert [one.context for one in closed.unanswered] == ["ours"]


async def test_close_again_is_harmless(client: Client) -> None:
    await client.close()
    await client.close()


async def test_the_server_unbinds_its_esmes(smsc: Smsc, client: Client, inbox: Inbox) -> None:
    await smsc.server.close()
    await inbox.wait(ev.Closed)
    assert [type(event) for event in inbox.events[-2:]] == [ev.PeerUnbound, ev.Closed]


async def test_a_lost_connection_gives_back_what_was_sent(smsc: Smsc, client: Client, inbox: Inbox) -> None:
    smsc.answers = False
    client.submit(MESSAGE, "ours")
    await smsc.inbox.wait(ev.SubmitArrived)
    smsc.link.abort("test")
    (closed,) = await inbox.wait(ev.Closed)
    assert (closed.clean, [one.context for one in closed.unanswered]) == (False, ["ours"])


async def test_a_closed_client_says_so_at_once(client: Client) -> None:
    await client.close()
    assert (client.room, client.answer(c.DELIVER_SM, 1)) == (0, False)
    assert isinstance(await client.bind(USER), ev.Closed)
    with pytest.raises(LocalProtocolError):
        client.submit(MESSAGE)


async def test_a_connection_that_closes_during_the_bind_says_so(inbox: Inbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = await connect("127.0.0.1", listener.getsockname()[1], inbox)
        binding = asyncio.create_task(client.bind(USER))
        await asyncio.sleep(0)
        listener.accept()[0].close()
        assert isinstance(await binding, ev.Closed)


def tls_contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's context around a certificate made for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smsc")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    path = folder / "smsc.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption()) + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


async def test_tls_carries_a_bind(inbox: Inbox, tmp_path: Path) -> None:
    for_server, for_client = tls_contexts(tmp_path)
    smsc = Smsc(Settings())
    port = await smsc.server.start(tls=for_server)
    client = await connect("127.0.0.1", port, inbox, tls=for_client)
    assert isinstance(await client.bind(USER), ev.Bound)
    client.submit(MESSAGE)
    await inbox.wait(ev.SubmitAnswered)
    await client.close()
    await smsc.server.close()


async def test_a_stranger_s_certificate_is_an_os_error(inbox: Inbox, tmp_path: Path) -> None:
    for_server, _ = tls_contexts(tmp_path)
    smsc = Smsc(Settings())
    port = await smsc.server.start(tls=for_server)
    with pytest.raises(OSError, match="certificate"):
        await connect("127.0.0.1", port, inbox, tls=ssl.create_default_context())
    await smsc.server.close()


async def test_nobody_listening_is_an_os_error(inbox: Inbox) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(OSError):
            await connect("127.0.0.1", unused.getsockname()[1], inbox)


async def test_bytes_one_at_a_time_reach_the_server(smsc: Smsc) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
    for octet in encode(c.BIND_TRANSMITTER, 1, USER):
        writer.write(bytes((octet,)))
        await writer.drain()
        await asyncio.sleep(0)
    answer = await reader.readexactly(16)
    assert answer[4:12] == bytes.fromhex("80000002 00000000")
    writer.close()
    await writer.wait_closed()


async def test_rubbish_is_nacked_and_cut_off(smsc: Smsc) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await reader.read() == encode(c.GENERIC_NACK, 0, status=c.ESME_RINVCMDLEN)
    writer.close()
    await writer.wait_closed()


async def test_a_dead_peer_is_found_by_the_clock(inbox: Inbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = await connect("127.0.0.1", listener.getsockname()[1], inbox, settings=Settings(bind_timeout=0.0))
        assert await client.bind(USER) == ev.Closed("bind_transceiver was not answered", False, ())
        await client.close()


async def test_a_peer_that_does_not_read_pauses_us(smsc: Smsc, client: Client, inbox: Inbox) -> None:
    assert smsc.link._transport is not None
    smsc.link._transport.pause_reading()
    transport = client._transport
    assert transport is not None
    transport.set_write_buffer_limits(high=10)
    big = ShortMessage(tlvs={c.MESSAGE_PAYLOAD: bytes(60_000)})
    for _ in range(100):
        client.submit(big)
    await inbox.wait(ev.Paused)
    assert client.room == 0
    smsc.link._transport.resume_reading()
    await inbox.wait(ev.Resumed)
    await inbox.wait(ev.SubmitAnswered, 100)
    assert client.room > 0
