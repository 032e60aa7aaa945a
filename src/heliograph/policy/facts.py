"""What policy must know of a service: everything looked up beforehand, once per version of the workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heliograph.model.channel import Channel
from heliograph.model.duration import parse_duration
from heliograph.model.workspace import App, Link, Sender, Service, Template, Tenant
from heliograph.policy.meters import Meter, meters_of
from heliograph.policy.objects import Declared, declared_by
from heliograph.policy.ways import Ways, ways_of

HOUR_MS = 3_600_000
WINDOWS_MS = {"sms": 72 * HOUR_MS}  # decisions 8: validity or 72 h on SMS, 24 h elsewhere
OTHER_WINDOW_MS = 24 * HOUR_MS
SANDBOX_WINDOW_MS = 5_000  # control 5
LINK_BASE = "http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Facts:
    """A tenant and one of its services, with its objects by name. `ways` are those it may send by, `windows` the
    milliseconds a receipt is waited for, per channel (0: for ever); `meters` are the limits that its messages count
    towards, `declared` the tenant's policies. Templates are by id, newest version first."""

    tenant: Tenant
    service: Service
    channels: Mapping[str, Channel]
    ways: Ways
    senders: Mapping[tuple[str, str], Sender]
    templates: Mapping[str, tuple[Template, ...]]
    windows: Mapping[str, int]
    apps: Mapping[str, App]
    declared: Declared
    links: Mapping[str, Link]
    link_base: str
    meters: tuple[Meter, ...]

    @property
    def ahead_ms(self) -> int:
        """How far the tenant's clock is ahead of ours."""
        return self.tenant.clock_ahead * 1_000


def facts_for(
    tenant: Tenant,
    service: Service,
    channels: Mapping[str, Channel],
    declared: Declared | None = None,
    link_base: str = LINK_BASE,
) -> Facts:
    """The facts of a service; `declared` are the tenant's policies where they were made ready before, `link_base` is
    the URL that short links begin with.

    Ways of a sandbox service are looked at as they are used there: credentials may be left out, the simulators have
    their own.
    """
    return Facts(
        tenant=tenant,
        service=service,
        channels=channels,
        ways=ways_of(tenant, service, channels),
        senders={(sender.channel, sender.id): sender for sender in tenant.senders},
        templates=_templates(tenant.templates),
        links={link.id: link for link in tenant.links},
        link_base=link_base,
        meters=meters_of(tenant, service),
        windows={name: _window_ms(service, channel) for name, channel in channels.items()},
        apps={app.id: app for app in tenant.apps},
        declared=declared or declared_by(tenant),
    )


def _templates(declared: Sequence[Template]) -> dict[str, tuple[Template, ...]]:
    """By id, newest version first."""
    found: dict[str, tuple[Template, ...]] = {}
    for template in sorted(declared, key=lambda item: -item.version):
        found[template.id] = (*found.get(template.id, ()), template)
    return found


def _window_ms(service: Service, channel: Channel) -> int:
    declared = service.receipt_window.get(channel.name, "")
    if not channel.lapses and not declared:
        return 0
    if service.fast:
        return SANDBOX_WINDOW_MS
    declared = declared or service.receipt_window.get("default") or ""
    return parse_duration(declared) * 1000 if declared else WINDOWS_MS.get(channel.name, OTHER_WINDOW_MS)
