"""Messages from people: whole, in segments, and never answered before they are stored."""

from __future__ import annotations

import asyncio

from heliograph.channels.sms.receiving import Receiving
from heliograph.channels.sms.simulator import SmscSimulator
from heliograph.wire.smpp.pdus import ShortMessage

from .conftest import Another, Connect, Line, until

LONG = "Grüße von der Küste, wo es stürmt. " * 12  # GSM, three segments
EMOJI = "Sonne 🌞 und Meer 🌊 " * 10


async def test_a_persons_message_arrives(line: Line) -> None:
    line.simulator.send_mo("447700900001", "60300", "STOP {now} €")

    await until(lambda: line.recorder.inbound)
    item = line.recorder.inbound[0]
    assert (item.channel, item.sender, item.destination) == ("sms", "447700900001", "60300")
    assert item.text == "STOP {now} €"
    await until(lambda: line.simulator.outbox.counts["delivered"] == 1)


async def test_segments_are_put_together_and_answered_once_all_are_stored(line: Line) -> None:
    line.recorder.store = None
    segments = line.simulator.send_mo("447700900001", "60300", LONG)

    await until(lambda: line.recorder.inbound)
    assert line.recorder.inbound[0].text == LONG
    assert line.simulator.outbox.counts["delivered"] == 0
    line.recorder.answers[0](True)
    await until(lambda: line.simulator.outbox.counts["delivered"] == segments)


async def test_surrogates_survive_the_cut(line: Line) -> None:
    assert line.simulator.send_mo("447700900001", "60300", EMOJI) > 1

    await until(lambda: line.recorder.inbound)
    assert line.recorder.inbound[0].text == EMOJI


async def test_segments_that_could_not_be_stored_come_again(line: Line) -> None:
    line.recorder.store = False
    line.simulator.send_mo("447700900001", "60300", LONG)
    await until(lambda: line.recorder.inbound)
    line.recorder.store = True

    await until(lambda: len(line.recorder.inbound) == 2)
    assert line.recorder.inbound[1].text == LONG


async def test_a_segment_that_stays_alone_is_given_with_a_note(connect: Connect, simulator: SmscSimulator) -> None:
    line = await connect()
    receiving = line.connector._receiving
    line.connector._receiving = Receiving(line.connector.settings, line.connector._meanings, hold=0.2)
    line.connector._receiving.start(line.recorder)
    receiving.stop()
    head = ShortMessage(source_addr="447700900001", destination_addr="60300", esm_class=0x40)
    simulator.outbox.send("helio", head._replace(short_message=b"\x05\x00\x03\x07\x02\x01first"))

    await until(lambda: line.recorder.inbound)
    item = line.recorder.inbound[0]
    assert item.text == "first"
    assert item.native["incomplete"] == "only part 1 of 2 came"
    await until(lambda: simulator.outbox.counts["delivered"] == 1)


async def test_segments_are_answered_at_once_where_the_carrier_has_room_for_one(
    connect: Connect, another: Another
) -> None:
    simulator = await another(window=1)
    line = await connect(simulator, options={"inbound_parts": "at_once"})

    simulator.send_mo("447700900001", "60300", LONG)

    await until(lambda: line.recorder.inbound)
    assert line.recorder.inbound[0].text == LONG
    assert line.connector._receiving.due == 0


async def test_binary_messages_arrive_as_hexadecimal(line: Line) -> None:
    head = ShortMessage(source_addr="447700900001", destination_addr="60300", data_coding=4)
    line.simulator.outbox.send("helio", head._replace(short_message=b"\x00\xff"))

    await until(lambda: line.recorder.inbound)
    assert (line.recorder.inbound[0].text, line.recorder.inbound[0].native["encoding"]) == ("00ff", "hex")


async def test_what_waits_for_its_other_segments_comes_again_on_the_next_bind(line: Line) -> None:
    head = ShortMessage(source_addr="447700900001", destination_addr="60300", esm_class=0x40)
    line.simulator.outbox.send("helio", head._replace(short_message=b"\x05\x00\x03\x07\x02\x01first "))
    await asyncio.sleep(0.05)
    line.simulator.drop_links()
    await until(lambda: line.connector.capacity() > 0)
    line.simulator.outbox.send("helio", head._replace(short_message=b"\x05\x00\x03\x07\x02\x02second"))

    await until(lambda: line.recorder.inbound)
    assert [item.text for item in line.recorder.inbound] == ["first second"]
    await until(lambda: line.simulator.outbox.counts["delivered"] == 2)
