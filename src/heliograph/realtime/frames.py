"""What goes over a connection of an app: JSON objects whose member `t` names their kind. Pure.

From the app: hello, ack, read, fail, send, typing, ping. From us: welcome, message, sent, refused, own, typing, seen,
pong, bye.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgspec

PROTOCOL = "heliograph.v1"
"""The WebSocket subprotocol."""

FRAME_BYTES = 16_384
TEXT_BYTES = 4_096
NAME_CHARACTERS = 64  # of devices, references, reasons
THREAD_CHARACTERS = 128
SEQS = 256


class Close(IntEnum):
    """Why a connection ends (4000 to 4999 are ours to give a meaning: RFC 6455, 7.4.2)."""

    BAD_FRAME = 4400
    BAD_TOKEN = 4401
    NO_APP = 4404
    SILENT = 4408
    REPLACED = 4409
    TOO_SLOW = 4413
    TOO_FAST = 4429
    AWAY = 1012
    TRY_LATER = 1013


CLOSED = {
    Close.BAD_FRAME: "a frame that cannot be read",
    Close.BAD_TOKEN: "the token is not valid, or not any more",
    Close.NO_APP: "no such app, or real time is off",
    Close.SILENT: "no hello came in time",
    Close.REPLACED: "the same device connected again",
    Close.TOO_SLOW: "what was sent is not read",
    Close.TOO_FAST: "too many frames",
    Close.AWAY: "the server restarts; connect again",
    Close.TRY_LATER: "the server cannot take this now; connect again later",
}


class _Frame(msgspec.Struct, frozen=True, tag_field="t", gc=False):
    """What an app says."""


class Hello(_Frame, frozen=True, tag="hello"):
    """The first frame: the token, which device this is, and the number of the last message it has had if it keeps
    that itself."""

    token: str
    device: str = ""
    after: int | None = None


class Ack(_Frame, frozen=True, tag="ack"):
    """The device has every message up to a number."""

    seq: int


class Read(_Frame, frozen=True, tag="read"):
    """The user has seen these messages."""

    seqs: list[int]


class Fail(_Frame, frozen=True, tag="fail"):
    """The app cannot show a message; the reasons stand in the channel's table."""

    seq: int
    reason: str = ""


class Send(_Frame, frozen=True, tag="send"):
    """The user writes. `ref` is the app's own name of it: what is sent again under one name is taken once."""

    ref: str
    text: str = ""
    thread: str = ""
    attachment: dict[str, Any] | None = None
    extras: dict[str, Any] | None = None


class Typing(_Frame, frozen=True, tag="typing"):
    """The user is typing, or has stopped."""

    thread: str = ""
    on: bool = True


class Bye(_Frame, frozen=True, tag="bye"):
    """The device goes: the will of one that is connected by MQTT."""


class Ping(_Frame, frozen=True, tag="ping"):
    """Are you there?"""


Frame = Hello | Ack | Read | Fail | Send | Typing | Bye | Ping
_decoder = msgspec.json.Decoder(Frame)
_encode = msgspec.json.Encoder().encode


class BadFrame(Exception):
    """What came is no frame; the text says why, without what came."""


def read_frame(text: str | bytes | None) -> Frame:
    """A frame of an app. Raises `BadFrame`."""
    if not text or len(text) > FRAME_BYTES:
        raise BadFrame("empty, or too long")
    try:
        frame: Frame = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame("no frame of this protocol") from error
    if isinstance(frame, Send):
        _check_send(frame)
    elif isinstance(frame, Read) and not 0 < len(frame.seqs) <= SEQS:
        raise BadFrame(f"`seqs` has not 1 to {SEQS} numbers")
    elif isinstance(frame, Hello) and not _is_name(frame.device, empty=True):
        raise BadFrame("`device` is no name")
    elif isinstance(frame, Fail) and not _is_name(frame.reason, empty=True):
        raise BadFrame("`reason` is no word")
    elif isinstance(frame, Typing) and len(frame.thread) > THREAD_CHARACTERS:
        raise BadFrame("`thread` is too long")
    return frame


def _check_send(frame: Send) -> None:
    if not _is_name(frame.ref):
        raise BadFrame("`ref` is no name")
    if not frame.text and not frame.attachment:
        raise BadFrame("neither `text` nor `attachment`")
    if len(frame.text.encode(errors="surrogatepass")) > TEXT_BYTES or len(frame.thread) > THREAD_CHARACTERS:
        raise BadFrame("`text` or `thread` is too long")


def _is_name(text: str, *, empty: bool = False) -> bool:
    return (bool(text) or empty) and len(text) <= NAME_CHARACTERS and text.isprintable()


def message(seq: int, body: str) -> str:
    """A kept message on its way to a device: `body` is the JSON object that was kept."""
    return f'{{"t":"message","seq":{seq},{body[1:]}'


def said(kind: str, **members: Any) -> str:
    """Any other frame of ours."""
    return _encode({"t": kind, **members}).decode()
