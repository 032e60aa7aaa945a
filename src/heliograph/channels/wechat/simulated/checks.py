"""What the simulator of WeChat demands of a message and of an upload: its own numbers for what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from heliograph.channels.wechat.simulated.doors import Refused

TEXT_BYTES = 2_048
ARTICLES = 8
LONGEST: tuple[tuple[str, int, int], ...] = (
    ("title", 128, 45003), ("description", 512, 45004), ("url", 1_024, 45005), ("picurl", 1_024, 45006),
)  # fmt: skip
"""Members of an article: bytes at most, and the fault."""

SIZES = {
    "image": (10_485_760, 40009),
    "voice": (2_097_152, 40010),
    "video": (10_485_760, 40011),
    "thumb": (65_536, 40012),
}
BEGINNINGS = {
    "image": (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM"),
    "voice": (b"#!AMR", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    "video": (b"",),
    "thumb": (b"\xff\xd8\xff",),
}
_ESCAPE = re.compile(rb"\\u(?!00[01])[0-9a-fA-F]{4}")
_FILE = re.compile(rb'form-data;[^\r\n]*name="media"[^\r\n]*filename="[^"\r\n]+"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n')

Knows = Callable[[str], bool]


def object_of(body: bytes) -> dict[str, Any]:
    """A call's JSON, which must be raw UTF-8; raises `Refused`."""
    if not body:
        raise Refused(44002)
    if _ESCAPE.search(body):
        raise Refused(40033)
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused(47001) from None
    if not isinstance(found, dict):
        raise Refused(47001)
    if not found.get("touser"):
        raise Refused(41009)
    return found


def check_custom(found: Mapping[str, Any], knows: Knows) -> None:
    """A customer-service message; raises `Refused`. `knows` says whether an id is of an upload."""
    kind = found.get("msgtype")
    inside = found.get(kind) if isinstance(kind, str) else None
    if kind not in _CHECKS or not isinstance(inside, dict):
        raise Refused(40008)
    _CHECKS[kind](inside, knows)


def check_template(found: Mapping[str, Any]) -> None:
    """A template message; raises `Refused`."""
    if not str(found.get("template_id") or "").strip() or str(found["template_id"]).startswith("unknown"):
        raise Refused(40037)
    data = found.get("data")
    if not isinstance(data, dict) or not all(isinstance(one, dict) and "value" in one for one in data.values()):
        raise Refused(47003)


def file_of(kind: str, body: bytes) -> bytes:
    """The file of an upload; raises `Refused`."""
    if kind not in SIZES:
        raise Refused(40004)
    match = _FILE.search(body)
    end = body.rfind(b"\r\n--")
    file = body[match.end() : end] if match and end > match.end() else b""
    if not file:
        raise Refused(41005)
    most, errcode = SIZES[kind]
    if len(file) > most:
        raise Refused(errcode)
    if not file.startswith(BEGINNINGS[kind]):
        raise Refused(40137 if kind == "image" else 40005)
    return file


def _text(inside: Mapping[str, Any], knows: Knows) -> None:
    text = str(inside.get("content") or "")
    if not text.strip():
        raise Refused(44004)
    if len(text.encode()) > TEXT_BYTES:
        raise Refused(45002)


def _file(*members: str) -> Callable[[Mapping[str, Any], Knows], None]:
    def check(inside: Mapping[str, Any], knows: Knows) -> None:
        for member in members:
            if not inside.get(member):
                raise Refused(41006)
            if not knows(str(inside[member])):
                raise Refused(40007)
        _lengths(inside)

    return check


def _news(inside: Mapping[str, Any], knows: Knows) -> None:
    articles = inside.get("articles")
    if not articles:
        raise Refused(44003)
    if len(articles) > ARTICLES:
        raise Refused(45008)
    for article in articles:
        _lengths(article)


def _lengths(members: Mapping[str, Any]) -> None:
    for name, most, errcode in LONGEST:
        if len(str(members.get(name) or "").encode()) > most:
            raise Refused(errcode)


def _program(inside: Mapping[str, Any], knows: Knows) -> None:
    if not inside.get("appid") or not inside.get("pagepath"):
        raise Refused(40035)
    _file("thumb_media_id")(inside, knows)


def _article(inside: Mapping[str, Any], knows: Knows) -> None:
    if not inside.get("article_id"):
        raise Refused(40035)


_CHECKS: dict[str, Callable[[Mapping[str, Any], Knows], None]] = {
    "text": _text,
    "image": _file("media_id"),
    "voice": _file("media_id"),
    "video": _file("media_id"),
    "music": _file("thumb_media_id"),
    "news": _news,
    "mpnews": _file("media_id"),
    "mpnewsarticle": _article,
    "miniprogrampage": _program,
}
