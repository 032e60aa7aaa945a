"""Short links: which ones a text gets, and the code that tells whose click it was. Pure.

A short URL is `<base>/l/<code>`; the code holds the request, the destination's ordinal, which link of the message it
is, and a MAC, so that nothing is stored per destination and no code can be guessed. A text that many share carries
stand-ins of the same length, which each destination's own codes replace.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from heliograph.model.channel import BodyLink
from heliograph.model.message import Content, Shorten
from heliograph.model.workspace import Link

PATH = "/l/"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
REQUEST, ORDINAL, INDEX, MAC = 11, 2, 1, 4  # characters of a code, in this order
LENGTH = REQUEST + ORDINAL + INDEX + MAC
MOST = len(DIGITS)  # links of one message
SHORTENED_MINUTES = 180 * 24 * 60  # messaging.md 3

_VALUE = {digit: value for value, digit in enumerate(DIGITS)}
_CODE = re.compile(f"[0-9A-Za-z]{{{LENGTH}}}", re.ASCII)
_SMART = re.compile(r"\{\{\s*link_([A-Za-z0-9._-]{1,64})\s*\}\}", re.ASCII)
_URL = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]}]", re.IGNORECASE)


class Place(NamedTuple):
    """What a code names: the link of that index in a message to one destination."""

    request: int
    ordinal: int
    number: int


class NoLink(Exception):
    """A text asks for a link that cannot be made: what it asked for, and the object that decided."""

    def __init__(self, name: str, decided_by: str, *, setup: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.decided_by = decided_by
        self.setup = setup  # a fault of the configuration, not of the text


def asks_for_links(content: Content) -> bool:
    """Whether a content may have links: a template's text may."""
    return bool(content.shorten or content.template or any("{{" in str(value) for value in content.fields.values()))


class Codes:
    """Makes and reads codes with the installation's key."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"heliograph short links", "sha256")

    def code(self, place: Place) -> str:
        """The code of one link to one destination."""
        head = _digits(place.request, REQUEST) + _digits(place.ordinal, ORDINAL) + _digits(place.number, INDEX)
        return head + self._mac(head)

    def read(self, code: str) -> Place | None:
        """What a code names; None for one that is not ours."""
        if not _CODE.fullmatch(code):
            return None
        head, mac = code[:-MAC], code[-MAC:]
        if not hmac.compare_digest(mac, self._mac(head)):
            return None
        return Place(_number(head[:REQUEST]), _number(head[REQUEST:-INDEX]), _number(head[-INDEX:]))

    def personal(self, text: str, links: tuple[BodyLink, ...], request: int, ordinal: int) -> str:
        """The text with a destination's own codes where the stand-ins are."""
        for index, link in enumerate(links):
            text = text.replace(link.standin, link.base + PATH + self.code(Place(request, ordinal, index)))
        return text

    def _mac(self, head: str) -> str:
        digest = hmac.new(self._key, head.encode(), hashlib.sha256).digest()
        return _digits(int.from_bytes(digest[:4], "big") % MOST**MAC, MAC)


def _digits(number: int, width: int) -> str:
    found = ""
    for _ in range(width):
        number, rest = divmod(number, MOST)
        found = DIGITS[rest] + found
    return found


def _number(text: str) -> int:
    number = 0
    for digit in text:
        number = number * MOST + _VALUE[digit]
    return number


class Linker:
    """Puts the stand-ins of a message's links into its text. `links` are the tenant's by id, `domains` those that
    lead here, `base` is where all others do; `path` is the tenant's place in the workspace."""

    def __init__(
        self, content: Content, links: Mapping[str, Link], domains: tuple[str, ...], base: str, path: str
    ) -> None:
        self._content = content
        self._links = links
        self._domains = domains
        self._base = base
        self._path = path
        self._found: dict[tuple[str, str], BodyLink] = {}

    def link(self, text: str) -> tuple[str, tuple[BodyLink, ...]]:
        """The text with stand-ins, and the links they are for. Raises `NoLink`."""
        if self._content.shorten is not None:
            text = _URL.sub(self._shortened(self._content.shorten), text)
        return _SMART.sub(self._smart, text), tuple(self._found.values())

    def _smart(self, match: re.Match[str]) -> str:
        name = match[1]
        link, path = self._links.get(name), f"{self._path}.links[{name}]"
        if link is None:
            raise NoLink(f"link_{name}", f"{path} is not declared")
        if link.status != "active":
            raise NoLink(f"link_{name}", f"{path}.status is {link.status}")
        minutes = self._content.smartlinks.get(name) or link.validity
        base = self._base_of(link.domain)
        made = BodyLink("", base, name, link.url, link.ios_url, link.android_url, link.expired_url, minutes)
        return self._standin(("smart", name), made)

    def _shortened(self, options: Shorten) -> Callable[[re.Match[str]], str]:
        if options.domain not in self._domains and not options.fallback:
            raise NoLink(options.domain, f"{self._path}.link_domains", setup=True)
        base = self._base_of(options.domain if options.domain in self._domains else "")

        def make(match: re.Match[str]) -> str:
            return self._standin(("url", match[0]), BodyLink("", base, "", match[0], "", "", "", SHORTENED_MINUTES))

        return make

    def _base_of(self, domain: str) -> str:
        return f"https://{domain}" if domain else self._base

    def _standin(self, identity: tuple[str, str], link: BodyLink) -> str:
        found = self._found.get(identity)
        if found is None:
            if len(self._found) == MOST:
                raise NoLink(link.url, f"a message has {MOST} links at most")
            standin = link.base + PATH + DIGITS[len(self._found)].rjust(LENGTH, "0")
            found = self._found[identity] = msgspec.structs.replace(link, standin=standin)
        return found.standin
