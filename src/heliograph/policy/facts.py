"""What policy must know of a service: everything looked up beforehand, once per version of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heliograph.model.channel import Channel
from heliograph.model.duration import parse_duration
from heliograph.model.workspace import App, Sender, Service, Template, Tenant
from heliograph.policy.meters import Meter, meters_of
from heliograph.policy.objects import Declared, declared_by
from heliograph.policy.ways import Ways, ways_of

HOUR_MS = 3_600_000
WINDOWS_MS = {"sms": 72 * HOUR_MS}  # decisions 8: validity or 72 h on SMS, 24 h elsewhere
OTHER_WINDOW_MS = 24 * HOUR_MS
SANDBOX_WINDOW_MS = 5_000  # control 5


@dataclass(frozen=True, slots=True)
class Facts:
    """A tenant and one of its services, with its objects by name. `ways` are those it may send by, `windows` the
    milliseconds a receipt is waited for, per channel; `meters` are the limits that its messages count towards,
    `declared` the tenant's policies."""

    tenant: Tenant
    service: Service
    channels: Mapping[str, Channel]
    ways: Ways
    senders: Mapping[tuple[str, str], Sender]
    templates: Mapping[str, Template]
    windows: Mapping[str, int]
    meters: tuple[Meter, ...]
    apps: Mapping[str, App]
    declared: Declared


def facts_for(
    tenant: Tenant, service: Service, channels: Mapping[str, Channel], declared: Declared | None = None
) -> Facts:
    """The facts of a service; `declared` are the tenant's policies where they were made ready before.

    Ways of a sandbox service are looked at as they are used there: credentials may be left out, the simulators have
    their own.
    """
    return Facts(
        tenant=tenant,
        service=service,
        channels=channels,
        ways=ways_of(tenant, service, channels),
        senders={(sender.channel, sender.id): sender for sender in tenant.senders},
        templates={template.id: template for template in tenant.templates},
        meters=meters_of(tenant, service),
        windows={name: _window_ms(service, name) for name in channels},
        apps={app.id: app for app in tenant.apps},
        declared=declared or declared_by(tenant),
    )


def _window_ms(service: Service, channel: str) -> int:
    if service.fast:
        return SANDBOX_WINDOW_MS
    declared = service.receipt_window.get(channel) or service.receipt_window.get("default") or ""
    return parse_duration(declared) * 1000 if declared else WINDOWS_MS.get(channel, OTHER_WINDOW_MS)
