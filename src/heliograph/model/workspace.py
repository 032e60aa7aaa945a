"""The workspace: what an operator declares. The structs are the shape of the document;
an unknown or ill-typed member is refused with its path when a document is read."""

from __future__ import annotations

from typing import Any, Literal

from heliograph.model.automation import Rule
from heliograph.model.events.declared import EventSpec, Hook
from heliograph.model.policies import (
    TRANSACTIONAL,
    Billing,
    DndEntry,
    FrequencyCap,
    Hours,
    OptOut,
    Part,
    SpamWord,
)
from heliograph.model.profiles.declared import ProfileStore

Loose = dict[str, Any]
STATES = ("Submitted", "Delivered", "Un-Delivered", "Failed", "Read", "Answered", "Rejected")
ALL_STATES = (*STATES, "Clicked")  # told where it is asked for


class Sender(Part, frozen=True):
    """An address that messages may come from, on one channel, with the message types it may send and the services
    that may use it (none named: all)."""

    id: str
    channel: str
    types: tuple[str, ...] = ("text", "flash", "binary", "unicode")
    services: tuple[str, ...] = ()


class ConnectorSpec(Part, frozen=True):
    """A configured way out, as declared. What each kind reads of it is checked by its channel."""

    name: str
    channel: str
    kind: str
    host: str = ""
    port: int = 0
    system_id: str = ""
    username: str = ""
    password: str = ""
    system_type: str = ""
    bind: Literal["transceiver", "pair"] = "transceiver"
    binds: int = 1
    window: int = 10
    throughput: float = 0
    tls: bool = False
    options: dict[str, Any] = {}


class Features(Part, frozen=True):
    """What an app is made for."""

    push: bool = False
    rtm: bool = False


class App(Part, frozen=True):
    """An app or account of the tenant: the assets that push, real-time and social messages go out by. Each member
    that stands there, `{}` included, is read and checked by its channel. `services` may use it (none named: all);
    `user_tokens` says that profiles of its users need tokens of their own."""

    id: str
    name: str = ""
    status: Literal["active", "inactive"] = "active"
    features: Features = Features()
    user_tokens: bool = True
    verified_only: bool = False
    services: tuple[str, ...] = ()
    android: Loose | None = None
    ios: Loose | None = None
    web: Loose | None = None
    rtm: Loose | None = None
    messenger: Loose | None = None
    twitter: Loose | None = None
    wechat: Loose | None = None
    whatsapp: Loose | None = None


class Link(Part, frozen=True):
    """A smart link: `{{link_<id>}}` in a text becomes a short URL that leads to `url`, on a telephone to that of its
    system. It is good for `validity` minutes from when the call was accepted, then it leads to `expired_url`."""

    id: str
    url: str
    name: str = ""
    status: Literal["active", "inactive"] = "active"
    domain: str = ""
    ios_url: str = ""
    android_url: str = ""
    expired_url: str = ""
    validity: int = 180 * 24 * 60


class Template(Part, frozen=True):
    """A stored text with `${name}` placeholders, one version for one channel; other members of the channel's object
    stand in `fields`; `texts` are the text in other languages, by locale. Its `category` is that of the messages made
    of it; `native` says how the provider knows it, on channels whose templates are registered there."""

    id: str
    channel: str
    text: str = ""
    texts: dict[str, str] = {}
    version: int = 1
    fields: Loose = {}
    status: Literal["active", "inactive"] = "active"
    category: str = ""
    native: Loose | None = None


class Notify(Part, frozen=True):
    """Where a service is told what became of its messages. `secret` signs; `retries` chooses the ladder."""

    url: str = ""
    secret: str = ""
    states: tuple[str, ...] = STATES
    inbound_url: str = ""
    event_url: str = ""
    retries: Literal["ladder", "compatible"] = "ladder"


class Volume(Part, frozen=True):
    """Destinations of messages in a second and in a UTC day, week and month; null is no limit."""

    messaging_per_second: int | None = None
    messaging_per_day: int | None = None
    messaging_per_week: int | None = None
    messaging_per_month: int | None = None


NO_VOLUME = Volume()


class Binding(Part, frozen=True):
    """What a service uses on a channel, and how much."""

    connector: str = ""
    sender: str = ""
    app: str = ""
    limits: Volume = NO_VOLUME


class JwtSecret(Part, frozen=True):
    """A secret for JSON web tokens of a service; the secret is base64."""

    id: str
    secret: str = ""


class Service(Part, frozen=True):
    """The tenant's unit of traffic: keys, bindings, notification. `category` is that of its messages."""

    id: str
    name: str = ""
    category: str = ""
    status: Literal["live", "suspended"] = "live"
    sandbox: bool = False
    pace: Literal["fast", "real"] = "fast"
    receipt_window: dict[str, str] = {}
    checks: Literal["at_accept", "at_dispatch"] = "at_accept"
    keys: tuple[str, ...] | None = None
    jwt: tuple[JwtSecret, ...] = ()
    ip_allowlist: tuple[str, ...] = ()
    notify: Notify = Notify()
    limits: Volume = NO_VOLUME
    channels: dict[str, Binding] = {}

    @property
    def fast(self) -> bool:
        """Whether waiting is compressed."""
        return self.sandbox and self.pace == "fast"


class Limits(Volume, frozen=True):
    """What a tenant may ask for: destinations of messages, in all and by channel, and calls of the other APIs a
    second; null is no limit."""

    channels: dict[str, Volume] = {}
    event_per_second: int | None = None
    profile_per_second: int | None = None
    status_per_second: int | None = None

    @property
    def volume(self) -> Volume:
        """What holds for messages on all channels."""
        return Volume(**{name: getattr(self, name) for name in Volume.__struct_fields__})


class Tenant(Part, frozen=True):
    """A customer of the platform. Loosely typed members are kept and given back; what acts on them says so
    in the reference."""

    id: str
    name: str = ""
    status: Literal["active", "suspended"] = "active"
    timezone: str = "UTC"
    clock_ahead: int = 0
    profile_key: str = ""
    ip_allowlist: tuple[str, ...] = ()
    allow_private_targets: bool = False
    verified_only: bool = False
    profile_async: bool = False
    limits: Limits = Limits()
    billing: Billing | None = None
    dnd: tuple[DndEntry, ...] = ()
    dnd_exempt: tuple[str, ...] = TRANSACTIONAL
    opt_out: OptOut | None = OptOut()
    frequency_caps: tuple[FrequencyCap, ...] = ()
    spam_words: tuple[str | SpamWord, ...] = ()
    social_hours: Hours = None
    profile_store: ProfileStore | None = None
    senders: tuple[Sender, ...] = ()
    connectors: tuple[ConnectorSpec, ...] = ()
    apps: tuple[App, ...] = ()
    templates: tuple[Template, ...] = ()
    links: tuple[Link, ...] = ()
    link_domains: tuple[str, ...] = ()
    prompts: tuple[Loose, ...] = ()
    callflows: tuple[Loose, ...] = ()
    push_categories: tuple[Loose, ...] = ()
    hooks: tuple[Hook, ...] = ()
    events: tuple[EventSpec, ...] = ()
    rules: tuple[Rule, ...] = ()
    services: tuple[Service, ...] = ()


class Document(Part, frozen=True):
    """The whole workspace."""

    tenants: tuple[Tenant, ...] = ()
