"""The ways out of a service: what its bindings and the apps of its tenant come to, as connectors would use them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heliograph.model.channel import Channel, Peer, Peers
from heliograph.model.workspace import App, ConnectorSpec, Service, Tenant

ANYWHERE: Peers = defaultdict(lambda: Peer("127.0.0.1", 1))
"""Stands for wherever the simulators listen, when only the rest of a spec matters."""

MOST_AT_ONCE = 1_000  # calls of one connector


@dataclass(frozen=True, slots=True)
class Way:
    """One way out: the name of its lane, its channel, the spec as it is used (in the sandbox pointed at the
    simulators), sentences about what the spec lacks, whether waiting is compressed."""

    lane: str
    channel: Channel
    spec: ConnectorSpec
    faults: tuple[str, ...]
    fast: bool


Ways = Mapping[tuple[str, str], Way]
"""Ways by channel and app id; the app id is "" for the way that the service's binding names."""


def ways_of(tenant: Tenant, service: Service, channels: Mapping[str, Channel], peers: Peers = ANYWHERE) -> Ways:
    """Every way a service's messages may go."""
    found: dict[tuple[str, str], Way] = {}
    for name, app, spec in _declared(tenant, service, channels):
        found[name, app] = _way(tenant, service, channels[name], spec, peers)
    return found


def _declared(
    tenant: Tenant, service: Service, channels: Mapping[str, Channel]
) -> Iterator[tuple[str, str, ConnectorSpec]]:
    connectors = {spec.name: spec for spec in tenant.connectors}
    for name, channel in channels.items():
        if name != channel.name:
            continue
        apps = {app.id: spec for app in tenant.apps if (spec := app_spec(app, channel)) is not None}
        for app, spec in apps.items():
            yield name, app, spec
        binding = service.channels.get(name)
        if binding is None:
            continue
        chosen = connectors.get(binding.connector) or apps.get(binding.app)
        if chosen is not None and chosen.channel == name:
            yield name, "", chosen


def app_spec(app: App, channel: Channel) -> ConnectorSpec | None:
    """An app as a connector of a channel; None when it is not for that channel."""
    use = channel.app
    options = use.options(app) if use else None
    if use is None or options is None:
        return None
    window, throughput = options.get("window"), options.get("throughput")
    return ConnectorSpec(
        name=app.id, channel=channel.name, kind=use.kind, options=options,
        window=window if isinstance(window, int) and 0 < window <= MOST_AT_ONCE else use.window,
        throughput=throughput if isinstance(throughput, int | float) and throughput >= 0 else use.throughput,
    )  # fmt: skip


def lane_name(tenant: Tenant, service: Service, name: str) -> str:
    """The lane of a connector, or app, of that name for a service."""
    suffix = ("~sandbox" if service.fast else "~sandbox-real") if service.sandbox else ""
    return f"{tenant.id}/{name}{suffix}"


def _way(tenant: Tenant, service: Service, channel: Channel, spec: ConnectorSpec, peers: Peers) -> Way:
    lane = lane_name(tenant, service, spec.name)
    kind = channel.kinds.get(spec.kind)
    if kind is None:
        faults = [f"this installation has no connector of the kind {spec.kind!r} for the channel {channel.name!r}"]
    else:
        spec = kind.sandbox(spec, lane, peers) if service.sandbox else spec
        faults = kind.check(spec)
    return Way(lane, channel, spec, tuple(faults), service.fast)
