"""What a workspace may declare that this release keeps and gives back, but does not act upon yet."""

from __future__ import annotations

from heliograph.model.workspace import Document, Service, Tenant

TENANT_MEMBERS = (
    "profile_key", "verified_only", "profile_async", "limits", "billing", "dnd", "spam_words", "social_hours",
    "profile_store", "apps", "prompts", "callflows", "push_categories", "hooks", "events", "rules",
)  # fmt: skip
SERVICE_MEMBERS: tuple[str, ...] = ()

_TENANT, _SERVICE = Tenant(id=""), Service(id="")


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
        for service in tenant.services:
            sentences += [
                f"{path}.services[{service.id}].{name} is kept, this release does not act upon it"
                for name in SERVICE_MEMBERS
                if getattr(service, name) != getattr(_SERVICE, name)
            ]
    return sentences
