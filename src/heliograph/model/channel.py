"""The seam between the platform and a medium: a channel's passport and a connector's contract.

A channel folder gives one `Channel`. A connector is one configured way out; it takes messages without
blocking and reports everything that happens through `Events`, so that thousands may be under way without a
task for each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FolderPath
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from heliograph.model.inapp import InApp
from heliograph.model.message import Content
from heliograph.model.outcome import Inbound, Reachability, Receipt, SendError, Submitted
from heliograph.model.rules import Interactive, Path, Rule
from heliograph.model.workspace import App, ConnectorSpec, Sender, Tenant


class BodyLink(msgspec.Struct, frozen=True, gc=False):
    """A link in a text that is still shared: what stands for its short URL, the base of that, and where it leads
    (by default, on two systems, once it has expired), for how many minutes from acceptance."""

    standin: str
    base: str
    label: str
    url: str
    ios: str
    android: str
    expired: str
    minutes: int


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A content ready for the wire: rendered, with its sender; one object shared by all its destinations, so
    that a connector may keep what it encoded under the object's identity. `parts` is the billing unit; `attached`
    what the channel took along from the workspace (see `Channel.attach`); `links` stand in the text until each
    destination gets its own."""

    content: Content
    text: str = ""
    sender: str = ""
    parts: int = 1
    encoding: str = ""
    attached: Any = None
    links: tuple[BodyLink, ...] = ()


class Device(msgspec.Struct, frozen=True, gc=False):
    """One installation of an app: its system (`android`, `ios`, `web`), its token there, and its id as the app's
    profiles know it ("" where they do not)."""

    system: str
    token: str
    id: str = ""


class Outbound(msgspec.Struct, frozen=True, gc=False):
    """One message handed to a connector. `to` is normalised for the medium; `validity` is how many seconds
    the far end may still try (0: its default); `attempt` counts from 1; `kind` is the kind of the address as the
    caller gave it, `devices` those of the app's user it names."""

    request: int
    ordinal: int
    to: str
    body: Body
    validity: int = 0
    attempt: int = 1
    duplicate: bool = False
    kind: str = ""
    devices: tuple[Device, ...] = ()


Report = Receipt | Inbound | Reachability
"""What a far end may tell us by itself."""


class Events(Protocol):
    """What a connector reports, always on the event loop it was started on."""

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        """The far end answered (or its answer is known not to come); called once for each `submit`."""

    def ready(self) -> None:
        """There is capacity again after `capacity()` was 0."""

    def received(self, item: Report, stored: Callable[[bool], None]) -> None:
        """A receipt, an inbound message or news of an address came. `stored(True)` is called once it is durable
        and the far end may be answered; `stored(False)` when it could not be kept and must be sent again."""


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


class Token(msgspec.Struct, frozen=True):
    """A short-lived credential. `expires_ms` is when it must be replaced; `refresh` what replaces it, where the far
    end hands that out too."""

    value: str
    expires_ms: int
    refresh: str = ""


class Tokens(Protocol):
    """Short-lived credentials, kept once for all that use them."""

    async def get(self, name: str, fetch: Callable[[Token | None], Awaitable[Token]], *, refused: str = "") -> Token:
        """The token of that name. When there is none, it has expired or its value is the one that the far end
        `refused`, `fetch` makes another from the one before: once, however many ask. What `fetch` raises reaches
        those who asked."""


class Peer(NamedTuple):
    """Where a simulator listens; `ca` is the certificate (PEM) to trust there, if it speaks TLS."""

    host: str
    port: int
    ca: str = ""

    def url(self, scheme: str = "http") -> str:
        """Its base URL."""
        return f"{scheme}://{self.host}:{self.port}"


Peers = Mapping[str, Peer]
"""The simulators by name: smsc, fcm, apns, webpush, app_users, graph, whatsapp, x, wechat, sip."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a connector gets of the platform: the name of its lane, whether waiting is compressed, shared tokens,
    Unix milliseconds, the data folder, the users of apps in real time."""

    lane: str
    fast: bool
    tokens: Tokens
    clock_ms: Callable[[], int]
    folder: FolderPath = FolderPath()
    inapp: InApp | None = None


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """One kind of connector of a channel: how to check its settings and how to build it.

    `check` gives sentences about what is wrong or missing in the spec (an empty list is fine): a spec with
    faults is a configuration error (7114) for its messages, never an exception. `sandbox` points the spec of the
    lane of that name at the simulators, filling in what may be left out there; credentials that it makes up name the
    lane, so that a simulator knows whom to call back. Without `ahead` nothing is claimed that cannot go out at once:
    where one message takes minutes, what waits is judged when its turn comes. A `single` one has connections that are
    logged in: of several processes one has them at a time.
    """

    kind: str
    check: Callable[[ConnectorSpec], list[str]]
    build: Callable[[ConnectorSpec, Tools], Connector]
    sandbox: Callable[[ConnectorSpec, str, Peers], ConnectorSpec]
    ahead: bool = True
    single: bool = False


