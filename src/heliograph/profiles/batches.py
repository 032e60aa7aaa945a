"""Writes a batch so that a record that cannot be kept fails alone."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from heliograph.catalogue import keys
from heliograph.model.profiles.records import ENDED, Change, Done, Job, Write
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode


async def write_batch(store: Store, write: Write) -> list[Done] | None:
    """What became of each record; None for a job that somebody else ended. When the store cannot take the batch as it
    is, each record is tried alone; one that cannot be kept is 7016. Raises `StoreUnavailable` when none can be."""
    try:
        return await store.write_profiles(write)
    except StoreUnavailable as error:
        log.error("a batch of profiles could not be kept, its records are tried one by one: %s", error)
        tried = await asyncio.gather(*(_write_one(store, write, place) for place in range(len(write.batch.changes))))
        if not any(one is not None for one in tried):
            raise
    done = [one or unknown(change) for one, change in zip(tried, write.batch.changes, strict=True)]
    if write.job is not None:
        await _keep_outcome(store, write.job, done, waited=write.waited)
    return done


def unknown(change: Change) -> Done:
    """A record that could not be kept."""
    return Done(change.customer, keys.UNKNOWN_ERROR, change.user)


async def _write_one(store: Store, write: Write, place: int) -> Done | None:
    told = write.batch.told
    alone = msgspec.structs.replace(
        write.batch,
        changes=[write.batch.changes[place]],
        told=msgspec.structs.replace(told, ids=[told.ids[place]]) if told is not None else None,
    )
    try:
        done = await store.write_profiles(Write(alone, None, write.now_ms))
    except StoreUnavailable as error:
        log.error("a profile could not be kept: %s", error)
        return None
    return done[0] if done else None


async def _keep_outcome(store: Store, job: Job, done: list[Done], *, waited: bool) -> None:
    ended = msgspec.structs.replace(job, state=ENDED, work="", outcome=_encode(done).decode())
    try:
        await (store.end_profile_job(ended) if waited else store.queue_profiles(ended))
    except StoreUnavailable as error:
        log.error("what became of a batch of profiles could not be kept: %s", error)
