"""The worker of tenants that write profiles asynchronously, and what became of earlier calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from heliograph.catalogue import keys
from heliograph.duties.leases import always
from heliograph.model.ids import parse_transid
from heliograph.model.outcome import Rejected
from heliograph.model.profiles.records import LATE, WAITING, Batch, Done, Job, Write
from heliograph.model.workspace import Tenant
from heliograph.profiles.batches import write_batch
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

SLICE = 100  # jobs read at once
POLL_SECONDS = 1.0  # for jobs that another process took in
PAUSE_SECONDS = 1.0  # after the store failed

_decode_batch = msgspec.json.Decoder(Batch).decode
_decode_outcome = msgspec.json.Decoder(list[Done]).decode


async def outcome_of(store: Store, tenant: Tenant, transid: str) -> tuple[str, list[Done]]:
    """The transid and what became of the records of a write. Raises `Rejected`: 7600 for one that is not known or
    still waits, 7019 for one that came too late."""
    parsed = parse_transid(transid)
    job = await store.profile_job(parsed[0]) if parsed else None
    if parsed is None or job is None or (job.nonce, job.tenant) != (parsed[1], tenant.id) or parsed[2] is not None:
        raise Rejected(keys.NO_RESULTS)
    if job.state == WAITING:
        raise Rejected(keys.NO_RESULTS)
    if job.state == LATE:
        raise Rejected(keys.REQUEST_EXPIRED)
    return transid, _decode_outcome(job.outcome)


class Worker:
    """Does jobs in the order in which they came."""

    def __init__(self, store: Store, clock_ms: Callable[[], int], on_duty: Callable[[], bool] = always) -> None:
        """`on_duty` says whether it is this process that does them, of several."""
        self._on_duty = on_duty
        self._store = store
        self._clock_ms = clock_ms
        self._wake = asyncio.Event()
        self.counts = {"done": 0, "late": 0}

    def wake(self) -> None:
        """There is a job."""
        self._wake.set()

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        while True:
            self._wake.clear()
            try:
                await self.work()
            except StoreUnavailable as error:
                log.warning("jobs of profiles cannot be done now, trying again: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def work(self) -> None:
        """Do all that waits."""
        after = 0
        while self._on_duty() and (jobs := await self._store.waiting_profile_jobs(after, SLICE)):
            for job in jobs:
                if not self._on_duty():
                    return
                await self._do(job)
                after = job.id

    async def _do(self, job: Job) -> None:
        now_ms = self._clock_ms()
        if job.deadline and job.deadline <= now_ms:
            await self._store.end_profile_job(msgspec.structs.replace(job, state=LATE))
            self.counts["late"] += 1
            return
        batch = _decode_batch(job.work)
        await write_batch(self._store, Write(batch, job, now_ms, waited=True))
        self.counts["done"] += 1
