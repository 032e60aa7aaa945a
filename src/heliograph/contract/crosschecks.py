"""What the shape of a workspace cannot say: that names are unique, exist, and that values can be used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

import msgspec

from heliograph.contract.automation import rules_faults
from heliograph.contract.declared import happening_faults, link_faults, policy_faults, template_faults
from heliograph.contract.declared.names import channel_faults as _channel_faults
from heliograph.contract.declared.names import is_http, twice, unique
from heliograph.contract.profiles.stores import store_faults
from heliograph.contract.profiles.types import is_zone
from heliograph.contract.shape import Fault
from heliograph.model.categories import category_faults
from heliograph.model.channel import Channel
from heliograph.model.duration import parse_duration
from heliograph.model.workspace import ALL_STATES, Binding, ConnectorSpec, Document, Service, Tenant, Volume

_KEY = re.compile(r"[\x21-\x7e]{8,128}")
_NO_KEY = "a key must be 8 to 128 printable characters without blanks"
_NAMED_BY = {
    "prompts": "id", "callflows": "id", "push_categories": "name",
}  # fmt: skip


def cross_faults(document: Document, channels: Mapping[str, Channel]) -> Iterator[Fault]:
    """Every fault of a document whose shape is right. `channels` are the passports of this installation; what
    belongs to other known channels is kept as it is declared."""
    yield from unique("tenants", (tenant.id for tenant in document.tenants))
    owners: dict[str, str] = {}
    hooks: dict[str, str] = {}
    for tenant in document.tenants:
        path = f"tenants[{tenant.id}]"
        yield from _tenant_faults(tenant, path)
        if tenant.profile_key:
            yield from _key_fault(tenant.profile_key, f"{path}.profile_key", owners)
        yield from policy_faults(tenant, path)
        yield from rules_faults(tenant, channels, path)
        yield from happening_faults(tenant, channels, path, hooks)
        for channel in {item.name: item for item in channels.values()}.values():
            yield from ((f"{path}.{inner}", sentence) for inner, sentence in channel.faults(tenant))
        for spec in tenant.connectors:
            yield from _connector_faults(spec, f"{path}.connectors[{spec.name}]", channels)
        for service in tenant.services:
            where = f"{path}.services[{service.id}]"
            yield from _service_faults(tenant, service, where)
            yield from _key_faults(service, where, owners)


def _tenant_faults(tenant: Tenant, path: str) -> Iterator[Fault]:
    yield from unique(f"{path}.services", (item.id for item in tenant.services))
    yield from unique(f"{path}.connectors", (item.name for item in tenant.connectors))
    yield from link_faults(tenant, path)
    yield from unique(f"{path}.apps", (item.id for item in tenant.apps))
    for collection, member in _NAMED_BY.items():
        yield from _loose_faults(f"{path}.{collection}", getattr(tenant, collection), member)
    yield from _sender_faults(tenant, path)
    for item in tenant.push_categories:
        for member, sentence in category_faults(item):
            yield f"{path}.push_categories[{item.get('name')}].{member}", sentence
    for template in tenant.templates:
        yield from _channel_faults(f"{path}.templates[{template.id}].channel", template.channel)
    yield from template_faults(tenant, path)
    if not is_zone(tenant.timezone):
        yield f"{path}.timezone", f"{tenant.timezone!r} is no time zone; use a name such as Europe/London"
    if tenant.profile_store is not None:
        yield from store_faults(tenant.profile_store, f"{path}.profile_store")
    yield from _network_faults(f"{path}.ip_allowlist", tenant.ip_allowlist)
    yield from _limit_faults(f"{path}.limits", tenant.limits)
    for channel, volume in tenant.limits.channels.items():
        yield from _channel_faults(f"{path}.limits.channels[{channel}]", channel)
        yield from _limit_faults(f"{path}.limits.channels[{channel}]", volume)


def _limit_faults(path: str, limits: Volume) -> Iterator[Fault]:
    for name, value in msgspec.structs.asdict(limits).items():
        if isinstance(value, int) and value < 1:
            yield f"{path}.{name}", "must be 1 or more, or null for no limit"


def _sender_faults(tenant: Tenant, path: str) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for sender in tenant.senders:
        where = f"{path}.senders[{sender.id}]"
        yield from _channel_faults(f"{where}.channel", sender.channel)
        if not (0 < len(sender.id) <= 64 and sender.id.isprintable() and sender.id == sender.id.strip()):
            yield f"{where}.id", "must be 1 to 64 printable characters"
        if (sender.channel, sender.id) in seen:
            yield where, f"is declared twice for {sender.channel}"
        seen.add((sender.channel, sender.id))


def _connector_faults(spec: ConnectorSpec, path: str, channels: Mapping[str, Channel]) -> Iterator[Fault]:
    yield from _channel_faults(f"{path}.channel", spec.channel)
    for name, value, least in (("binds", spec.binds, 1), ("window", spec.window, 1), ("port", spec.port, 0)):
        if not least <= value <= 65_535:
            yield f"{path}.{name}", f"must be a whole number from {least} to 65535"
    if spec.throughput < 0:
        yield f"{path}.throughput", "must be messages a second, or 0 for no limit"
    channel = channels.get(spec.channel)
    if channel is None or not channel.kinds:
        return  # declared for a channel that is still to come
    # What a kind finds missing or wrong in its settings is no fault of the document: its messages get 7114.
    if spec.kind not in channel.kinds:
        kinds = ", ".join(channel.kinds)
        yield f"{path}.kind", f"{spec.kind!r} is no kind of connector for {spec.channel}; there is {kinds}"


def _service_faults(tenant: Tenant, service: Service, path: str) -> Iterator[Fault]:
    yield from _network_faults(f"{path}.ip_allowlist", service.ip_allowlist)
    for name, binding in service.channels.items():
        yield from _binding_faults(tenant, name, binding, f"{path}.channels[{name}]")
        yield from _limit_faults(f"{path}.channels[{name}].limits", binding.limits)
    yield from _limit_faults(f"{path}.limits", service.limits)
    for name, value in service.receipt_window.items():
        where = f"{path}.receipt_window[{name}]"
        if name != "default":
            yield from _channel_faults(where, name)
        try:
            parse_duration(value)
        except ValueError as error:
            yield where, str(error)
    for name, url in (
        ("url", service.notify.url),
        ("inbound_url", service.notify.inbound_url),
        ("event_url", service.notify.event_url),
    ):
        if url and not is_http(url):
            yield f"{path}.notify.{name}", "must be an absolute http or https URL"
    for state in service.notify.states:
        if state not in ALL_STATES:
            yield f"{path}.notify.states", f"{state!r} is no state; there are {', '.join(ALL_STATES)}"
    yield from unique(f"{path}.jwt", (item.id for item in service.jwt))


def _binding_faults(tenant: Tenant, name: str, binding: Binding, path: str) -> Iterator[Fault]:
    yield from _channel_faults(path, name)
    specs = {spec.name: spec for spec in tenant.connectors}
    if binding.connector and binding.connector not in specs:
        yield f"{path}.connector", f"the tenant has no connector {binding.connector!r}"
    if binding.sender and not any((item.channel, item.id) == (name, binding.sender) for item in tenant.senders):
        yield f"{path}.sender", f"the tenant has no sender {binding.sender!r} for {name}"
    if binding.app and not any(app.id == binding.app for app in tenant.apps):
        yield f"{path}.app", f"the tenant has no app {binding.app!r}"


def _key_faults(service: Service, path: str, owners: dict[str, str]) -> Iterator[Fault]:
    for index, key in enumerate(service.keys or ()):
        yield from _key_fault(key, f"{path}.keys[{index}]", owners)


def _key_fault(key: str, where: str, owners: dict[str, str]) -> Iterator[Fault]:
    if not _KEY.fullmatch(key):
        yield where, _NO_KEY  # a fault never repeats the key itself
    elif key in owners:
        yield where, f"the same key is already {owners[key]}"
    owners.setdefault(key, where)


def _loose_faults(path: str, items: Iterable[Mapping[str, Any]], member: str) -> Iterator[Fault]:
    names: list[str] = []
    for index, item in enumerate(items):
        name = item.get(member)
        if isinstance(name, str) and name:
            names.append(name)
        else:
            yield f"{path}[{index}].{member}", "must be text, and is missing" if name is None else "must be text"
    if member == "id":
        yield from unique(path, names)
    else:
        yield from twice(path, names)


def _network_faults(path: str, entries: tuple[str, ...]) -> Iterator[Fault]:
    for entry in entries:
        try:
            ip_network(entry, strict=False)
        except ValueError:
            yield path, f"{entry!r} is no IPv4 or IPv6 address or CIDR block"
