"""Session descriptions (RFC 4566) of one audio stream: our offer, and what the other side makes of it (RFC 3264)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

STATIC = {0: "PCMU", 8: "PCMA"}
"""The payload types of RFC 3551 that we have, by number."""
EVENTS = "telephone-event"
EVENTS_TYPE = 101
LIMIT = 16 * 1024
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
RATE = 8000


class SdpError(Exception):
    """A description that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Media:
    """One side of the stream: where it wants to receive, which payload types (number to name, by preference),
    that of telephone events (None: it takes none), and its direction as it sees it."""

    host: str
    port: int
    codecs: tuple[tuple[int, str], ...]
    events: int | None = None
    direction: str = "sendrecv"

    @property
    def listens(self) -> bool:
        """Whether it wants to hear us; on hold it does not."""
        return self.direction in ("sendrecv", "recvonly") and self.port > 0


def written(media: Media, session: int, version: int) -> bytes:
    """A description: `session` is one number for all of a call's, `version` grows with each (RFC 4566 5.2)."""
    family = "IP6" if ":" in media.host else "IP4"
    events = () if media.events is None else (media.events,)
    types = " ".join(str(number) for number in (*(number for number, _ in media.codecs), *events))
    lines = [
        "v=0", f"o=heliograph {session} {version} IN {family} {media.host}", "s=-", f"c=IN {family} {media.host}",
        "t=0 0", f"m=audio {media.port} RTP/AVP {types}",
        *(f"a=rtpmap:{number} {name}/{RATE}" for number, name in media.codecs),
    ]  # fmt: skip
    if media.events is not None:
        lines += [f"a=rtpmap:{media.events} {EVENTS}/{RATE}", f"a=fmtp:{media.events} 0-15"]
    return "\r\n".join([*lines, "a=ptime:20", f"a={media.direction}", ""]).encode()


def parse(body: bytes) -> Media:
    """The first audio stream of a description. Raises SdpError."""
    if len(body) > LIMIT:
        raise SdpError("the session description is too long")
    session: list[tuple[str, str]] = []
    stream: list[tuple[str, str]] = []
    audio, found = "", session
    for line in body.decode("utf-8", "replace").splitlines():
        kind, equals, value = line.partition("=")
        if not equals:
            continue
        if kind == "m":
            if audio:
                break
            audio = value if value.startswith("audio ") else ""
            found = stream if audio else []
        else:
            found.append((kind, value.strip()))
    if not audio:
        raise SdpError("the session description has no audio")
    return _media(audio, session, stream)


def _media(audio: str, session: list[tuple[str, str]], stream: list[tuple[str, str]]) -> Media:
    parts = audio.split()
    number = parts[1].partition("/")[0] if len(parts) > 3 else ""
    if not (number.isascii() and number.isdigit() and int(number) <= 65_535):
        raise SdpError("the line of the audio stream cannot be read")
    if parts[2] != "RTP/AVP":
        raise SdpError(f"the audio stream is {parts[2][:20]}, not RTP/AVP")
    host = _host(stream) or _host(session)
    if not host:
        raise SdpError("the session description has no address")
    names = _names(stream)
    codecs, events = [], None
    for kind in (int(one) for one in parts[3:] if one.isascii() and one.isdigit() and int(one) < 128):
        name = names.get(kind) or STATIC.get(kind, "")
        if name == EVENTS:
            events = kind if events is None else events
        elif name in STATIC.values():
            codecs.append((kind, name))
    direction = next((name for name, _ in _attributes(stream) if name in DIRECTIONS), "")
    direction = direction or next((name for name, _ in _attributes(session) if name in DIRECTIONS), "sendrecv")
    if host in ("0.0.0.0", "::"):  # noqa: S104 - RFC 3264 8.4: hold as it was said before
        direction = "inactive"
    return Media(host, int(number), tuple(codecs), events, direction)


def _host(lines: list[tuple[str, str]]) -> str:
    value = next((value for kind, value in lines if kind == "c"), "")
    parts = value.split()
    if len(parts) != 3 or parts[0] != "IN":
        return ""
    try:
        return str(ipaddress.ip_address(parts[2].partition("/")[0]))
    except ValueError:
        return ""  # a name: nothing is looked up for media


def _attributes(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = (value.partition(":") for kind, value in lines if kind == "a")
    return [(name, value) for name, _, value in pairs]


def _names(stream: list[tuple[str, str]]) -> dict[int, str]:
    """The names of payload types, of those at 8000 Hz."""
    names = {}
    for name, value in _attributes(stream):
        number, _, codec = value.partition(" ")
        encoding, _, rate = codec.strip().partition("/")
        if name == "rtpmap" and number.isascii() and number.isdigit() and rate.partition("/")[0] == str(RATE):
            known = encoding.upper()
            names[int(number)] = EVENTS if known == EVENTS.upper() else known
    return names


def answer_to(offer: Media, ours: Media) -> Media:
    """Our answer to an offer: the codecs that both have, in the order of the offer, with its numbers; the direction
    that fits (RFC 3264 6.1). Raises SdpError when there is none."""
    wanted = {name for _, name in ours.codecs}
    codecs = tuple((number, name) for number, name in offer.codecs if name in wanted)
    if not codecs:
        raise SdpError("there is no codec that both sides have")
    facing = {"sendonly": "recvonly", "recvonly": "sendonly"}.get(offer.direction, offer.direction)
    events = offer.events if ours.events is not None else None
    return Media(ours.host, ours.port, codecs[:1], events, facing)


def chosen(theirs: Media, offered: Media) -> tuple[int, str]:
    """The payload type to send, from their answer to our offer. Raises SdpError."""
    names = {name for _, name in offered.codecs}
    for number, name in theirs.codecs:
        if name in names:
            return number, name
    raise SdpError("there is no codec that both sides have")
