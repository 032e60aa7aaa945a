"""The seam between the platform and a medium: a channel's passport and a connector's contract.

A channel folder gives one `Channel`. A connector is one configured way out; it takes messages without
blocking and reports everything that happens through `Events`, so that thousands may be under way without a
task for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from heliograph.model.message import Content
from heliograph.model.outcome import Inbound, Receipt, SendError, Submitted
from heliograph.model.rules import Rule
from heliograph.model.workspace import ConnectorSpec, Sender


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A content ready for the wire: rendered, with its sender; one object shared by all its destinations, so
    that a connector may keep what it encoded under the object's identity. `parts` is the billing unit."""

    content: Content
    text: str = ""
    sender: str = ""
    parts: int = 1
    encoding: str = ""


class Outbound(msgspec.Struct, frozen=True, gc=False):
    """One message handed to a connector. `to` is normalised for the medium; `validity` is how many seconds
    the far end may still try (0: its default); `attempt` counts from 1."""

    request: int
    ordinal: int
    to: str
    body: Body
    validity: int = 0
    attempt: int = 1
    duplicate: bool = False


class Events(Protocol):
    """What a connector reports, always on the event loop it was started on."""

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        """The far end answered (or its answer is known not to come); called once for each `submit`."""

    def ready(self) -> None:
        """There is capacity again after `capacity()` was 0."""

    def received(self, item: Receipt | Inbound, stored: Callable[[bool], None]) -> None:
        """A receipt or inbound message came. `stored(True)` is called once it is durable and the far end may
        be answered; `stored(False)` when it could not be kept and must be sent again."""


class Connector(Protocol):
    """A configured way out. Implementations hold the network; nothing here blocks."""

    name: str

    async def start(self, events: Events) -> None:
        """Begin connecting and keep connected until `stop`; does not wait for the far end."""

    async def stop(self, grace: float) -> None:
        """Stop taking work, wait up to `grace` seconds for answers under way, close politely."""

    def capacity(self) -> int:
        """How many `submit` calls are welcome right now; 0 while not connected or the window is full."""

    def submit(self, outbound: Outbound) -> None:
        """Start sending one message; its result arrives as `Events.settled`."""

    def status(self) -> dict[str, Any]:
        """For people: state, binds, window in use, last errors; no secrets."""

    def describe(self, native: bytes) -> dict[str, Any]:
        """One side of a native exchange, decoded for the story; no secrets."""


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """One kind of connector of a channel: how to check its settings and how to build it.

    `check` gives sentences about what is wrong or missing in the spec (an empty list is fine): a spec with
    faults is a configuration error (7114) for its messages, never an exception. `sandbox` points a spec at
    the simulator that listens at `(host, port)`, filling in what may be left out there.
    """

    kind: str
    check: Callable[[ConnectorSpec], list[str]]
    build: Callable[[ConnectorSpec], Connector]
    sandbox: Callable[[ConnectorSpec, tuple[str, int]], ConnectorSpec]


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's passport: all the platform knows of a medium.

    `name` is the value of `deliverychannel`, `aliases` its other spellings, `wire_name` how receipts spell it;
    `path` where its object stands under `channels`; `rules` what the contract demands of it; `members` what is
    read of it (texts, but for those in `objects`), `missing_key` the refusal when it is absent; `addresses` the
    destination keys it takes, in order of preference. `normalise` makes an address ready for the medium or
    gives None (7102); `compose` gives the text to send; `allows` says why a sender may not send this content
    (7112), or None; `measure` counts a text: `(parts, encoding, characters)`; `limit` is the longest text in
    characters (7107); `sender_field` names the member that chooses the sender.
    """

    name: str
    wire_name: str
    path: tuple[str, ...]
    rules: tuple[Rule, ...]
    members: tuple[str, ...]
    missing_key: str
    addresses: tuple[str, ...]
    kinds: Mapping[str, ConnectorKind]
    normalise: Callable[[str], str | None]
    compose: Callable[[Content, str], str]
    allows: Callable[[Content, Sender], str | None]
    measure: Callable[[Content, str], tuple[int, str, int]]
    limit: int
    sender_field: str = ""
    aliases: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
