"""What a workspace may declare that this release keeps and gives back, but does not act upon yet."""

from __future__ import annotations

from heliograph.model.workspace import Document, Tenant

TENANT_MEMBERS: tuple[str, ...] = ()
LIMITS: tuple[str, ...] = ()

_TENANT = Tenant(id="")


def not_in_force(document: Document) -> list[str]:
    """A sentence for every member that differs from its default and is only kept."""
    sentences = []
    for tenant in document.tenants:
        path = f"tenants[{tenant.id}]"
        sentences += [
            f"{path}.{name} is kept, this release does not act upon it"
            for name in TENANT_MEMBERS
            if getattr(tenant, name) != getattr(_TENANT, name)
        ]
        sentences += [
            f"{path}.limits.{name} is kept, this release does not act upon it"
            for name in LIMITS
            if getattr(tenant.limits, name) is not None
        ]
    return sentences
