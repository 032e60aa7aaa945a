"""SIP messages as frozen values, read from bytes under limits and written back. Source: RFC 3261, 7 and 25."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Header = tuple[str, str]

VERSION = "SIP/2.0"
MESSAGE_LIMIT = 64 * 1024
HEAD_LIMIT = 32 * 1024
HEADERS_MOST = 256

_MANDATORY = ("via", "from", "to", "call-id", "cseq")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_UNSAFE = re.compile(r"[\r\n\0]")
_CSEQ = re.compile(r"(\d{1,10})\s+([A-Za-z0-9.!%*_+`'~-]+)")

# RFC 3261 7.3.3 and the registry of SIP parameters
COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To",
    "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
LISTS = frozenset({"via", "route", "record-route", "contact"})
"""Headers whose values may share a line; they are taken apart when they are read, so that each is an entry."""


class SipError(Exception):
    """Bytes that are no SIP message (or what we were asked to write is none); the text says why."""


class CSeq(NamedTuple):
    """Which request of a dialog: its number and method."""

    number: int
    method: str


class Request(NamedTuple):
    """A request. `headers` keep their order; names are compared without case."""

    method: str
    uri: str
    headers: tuple[Header, ...]
    body: bytes = b""

    def first(self, name: str) -> str:
        """The first value of a header, "" when it is absent."""
        return first(self.headers, name)

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return every(self.headers, name)

    @property
    def cseq(self) -> CSeq:
        """Its CSeq."""
        return cseq_of(self.headers)

    @property
    def start(self) -> str:
        """The first line."""
        return f"{self.method} {self.uri} {VERSION}"


class Response(NamedTuple):
    """A response. `headers` as in `Request`."""

    code: int
    reason: str
    headers: tuple[Header, ...]
    body: bytes = b""

    def first(self, name: str) -> str:
        """The first value of a header, "" when it is absent."""
        return first(self.headers, name)

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return every(self.headers, name)

    @property
    def cseq(self) -> CSeq:
        """Its CSeq."""
        return cseq_of(self.headers)

    @property
    def start(self) -> str:
        """The first line."""
        return f"{VERSION} {self.code} {self.reason}"


Message = Request | Response


def first(headers: Iterable[Header], name: str) -> str:
    """The first value of a header, "" when it is absent."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), "")


def every(headers: Iterable[Header], name: str) -> list[str]:
    """Every value of a header, in order."""
    wanted = name.lower()
    return [value for key, value in headers if key.lower() == wanted]


def cseq_of(headers: Iterable[Header]) -> CSeq:
    """The CSeq; raises SipError when it cannot be read."""
    found = _CSEQ.fullmatch(first(headers, "CSeq"))
    if found is None or int(found[1]) >= 1 << 31:  # RFC 3261 8.1.1.5
        raise SipError("the CSeq cannot be read")
    return CSeq(int(found[1]), found[2])


def replaced(headers: Iterable[Header], name: str, value: str) -> tuple[Header, ...]:
    """The headers with one of that name, in the place of the first there was, or behind them."""
    wanted, done, made = name.lower(), False, []
    for key, old in headers:
        if key.lower() != wanted:
            made.append((key, old))
        elif not done:
            made.append((name, value))
            done = True
    return tuple(made) if done else (*made, (name, value))


