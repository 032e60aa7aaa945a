"""Profiles of customers and of users of apps, and the jobs that write them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import astuple, replace

from heliograph.model.profiles.records import ENDED, AppUser, Customer, Done, Job, News, Write
from heliograph.store.areas.people.app_users import write_app_users, write_news
from heliograph.store.areas.people.customers import write_customers
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, Step, bulk, count, do

_encode = msgspec.json.Encoder().encode
_decode_ids = msgspec.json.Decoder(list[int]).decode


def profiles(payloads: Sequence[Write]) -> Plan[list[list[Done] | None]]:
    """Batches of changes, each with its job. One that waited and was ended meanwhile by somebody else is not done
    again: its result is None."""
    yield _lock({write.batch.tenant for write in payloads})
    chosen = yield from _to_do(payloads)
    outcomes: dict[int, list[Done]] = {}
    for of_apps, plan in ((False, write_customers), (True, write_app_users)):
        places = [place for place in chosen if bool(payloads[place].batch.app) is of_apps]
        done = yield from plan([payloads[place] for place in places])
        outcomes.update(zip(places, done, strict=True))
    fresh: list[Job] = []
    waited: list[Job] = []
    for place, outcome in outcomes.items():
        write = payloads[place]
        if write.job is not None:
            (waited if write.waited else fresh).append(_ended(write.job, outcome))
    yield _put_jobs(fresh)
    yield _end_jobs(waited)
    return [outcomes.get(place) for place in range(len(payloads))]


def _to_do(payloads: Sequence[Write]) -> Plan[list[int]]:
    """The places of the batches to be written: of a job that waits each once, however often it is given."""
    waiting = {write.job.id: place for place, write in enumerate(payloads) if write.waited and write.job}
    chosen = [place for place, write in enumerate(payloads) if not write.waited]
    if waiting:
        still = yield Step("open_profile_jobs", (list(waiting),), None, Answer.VALUE)
        chosen += [waiting[number] for number in _decode_ids(still)]
    return sorted(chosen)


def queue_profiles(payloads: Sequence[Job]) -> Plan[list[None]]:
    """Jobs for a worker, or that ended already."""
    yield _put_jobs(payloads)
    return [None] * len(payloads)


def end_profile_jobs(payloads: Sequence[Job]) -> Plan[list[None]]:
    """Jobs that waited are ended as they say, without any work."""
    yield _end_jobs(payloads)
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
        self._tell_caused(write.batch.told)
        return result

    async def queue_profiles(self, job: Job) -> None:
        """Keep a job for a worker, or one that ended already."""
        await self.engine.write("queue_profiles", job)

    async def end_profile_job(self, job: Job) -> None:
        """End a job that waits as it says: with an outcome, or because its deadline has passed."""
        await self.engine.write("end_profile_jobs", job)

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

    async def customers_keyed(self, tenant: str, kind: str, values: Collection[str]) -> dict[str, Customer]:
        """Customers by values of a kind of key; of several, an active one, and of those the one that was changed
        last."""
        rows = await self._read(list[tuple[str, Customer]], "customers_keyed", tenant, kind, list(values))
        rows.sort(key=lambda row: (row[1].active, row[1].updated))
        return dict(rows)

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
