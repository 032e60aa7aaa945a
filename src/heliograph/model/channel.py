"""The seam between the platform and a medium: a channel's passport and a connector's contract.

A channel folder gives one `Channel`. A connector is one configured way out; it takes messages without
blocking and reports everything that happens through `Events`, so that thousands may be under way without a
task for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from heliograph.model.message import Content
from heliograph.model.outcome import Inbound, Receipt, SendError, Submitted
from heliograph.model.rules import Interactive, Path, Rule
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


NO_LIMIT = 1 << 31
"""The `limit` of a channel whose texts are never 7107."""


def given_text(content: Content, text: str) -> str:
    """The text as it stands: the `compose` of a channel that adds nothing to it."""
    return text


def any_sender(content: Content, sender: Sender) -> str | None:
    """Every sender may send everything: the `allows` of a channel without message types."""
    return None


def characters(content: Content, text: str) -> tuple[int, str, int]:
    """One part of so many characters: the `measure` of a channel that does not cut its texts."""
    return 1, "utf-8", len(text)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's passport: all the platform knows of a medium.

    `name` is the value of `deliverychannel`, `aliases` its other spellings, `wire_name` how receipts spell it;
    `path` where its object stands under `channels`, `missing_keys` the refusal for each step of it that is absent,
    `path_aliases` other names of steps; `rules` what the contract demands of it, `interactive` where its buttons
    stand; `members` what is read of it (texts, but for those in `objects`); `priority_path` where it may hold a
    priority of its own; `addresses` the destination keys it takes, in order of preference, `address_aliases` the
    keys that others of them are kept as. `normalise` makes an address ready for the medium or gives None (7102);
    `compose` gives the text to send; `allows` says why a sender may not send this content (7112), or None;
    `measure` counts a text: `(parts, encoding, size)`; `limit` is the greatest size (7107); `sender_field` names
    the member that chooses the sender. Without `kinds` nothing can be sent yet (7106).
    """

    name: str
    wire_name: str
    path: Path
    rules: tuple[Rule, ...]
    members: tuple[str, ...]
    missing_keys: tuple[str, ...]
    addresses: tuple[str, ...]
    normalise: Callable[[str], str | None]
    limit: int
    kinds: Mapping[str, ConnectorKind] = field(default_factory=dict)
    compose: Callable[[Content, str], str] = given_text
    allows: Callable[[Content, Sender], str | None] = any_sender
    measure: Callable[[Content, str], tuple[int, str, int]] = characters
    sender_field: str = ""
    aliases: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    path_aliases: Mapping[str, str] = field(default_factory=dict)
    address_aliases: Mapping[str, str] = field(default_factory=dict)
    priority_path: Path = ()
    interactive: Interactive | None = None
