"""Reads a workspace document whole: every fault with its path and a sentence, or a `Document`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from heliograph.model.channel import Channel
from heliograph.model.workspace import Document, Service, Tenant
from heliograph.policy.facts import duration_ms

KNOWN_CHANNELS = ("sms", "voice", "push", "rt", "fb", "twitter", "wechat", "whatsapp")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]{8,128}", re.ASCII)

Fault = tuple[str, str]


class Faults(Exception):
    """A document that cannot be declared; `faults` are `(path, sentence)`."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(f"{path}: {sentence}" for path, sentence in self.faults))


def read_workspace(document: dict[str, Any], channels: Mapping[str, Channel]) -> Document:
    """The document, checked whole. Raises `Faults`."""
    try:
        read = msgspec.convert(document, Document)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at `$")
        raise Faults([(path.strip("`").lstrip(".") or "document", sentence)]) from error
    found = list(_document_faults(read, channels))
    if found:
        raise Faults(found)
    return read


def _document_faults(document: Document, channels: Mapping[str, Channel]) -> Iterator[Fault]:
    yield from _identities("tenants", [tenant.id for tenant in document.tenants])
    owners: dict[str, str] = {}
    for tenant in document.tenants:
        path = f"tenants[{tenant.id}]"
        yield from _tenant_faults(tenant, path, channels)
        for service in tenant.services:
            where = f"{path}.services[{service.id}]"
            yield from _service_faults(tenant, service, where)
            for key in service.keys or ():
                if not _KEY.fullmatch(key):
                    yield f"{where}.keys", "a key must be 8 to 128 printable characters without blanks"
                if owners.setdefault(key, where) != where:
                    yield f"{where}.keys", f"a key of this service is also one of {owners[key]}"


def _tenant_faults(tenant: Tenant, path: str, channels: Mapping[str, Channel]) -> Iterator[Fault]:
    yield from _identities(f"{path}.services", [item.id for item in tenant.services])
    yield from _identities(f"{path}.connectors", [item.name for item in tenant.connectors])
    yield from _identities(f"{path}.templates", [item.id for item in tenant.templates])
    senders = [(item.channel, item.id) for item in tenant.senders]
    yield from (
        (f"{path}.senders[{name}]", f"is declared twice for {channel}")
        for channel, name in sorted({pair for pair in senders if senders.count(pair) > 1})
    )
    try:
        ZoneInfo(tenant.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield f"{path}.timezone", f"{tenant.timezone!r} is no time zone; use a name such as Europe/London"
    yield from _networks(f"{path}.ip_allowlist", tenant.ip_allowlist)
    for name, value in msgspec.structs.asdict(tenant.limits).items():
        if value is not None and value < 1:
            yield f"{path}.limits.{name}", "must be 1 or more, or null for no limit"
    for spec in tenant.connectors:
        where = f"{path}.connectors[{spec.name}]"
        yield from _channel_name(where, spec.channel)
        channel = channels.get(spec.channel)
        if channel is not None and spec.kind not in channel.kinds:
            kinds = ", ".join(channel.kinds)
            yield f"{where}.kind", f"{spec.kind!r} is no kind of connector for {spec.channel}; there is {kinds}"
        for name, number, least in (("binds", spec.binds, 1), ("window", spec.window, 1), ("port", spec.port, 0)):
            if number < least or number > 65_535:
                yield f"{where}.{name}", f"must be a whole number from {least} to 65535"
        if spec.throughput < 0:
            yield f"{where}.throughput", "must be messages a second, or 0 for no limit"
    for sender in tenant.senders:
        yield from _channel_name(f"{path}.senders[{sender.id}]", sender.channel)
    for template in tenant.templates:
        yield from _channel_name(f"{path}.templates[{template.id}]", template.channel)


def _service_faults(tenant: Tenant, service: Service, path: str) -> Iterator[Fault]:
    connectors = {spec.name for spec in tenant.connectors}
    senders = {(item.channel, item.id) for item in tenant.senders}
    yield from _networks(f"{path}.ip_allowlist", service.ip_allowlist)
    for name, binding in service.channels.items():
        where = f"{path}.channels[{name}]"
        yield from _channel_name(where, name)
        if binding.connector and binding.connector not in connectors:
            yield f"{where}.connector", f"the tenant has no connector {binding.connector!r}"
        if binding.sender and (name, binding.sender) not in senders:
            yield f"{where}.sender", f"the tenant has no sender {binding.sender!r} for {name}"
    for name, value in service.receipt_window.items():
        if duration_ms(value) is None:
            yield f"{path}.receipt_window[{name}]", f"{value!r} is no duration; write 72h, 30m or 5s"
    for name, url in (("url", service.notify.url), ("inbound_url", service.notify.inbound_url)):
        if url and not _is_http(url):
            yield f"{path}.notify.{name}", "must be an absolute http or https URL"


def _identities(path: str, ids: list[str]) -> Iterator[Fault]:
    for identity in ids:
        if not _ID.fullmatch(identity):
            yield f"{path}[{identity}]", "an id is 1 to 64 letters, digits, dots, dashes or underscores"
    for identity in sorted({identity for identity in ids if ids.count(identity) > 1}):
        yield f"{path}[{identity}]", "is declared twice"


def _channel_name(path: str, name: str) -> Iterator[Fault]:
    if name not in KNOWN_CHANNELS:
        yield path, f"{name!r} is no channel; there are {', '.join(KNOWN_CHANNELS)}"


def _networks(path: str, entries: tuple[str, ...]) -> Iterator[Fault]:
    for entry in entries:
        try:
            ip_network(entry, strict=False)
        except ValueError:
            yield path, f"{entry!r} is no IPv4 or IPv6 address or CIDR block"


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def diff(old: Document, new: Document) -> list[str]:
    """What changes, a line each: `+ tenants[demo].senders[HELIO]`, `~ ...status live -> suspended`, `- ...`.
    Secrets are never printed."""
    return list(_diff("", msgspec.to_builtins(old), msgspec.to_builtins(new)))


_SHOWN = frozenset({"status", "name", "timezone", "host", "port", "window", "throughput", "binds", "sandbox", "pace"})


def _diff(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            inner = f"{path}.{name}" if path else name
            if name not in old or (not old[name] and new.get(name) and not isinstance(new[name], list | tuple)):
                yield f"+ {inner}"
            elif name not in new:
                yield f"- {inner}"
            else:
                yield from _diff(inner, old[name], new[name])
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and _named(old) and _named(new):
        before, after = {_name(item): item for item in old}, {_name(item): item for item in new}
        for name in dict.fromkeys((*before, *after)):
            inner = f"{path}[{name}]"
            if name not in before:
                yield f"+ {inner}"
            elif name not in after:
                yield f"- {inner}"
            else:
                yield from _diff(inner, before[name], after[name])
    elif path.rpartition(".")[2] in _SHOWN:
        yield f"~ {path} {old} -> {new}"
    else:
        yield f"~ {path}"


def _name(item: Any) -> str:
    return str(item.get("id") or item.get("name") or item.get("address") or "")


def _named(items: Sequence[Any]) -> bool:
    return all(isinstance(item, dict) and _name(item) for item in items)
