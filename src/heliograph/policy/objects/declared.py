"""Everything a tenant declares about what may go now, made ready once per version of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heliograph.model.people import DndRow
from heliograph.model.workspace import Tenant
from heliograph.policy.objects.hours import Timetable, timetables
from heliograph.policy.objects.people import Cap, caps_of, dnd_index
from heliograph.policy.objects.rates import Plan
from heliograph.policy.objects.words import SpamFilter, spam_filter


@dataclass(frozen=True, slots=True)
class Declared:
    """The policies of a tenant; what it does not declare is empty or None."""

    dnd: Mapping[str, tuple[DndRow, ...]]
    spam: SpamFilter | None
    hours: tuple[Timetable, ...]
    caps: tuple[Cap, ...]
    plan: Plan | None

    @property
    def asks_addresses(self) -> bool:
        """Whether any of it looks at single addresses."""
        return bool(self.dnd or self.hours or self.caps or self.plan)


def declared_by(tenant: Tenant) -> Declared:
    """The policies of a tenant."""
    return Declared(
        dnd=dnd_index(tenant.dnd),
        spam=spam_filter(tenant.spam_words),
        hours=timetables(tenant.social_hours, f"tenants[{tenant.id}].social_hours"),
        caps=caps_of(tenant.frequency_caps),
        plan=Plan(tenant.billing) if tenant.billing else None,
    )
