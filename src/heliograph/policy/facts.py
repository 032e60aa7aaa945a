"""What policy must know of a service: everything looked up beforehand, once per version of the workspace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from heliograph.model.channel import Channel
from heliograph.model.workspace import ConnectorSpec, Sender, Service, Template, Tenant

_DURATION = re.compile(r"(\d{1,6})(ms|s|m|h|d)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text: str) -> int | None:
    """`72h`, `30m`, `5s` as milliseconds; None when it is no duration."""
    match = _DURATION.fullmatch(text.strip())
    return int(match[1]) * _UNIT_MS[match[2]] if match else None


@dataclass(frozen=True, slots=True)
class Facts:
    """A tenant and one of its services, with its objects by name. `faults` holds, per connector, sentences
    about what its settings lack."""

    tenant: Tenant
    service: Service
    channels: Mapping[str, Channel]
    connectors: Mapping[str, ConnectorSpec]
    faults: Mapping[str, tuple[str, ...]]
    senders: Mapping[tuple[str, str], Sender]
    templates: Mapping[str, Template]

    def window_ms(self, channel: str) -> int | None:
        """How long the service waits for receipts on a channel, if it says."""
        declared = self.service.receipt_window
        return duration_ms(declared.get(channel) or declared.get("default") or "")


def facts_for(tenant: Tenant, service: Service, channels: Mapping[str, Channel]) -> Facts:
    """The facts of a service. Connectors of a sandbox service need no credentials: the simulator has its own."""
    connectors = {spec.name: spec for spec in tenant.connectors}
    return Facts(
        tenant=tenant,
        service=service,
        channels=channels,
        connectors=connectors,
        faults={name: () if service.sandbox else tuple(_faults(spec, channels)) for name, spec in connectors.items()},
        senders={(sender.channel, sender.id): sender for sender in tenant.senders},
        templates={template.id: template for template in tenant.templates},
    )


def _faults(spec: ConnectorSpec, channels: Mapping[str, Channel]) -> list[str]:
    channel = channels.get(spec.channel)
    if channel is None or spec.kind not in channel.kinds:
        return [f"this installation has no connector of the kind {spec.kind!r} for the channel {spec.channel!r}"]
    return channel.kinds[spec.kind].check(spec)
