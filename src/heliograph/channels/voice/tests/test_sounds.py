"""What is played: WAV files of every kind, URLs, texts spoken."""

from __future__ import annotations

import asyncio
import math
import os
import stat
import struct
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels.voice.sound import store
from heliograph.channels.voice.sound.audio import AudioError, decode_wav, resample, seconds_of
from heliograph.channels.voice.sound.speech import Espeak, NoSpeech, SpeechFailed
from heliograph.channels.voice.sound.store import FILE_MOST, SoundError, Sounds
from heliograph.wire.http import Client, Limits
from heliograph.wire.rtp import g711
from heliograph.wire.standin import HttpStandIn

from .conftest import program


def wav(
    data: bytes, kind: int = 1, channels: int = 1, rate: int = 8_000, bits: int = 16, size: int | None = None
) -> bytes:
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, bits)
    size = len(data) if size is None else size
    body = (
        b"fmt "
        + struct.pack("<I", len(form))
        + form
        + b"LIST\3\0\0\0abc\0"
        + b"data"
        + struct.pack("<I", size)
        + data
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def tone(hertz: float, rate: int, seconds: float, loud: int = 8_000) -> array[int]:
    return array("h", (round(loud * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(rate * seconds))))


def samples(data: bytes) -> array[int]:
    found = array("h")
    found.frombytes(decode_wav(data))
    return found


PLAIN = tone(440, 8_000, 0.1)


def test_what_is_a_phone_s_already_stays_as_it_is() -> None:
    assert samples(wav(PLAIN.tobytes())) == PLAIN


def test_two_channels_become_their_middle() -> None:
    both = array("h", (value for one in PLAIN for value in (one, -one)))

    assert set(samples(wav(both.tobytes(), channels=2))) <= {0, -1}


BITS = [
    (8, bytes((value >> 8) + 128 for value in PLAIN)),
    (24, b"".join((value << 8).to_bytes(3, "little", signed=True) for value in PLAIN)),
    (32, b"".join((value << 16).to_bytes(4, "little", signed=True) for value in PLAIN)),
]


@pytest.mark.parametrize(("bits", "data"), BITS)
def test_other_depths_are_read(bits: int, data: bytes) -> None:
    found = samples(wav(data, bits=bits))

    assert max(abs(one - other) for one, other in zip(found, PLAIN, strict=True)) < 256


@pytest.mark.parametrize(("kind", "law"), [(6, g711.PCMA), (7, g711.PCMU)])
def test_both_laws_of_g711_are_read(kind: int, law: str) -> None:
    coded = g711.encode(PLAIN.tobytes(), law)

    assert decode_wav(wav(coded, kind=kind, bits=8)) == g711.decode(coded, law)


@pytest.mark.parametrize("rate", [11_025, 16_000, 22_050, 44_100, 48_000])
def test_another_rate_sounds_the_same(rate: int) -> None:
    found = samples(wav(tone(1_000, rate, 0.5).tobytes(), rate=rate))
    wanted = tone(1_000, 8_000, 0.5)

    assert abs(len(found) - len(wanted)) <= 1
    assert max(abs(one - other) for one, other in zip(found[200:-200], wanted[200:], strict=False)) < 10


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
def test_what_a_phone_cannot_carry_is_taken_away_and_not_folded_down(rate: int) -> None:
    found = resample(tone(5_000, rate, 0.5), rate)
    loudness = math.sqrt(sum(value * value for value in found[200:-200]) / (len(found) - 400))

    assert loudness < 8_000 / math.sqrt(2) / 300  # 50 dB below


def test_the_loudest_does_not_wrap_around() -> None:
    square = array("h", ([32_767] * 20 + [-32_768] * 20) * 40)
    found = resample(square, 16_000)

    assert max(found) == 32_767
    assert min(found) == -32_768


def test_a_length_that_a_pipe_could_not_know_means_to_the_end() -> None:
    assert samples(wav(PLAIN.tobytes(), size=0x7FFFF000)) == PLAIN


REFUSED = {
    "nothing": b"",
    "another file": b"ID3\3" + bytes(40),
    "no data": wav(b"")[:-8],
    "another coding": wav(b"", kind=85),
    "too many channels": wav(b"", channels=6),
    "too high a rate": wav(b"", rate=96_000),
    "too low a rate": wav(b"", rate=4_000),
    "odd bits": wav(b"", bits=12),
    "too long": wav(bytes(8_000 * 601), kind=7, bits=8),
    "data before format": b"RIFF\0\0\0\0WAVEdata\0\0\0\0",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_played_is_refused(data: bytes) -> None:
    with pytest.raises(AudioError):
        decode_wav(data)


@given(st.one_of(st.binary(max_size=100), st.binary(max_size=60).map(lambda tail: wav(PLAIN.tobytes())[:48] + tail)))
def test_any_bytes_are_played_or_refused(data: bytes) -> None:
    try:
        decode_wav(data)
    except AudioError:
        return


# Where sounds come from


class FakeSpeech:
    """Speaks tones; counts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._error = error

    async def render(self, text: str, language: str) -> bytes:
        self.asked.append((text, language))
        await asyncio.sleep(0.02)
        if self._error is not None:
            raise self._error
        return wav(PLAIN.tobytes())


@asynccontextmanager
async def sounds(folder: Path, speech: Any = None, **more: Any) -> AsyncIterator[Sounds]:
    http = Client(limits=Limits(answer=FILE_MOST))
    made = Sounds(http, speech or FakeSpeech(), folder, **more)
    try:
        yield made
    finally:
        await made.close()
        await http.close()


async def test_a_file_lies_in_the_data_folder_or_is_given_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    for path in ("prompts/a.wav", "b.wav"):
        (tmp_path / path).write_bytes(wav(PLAIN.tobytes()))
    files = {"1": "a.wav", "2": "b.wav", "3": str(tmp_path / "b.wav")}
    async with sounds(tmp_path) as made:
        for name in ("1", "2", "3", "b.wav"):
            assert (await made.prompt(name, files, private=False)).samples == PLAIN.tobytes()


@pytest.mark.parametrize("place", ["../secret.wav", "a/../../secret.wav"])
async def test_a_file_outside_of_the_data_folder_is_refused(place: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "secret.wav").write_bytes(wav(PLAIN.tobytes()))
    async with sounds(data) as made:
        with pytest.raises(SoundError, match="outside"):
            await made.prompt("1", {"1": place}, private=False)


async def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    async with sounds(tmp_path) as made:
        path.write_bytes(wav(PLAIN.tobytes()))
        await made.prompt("1", {"1": "a.wav"}, private=False)
        path.write_bytes(wav(bytes(320)))
        os.utime(path, (1, 1))

        assert (await made.prompt("1", {"1": "a.wav"}, private=False)).samples == bytes(320)


async def test_what_is_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    async with sounds(tmp_path) as made:
        for name, sentence in (("1", "has no file"), ("2", "is no WAV file"), ("9", "no prompt")):
            with pytest.raises(SoundError, match=sentence):
                await made.prompt(name, {"1": "nowhere.wav", "2": "text.wav"}, private=False)


async def test_in_the_sandbox_a_tone_stands_in_for_a_file_and_says_so(tmp_path: Path) -> None:
    async with sounds(tmp_path, stand_in=True) as made:
        found = await made.prompt("1", {"1": "nowhere.wav"}, private=False)

    assert found.seconds == 1.0
    assert "stands in" in found.note


async def test_a_text_is_spoken_once_however_many_ask(tmp_path: Path) -> None:
    speech = FakeSpeech()
    async with sounds(tmp_path, speech) as made:
        await asyncio.gather(*(made.spoken("Hello", "en") for _ in range(5)))
        await made.spoken("Hello", "de")

    assert speech.asked == [("Hello", "en"), ("Hello", "de")]


async def test_without_a_voice_it_says_what_is_looked_for(tmp_path: Path) -> None:
    async with sounds(tmp_path, Espeak(programs=("no-such-program",))) as made:
        with pytest.raises(SoundError, match="no-such-program"):
            await made.spoken("Hello", "en")


async def test_in_the_sandbox_tones_stand_in_for_a_voice_and_say_so(tmp_path: Path) -> None:
    async with sounds(tmp_path, FakeSpeech(NoSpeech("none")), stand_in=True) as made:
        found = await made.spoken("Hello there, how are you?", "en")

    assert found.seconds > 1
    assert "stand in" in found.note


async def test_an_error_is_not_kept(tmp_path: Path) -> None:
    speech = FakeSpeech(SpeechFailed("broken"))
    async with sounds(tmp_path, speech) as made:
        for _ in range(2):
            with pytest.raises(SoundError, match="broken"):
                await made.spoken("Hello", "en")

    assert len(speech.asked) == 2


async def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "KEPT_BYTES", 3 * len(PLAIN.tobytes()))
    speech = FakeSpeech()
    async with sounds(tmp_path, speech) as made:
        for number in (1, 2, 3, 4, 1, 4):
            await made.spoken(str(number), "en")

    assert [text for text, _ in speech.asked] == ["1", "2", "3", "4", "1"]


class Web:
    """An HTTP server with one answer, which counts."""

    def __init__(self, body: bytes, status: int = 200, kind: str = "audio/x-wav") -> None:
        self.asked = 0
        self._answer = (body, status, kind)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        body, status, kind = self._answer
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(web: Web) -> AsyncIterator[str]:
    server = HttpStandIn(web, "127.0.0.1", 0)
    peer = await server.start()
    try:
        yield f"{peer.url()}/a.wav"
    finally:
        await server.stop()


async def test_a_url_is_fetched_once(tmp_path: Path) -> None:
    web = Web(wav(tone(440, 16_000, 6.0).tobytes(), rate=16_000))  # more than what an HTTP client keeps otherwise
    async with served(web) as url, sounds(tmp_path) as made:
        found = await asyncio.gather(*(made.prompt(url, {}, private=True) for _ in range(3)))
        await made.prompt("1", {"1": url}, private=True)

    assert web.asked == 1
    assert {sound.seconds for sound in found} == {6.0}


async def test_a_private_address_is_called_only_where_that_is_allowed(tmp_path: Path) -> None:
    web = Web(wav(PLAIN.tobytes()))
    async with served(web) as url, sounds(tmp_path) as made:
        with pytest.raises(SoundError, match="not allowed"):
            await made.prompt(url, {}, private=False)

    assert web.asked == 0


ANSWERS = [
    (Web(b"", 404), "HTTP 404", False), (Web(b"", 503), "HTTP 503", True),
    (Web(b"<html>", kind="text/html"), "text/html", False), (Web(b"x" * (FILE_MOST + 9)), "more than", False),
    (Web(b"no audio"), "no WAV", False),
]  # fmt: skip


@pytest.mark.parametrize(("web", "sentence", "passing"), ANSWERS, ids=[row[1] for row in ANSWERS])
async def test_an_answer_without_audio_is_said(web: Web, sentence: str, passing: bool, tmp_path: Path) -> None:
    async with served(web) as url, sounds(tmp_path) as made:
        with pytest.raises(SoundError, match=sentence) as caught:
            await made.prompt(url, {}, private=True)

    assert caught.value.passing is passing


async def test_a_url_that_cannot_be_reached_may_be_later(tmp_path: Path) -> None:
    async with sounds(tmp_path) as made:
        with pytest.raises(SoundError) as caught:
            await made.prompt("http://127.0.0.1:1/a.wav", {}, private=True)

    assert caught.value.passing


# espeak-ng


def script(folder: Path, text: str) -> str:
    """A program that does as it says."""
    path = folder / "speaks"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


async def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    speech = Espeak(0.2, (script(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60"),))

    with pytest.raises(SpeechFailed, match="longer than"):
        await speech.render("Hello", "en")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SpeechFailed, match="no such voice"):
        await Espeak(5, (script(tmp_path, "echo no such voice >&2; exit 1"),)).render("Hello", "xx")


async def test_a_text_is_never_an_option_of_the_program(tmp_path: Path) -> None:
    said = tmp_path / "said"
    speech = Espeak(5, (script(tmp_path, f'cat > {said}; echo "$@" >> {said}; echo RIFF'),))
    await speech.render("--version $(id) `id`", "en")

    assert said.read_text().startswith("--version $(id) `id`--stdout --stdin")


async def test_espeak_speaks() -> None:
    program("espeak-ng", "espeak-ng")
    found = decode_wav(await Espeak().render("Hello, this is a test.", "en"))

    assert 0.8 < seconds_of(found) < 5
    assert max(samples_of(found)) > 3_000


def samples_of(data: bytes) -> array[int]:
    found = array("h")
    found.frombytes(data)
    return found
