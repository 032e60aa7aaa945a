"""What the shape of a tenant's events cannot say."""

from __future__ import annotations

from collections.abc import Iterator

from heliograph.contract.declared.names import services_faults, unique
from heliograph.contract.events.definitions import event_faults
from heliograph.contract.shape import Fault
from heliograph.model.workspace import Tenant


def happening_faults(tenant: Tenant, path: str) -> Iterator[Fault]:
    """Every fault of the events that a tenant declares."""
    services = {service.id for service in tenant.services}
    yield from unique(f"{path}.events", (event.id for event in tenant.events))
    for event in tenant.events:
        where = f"{path}.events[{event.id}]"
        yield from services_faults(f"{where}.services", event.services, services)
        yield from event_faults(event, where)
