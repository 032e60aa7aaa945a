"""Texts spoken: one small interface, and espeak-ng behind it as a separate program."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import Protocol

PROGRAMS = ("espeak-ng", "espeak")
SECONDS = 15.0
OUTPUT_MOST = 64 * 1024 * 1024
AT_ONCE = 2
PACE = "160"  # words a minute


class NoSpeech(Exception):
    """No program is there that speaks; the text says which is looked for."""


class SpeechFailed(Exception):
    """The program did not give what was asked of it; the text says why."""


class Speech(Protocol):
    """Something that speaks."""

    async def render(self, text: str, language: str) -> bytes:
        """A text as a WAV file. Raises `NoSpeech` or `SpeechFailed`."""


class Espeak:
    """espeak-ng, started for each text; ended when it takes too long."""

    def __init__(self, seconds: float = SECONDS, programs: tuple[str, ...] = PROGRAMS) -> None:
        self._seconds = seconds
        self._programs = programs
        self._turn = asyncio.Semaphore(AT_ONCE)

    def program(self) -> str:
        """Where it is; raises `NoSpeech`."""
        for name in self._programs:
            if found := shutil.which(name):
                return found
        raise NoSpeech(f"no program that speaks is installed; {self._programs[0]} is looked for")

    async def render(self, text: str, language: str) -> bytes:
        """See `Speech`."""
        program = self.program()
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                program, "--stdout", "--stdin", "-b", "1", "-s", PACE, "-v", language,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            try:
                async with asyncio.timeout(self._seconds):
                    wav, said = await process.communicate(text.encode())
            except TimeoutError:
                raise SpeechFailed(f"speaking took longer than {self._seconds:g} s") from None
            finally:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
        if process.returncode or not wav or len(wav) > OUTPUT_MOST:
            reason = said.decode("utf-8", "replace").strip().partition("\n")[0][:200]
            raise SpeechFailed(f"{program.rpartition('/')[2]} failed: {reason or process.returncode}")
        return wav