class HookCall(msgspec.Struct, frozen=True):
    """A call of a provider to our URL: names of headers in lower case, the body as it came."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Hooked(msgspec.Struct, frozen=True):
    """What a provider's call means: `items` to be kept and the answer once they are durable; until then the
    provider is told to call again. `refused` says why nothing of it is believed (a bad signature, say), `notice` what
    an operator should know of it."""

    items: tuple[Report, ...] = ()
    refused: str = ""
    notice: str = ""
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"


Hook = Callable[[ConnectorSpec, HookCall, int], Hooked]
"""Reads a provider's call for a connector at a moment (Unix milliseconds): checks its signature, does no I/O."""


@dataclass(frozen=True, slots=True)
class AppUse:
    """How a channel goes out by an app: the kind of connector, and what of the app are its options (None: the app is
    not for this channel). `window` calls at once and `throughput` messages a second (0: as fast as it goes) hold
    where the app's options of those names say nothing else."""

    kind: str
    options: Callable[[App], dict[str, Any] | None]
    window: int = 10
    throughput: float = 0


class Objection(NamedTuple):
    """Why a content cannot be sent with the workspace as it is: the key, what was looked at, the object that
    decides."""

    key: str
    value: str
    decided_by: str


NO_LIMIT = 1 << 31
"""The `limit` of a channel whose texts are never 7107."""


def given_text(content: Content, text: str) -> str:
    """The text as it stands: the `compose` of a channel that adds nothing to it."""
    return text


def any_sender(content: Content, sender: Sender) -> str | None:
    """Every sender may send everything: the `allows` of a channel without message types."""
    return None


def nothing_attached(content: Content, tenant: Tenant) -> Any:
    """The `attach` of a channel that needs nothing else of the workspace."""
    return None


def no_objection(content: Content, tenant: Tenant) -> Objection | None:
    """Nothing of the workspace can be missing: the `objection` of a channel that needs nothing of it."""
    return None


def nothing_asked(content: Content, tenant: Tenant) -> tuple[str, ...]:
    """No placeholders but those of the text: the `asks` of a channel that needs nothing of the workspace."""
    return ()


def no_faults(tenant: Tenant) -> Iterable[tuple[str, str]]:
    """The `faults` of a channel that reads nothing of the workspace besides its connectors."""
    return ()


def characters(content: Content, text: str) -> tuple[int, str, int]:
    """One part of so many characters: the `measure` of a channel that does not cut its texts."""
    return 1, "utf-8", len(text)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's passport: all the platform knows of a medium.

    `name` is the value of `deliverychannel`, `aliases` its other spellings, `wire_name` how receipts spell it; `path`
    where its object stands under `channels`, `missing_keys` the refusal for each step of it that is absent,
    `path_aliases` other names of steps; `rules` what the contract demands of it, `interactive` where its buttons
    stand; `members` what is read of it (texts, but for those in `objects`); `priority_path` where it may hold a
    priority of its own; `addresses` the destination keys it takes, in order of preference, `address_aliases` the keys
    that others of them are kept as. `normalise` makes an address ready for the medium or gives None (7102); `compose`
    gives the text to send; `allows` says why a sender may not send this content (7112), or None; `measure` counts a
    text: `(parts, encoding, size)`; `limit` is the greatest size (7107); `sender_field` names the member that chooses
    the sender. Without `kinds` nothing can be sent yet (7106).

    `app` says how it goes out by an app; `hook` reads the calls that its providers make to us; `attach` what a
    message needs of the tenant's workspace besides (a call flow, say), `objection` why it cannot have that, `asks`
    which placeholders are in it, `faults` what of it is declared wrong, as `(path within the tenant, sentence)`; with
    `afterwards` a receipt after the last state adds to what is known of the message (a call's end, say). `whole` says
    what the receipts of a message in several parts mean: with `all` it is delivered when every part is and failed
    when one is, with `any` the other way round; `lapses` whether a submitted message ends when no receipt comes for
    it in time: not where its far ends send none (a service may ask for it by a `receipt_window` of the channel).
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
    app: AppUse | None = None
    hook: Hook | None = None
    attach: Callable[[Content, Tenant], Any] = nothing_attached
    objection: Callable[[Content, Tenant], Objection | None] = no_objection
    asks: Callable[[Content, Tenant], tuple[str, ...]] = nothing_asked
    faults: Callable[[Tenant], Iterable[tuple[str, str]]] = no_faults
    afterwards: bool = False
    whole: Literal["all", "any"] = "all"
    lapses: bool = True
