"""RTP: packets, G.711, digits, and a stream that is sent in time."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.rtp import g711
from heliograph.wire.rtp.digits import DIGITS, END, Presses, press
from heliograph.wire.rtp.packet import Packet, pack, unpack
from heliograph.wire.rtp.stream import CATCH_UP, TICK, NoPort, Stream, Way

# Packets

PACKETS = st.builds(
    Packet, st.integers(0, 63), st.integers(0, 65_535), st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1),
    st.binary(max_size=200), st.booleans(),
)  # fmt: skip


@given(PACKETS)
def test_what_is_packed_is_unpacked(packet: Packet) -> None:
    assert unpack(pack(packet)) == packet


def test_extensions_contributors_and_padding_are_taken_off() -> None:
    head = pack(Packet(0, 1, 2, 3, b""))
    plain = head + b"audio"
    contributors = bytes([head[0] | 2]) + head[1:] + b"\0" * 8 + b"audio"
    extended = bytes([head[0] | 0x10]) + head[1:] + b"\0\0\0\1" + b"\0" * 4 + b"audio"
    padded = bytes([head[0] | 0x20]) + head[1:] + b"audio\0\0\3"

    assert [unpack(data) for data in (contributors, extended, padded)] == [unpack(plain)] * 3


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80", bytes(12), b"\x80\xc8" + bytes(10), b"\xb0" + bytes(11), b"\xa0" + bytes(11) + b"\xff"],
    ids=["nothing", "short", "no version", "rtcp", "extension cut off", "too much padding"],
)  # fmt: skip
def test_what_is_no_packet_is_none(data: bytes) -> None:
    assert unpack(data) is None


@given(st.binary(max_size=64))
def test_any_bytes_are_a_packet_or_none(data: bytes) -> None:
    unpack(data)


# G.711: values of the tables in ITU-T G.711, and of its silence

KNOWN = [
    (g711.PCMU, 0, 0xFF), (g711.PCMU, 32_635, 0x80), (g711.PCMU, -32_635, 0x00), (g711.PCMU, 1_000, 0xCE),
    (g711.PCMA, 0, 0xD5), (g711.PCMA, 32_767, 0xAA), (g711.PCMA, -32_768, 0x2A), (g711.PCMA, 1_000, 0xFA),
]  # fmt: skip


@pytest.mark.parametrize(("law", "sample", "byte"), KNOWN)
def test_a_sample_has_its_byte(law: str, sample: int, byte: int) -> None:
    assert g711.encode(array("h", [sample]).tobytes(), law) == bytes([byte])


@pytest.mark.parametrize("law", [g711.PCMU, g711.PCMA])
def test_every_byte_is_itself_again(law: str) -> None:
    every = bytes(range(256))
    again = g711.encode(g711.decode(every, law), law)

    # mu-law has two zeros (G.711, table 2a); they sound the same
    assert g711.decode(again, law) == g711.decode(every, law)
    assert sum(one != other for one, other in zip(every, again, strict=True)) == (law == g711.PCMU)


@pytest.mark.parametrize("law", [g711.PCMU, g711.PCMA])
def test_what_is_heard_is_near_what_was_said(law: str) -> None:
    for sample in range(-32_000, 32_001, 37):
        [heard] = array("h", g711.decode(g711.encode(array("h", [sample]).tobytes(), law), law))
        assert abs(heard - sample) <= max(16, abs(sample) // 16)


@pytest.mark.parametrize("law", [g711.PCMU, g711.PCMA])
def test_silence_is_quiet(law: str) -> None:
    assert abs(array("h", g711.decode(g711.SILENCE[law], law))[0]) <= 8


# Digits


def packets_of(digits: str, start: int = 1_000) -> list[Packet]:
    """As a stream would send them."""
    made, sequence = [], 0
    for number, digit in enumerate(digits):
        for event in press(digit):
            sequence += 1
            made.append(Packet(101, sequence, start + number * 4_000, 7, event.payload, event.first))
    return made


def read(packets: list[Packet]) -> str:
    presses = Presses()
    return "".join(presses.feed(packet) for packet in packets)


@given(st.text(DIGITS, max_size=8))
def test_digits_that_are_sent_are_read(digits: str) -> None:
    assert read(packets_of(digits)) == digits


@given(st.text("0123456789*#", min_size=1, max_size=6), st.data())
def test_a_digit_counts_once_if_anything_of_it_comes(digits: str, data: st.DataObject) -> None:
    packets = packets_of(digits)
    kept = [packet for packet in packets if data.draw(st.booleans())]
    times = {packet.timestamp for packet in kept}
    twice = sorted(kept * 2, key=lambda packet: packet.sequence)

    assert read(twice) == "".join(digit for number, digit in enumerate(digits) if 1_000 + number * 4_000 in times)


def test_the_end_of_a_digit_is_sent_three_times_with_its_whole_length() -> None:
    events = list(press("5"))

    assert [bool(event.payload[1] & END) for event in events[-4:]] == [False, True, True, True]
    assert {event.payload[2:] for event in events[-3:]} == {(960).to_bytes(2, "big")}
    assert [event.first for event in events].count(True) == 1


def test_what_is_no_digit_is_none() -> None:
    assert Presses().feed(Packet(101, 1, 1, 1, bytes((16, 0, 0, 0)))) == ""
    assert Presses().feed(Packet(101, 1, 1, 1, b"\1")) == ""
    with pytest.raises(ValueError):
        next(press("x"))


# Streams


class Pair:
    """Two streams that speak to each other."""

    def __init__(self, one: Stream, other: Stream, ports: tuple[int, int]) -> None:
        self.one, self.other, self.ports = one, other, ports
        self.pressed: list[str] = []
        self.heard = bytearray()

    def start(self, law: str = g711.PCMU, events: int | None = 101) -> None:
        kind = 0 if law == g711.PCMU else 8
        self.one.start(Way("127.0.0.1", self.ports[1], kind, law, events), 101)
        self.other.start(Way("127.0.0.1", self.ports[0], kind, law, events), 101)


@asynccontextmanager
async def streams() -> AsyncIterator[Pair]:
    pressed: list[str] = []
    heard = bytearray()
    one, other = Stream(lambda digit: None), Stream(pressed.append, heard.extend)
    ports = await one.open("127.0.0.1", (0, 0)), await other.open("127.0.0.1", (0, 0))
    pair = Pair(one, other, ports)
    pair.pressed, pair.heard = pressed, heard
    try:
        yield pair
    finally:
        one.close()
        other.close()


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def tone(seconds: float) -> bytes:
    return array("h", (int(9_000 * math.sin(number / 3)) for number in range(int(8_000 * seconds)))).tobytes()


@pytest.mark.parametrize("law", [g711.PCMU, g711.PCMA])
async def test_what_is_played_is_heard_to_the_last_sample(law: str) -> None:
    async with streams() as pair:
        pair.start(law)
        samples = tone(0.3) + tone(0.1)[:90]  # no whole packet at its end
        whole = await asyncio.wait_for(pair.one.play(samples), 5)
        await until(lambda: len(pair.heard) >= len(samples) // 2 + 320)

    assert whole is True
    assert g711.encode(samples, law) in pair.heard


async def test_sounds_follow_each_other_without_a_gap() -> None:
    async with streams() as pair:
        pair.start()
        first, second = tone(0.05)[:-100], tone(0.06)
        pair.one.play(first)
        await pair.one.play(second)
        await until(lambda: len(pair.heard) > 1_500)

    assert g711.encode(first + second, g711.PCMU) in pair.heard


async def test_silence_is_sent_while_nothing_plays() -> None:
    async with streams() as pair:
        pair.start()
        await until(lambda: len(pair.heard) > 800)

    assert set(pair.heard) == set(g711.SILENCE[g711.PCMU])


async def test_a_sound_can_be_cut_short() -> None:
    async with streams() as pair:
        pair.start()
        playing = pair.one.play(tone(5))
        await asyncio.sleep(0.05)
        pair.one.hush()

        assert await playing is False


async def test_digits_go_through_between_sounds() -> None:
    async with streams() as pair:
        pair.start()
        pair.one.play(tone(0.2))
        assert pair.one.press("15#")
        await until(lambda: not pair.one.pressing)
        await until(lambda: pair.pressed == ["1", "5", "#"])


async def test_digits_are_refused_where_the_far_end_takes_none() -> None:
    async with streams() as pair:
        pair.start(events=None)

        assert not pair.one.press("1")


async def test_on_hold_nothing_is_sent_and_what_plays_waits() -> None:
    async with streams() as pair:
        pair.start()
        playing = pair.one.play(tone(0.2))
        pair.one.hold = True
        await asyncio.sleep(0.02)
        sent = pair.one.counts.sent
        await asyncio.sleep(0.3)
        assert (pair.one.counts.sent, playing.done()) == (sent, False)
        pair.one.hold = False

        assert await asyncio.wait_for(playing, 5) is True


async def test_the_pace_is_of_the_clock_whatever_the_loop_does_meanwhile() -> None:
    async with streams() as pair:
        pair.start()
        began = time.perf_counter()
        for _ in range(10):
            time.sleep(0.035)  # noqa: ASYNC251 - a loop that stands still
            await asyncio.sleep(0.02)
        passed = time.perf_counter() - began

        # a packet for each turn of the loop would be far fewer; a stall of the machine may cost some
        assert passed / TICK * 0.75 <= pair.one.counts.sent <= passed / TICK + CATCH_UP
        assert pair.one.counts.late > 0


async def test_after_a_long_stall_it_goes_on_without_a_flood() -> None:
    async with streams() as pair:
        pair.start()
        await asyncio.sleep(0.03)
        sent = pair.one.counts.sent
        time.sleep(0.5)  # noqa: ASYNC251
        await asyncio.sleep(0.005)

        assert pair.one.counts.sent - sent <= CATCH_UP + 1


async def test_only_the_first_who_speaks_is_heard() -> None:
    async with streams() as pair:
        pair.start()
        await until(lambda: pair.other.counts.heard > 2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for packet in packets_of("9"):
                stranger.sendto(pack(packet), ("127.0.0.1", pair.ports[1]))
        await until(lambda: pair.other.counts.stray)

        assert pair.pressed == []


async def test_packets_that_are_missing_are_counted() -> None:
    async with streams() as pair:
        pair.start()
        await until(lambda: pair.other.counts.heard > 1)
        pair.one._sequence += 3
        await until(lambda: pair.other.counts.missing)

        assert pair.other.counts.missing == 3


async def test_a_port_of_the_range_is_taken_and_even() -> None:
    stream = Stream(lambda digit: None)
    port = await stream.open("127.0.0.1", (21_001, 21_099))
    stream.close()

    assert 21_002 <= port <= 21_098
    assert port % 2 == 0


async def test_a_range_without_a_free_port_says_so() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1] // 2 * 2
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            if port != taken.getsockname()[1]:
                other.bind(("127.0.0.1", port))
            with pytest.raises(NoPort):
                await Stream(lambda digit: None).open("127.0.0.1", (port, port + 1))
