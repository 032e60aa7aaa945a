"""A message from a person: kept, and told to the service that owns the address it was sent to."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from heliograph.model.events import Occurrence
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.message import Address
from heliograph.model.outcome import Inbound, State
from heliograph.model.people import DndRow, Wish
from heliograph.model.record import Notice
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.automation.occurring import of_inbound
from heliograph.policy.directory import Directory
from heliograph.policy.objects.people import dnd_address
from heliograph.policy.outcomes import origin_of
from heliograph.policy.telling import inbound_body
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

KEYWORD = "keyword"  # the origin of entries that people made by a message
REASON_CHARACTERS = 32


Wished = Callable[[Tenant, Service | None, Inbound, Wish, bool], None]
"""Told of a wish that was kept, and whether it changed anything."""


def nobody_asked(tenant: Tenant, service: Service | None, item: Inbound, wish: Wish, changed: bool) -> None:
    """For a receiver that nobody listens to."""


def wish_of(tenant: Tenant, item: Inbound, now_ms: int) -> Wish | None:
    """What an inbound message asks for, if it is one of the tenant's words and nothing else."""
    opt_out = tenant.opt_out
    if opt_out is None:
        return None
    said = _word(item.text)
    stop = said in map(_word, opt_out.stop)
    if not stop and said not in map(_word, opt_out.start):
        return None
    reason = f"wrote {item.text.strip()[:REASON_CHARACTERS]} to {item.destination}"
    row = DndRow(dnd_address(item.sender), item.channel, opt_out.category, reason, KEYWORD, now_ms)
    return Wish(tenant.id, row, stop)


def _word(text: str) -> str:
    return " ".join(text.split()).strip(" .!").casefold()


class InboundKeeper:
    """Keeps inbound messages; after the commit `tell` gets the notice, `wished` what the person asked for."""

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        ids: Ids,
        clock_ms: Callable[[], int],
        tell: Callable[[list[Notice]], None],
        wished: Wished = nobody_asked,
    ) -> None:
        self._wished = wished
        self._store = store
        self._directory = directory
        self._ids = ids
        self._clock_ms = clock_ms
        self._tell = tell

    async def keep(self, connector: str, item: Inbound, stored: Callable[[bool], None]) -> None:
        """Make it durable, answer the operator, tell the service."""
        now_ms, number = self._clock_ms(), self._ids.next()
        tenant, service = self._owner(connector, item)
        tid = transid_of(number, new_nonce())
        notice = self._notice(number, tid, item, now_ms, tenant, service)
        row = (
            number, tenant.id if tenant else "", service.id if service else "", connector, item.channel,
            item.sender, item.destination, item.text, msgspec.json.encode(item.native).decode(), now_ms,
        )  # fmt: skip
        wish = wish_of(tenant, item, now_ms) if tenant else None
        try:
            happened = self._occurrence(number, tid, item, now_ms, tenant, service)
            kept = await self._store.keep_inbound(row, item.native_id, notice, wish, happened)
        except StoreUnavailable as error:
            log.warning("an inbound message cannot be kept and is given back to its operator: %s", error)
            stored(False)
            return
        stored(True)
        if kept.fresh and notice is not None:
            self._tell([notice])
        if kept.fresh and tenant is not None and wish is not None:
            self._wished(tenant, service, item, wish, kept.changed)

    def _owner(self, connector: str, item: Inbound) -> tuple[Tenant | None, Service | None]:
        """The service whose sender the message was sent to, else the first one that uses the connector."""
        path, _, pool = connector.partition("~")
        tenant_id, _, name = path.partition("/")
        tenant = self._directory().tenants.get(tenant_id)
        if tenant is None:
            return None, None
        candidates = [
            (service, binding)
            for service in tenant.services
            if (binding := service.channels.get(item.channel)) is not None
            and name in (binding.connector, binding.app)
            and service.sandbox == bool(pool)
        ]
        for service, binding in candidates:
            if binding.sender == item.destination:
                return tenant, service
        return tenant, candidates[0][0] if candidates else None

    def _occurrence(
        self, number: int, tid: str, item: Inbound, now_ms: int, tenant: Tenant | None, service: Service | None
    ) -> Occurrence | None:
        if tenant is None or service is None or not self._directory().rules(tenant.id).has("inbound"):
            return None
        return of_inbound(item, (tenant.id, service.id), number, tid, now_ms)

    def _notice(
        self, number: int, tid: str, item: Inbound, now_ms: int, tenant: Tenant | None, service: Service | None
    ) -> Notice | None:
        if tenant is None or service is None or not service.notify.inbound_url:
            return None
        url = service.notify.inbound_url
        body = inbound_body(item, tid, now_ms).decode()
        return Notice(
            number, 0, 0, 0, Address("", ""), State.DELIVERED, "inbound", "", now_ms, url, origin_of(url),
            tenant.id, service.id, 0, body,
        )  # fmt: skip
