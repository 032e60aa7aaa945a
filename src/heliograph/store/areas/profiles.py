"""Profiles of customers and of users of apps, and the jobs that write them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import astuple, replace

from heliograph.model.profiles.records import ENDED, LATE, AppUser, Customer, Done, Job, News, Write
from heliograph.store.areas.profile_customers import write_customers
from heliograph.store.areas.profile_users import write_app_users, write_news
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, Step, bulk, count, do

_encode = msgspec.json.Encoder().encode
_decode_ids = msgspec.json.Decoder(list[int]).decode


def profiles(payloads: Sequence[Write]) -> Plan[list[list[Done] | None]]:
    """Batches of changes, each with its job. One that waited and was ended meanwhile by somebody else is not done
    again: its result is None."""
    yield _lock({write.batch.tenant for write in payloads})
    waited = [write.job.id for write in payloads if write.waited]
    still = yield Step("open_profile_jobs", (waited,), None, Answer.VALUE)
    waiting = {write.job.id: write for write in payloads if write.waited}  # each once, however often it is given
    chosen = [write for write in payloads if not write.waited]
    chosen += [waiting[number] for number in _decode_ids(still)]
    outcomes: dict[int, list[Done]] = {}
    for kind, plan in ((False, write_customers), (True, write_app_users)):
        writes = [write for write in chosen if bool(write.batch.app) is kind]
        done = yield from plan(writes)
        outcomes.update(zip([write.job.id for write in writes], done, strict=True))
    ended = [_ended(write.job, outcomes[write.job.id]) for write in chosen]
    yield _put_jobs([job for write, job in zip(chosen, ended, strict=True) if not write.waited])
    yield _end_jobs([job for write, job in zip(chosen, ended, strict=True) if write.waited])
    return [outcomes.get(write.job.id) for write in payloads]


def queue_profiles(payloads: Sequence[Job]) -> Plan[list[None]]:
    """Jobs for a worker."""
    yield _put_jobs(payloads)
    return [None] * len(payloads)


def expire_profiles(payloads: Sequence[Job]) -> Plan[list[None]]:
    """Jobs whose deadline has passed."""
    yield _end_jobs([replace(job, state=LATE) for job in payloads])
    return [None] * len(payloads)


def profile_news(payloads: Sequence[list[News]]) -> Plan[list[int]]:
    """What far ends say of addresses; how many profiles each list changed."""
    yield _lock({news.tenant for payload in payloads for news in payload})
    return (yield from write_news(payloads))


def purge_profile_jobs(payloads: Sequence[tuple[int, int]]) -> Plan[list[int]]:
    """Jobs that ended with ids below one, at most so many; how many went."""
    gone: list[int] = []
    for payload in payloads:
        gone.append((yield count("purge_profile_jobs", *payload)))
    return gone


def _lock(tenants: set[str]) -> Step:
    """Where several processes write, one after another, for what is written rests on what was read."""
    return do("lock_profiles", sorted(tenants))


def _ended(job: Job, outcome: list[Done]) -> Job:
    return replace(job, state=ENDED, work="", outcome=_encode(outcome).decode())


def _put_jobs(jobs: Sequence[Job]) -> Step:
    return bulk("put_profile_jobs", [astuple(job) for job in jobs])


def _end_jobs(jobs: Sequence[Job]) -> Step:
    return bulk("end_profile_jobs", [(job.id, job.state, job.outcome) for job in jobs])


class Profiles(Area):
    """Profiles and jobs."""

    async def write_profiles(self, write: Write) -> list[Done] | None:
        """Apply a batch and keep its job; what became of each record, None for a job that somebody else ended."""
        result: list[Done] | None = await self.engine.write("profiles", write)
        return result

    async def queue_profiles(self, job: Job) -> None:
        """Keep a job for a worker."""
        await self.engine.write("queue_profiles", job)

    async def expire_profiles(self, job: Job) -> None:
        """End a job whose deadline has passed."""
        await self.engine.write("expire_profiles", job)

    async def profile_news(self, news: list[News]) -> int:
        """Keep what far ends say of addresses; how many profiles changed."""
        result: int = await self.engine.write("profile_news", news)
        return result

    async def purge_profile_jobs(self, before: int, limit: int) -> int:
        """Delete at most `limit` jobs that ended, with ids below `before`; how many went."""
        result: int = await self.engine.write("purge_profile_jobs", (before, limit))
        return result

    async def profile_job(self, job: int) -> Job | None:
        """A job by its id."""
        found = await self._read(list[Job], "profile_job", job)
        return found[0] if found else None

    async def waiting_profile_jobs(self, after: int, limit: int) -> list[Job]:
        """Jobs that wait with ids above `after`, oldest first."""
        return await self._read(list[Job], "waiting_profile_jobs", after, limit)

    async def customers_named(self, tenant: str, names: Collection[str]) -> dict[str, Customer]:
        """Customers by what they were asked for: an id or, where no id is the same, an alias."""
        found: dict[str, Customer] = {}
        for asked, customer in await self._read(list[tuple[str, Customer]], "customers_named", tenant, list(names)):
            found.setdefault(asked, customer)
        return found

    async def customers_keyed(
        self, tenant: str, wanted: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], Customer]:
        """Customers by a kind of key and its value; of several, the one that was changed last."""
        kinds, values = [kind for kind, _ in wanted], [value for _, value in wanted]
        rows = await self._read(list[tuple[str, str, Customer]], "customers_keyed", tenant, kinds, values)
        rows.sort(key=lambda row: row[2].updated)
        return {(kind, value): customer for kind, value, customer in rows}

    async def customers_after(self, tenant: str, after: str, limit: int) -> list[Customer]:
        """Customers in the order of their ids."""
        return await self._read(list[Customer], "customers_after", tenant, after, limit)

    async def app_users_of_customers(self, tenant: str, app: str, customers: Collection[str]) -> list[AppUser]:
        """The profiles of customers in an app; in all apps with ""."""
        return await self._read(list[AppUser], "app_users_of_customers", tenant, app, list(customers))

    async def app_users_named(self, tenant: str, app: str, users: Collection[str]) -> list[AppUser]:
        """The profiles of users of an app."""
        return await self._read(list[AppUser], "app_users_named", tenant, app, list(users))

    async def app_users_with_tokens(self, tenant: str, app: str, tokens: Collection[str]) -> list[AppUser]:
        """The profiles of an app that pushes with these tokens go to."""
        return await self._read(list[AppUser], "app_users_with_tokens", tenant, app, list(tokens))

    async def app_users_after(self, tenant: str, app: str, after: tuple[str, str], limit: int) -> list[AppUser]:
        """The profiles of an app in the order of users and devices."""
        return await self._read(list[AppUser], "app_users_after", tenant, app, *after, limit)
