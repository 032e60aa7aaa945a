"""A person who is to be forgotten: by what they are found, and what of them is taken away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from heliograph.model.addresses import normalise_msisdn
from heliograph.model.message import Content, Message, Request

ERASED = "erased"
"""What stands where an address stood."""

ANY = ""
"""The kind of an address of which nobody said what it is."""

CUSTOMER = "customerid"
_NUMBER_KINDS = frozenset({"msisdn", "waid", ANY})


class Traces(msgspec.Struct, frozen=True):
    """By what a person is found: `numbers` in digits, other `names` by their kind."""

    numbers: frozenset[str]
    names: frozenset[tuple[str, str]]

    def has(self, kind: str, value: str) -> bool:
        """Whether an address as a caller wrote it, or as a far end tells it, is the person's."""
        if kind in _NUMBER_KINDS and normalise_msisdn(value) in self.numbers:
            return True
        if kind != ANY:
            return (kind, value) in self.names or (ANY, value) in self.names
        return any(value == name for known, name in self.names if known != CUSTOMER)

    def within(self, value: Any) -> bool:
        """Whether a text or number anywhere in a JSON value is the person's, as a whole."""
        if isinstance(value, dict):
            return any(map(self.within, value.values()))
        if isinstance(value, list):
            return any(map(self.within, value))
        if isinstance(value, bool) or not isinstance(value, str | int):
            return False
        text = str(value).strip()
        return normalise_msisdn(text) in self.numbers or any(text == name for _, name in self.names)

    def endings(self) -> list[str]:
        """Every address that is the person's ends in one of these, once blanks and signs are taken out of it."""
        return sorted({*self.numbers, *(name.translate(_SIGNS) for _, name in self.names)})


_SIGNS = str.maketrans("", "", " -()\t\u00a0+")


class Trace(msgspec.Struct, frozen=True, array_like=True):
    """One transaction: what its address was, and where it stands."""

    request: int
    ordinal: int
    element: int
    kind: str
    destination: str
    open: int


class Slice(msgspec.Struct, frozen=True, array_like=True):
    """Transactions of some requests that may be the person's; `last` is the last of these requests, 0 for none."""

    last: int
    rows: list[Trace]


class Erasing(msgspec.Struct, frozen=True):
    """What is taken away in one commit: addresses and stories of transactions, what is `emptied` of requests (their
    messages as JSON), inbound messages and receipts by id."""

    rows: list[tuple[int, int]] = []
    emptied: list[tuple[int, str]] = []
    inbound: list[int] = []
    unmatched: list[int] = []


def traces_of(found: Iterable[tuple[str, str]]) -> Traces:
    """By what a person with these ids and addresses, each with its kind, is found."""
    names = {(kind, value.strip()) for kind, value in found if value.strip()}
    numbers = {digits for kind, name in names if kind in _NUMBER_KINDS and (digits := normalise_msisdn(name))}
    return Traces(frozenset(numbers), frozenset(names))


def without_content(request: Request, elements: Iterable[int]) -> tuple[Message, ...]:
    """The messages of a request, nothing being left of what some of its elements said."""
    gone = set(elements)
    return tuple(_emptied(message) if index in gone else message for index, message in enumerate(request.messages))


def _emptied(message: Message) -> Message:
    kept = message.content
    content = Content(channel=kept.channel, template=kept.template, appid=kept.appid, depth=kept.depth, run=kept.run)
    return replace(message, content=content, correlation="", callback_data="")
