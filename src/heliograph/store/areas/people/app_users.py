"""Writes of app profiles: like those of customers, with several ways to say which profile is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from heliograph.catalogue import keys
from heliograph.model.profiles import apps
from heliograph.model.profiles.records import AppUser, Batch, Change, Done, News, Write, changed_user
from heliograph.store.steps import Answer, Plan, bulk

_encode = msgspec.json.Encoder().encode
_decode_users = msgspec.json.Decoder(list[tuple[str, AppUser]]).decode

USER, HANDLE, CUSTOMER, TOKEN = "user", "handle", "customer", "token"

Identity = tuple[str, str, str, str]
"""Tenant, app, user and device."""

Asked = tuple[str, str, str, str, str, str, str]
"""Tenant, app, and what a profile is found by: user (on one device, or all), real-time id, customer, token."""


Found = tuple[str, str, str, str]
"""Tenant, app, by what a profile is found (user, handle, customer, token) and the value of that."""


class Users:
    """The app profiles that a group of batches speaks of, as they were and as they become."""

    def __init__(self, found: Iterable[tuple[str, AppUser]]) -> None:
        self._before: dict[Identity, AppUser] = {}
        self._now: dict[Identity, AppUser | None] = {}
        self._places: dict[Found, set[Identity]] = {}
        for tenant, user in found:
            self._before[tenant, *identity(user)] = user
            self._put(tenant, user)

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Done]:
        """What becomes of each change."""
        for change in batch.changes:
            if change.refused:
                yield Done(change.customer, change.refused, values=change.values)
            elif batch.act == "delete":
                yield self._delete(batch, change)
            else:
                yield Done(change.customer, self._change(batch, change, now_ms))

    def _put(self, tenant: str, user: AppUser) -> None:
        place = (tenant, *identity(user))
        self._drop(place)
        self._now[place] = user
        for found in _ways_to(tenant, user):
            self._places.setdefault(found, set()).add(place)

    def _drop(self, place: Identity) -> None:
        user = self._now.get(place)
        self._now[place] = None
        for found in _ways_to(place[0], user) if user else ():
            self._places[found].discard(place)

    def _at(self, tenant: str, app: str, by: str, value: str) -> list[AppUser]:
        places = sorted(self._places.get((tenant, app, by, value), ())) if value else []
        return [user for place in places if (user := self._now.get(place)) is not None]

    def _change(self, batch: Batch, change: Change, now_ms: int) -> str:
        old = self._meant(batch, change)
        if old is None and batch.act == "update":
            return keys.APP_PROFILE_NOT_FOUND
        if old is not None and batch.act == "create":
            return keys.APP_PROFILE_ALREADY_EXISTS
        new = changed_user(batch.app, old, change, now_ms)
        if old is not None and identity(old) != identity(new):
            self._drop((batch.tenant, *identity(old)))  # the device has another user now
        self._put(batch.tenant, new)
        return keys.SUCCESS

    def _meant(self, batch: Batch, change: Change) -> AppUser | None:
        """The profile that a change speaks of: that of its user on its device, else the one with its real-time id."""
        found = self._now.get((batch.tenant, batch.app, change.user or change.customer, change.device))
        if found is None and batch.act != "create":
            return next(iter(self._at(batch.tenant, batch.app, HANDLE, change.handle)), None)
        return found

    def _delete(self, batch: Batch, change: Change) -> Done:
        tenant, app = batch.tenant, batch.app
        named = [*self._at(tenant, app, USER, change.user), *self._at(tenant, app, CUSTOMER, change.customer)]
        gone = {identity(user): user for user in named if change.device in ("", user.device)}
        for user in gone.values():
            self._drop((tenant, *identity(user)))
        first = next(iter(gone.values()), None)
        customer = first.customer if first and not change.customer else change.customer
        told = first.user if first and change.device else change.user
        return Done(customer, keys.SUCCESS if gone else keys.APP_PROFILE_NOT_FOUND, told)

    def tell(self, news: News) -> int:
        """Apply news of an address; how many profiles it changed. What the app itself said later stands."""
        found = {
            identity(user): user
            for by in (TOKEN, HANDLE, USER)
            for user in self._at(news.tenant, news.app, by, news.address)
            if by != USER or not user.device
        }
        changed = [new for user in found.values() if (new := _told(user, news)) is not None]
        for new in changed:
            self._put(news.tenant, new)
        return len(changed)

    def write(self) -> Plan[None]:
        """Write what differs."""
        changed = [(place, user) for place, user in self._now.items() if self._before.get(place) is not user]
        yield bulk("drop_app_users", [place for place, user in changed if user is None and place in self._before])
        yield bulk("put_app_users", [(place[0], *_row(user)) for place, user in changed if user is not None])


def identity(user: AppUser) -> tuple[str, str, str]:
    """App, user and device."""
    return user.app, user.user, user.device


def _ways_to(tenant: str, user: AppUser) -> Iterator[Found]:
    for by, value in ((USER, user.user), (HANDLE, user.handle), (CUSTOMER, user.customer), (TOKEN, user.token)):
        if value:
            yield tenant, user.app, by, value


def _told(user: AppUser, news: News) -> AppUser | None:
    if news.reachable:
        return replace(user, gone=0) if user.gone else None
    if news.at < user.since:
        return None
    if news.replaced_by and user.token == news.address:
        attributes = {**user.attributes, apps.TOKEN: news.replaced_by}
        return replace(user, token=news.replaced_by, attributes=attributes, since=news.at, gone=0)
    return None if user.gone else replace(user, gone=max(1, news.at))


def _row(user: AppUser) -> tuple[object, ...]:
    return (
        user.app, user.user, user.device, user.customer, user.handle, user.token, user.system, user.active,
        user.verified, user.gone, user.since, _encode(user.attributes).decode(), user.created, user.updated,
    )  # fmt: skip


def read_users(asked: Iterable[Asked]) -> Plan[Users]:
    """The profiles that are spoken of."""
    found = yield bulk("app_users_to_change", sorted(set(asked)), Answer.VALUE)
    return Users(_decode_users(found) if found else ())


def _asked(batch: Batch) -> Iterator[Asked]:
    for change in batch.changes:
        if batch.act == "delete":
            yield batch.tenant, batch.app, change.user, change.device, "", change.customer, ""
        elif not change.refused:
            yield batch.tenant, batch.app, change.user or change.customer, change.device, change.handle, "", ""


def write_app_users(writes: Sequence[Write]) -> Plan[list[list[Done]]]:
    """The outcomes of each batch."""
    if not writes:
        return []
    users = yield from read_users(asked for write in writes for asked in _asked(write.batch))
    outcomes = [list(users.apply(write.batch, write.now_ms)) for write in writes]
    yield from users.write()
    return outcomes


def write_news(lists: Sequence[Sequence[News]]) -> Plan[list[int]]:
    """How many profiles each list changed."""
    asked = [
        (news.tenant, news.app, news.address, "", news.address, "", news.address) for one in lists for news in one
    ]
    users = yield from read_users(asked)
    counts = [sum([users.tell(news) for news in one]) for one in lists]
    yield from users.write()
    return counts
