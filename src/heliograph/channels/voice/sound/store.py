"""Sounds at hand: prompts from files and URLs, texts spoken; each made once and kept while there is room."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from heliograph.channels.voice.sound.audio import AudioError, decode_wav, seconds_of, silence, tone
from heliograph.channels.voice.sound.speech import NoSpeech, Speech, SpeechFailed
from heliograph.channels.voice.wanted import is_url, prompt_file
from heliograph.wire.http import Client, HttpError

FILE_MOST = 10 * 1024 * 1024
KEPT_BYTES = 64 * 1024 * 1024
FRESH_SECONDS = 3_600.0  # before a URL is fetched again
FETCH_SECONDS = 15.0
FOLDER = "prompts"
STAND_IN_PACE = 15.0  # characters a second, of the tones that stand in for a voice
TYPES = ("audio/", "application/octet-stream", "binary/octet-stream")


class SoundError(Exception):
    """A sound that cannot be had; the text says why, `passing` whether it may be had later."""

    def __init__(self, sentence: str, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.passing = passing


class Sound(NamedTuple):
    """16-bit samples of 8000 Hz; `note` says what is special about it."""

    samples: bytes
    note: str = ""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return seconds_of(self.samples)


class Sounds:
    """Makes sounds for the calls of one connector. `folder` is the data folder; with `stand_in` tones take the place
    of a voice or a file that is not there, as in the sandbox."""

    def __init__(self, http: Client, speech: Speech, folder: Path, *, stand_in: bool = False) -> None:
        self._http = http
        self._speech = speech
        self._folder = folder
        self._stand_in = stand_in
        self._kept: OrderedDict[str, tuple[float, Sound]] = OrderedDict()
        self._size = 0
        self._making: dict[str, asyncio.Task[Sound]] = {}

    async def prompt(self, name: str, files: dict[str, str], *, private: bool) -> Sound:
        """A prompt by id, file name or URL. Raises `SoundError`."""
        place = name if is_url(name) else prompt_file(name, files)
        if not place:
            raise SoundError(f"there is no prompt {name[:64]!r}")
        if is_url(place):
            return await self._have(f"url {private} {place}", lambda: self._fetched(place, private), FRESH_SECONDS)
        path = self._path(place)
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            if self._stand_in:
                return Sound(tone(440, 1.0), f"a tone stands in for the prompt {name[:64]}: there is no file {place}")
            raise SoundError(f"the prompt {name[:64]} has no file {place}") from None
        return await self._have(f"file {changed} {path}", lambda: self._read(path))

    async def spoken(self, text: str, language: str) -> Sound:
        """A text. Raises `SoundError`."""
        return await self._have(f"text {language} {text}", lambda: self._say(text, language))

    async def close(self) -> None:
        """Stop what is being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _path(self, place: str) -> Path:
        """A file by its path; a relative one lies in the data folder, in `prompts` there or beside it."""
        if Path(place).is_absolute():
            return Path(place)
        for folder in (self._folder / FOLDER, self._folder):
            path = (folder / place).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise SoundError(f"the file {place} is outside of the data folder")
            if path.is_file():
                return path
        return self._folder / FOLDER / place

    async def _have(self, name: str, make: Callable[[], Awaitable[Sound]], fresh: float = 0.0) -> Sound:
        """A sound that is kept, being made, or is made now: once for all who ask."""
        key = hashlib.sha256(name.encode()).hexdigest()
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(key)
        if kept is not None and (not fresh or now - kept[0] < fresh):
            self._kept.move_to_end(key)
            return kept[1]
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.ensure_future(self._make(key, make))
            making.add_done_callback(_seen)
        return await asyncio.shield(making)

    async def _make(self, key: str, make: Callable[[], Awaitable[Sound]]) -> Sound:
        try:
            sound = await make()
        finally:
            self._making.pop(key, None)
        self._keep(key, sound)
        return sound

    def _keep(self, key: str, sound: Sound) -> None:
        self._drop(key)
        self._kept[key] = (asyncio.get_running_loop().time(), sound)
        self._size += len(sound.samples)
        while self._size > KEPT_BYTES and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        if (old := self._kept.pop(key, None)) is not None:
            self._size -= len(old[1].samples)

    async def _read(self, path: Path) -> Sound:
        return await self._decode(await asyncio.to_thread(_bytes_of, path), path.name)

    async def _fetched(self, url: str, private: bool) -> Sound:
        try:
            answer = await self._http.request(
                "GET", url, {"accept": "audio/wav, audio/x-wav, audio/*"}, timeout=FETCH_SECONDS,
                allow_private=private,
            )  # fmt: skip
        except HttpError as error:
            passing = error.kind in ("connect", "timeout", "closed", "resolve")
            raise SoundError(f"the prompt's URL gives nothing: {error.detail}", passing=passing) from None
        if answer.status != 200:
            raise SoundError(f"the prompt's URL answers HTTP {answer.status}", passing=answer.status >= 500)
        kind = answer.headers.get("content-type", "audio/").partition(";")[0].strip().lower()
        if not kind.startswith(TYPES):
            raise SoundError(f"the prompt's URL gives {kind[:64]}, which is no audio")
        if answer.cut:
            raise SoundError(f"the prompt's URL gives more than {FILE_MOST} bytes")
        return await self._decode(answer.body, "the prompt's URL")

    async def _decode(self, data: bytes, name: str) -> Sound:
        try:
            return Sound(await asyncio.to_thread(decode_wav, data))
        except AudioError as error:
            raise SoundError(f"{name} cannot be played: {error}") from None

    async def _say(self, text: str, language: str) -> Sound:
        try:
            return await self._decode(await self._speech.render(text, language), "the spoken text")
        except NoSpeech as error:
            if not self._stand_in:
                raise SoundError(str(error)) from None
            note = f"tones stand in for the text: {error}"
            return Sound(tone(300, min(20.0, max(0.5, len(text) / STAND_IN_PACE))) + silence(0.1), note)
        except SpeechFailed as error:
            raise SoundError(str(error)) from None


def _seen(making: asyncio.Task[Sound]) -> None:
    """Whoever waits for it is told of its error; perhaps nobody does any more."""
    if not making.cancelled():
        making.exception()


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MOST + 1)
    except OSError as error:
        raise SoundError(f"the file {path.name} cannot be read ({error.strerror})") from None
    if len(data) > FILE_MOST:
        raise SoundError(f"the file {path.name} has more than {FILE_MOST} bytes")
    return data
