"""Writes profiles: a call becomes a batch, and the batch is written at once, or kept for a worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from heliograph.catalogue import keys
from heliograph.contract.profiles.app_users import read_app_users
from heliograph.contract.profiles.calls import Opened
from heliograph.contract.profiles.customers import read_customers
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.model.profiles.records import WAITING, Act, Batch, Change, Done, Job, Told, Write
from heliograph.model.workspace import Tenant
from heliograph.profiles.batches import unknown, write_batch
from heliograph.profiles.secrets import sealed
from heliograph.profiles.stores import app_of, customers_of
from heliograph.store import Store, StoreUnavailable
from heliograph.store.vault import Vault

log = logging.getLogger(__name__)

DEADLINE_MS = 600_000  # how long a job waits for a worker, unless its call has an expiry of its own

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a call: of each record, in order; `queued` records wait for a worker."""

    transid: str
    outcome: list[Done]
    queued: bool = False


class Writer:
    """Writes profiles. `queued` is called after a job was kept."""

    def __init__(
        self, store: Store, vault: Vault, ids: Ids, clock_ms: Callable[[], int], queued: Callable[[], None]
    ) -> None:
        self._store = store
        self._vault = vault
        self._ids = ids
        self._clock_ms = clock_ms
        self._queued = queued
        self.counts = {"calls": 0, "records": 0, "failed": 0, "queued": 0}

    async def write(self, tenant: Tenant, act: Act, opened: Opened, app: str = "") -> Written:
        """Create or change customers or, with an `app`, its profiles. Raises `Rejected` (7013, 7018, 7019) and, when
        a job cannot be kept, `StoreUnavailable`."""
        batch = self.batch(tenant, act, opened, app)
        now_ms = self._clock_ms()
        if opened.expiry and opened.expiry <= now_ms:
            raise Rejected(keys.REQUEST_EXPIRED)
        return await self._apply(tenant, batch, opened.expiry)

    async def delete(self, tenant: Tenant, changes: list[Change], app: str = "") -> Written:
        """Delete customers or, with an `app`, its profiles. Raises as `write` does."""
        _ = app_of(tenant, app) if app else customers_of(tenant)
        return await self._apply(
            tenant, Batch(tenant.id, "delete", changes, app, told=self._told(tenant, changes, app)), 0
        )

    def batch(self, tenant: Tenant, act: Act, opened: Opened, app: str) -> Batch:
        """The batch of a call. Raises `Rejected` (7013, 7018)."""
        if app:
            changes = read_app_users(opened.records, app_of(tenant, app), act)
            return Batch(tenant.id, act, [sealed(change, self._vault) for change in changes], app)
        definitions = customers_of(tenant)
        changes = read_customers(opened.records, definitions, act)
        return Batch(tenant.id, act, changes, keyed=list(definitions.keyed), told=self._told(tenant, changes, app))

    def _told(self, tenant: Tenant, changes: list[Change], app: str) -> Told | None:
        """Rules are told of customers where one asks."""
        if app or not any(rule.on.profile is not None for rule in tenant.rules):
            return None
        return Told([self._ids.next() for _ in changes])

    async def _apply(self, tenant: Tenant, batch: Batch, expiry: int) -> Written:
        now_ms = self._clock_ms()
        job = Job(self._ids.next(), new_nonce(), tenant.id, now_ms, expiry, WAITING)
        transid = transid_of(job.id, job.nonce)
        self.counts["calls"] += 1
        self.counts["records"] += len(batch.changes)
        if tenant.profile_async:
            await self._queue(job, batch)
            return Written(
                transid, [Done(change.customer, keys.SUCCESS, change.user) for change in batch.changes], True
            )
        done = await self._write(Write(batch, job, now_ms))
        self.counts["failed"] += sum(1 for one in done if one.key != keys.SUCCESS)
        return Written(transid, done)

    async def _queue(self, job: Job, batch: Batch) -> None:
        self.counts["queued"] += len(batch.changes)
        deadline = job.deadline or job.at + DEADLINE_MS
        waiting = msgspec.structs.replace(job, deadline=deadline, work=_encode(batch).decode())
        await self._store.queue_profiles(waiting)
        self._queued()

    async def _write(self, write: Write) -> list[Done]:
        try:
            return await write_batch(self._store, write) or []
        except StoreUnavailable as error:
            log.error("no record of a call could be kept: %s", error)
            return [unknown(change) for change in write.batch.changes]
