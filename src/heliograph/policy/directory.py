"""The workspace as the verbs look things up in it: one immutable snapshot per version."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.model.categories import SHIPPED, Category, categories_of
from heliograph.model.channel import Channel
from heliograph.model.events import Occurrence
from heliograph.model.events.declared import Hook
from heliograph.model.workspace import Document, Service, Tenant
from heliograph.policy.automation import RuleBook, Scope
from heliograph.policy.automation.conditions import Test, all_of
from heliograph.policy.facts import LINK_BASE, Facts, facts_for
from heliograph.policy.objects import Declared, declared_by


class Directory:
    """Services by the hash of their keys, and the facts that policy needs, worked out once per version."""

    def __init__(
        self, document: Document, channels: Mapping[str, Channel], version: int = 0, link_base: str = LINK_BASE
    ) -> None:
        self.document = document
        self._link_base = link_base
        self.version = version
        self.channels = channels
        self._services: dict[tuple[str, str], tuple[Tenant, Service]] = {}
        self._by_key: dict[str, tuple[Tenant, Service]] = {}
        self._by_issuer: dict[str, tuple[tuple[str, tuple[Tenant, Service]], ...]] = {}
        self._facts: dict[tuple[str, str], Facts] = {}
        self._declared: dict[str, Declared] = {}
        self._rules: dict[str, RuleBook] = {}
        self._hooks: dict[str, tuple[Tenant, Hook]] = {}
        self._filters: dict[str, Test | None] = {}
        self._categories = {tenant.id: categories_of(tenant.push_categories) for tenant in document.tenants}
        self.tenants = {tenant.id: tenant for tenant in document.tenants}
        self._by_profile_key = {tenant.profile_key: tenant for tenant in document.tenants if tenant.profile_key}
        for tenant in document.tenants:
            self._hooks.update({hook.id: (tenant, hook) for hook in tenant.hooks})
            for service in tenant.services:
                self._services[tenant.id, service.id] = (tenant, service)
                self._by_key.update(dict.fromkeys(service.keys or (), (tenant, service)))
                for item in service.jwt:
                    others = self._by_issuer.get(item.id, ())
                    self._by_issuer[item.id] = (*others, (item.secret, (tenant, service)))

    def service_by_key(self, key_hash: str) -> tuple[Tenant, Service] | None:
        """Whose service key has that hash."""
        return self._by_key.get(key_hash)

    def tenant_by_profile_key(self, key_hash: str) -> Tenant | None:
        """Whose profile key has that hash."""
        return self._by_profile_key.get(key_hash)

    def services_by_issuer(self, issuer: str) -> tuple[tuple[str, tuple[Tenant, Service]], ...]:
        """The secrets (base64) that may sign tokens of that issuer, each with whose it is."""
        return self._by_issuer.get(issuer, ())

    def service_of(self, tenant: str, service: str) -> tuple[Tenant, Service] | None:
        """A service and its tenant by their ids."""
        return self._services.get((tenant, service))

    def categories(self, tenant: str) -> Mapping[str, Category]:
        """The sets of buttons of a tenant by name, the shipped ones among them."""
        return self._categories.get(tenant, SHIPPED)

    def services(self) -> list[tuple[Tenant, Service]]:
        """All services with their tenants."""
        return list(self._services.values())

    def facts(self, tenant: str, service: str) -> Facts | None:
        """What policy must know of a service; None when it no longer exists."""
        identity = (tenant, service)
        facts = self._facts.get(identity)
        if facts is None and identity in self._services:
            facts = facts_for(*self._services[identity], self.channels, self.declared(tenant), self._link_base)
            self._facts[identity] = facts
        return facts

    def real_ms(self, tenant: str, moment: int) -> int:
        """A moment of a tenant's clock by ours; 0 stays 0."""
        found = self.tenants.get(tenant)
        return moment - found.clock_ahead * 1_000 if moment and found else moment

    def declared(self, tenant: str) -> Declared:
        """The policies of a tenant, which all its services share."""
        declared = self._declared.get(tenant)
        if declared is None:
            declared = self._declared[tenant] = declared_by(self.tenants[tenant])
        return declared

    def rules(self, tenant: str) -> RuleBook:
        """The rules of a tenant, none of one that is not there."""
        book = self._rules.get(tenant)
        if book is None:
            found = self.tenants.get(tenant)
            book = self._rules[tenant] = RuleBook(found.rules if found else ())
        return book

    def hook(self, identity: str) -> tuple[Tenant, Hook] | None:
        """A hook, whosever it is."""
        return self._hooks.get(identity)

    def passes(self, hook: Hook, occurrence: Occurrence) -> bool:
        """Whether a call of a hook fulfils its filter."""
        if hook.id not in self._filters:
            self._filters[hook.id] = all_of(hook.when)
        test = self._filters[hook.id]
        return test is None or test(Scope(occurrence))
