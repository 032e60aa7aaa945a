"""What a tenant's rules may name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heliograph.contract.shape import Fault
from heliograph.model.automation.naming import NAME, OCCURRENCE, PROFILE, is_of_profile
from heliograph.model.channel import Channel
from heliograph.model.profiles.declared import attributes_of
from heliograph.model.workspace import Tenant

SEEN: Mapping[str, tuple[str, ...]] = {
    "event": ("evtid", "name", "correlationid", "parameters"),
    "inbound": ("channel", "from", "to", "text", "keyword", "tid", "native"),
    "receipt": (
        "channel", "transid", "destination", "kind", "state", "code", "detail", "correlationid", "callbackData",
        "template", "parameters",
    ),
    "click": (
        "channel", "transid", "destination", "kind", "link", "url", "system", "correlationid", "callbackData",
        "template", "parameters",
    ),
    "profile": ("act", "customerid", "attributes", "changed"),
}  # fmt: skip
"""The members of the payload by trigger; that of a hook is whatever was posted."""

PERSONAL = ("inbound", "receipt", "click", "profile")
"""Triggers that name a person by themselves."""


@dataclass(frozen=True, slots=True)
class Around:
    """A tenant as its rules see it: `channels` are the passports of this installation."""

    tenant: Tenant
    channels: Mapping[str, Channel]
    events: frozenset[str]
    hooks: frozenset[str]
    links: frozenset[str]
    services: frozenset[str]
    attributes: frozenset[str] | None

    def names_faults(self, names: Sequence[str], trigger: str, path: str, *, person: bool) -> Iterator[Fault]:
        """Names that nothing can stand under."""
        for name in dict.fromkeys(names):
            yield from self._name_faults(name, trigger, path, person=person)

    def _name_faults(self, name: str, trigger: str, path: str, *, person: bool) -> Iterator[Fault]:
        root, _, rest = name.partition(".")
        if not NAME.fullmatch(name):
            yield (
                path,
                f"{name!r} is no name of a field; names are letters and digits with dots between, parameters.city",
            )
        elif is_of_profile(name):
            yield from self._profile_faults(rest, path, trigger, person=person)
        elif trigger in SEEN and root not in (*SEEN[trigger], OCCURRENCE):
            known = ", ".join((*SEEN[trigger], OCCURRENCE, PROFILE))
            yield path, f"{name!r} is nothing that this trigger gives; there are {known}"
        elif trigger == "event" and root == "parameters" and not rest:
            yield path, f"{name!r} is all parameters; name one, parameters.city"

    def _profile_faults(self, rest: str, path: str, trigger: str, *, person: bool) -> Iterator[Fault]:
        if self.attributes is None:
            yield path, "names a profile, but the tenant has no profile_store"
        elif not person and trigger not in PERSONAL:
            yield path, "names a profile; say whose with `person` in the rule, {customerid: ...} or {msisdn: ...}"
        elif rest and rest.lower() not in self.attributes:
            yield path, f"the profile_store has no attribute {rest!r}"


def around(tenant: Tenant, channels: Mapping[str, Channel]) -> Around:
    """A tenant made ready."""
    store = tenant.profile_store
    return Around(
        tenant=tenant,
        channels=channels,
        events=_ids(tenant.events),
        hooks=_ids(tenant.hooks),
        links=frozenset(link.id for link in tenant.links),
        services=frozenset(service.id for service in tenant.services),
        attributes=None if store is None else frozenset({"customerid", *attributes_of(store)}),
    )


def _ids(items: Sequence[Any]) -> frozenset[str]:
    return frozenset(str(item.get("id", "")) if isinstance(item, Mapping) else item.id for item in items)
