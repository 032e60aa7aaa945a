"""The socket under a session: at once where the peer reads, patient where it does not, but not for ever."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from heliograph.api.inapp import socket as sockets
from heliograph.api.inapp.protocol import AppSocket
from heliograph.api.inapp.socket import Connection
from heliograph.realtime.frames import Close
from heliograph.realtime.session import Session


class Wire:
    """A peer that reads so many frames."""

    def __init__(self, reads: int) -> None:
        self.reads = reads
        self.written: list[str] = []
        self.aborted = False

    def write(self, text: str) -> bool:
        """See `AppSocket`."""
        if len(self.written) >= self.reads:
            return False
        self.written.append(text)
        return True

    def abort(self) -> None:
        """See `AppSocket`."""
        self.aborted = True


def connected(wire: Wire, send: Any) -> Connection:
    """A connection with a session."""
    made = Connection(send, cast(AppSocket, wire))
    made.session = Session(("lane", "ann"), "phone", 0, made)
    return made


async def test_frames_go_at_once_to_who_reads() -> None:
    wire = Wire(9)
    made = connected(wire, None)
    assert made.session is not None
    for text in ("a", "b"):
        made.session.say(text)

    assert (wire.written, list(made.session.out)) == (["a", "b"], [])


async def test_what_must_wait_goes_in_order() -> None:
    sent: list[str] = []

    async def send(event: Any) -> None:
        await asyncio.sleep(0)
        sent.append(event["text"])

    wire = Wire(1)
    made = connected(wire, send)
    assert made.session is not None
    for text in ("a", "b", "c"):
        made.session.say(text)
    await asyncio.sleep(0.02)

    assert (wire.written, sent) == (["a"], ["b", "c"])


async def test_who_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(event: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(sockets, "SLOW_SECONDS", 0.01)
    wire = Wire(0)
    made = connected(wire, send)
    assert made.session is not None
    made.session.say("a")
    await asyncio.sleep(0.05)

    assert (made.why, wire.aborted, made.session.closed) == (Close.TOO_SLOW, True, True)


async def test_a_peer_that_is_gone_is_left_to_whoever_reads() -> None:
    async def send(event: Any) -> None:
        raise OSError

    made = connected(Wire(0), send)
    assert made.session is not None
    made.session.say("a")
    await asyncio.sleep(0.01)

    assert (made.why, list(made.session.out)) == (None, [])
