"""Our SMPP against implementations of others: smpplib as ESME, smpp34 as SMSC and as ESME."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.client import Client, connect
from heliograph.wire.smpp.codec import SubmitTemplate, make_tlvs
from heliograph.wire.smpp.pdus import Bind, ShortMessage
from heliograph.wire.smpp.reassembly import Reassembler, fragment
from heliograph.wire.smpp.receipt import parse_receipt
from heliograph.wire.smpp.segment import Mode, Options, decode_text, segment_text
from heliograph.wire.smpp.server import Server, ServerLink

smpp34 = pytest.importorskip("smpp34")
smpplib_client = pytest.importorskip("smpplib.client")
smpplib_errors = pytest.importorskip("smpplib.exceptions")

USER = Bind("user", "secret")
TO = "447700900123"
LONG = "Grüße [über] €50! " * 20
RECEIPT = b"id:id1 sub:001 dlvrd:001 submit date:2601011200 done date:2601011201 stat:DELIVRD err:000 text:"


class Smsc:
    """Our server: it answers each submit with an id and then sends a receipt for it."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[ev.Event] = asyncio.Queue()
        self.server = Server(self._authorise, self._told)
        self.port = 0

    def _authorise(self, system_id: str, password: str, command_id: int) -> int:
        return c.ESME_ROK if password == "secret" else c.ESME_RINVPASWD

    def _told(self, link: ServerLink, event: ev.Event) -> None:
        self.events.put_nowait(event)
        if isinstance(event, ev.SubmitArrived):
            link.answer(event.command_id, event.sequence, message_id="id1")
            if event.message.registered_delivery:
                link.deliver(receipt_for(event.message))

    async def next(self, kind: type[Any]) -> Any:
        async with asyncio.timeout(10):
            while not isinstance(event := await self.events.get(), kind):
                pass
        return event


def receipt_for(message: ShortMessage) -> ShortMessage:
    return ShortMessage(
        source_addr=message.destination_addr,
        destination_addr=message.source_addr,
        esm_class=0x04,
        short_message=RECEIPT,
        tlvs=make_tlvs(receipted_message_id="id1", message_state=2),
    )


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    made = Smsc()
    made.port = await made.server.start()
    yield made
    await made.server.close(1.0)


class ForeignSmsc:
    """smpp34's server, and our client bound to it."""

    def __init__(self, server: Any, client: Client, events: asyncio.Queue[ev.Event]) -> None:
        self.server = server
        self.client = client
        self.events = events

    async def next(self, kind: type[Any]) -> Any:
        async with asyncio.timeout(10):
            while not isinstance(event := await self.events.get(), kind):
                pass
        return event

    async def submitted(self) -> Any:
        async with asyncio.timeout(10):
            while not isinstance(event := await self.server.next(), smpp34.SubmitSmEvent):
                pass
        return event


@pytest.fixture
async def foreign() -> AsyncIterator[ForeignSmsc]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = smpp34.Server("127.0.0.1", port, system_id="foreign")
    await server.start()
    events: asyncio.Queue[ev.Event] = asyncio.Queue()
    client = await connect("127.0.0.1", port, events.put_nowait)
    yield ForeignSmsc(server, client, events)
    await client.close(1.0)
    await server.stop()


async def test_we_bind_to_smpp34(foreign: ForeignSmsc) -> None:
    outcome = await foreign.client.bind(USER)
    assert isinstance(outcome, ev.Bound)
    assert outcome.system_id == "foreign"


async def test_we_submit_to_smpp34(foreign: ForeignSmsc) -> None:
    await foreign.client.bind(USER)
    message = ShortMessage(source_addr="HELIO", source_addr_ton=5, short_message=b"hi", registered_delivery=1)
    foreign.client.submit_template(SubmitTemplate(message), TO, "ours")
    arrived = await foreign.submitted()
    assert (arrived.source_addr, arrived.destination_addr, arrived.short_message) == ("HELIO", TO, b"hi")
    arrived.accept("their-id")
    answer = await foreign.next(ev.SubmitAnswered)
    assert (answer.status, answer.message_id, answer.context) == (0, "their-id", "ours")


async def test_smpp34_refuses_our_submit(foreign: ForeignSmsc) -> None:
    await foreign.client.bind(USER)
    foreign.client.submit(ShortMessage(source_addr="1", destination_addr=TO, short_message=b"hi"))
    (await foreign.submitted()).reject(smpp34.ESME_RTHROTTLED)
    answer = await foreign.next(ev.SubmitAnswered)
    assert (answer.status, answer.message_id) == (c.ESME_RTHROTTLED, "")


async def test_smpp34_sends_us_a_receipt(foreign: ForeignSmsc) -> None:
    await foreign.client.bind(USER)
    async with asyncio.timeout(10):
        esme = await foreign.server.next()
    tlvs = [smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"tlv-id\0")]
    sending = asyncio.ensure_future(esme.deliver_sm("HELIO", RECEIPT, source_addr=TO, esm_class=4, tlvs=tlvs))
    arrived = await foreign.next(ev.DeliverArrived)
    receipt = parse_receipt(arrived.message)
    assert receipt is not None
    assert (receipt.message_id, receipt.state) == ("tlv-id", "DELIVRD")
    foreign.client.answer(arrived.command_id, arrived.sequence)
    assert (await sending).is_success


