"""What the shape of a tenant's events and hooks cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from heliograph.contract.automation.around import Around, around
from heliograph.contract.automation.conditions import conditions_faults
from heliograph.contract.declared.names import is_http, services_faults, twice, unique
from heliograph.contract.events.definitions import event_faults
from heliograph.contract.shape import Fault
from heliograph.model.channel import Channel
from heliograph.model.events.declared import Hook, Signature
from heliograph.model.workspace import Tenant

ANY_ORIGIN = "*"
MOST_BYTES = 4 * 1024 * 1024
SHORTEST_SECRET = 8
_HOOK_ID = re.compile(r"[A-Z0-9]{10,12}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


def happening_faults(
    tenant: Tenant, channels: Mapping[str, Channel], path: str, owners: dict[str, str]
) -> Iterator[Fault]:
    """Every fault of the events and hooks that a tenant declares; `owners` are the hooks of tenants before it."""
    services = {service.id for service in tenant.services}
    yield from unique(f"{path}.events", (event.id for event in tenant.events))
    for event in tenant.events:
        where = f"{path}.events[{event.id}]"
        yield from services_faults(f"{where}.services", event.services, services)
        yield from event_faults(event, where)
    yield from twice(f"{path}.hooks", [hook.id for hook in tenant.hooks])
    known = around(tenant, channels) if tenant.hooks else None
    for hook in tenant.hooks:
        where = f"{path}.hooks[{hook.id}]"
        if owners.setdefault(hook.id, tenant.id) != tenant.id:
            yield f"{where}.id", "is a hook of another tenant already; ids of hooks stand in URLs"
        yield from services_faults(f"{where}.service", [hook.service], services)
        if known is not None:
            yield from _hook_faults(hook, known, where)


def _hook_faults(hook: Hook, known: Around, path: str) -> Iterator[Fault]:
    if not _HOOK_ID.fullmatch(hook.id):
        yield f"{path}.id", "must be 10 to 12 capital letters and digits"
    if not 1 <= hook.max_bytes <= MOST_BYTES:
        yield f"{path}.max_bytes", f"must be 1 to {MOST_BYTES}"
    if hook.signature is not None:
        yield from _signature_faults(hook.signature, f"{path}.signature")
    for origin in hook.cors:
        if origin != ANY_ORIGIN and not _is_origin(origin):
            yield f"{path}.cors", f"{origin!r} is no origin; an origin is https://shop.example.com, or * for all"
    yield from conditions_faults(hook.when, known, "hook", f"{path}.when", person=False)


def _signature_faults(signature: Signature, path: str) -> Iterator[Fault]:
    if len(signature.secret) < SHORTEST_SECRET:
        yield f"{path}.secret", f"must have {SHORTEST_SECRET} characters or more"
    if not _HEADER.fullmatch(signature.header):
        yield f"{path}.header", "must be the name of a header: letters, digits and dashes"


def _is_origin(text: str) -> bool:
    if not is_http(text):
        return False
    parts = urlsplit(text)
    return text == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
