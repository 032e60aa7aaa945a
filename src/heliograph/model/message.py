"""A call as it was accepted, and the messages it is made of."""

from __future__ import annotations

import msgspec

from heliograph.model.ids import transid_of
from heliograph.model.outcome import State

PRIORITIES = (5, 4, 3, 2, 1)
DEFAULT_PRIORITY = 3


class Address(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One destination: `kind` is the published key (msisdn, userid ...), `value` as the caller wrote it."""

    kind: str
    value: str
    correlation: str = ""


class Shorten(msgspec.Struct, frozen=True, omit_defaults=True):
    """The `options` of a call that has its URLs shortened: under which domain, and whether another will do."""

    domain: str
    fallback: bool = False
    tags: tuple[str, ...] = ()


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be sent, the same for all destinations of a request before placeholders are filled.

    `fields` is the channel object of the request after its rules were applied (for sms: `type`, `text`,
    `body`, `senderid`...). `smartlinks` are the minutes that links are good for, by id (0: as declared). `depth`
    counts the rules that led to it, `run` is the run of a rule that sent it.
    """

    channel: str
    fields: dict[str, object] = {}
    template: str = ""
    parameters: dict[str, object] = {}
    appid: str = ""
    smartlinks: dict[str, int] = {}
    shorten: Shorten | None = None
    depth: int = 0
    run: int = 0


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One request object of a call: a content for one or many destinations.

    Times are Unix milliseconds. `expiry` 0 means none was given.
    """

    content: Content
    addresses: tuple[Address, ...]
    correlation: str = ""
    notify_url: str = ""
    callback_data: str = ""
    expiry: int = 0
    priority: int = DEFAULT_PRIORITY


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted call: the head that all its transactions share, stored once.

    `messages` are the elements of the call (one, or several for a list body) without their addresses, which
    are the transactions; `firsts` holds the ordinal at which each element's destinations begin. `accepted`
    is Unix milliseconds.
    """

    id: int
    nonce: int
    tenant: str
    service: str
    accepted: int
    messages: tuple[Message, ...]
    firsts: tuple[int, ...] = (0,)

    def transid(self, ordinal: int) -> str:
        """The public id of one destination: the bare UUID first, then `_1`, `_2` ..."""
        base = transid_of(self.id, self.nonce)
        return f"{base}_{ordinal}" if ordinal else base


class Transaction(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One destination of a request and where it stands. `element` is the index in `Request.messages`,
    `due` the Unix milliseconds before which it is not dispatched again, `duplicate` says that the far end
    may have got it more than once, `natives` holds the far end's ids as a JSON list."""

    request: int
    ordinal: int
    element: int
    address: Address
    state: State = State.QUEUED
    key: str = ""
    detail: str = ""
    attempt: int = 0
    connector: str = ""
    due: int = 0
    updated: int = 0
    duplicate: bool = False
    natives: str = ""