@pytest.mark.parametrize("mode", ["udh", "udh16", "sar"])
async def test_smpp34_gets_all_our_parts(foreign: ForeignSmsc, mode: Mode) -> None:
    await foreign.client.bind(USER)
    parts = segment_text(LONG, Options(mode, reference=7))
    for part in parts:
        foreign.client.submit(ShortMessage(source_addr="1", destination_addr=TO, **part._asdict()))
    shelf, wholes = Reassembler(), []
    for _ in parts:
        arrived = await foreign.submitted()
        piece = fragment(
            ShortMessage(
                esm_class=arrived.esm_class,
                short_message=arrived.short_message,
                tlvs={tlv.tag: tlv.value for tlv in arrived.tlvs},
            )
        )
        assert piece is not None
        wholes += shelf.add("1", TO, piece, 0.0)
        arrived.accept("id")
    assert [decode_text(whole.payload, 0) for whole in wholes] == [LONG]


async def test_smpp34_lets_us_unbind(foreign: ForeignSmsc) -> None:
    await foreign.client.bind(USER)
    await foreign.client.close()
    # smpp34 1.5.0 hangs up without unbind_resp
    assert foreign.client.closed is not None
    assert foreign.client.closed.clean


async def test_smpp34_binds_to_us_submits_and_gets_its_receipt(smsc: Smsc) -> None:
    client = smpp34.Client("127.0.0.1", smsc.port, "user", "secret", bind_type="TRX")
    async with asyncio.timeout(10):
        bound = await client.connect()
        answer = await bound.submit_sm(TO, b"hi", source_addr="1", registered_delivery=1)
        assert (answer.is_success, answer.message_id) == (True, "id1")
        receipt = await bound.next()
    assert (receipt.esm_class, receipt.short_message) == (4, RECEIPT)
    assert (await smsc.next(ev.DeliverAnswered)).status == 0
    await bound.unbind()
    assert isinstance(await smsc.next(ev.Closed), ev.Closed)
    await client.stop()


class Smpplib:
    """smpplib's blocking client, each call in a thread."""

    def __init__(self, port: int) -> None:
        self.client = smpplib_client.Client("127.0.0.1", port, allow_unknown_opt_params=True)
        self.answered: list[Any] = []
        self.delivered: list[Any] = []
        self.client.set_message_sent_handler(lambda pdu: self.answered.append(pdu))
        self.client.set_message_received_handler(self._take)

    def _take(self, pdu: Any) -> None:
        self.delivered.append(pdu)

    async def bind(self, password: str = "secret") -> None:
        await asyncio.to_thread(self.client.connect)
        await asyncio.to_thread(self.client.bind_transceiver, system_id="user", password=password)

    async def submit(self, **fields: Any) -> None:
        await asyncio.to_thread(lambda: self.client.send_message(source_addr="1", destination_addr=TO, **fields))

    async def read(self) -> None:
        await asyncio.to_thread(self.client.read_once)


@pytest.fixture
async def smpplib(smsc: Smsc) -> AsyncIterator[Smpplib]:
    made = Smpplib(smsc.port)
    yield made
    if made.client._socket is not None:
        made.client.disconnect()


async def test_smpplib_binds_submits_and_gets_its_receipt(smsc: Smsc, smpplib: Smpplib) -> None:
    await smpplib.bind()
    await smpplib.submit(short_message=b"hi", registered_delivery=1)
    await smpplib.read()
    await smpplib.read()
    assert [pdu.message_id for pdu in smpplib.answered] == [b"id1"]
    assert [pdu.receipted_message_id for pdu in smpplib.delivered] == [b"id1"]
    assert (await smsc.next(ev.SubmitArrived)).message.short_message == b"hi"
    assert (await smsc.next(ev.DeliverAnswered)).status == 0


async def test_smpplib_is_refused_with_a_wrong_password(smpplib: Smpplib) -> None:
    with pytest.raises(smpplib_errors.PDUError, match="14"):
        await smpplib.bind("wrong")


async def test_smpplib_asks_whether_we_live(smsc: Smsc, smpplib: Smpplib) -> None:
    await smpplib.bind()
    smpplib.client.timeout = 0.1
    smpplib.client._socket.settimeout(0.1)
    await smpplib.read()
    smpplib.client._socket.settimeout(5)
    assert (await asyncio.to_thread(smpplib.client.read_pdu)).command == "enquire_link_resp"


async def test_smpplib_unbinds(smsc: Smsc, smpplib: Smpplib) -> None:
    await smpplib.bind()
    answer = await asyncio.to_thread(smpplib.client.unbind)
    assert answer.command == "unbind_resp"
    assert isinstance(await smsc.next(ev.Closed), ev.Closed)