def encode(message: Message) -> bytes:
    """A message as bytes, with its Content-Length. Raises SipError where a value would break the framing."""
    lines = [message.start]
    for name, value in message.headers:
        if name.lower() == "content-length":
            continue
        if not _TOKEN.fullmatch(name):
            raise SipError("a header's name is no token")
        lines.append(f"{name}: {value}")
    if any(_UNSAFE.search(line) for line in lines):
        raise SipError("a line break in a header")
    lines += [f"Content-Length: {len(message.body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + message.body


def decode(data: bytes) -> Message:
    """One message of a datagram, or framed by `Framer`. Raises SipError."""
    if len(data) > MESSAGE_LIMIT:
        raise SipError("the message is too long")
    head, found, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not found:
        raise SipError("the head has no end")
    if len(head) > HEAD_LIMIT:
        raise SipError("the head is too long")
    start, *lines = _unfolded(head.decode("utf-8", "surrogateescape"))
    headers = tuple(_headers(lines))
    _check(headers)
    return _made(start, headers, _body(headers, body))


def _unfolded(head: str) -> Iterator[str]:
    """RFC 3261 7.3.1: a line that begins with a blank goes on with the one before it."""
    line = ""
    for number, text in enumerate(head.split("\r\n")):
        if number and text[:1] in (" ", "\t"):
            line += " " + text.strip()
            continue
        if number:
            yield line
        line = text
    yield line


def _headers(lines: list[str]) -> Iterator[Header]:
    if len(lines) > HEADERS_MOST:
        raise SipError("too many headers")
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.rstrip(" \t"), value.strip()
        if not colon or not _TOKEN.fullmatch(name):
            raise SipError("a header without a name")
        if _UNSAFE.search(value):
            raise SipError("a line break in a header")
        name = COMPACT.get(name.lower(), name)
        if name.lower() in LISTS:
            yield from ((name, item) for item in split(value) if item)
        else:
            yield name, value


def _check(headers: tuple[Header, ...]) -> None:
    names = [name.lower() for name, _ in headers]
    for name in _MANDATORY:
        if name not in names:
            raise SipError(f"there is no {name}")
    for name in _MANDATORY[1:]:
        if names.count(name) > 1:
            raise SipError(f"{name} stands twice")
    cseq_of(headers)


def _made(start: str, headers: tuple[Header, ...], body: bytes) -> Message:
    left, _, rest = start.partition(" ")
    middle, _, right = rest.partition(" ")
    if left.upper() == VERSION:
        if not (middle.isascii() and middle.isdigit() and 100 <= int(middle) <= 699 and len(middle) == 3):
            raise SipError("the status code is none")
        if _UNSAFE.search(right):
            raise SipError("a line break in the status line")
        return Response(int(middle), right.strip(), headers, body)
    if right.strip().upper() != VERSION or not _TOKEN.fullmatch(left) or not middle or _UNSAFE.search(middle):
        raise SipError("neither a request nor a response")
    if cseq_of(headers).method != left:
        raise SipError("the CSeq names another method")
    return Request(left, middle, headers, body)


def _body(headers: tuple[Header, ...], rest: bytes) -> bytes:
    declared = first(headers, "Content-Length")
    if not declared:
        return rest  # RFC 3261 18.3: to the end of the datagram
    length = length_of(declared)
    if length > len(rest):
        raise SipError("the body is shorter than its Content-Length")
    return rest[:length]


def length_of(declared: str) -> int:
    """A Content-Length; raises SipError."""
    if not (declared.isascii() and declared.isdigit() and len(declared) <= 9):
        raise SipError("the Content-Length is no number")
    return int(declared)


def split(value: str, at: str = ",") -> list[str]:
    """A value taken apart at a separator, but not within quotes or angle brackets."""
    if at not in value:
        return [value.strip()]
    parts, begin, quoted, inside, skip = [], 0, False, False, False
    for index, character in enumerate(value):
        if skip:
            skip = False
        elif quoted:
            quoted, skip = character != '"', character == "\\"
        elif character == '"':
            quoted = True
        elif character in "<>":
            inside = character == "<"
        elif character == at and not inside:
            parts.append(value[begin:index].strip())
            begin = index + 1
    return [*parts, value[begin:].strip()]


class Framer:
    """Cuts a stream into messages (RFC 3261 18.3): bytes in, whole messages out. `pings` counts the pairs of line
    breaks that ask for a sign of life (RFC 5626 4.4.1) and were not taken yet."""

    def __init__(self) -> None:
        self._held = b""
        self.pings = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole by now. Raises SipError when the stream cannot be followed any more."""
        self._held += data
        whole: list[bytes] = []
        while self._held:
            if self._held[:2] == b"\r\n":
                if self._held[:4] == b"\r\n\r\n":
                    self.pings += 1
                    self._held = self._held[4:]
                elif len(self._held) >= 3:
                    self._held = self._held[2:]
                else:
                    break
                continue
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                if len(self._held) > HEAD_LIMIT:
                    raise SipError("the head is too long")
                break
            size = end + 4 + self._length(self._held[:end])
            if size > MESSAGE_LIMIT:
                raise SipError("the message is too long")
            if len(self._held) < size:
                break
            whole.append(self._held[:size])
            self._held = self._held[size:]
        return whole

    @staticmethod
    def _length(head: bytes) -> int:
        found = re.search(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r]*)", head, re.IGNORECASE)
        if found is None:
            raise SipError("a message on a stream without Content-Length")
        return length_of(found[1].strip().decode("latin-1"))
