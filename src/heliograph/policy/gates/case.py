"""A message and one of its destinations while they pass the gates, and what a gate says."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from heliograph.model.channel import BodyLink, Channel, Device
from heliograph.model.message import Address, Content, Message
from heliograph.model.people import Known, Person
from heliograph.model.workspace import App, Binding, Sender
from heliograph.policy.content import choose, spoken
from heliograph.policy.facts import Facts
from heliograph.policy.ways import Way

LONGEST = 64  # characters of a value that is shown
CUSTOMER, USER = "customerid", "userid"
PROFILE_KINDS = frozenset({CUSTOMER, USER})
NUMBER_KINDS = ("msisdn", "waid")


class Looked(msgspec.Struct, frozen=True, gc=False):
    """What a gate saw: `value` is what was looked at, `decided_by` the object that decided, `key` the refusal."""

    gate: str
    ok: bool
    value: str
    decided_by: str
    key: str = ""


class Case:
    """A message while it passes the gates; gates fill in what they found for those behind them. All of it has a
    value from the start, so that a gate can be asked although one before it refused.

    `now_ms` is what the tenant's clock shows, `real_ms` what ours does; `attempted` says that the far end was tried
    before; `attributes` are those of one person, for the placeholders
    that the call leaves open (`unfilled`), `locale` is theirs where the template has a text of it (`texts`).
    """

    __slots__ = (
        "app", "attempted", "attributes", "binding", "category", "channel", "content", "encoding", "facts", "links",
        "locale", "message", "now_ms", "numbers", "parts", "real_ms", "sender", "tenant_path", "text", "texts",
        "unfilled", "way",
    )  # fmt: skip

    def __init__(
        self,
        message: Message,
        facts: Facts,
        now_ms: int,
        *,
        attempted: bool = False,
        attributes: Mapping[str, str] | None = None,
        locale: str = "",
    ) -> None:
        name = message.content.channel
        self.message = message
        self.facts = facts
        self.real_ms = now_ms
        self.now_ms = now_ms + facts.ahead_ms
        self.attempted = attempted
        self.attributes = attributes or {}
        self.locale = locale
        self.texts: Mapping[str, str] = {}
        self.tenant_path = f"tenants[{facts.tenant.id}]"
        self.channel: Channel | None = facts.channels.get(name)
        self.numbers = self.channel is not None and any(kind in NUMBER_KINDS for kind in self.channel.addresses)
        self.binding: Binding = facts.service.channels.get(name) or Binding()
        by_app = self.channel is not None and self.channel.app is not None
        self.app = message.content.appid if by_app else ""
        self.way: Way | None = facts.ways.get((name, self.app))
        self.sender: Sender | None = None
        self.content: Content = message.content
        self.category = _category(message.content, facts)
        self.unfilled: tuple[str, ...] = ()
        self.text = ""
        self.links: tuple[BodyLink, ...] = ()
        self.parts = 1
        self.encoding = ""

    @property
    def binding_path(self) -> str:
        """Where the service's binding for the channel stands in the workspace."""
        return f"{self.tenant_path}.services[{self.facts.service.id}].channels[{self.message.content.channel}]"

    @property
    def used_app(self) -> App | None:
        """The app that the message goes by; None for one that goes by a connector, or by no known app."""
        return self.facts.apps.get(self.app or ("" if self.binding.connector else self.binding.app))


def personal(case: Case, person: Person | None) -> tuple[dict[str, str], str]:
    """What somebody's profile has for the placeholders that a call leaves open, and which of the template's texts is
    for them; nothing, and "", when the profile has no say."""
    if person is None:
        return {}, ""
    found = {name: value for name in case.unfilled if (value := person.attribute(name)) is not None}
    return found, spoken(case.texts, person.locale)


def _category(content: Content, facts: Facts) -> str:
    """What the message is about: as the call says in the channel's `extras`, else its template, else the service."""
    extras = content.fields.get("extras")
    own = extras.get("category") if isinstance(extras, dict) else None
    if isinstance(own, str) and own:
        return own
    template, _ = choose(content.template, facts.templates, content.channel)
    return (template.category if template else "") or facts.service.category


class Target:
    """One destination while it passes the gates. `to` is the address as the medium takes it, None when there is none;
    `kind` what it is; `left` the money that is left for it, None where there is no account. Gates fill in the `price`
    in millionths, and `opens`: the Unix milliseconds until which it waits, 0 for not at all."""

    __slots__ = ("address", "case", "kind", "known", "left", "opens", "person", "price", "to")

    def __init__(self, address: Address, case: Case, channel: Channel, known: Known, left: int | None = None) -> None:
        self.address = address
        self.case = case
        self.known = known
        self.left = left
        self.price = 0
        self.opens = 0
        self.kind = address.kind
        self.person = known.people.get((address.kind, address.value)) if known.people else None
        if address.kind in PROFILE_KINDS:
            self.kind, self.to = reached(address, channel, self.person, sandbox=case.facts.service.sandbox)
        else:
            self.to = channel.normalise(address.value)

    @property
    def number(self) -> str:
        """The digits of a phone number, "" for an address of another kind."""
        return self.to or "" if self.case.numbers else ""

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices of the app's user that it names; none for an address that is a device itself."""
        if self.address.kind not in PROFILE_KINDS or self.person is None or self.person.app is None:
            return ()
        return self.person.app.devices


def reached(address: Address, channel: Channel, person: Person | None, *, sandbox: bool) -> tuple[str, str | None]:
    """Where an address given by a profile's id is reached on a channel: the kind of address there, and the address.
    In the sandbox a user nobody knows is a simulated one (control 5)."""
    if address.kind == USER:
        user = person.app if person else None
        to = channel.normalise(user.id if user else address.value) if user is not None or sandbox else None
        if USER in channel.addresses and to is not None:
            return USER, to
    for profile in (person.app, person.customer) if person else ():
        if profile is None:
            continue
        for kind in channel.addresses:
            found = profile.addresses.get(kind) or (profile.id if kind == USER and profile.kind == "app" else "")
            if found and kind != CUSTOMER and (to := channel.normalise(found)) is not None:
                return kind, to
    return address.kind, None
