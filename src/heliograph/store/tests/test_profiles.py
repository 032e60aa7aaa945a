"""Profiles on a real database: batches in their order, several ways to be found, news of addresses, jobs."""

from __future__ import annotations

import asyncio
from itertools import count

from msgspec.structs import replace

from heliograph.catalogue import keys
from heliograph.model.profiles.records import ENDED, LATE, WAITING, Batch, Change, Job, News, Write
from heliograph.store import Store

KEYED = [("msisdn", "msisdn"), ("email", "email"), ("card", "alias")]
APP = "AP1"
_ids = count(1)


def write(act: str, changes: list[Change], *, app: str = "", tenant: str = "demo", now_ms: int = 1_000) -> Write:
    """A batch with a job of its own."""
    job = Job(next(_ids), 7, tenant, now_ms, 0, WAITING)
    return Write(Batch(tenant, act, changes, app, [] if app else KEYED), job, now_ms)  # type: ignore[arg-type]


def customer(customer_id: str, **attributes: str | int | None) -> Change:
    return Change(customer=customer_id, patch=dict(attributes))


def device(customer: str, device: str, *, user: str = "", **attributes: str | int | None) -> Change:
    handle = f"{user or customer}_{device}"
    return Change(customer=customer, patch={"status": 1, **attributes}, user=user, device=device, handle=handle)


async def outcome(store: Store, act: str, *changes: Change, app: str = "", now_ms: int = 1_000) -> list[str]:
    done = await store.write_profiles(write(act, list(changes), app=app, now_ms=now_ms))
    assert done is not None
    return [one.key for one in done]


async def test_a_batch_is_applied_in_its_order(store: Store) -> None:
    assert await outcome(store, "create", customer("a", name="A"), customer("a"), customer("b")) == [
        keys.SUCCESS, keys.CUSTOMER_ALREADY_EXISTS, keys.SUCCESS,
    ]  # fmt: skip
    assert await outcome(store, "update", customer("a", city="X"), customer("c")) == [
        keys.SUCCESS, keys.CUSTOMER_NOT_FOUND,
    ]  # fmt: skip
    assert (await store.customers_named("demo", ["a"]))["a"].attributes == {"name": "A", "city": "X"}
    assert await outcome(store, "delete", customer("a"), customer("a")) == [keys.SUCCESS, keys.CUSTOMER_NOT_FOUND]
    assert set(await store.customers_named("demo", ["a", "b"])) == {"b"}


async def test_batches_that_come_together_see_each_other(store: Store) -> None:
    writes = [write("create", [customer("a")]) for _ in range(20)]

    done = await asyncio.gather(*map(store.write_profiles, writes))

    found = [one.key for result in done for one in result or ()]
    assert sorted(found) == [keys.CUSTOMER_ALREADY_EXISTS] * 19 + [keys.SUCCESS]


async def test_what_was_refused_before_is_told_in_its_place(store: Store) -> None:
    refused = Change(customer="x", refused=keys.MSISDN_MISSING)

    assert await outcome(store, "create", customer("a"), refused, customer("b")) == [
        keys.SUCCESS, keys.MSISDN_MISSING, keys.SUCCESS,
    ]  # fmt: skip


async def test_a_value_of_none_takes_an_attribute_away(store: Store) -> None:
    await outcome(store, "create", customer("a", name="A", msisdn="447700900001"))
    await outcome(store, "update", customer("a", msisdn=None))

    assert (await store.customers_named("demo", ["a"]))["a"].attributes == {"name": "A"}
    assert await store.customers_keyed("demo", "msisdn", ["447700900001"]) == {}


async def test_a_customer_is_found_by_number_address_and_alias(store: Store) -> None:
    await outcome(store, "create", customer("a", msisdn="447700900001", email="A@b.example", card="77"))

    for kind, value in (("msisdn", "447700900001"), ("email", "a@b.example")):
        assert (await store.customers_keyed("demo", kind, [value]))[value].customer == "a"
    assert (await store.customers_named("demo", ["77"]))["77"].customer == "a"
    assert await outcome(store, "update", customer("77", name="A")) == [keys.SUCCESS]
    assert (await store.customers_named("demo", ["a"]))["a"].attributes["name"] == "A"


async def test_an_alias_has_one_owner(store: Store) -> None:
    assert await outcome(store, "create", customer("a", card="77"), customer("b", card="77")) == [
        keys.SUCCESS, keys.INVALID_ATTRIBUTE_VALUE,
    ]  # fmt: skip
    assert await outcome(store, "create", customer("b", card="77"), customer("77")) == [
        keys.INVALID_ATTRIBUTE_VALUE, keys.CUSTOMER_ALREADY_EXISTS,
    ]  # fmt: skip
    await outcome(store, "update", customer("a", card="78"))
    assert await outcome(store, "create", customer("b", card="77")) == [keys.SUCCESS]


async def test_an_id_wins_over_an_alias(store: Store) -> None:
    await outcome(store, "create", customer("x", name="id"), customer("a", card="x"))

    assert (await store.customers_named("demo", ["x"]))["x"].attributes["name"] == "id"


async def test_a_number_shared_by_several_leads_to_who_changed_last(store: Store) -> None:
    await outcome(store, "create", customer("a", msisdn="4477"), now_ms=2)
    await outcome(store, "create", customer("b", msisdn="4477"), now_ms=1)

    assert (await store.customers_keyed("demo", "msisdn", ["4477"]))["4477"].customer == "a"


async def test_tenants_do_not_see_each_other(store: Store) -> None:
    await store.write_profiles(write("create", [customer("a", card="77")], tenant="one"))
    await store.write_profiles(write("create", [device("a", "d1")], app=APP, tenant="one"))

    assert await store.customers_named("two", ["a", "77"]) == {}
    assert await store.app_users_named("two", APP, ["a"]) == []


async def test_a_user_has_several_devices(store: Store) -> None:
    assert await outcome(store, "create", device("a", "d1"), device("a", "d2"), device("a", "d2"), app=APP) == [
        keys.SUCCESS, keys.SUCCESS, keys.APP_PROFILE_ALREADY_EXISTS,
    ]  # fmt: skip
    assert [one.device for one in await store.app_users_named("demo", APP, ["a"])] == ["d1", "d2"]


async def test_an_app_profile_is_found_by_its_real_time_id(store: Store) -> None:
    await outcome(store, "create", device("a", "d1", user="u", os="Android"), app=APP)

    change = Change(customer="b", patch={"status": 0}, handle="u_d1")
    assert await outcome(store, "update", change, app=APP) == [keys.SUCCESS]

    [found] = await store.app_users_named("demo", APP, ["u"])
    assert (found.customer, found.device, found.active, found.system) == ("b", "d1", 0, "android")


async def test_a_device_may_get_another_user(store: Store) -> None:
    await outcome(store, "create", device("a", "d1", user="guest"), app=APP)

    change = Change(customer="a", patch={"status": 1}, user="u", handle="guest_d1")
    assert await outcome(store, "update", change, app=APP) == [keys.SUCCESS]

    assert await store.app_users_named("demo", APP, ["guest"]) == []
    assert [one.device for one in await store.app_users_named("demo", APP, ["u"])] == ["d1"]


async def test_a_profile_that_is_not_there_is_not_updated(store: Store) -> None:
    assert await outcome(store, "update", device("a", "d1"), app=APP) == [keys.APP_PROFILE_NOT_FOUND]


async def test_app_profiles_are_deleted_by_user_by_customer_and_by_device(store: Store) -> None:
    changes = [device("a", "d1", user="u"), device("a", "d2", user="u"), device("b", "d3", user="v")]
    await outcome(store, "create", *changes, app=APP)

    one = Change(customer="u", user="u", device="d1")
    done = await store.write_profiles(write("delete", [one], app=APP))
    assert done is not None
    assert (done[0].key, done[0].user) == (keys.SUCCESS, "u")
    assert await outcome(store, "delete", Change(customer="a"), Change(user="v"), Change(user="v"), app=APP) == [
        keys.SUCCESS, keys.SUCCESS, keys.APP_PROFILE_NOT_FOUND,
    ]  # fmt: skip
    assert await store.app_users_after("demo", APP, ("", ""), 10) == []


async def test_a_customer_who_goes_leaves_app_profiles_that_link_to_nobody(store: Store) -> None:
    await outcome(store, "create", customer("a"))
    await outcome(store, "create", device("a", "d1"), app=APP)
    await outcome(store, "delete", customer("a"))
    await outcome(store, "create", customer("a"))

    assert await store.app_users_of_customers("demo", "", ["a"]) == []
    assert [one.customer for one in await store.app_users_named("demo", APP, ["a"])] == [""]


async def test_a_dead_token_is_marked_and_comes_back_when_the_app_says_it(store: Store) -> None:
    await outcome(store, "create", device("a", "d1", pushId="t1"), app=APP, now_ms=10)

    assert await store.profile_news([News("demo", APP, "t1", False, 20)]) == 1
    assert [one.gone for one in await store.app_users_with_tokens("demo", APP, ["t1"])] == [20]
    await outcome(store, "update", device("a", "d1", os="ios"), app=APP, now_ms=30)
    assert [one.gone for one in await store.app_users_with_tokens("demo", APP, ["t1"])] == [20]
    await outcome(store, "update", device("a", "d1", pushId="t1"), app=APP, now_ms=40)
    assert [(one.gone, one.since) for one in await store.app_users_with_tokens("demo", APP, ["t1"])] == [(0, 40)]


async def test_news_older_than_the_registration_of_a_token_says_nothing(store: Store) -> None:
    await outcome(store, "create", device("a", "d1", pushId="t1"), app=APP, now_ms=10)

    assert await store.profile_news([News("demo", APP, "t1", False, 9)]) == 0


async def test_a_rotated_token_is_replaced(store: Store) -> None:
    await outcome(store, "create", device("a", "d1", pushId="t1"), app=APP, now_ms=10)

    await store.profile_news([News("demo", APP, "t1", False, 20, "t2")])

    [found] = await store.app_users_with_tokens("demo", APP, ["t2"])
    assert (found.token, found.attributes["pushId"], found.gone, found.since) == ("t2", "t2", 0, 20)
    assert await store.app_users_with_tokens("demo", APP, ["t1"]) == []


async def test_a_follower_goes_and_comes_back(store: Store) -> None:
    await outcome(store, "create", Change(customer="a", patch={"status": 1}, user="openid"), app="wx", now_ms=10)

    await store.profile_news([News("demo", "wx", "openid", False, 20)])
    assert [one.gone for one in await store.app_users_named("demo", "wx", ["openid"])] == [20]
    await store.profile_news([News("demo", "wx", "openid", True, 30)])
    assert [one.gone for one in await store.app_users_named("demo", "wx", ["openid"])] == [0]


async def test_a_user_id_is_no_address_of_a_device(store: Store) -> None:
    await outcome(store, "create", device("a", "d1"), app=APP, now_ms=10)

    assert await store.profile_news([News("demo", APP, "a", False, 20)]) == 0


async def test_a_job_that_waited_is_done_once(store: Store) -> None:
    made = write("create", [customer("a")])
    assert made.job
    await store.queue_profiles(made.job)
    assert [job.id for job in await store.waiting_profile_jobs(0, 10)] == [made.job.id]

    waited = Write(made.batch, made.job, 2_000, waited=True)
    for done in await asyncio.gather(store.write_profiles(waited), store.write_profiles(waited)):
        assert done is None or [one.key for one in done] == [keys.SUCCESS]
    assert await store.write_profiles(waited) is None
    job = await store.profile_job(made.job.id)
    assert job is not None
    assert (job.state, job.work) == (ENDED, "")
    assert keys.SUCCESS in job.outcome
    assert await store.waiting_profile_jobs(0, 10) == []


async def test_a_late_job_changes_nothing(store: Store) -> None:
    made = write("create", [customer("a")])
    assert made.job
    await store.queue_profiles(made.job)
    await store.end_profile_job(replace(made.job, state=LATE))

    assert await store.write_profiles(Write(made.batch, made.job, 2_000, waited=True)) is None
    assert await store.customers_named("demo", ["a"]) == {}
    job = await store.profile_job(made.job.id)
    assert job is not None
    assert job.state == LATE


async def test_old_jobs_go(store: Store) -> None:
    made = write("create", [customer("a")])
    assert made.job
    await store.write_profiles(made)

    assert await store.purge_profile_jobs(made.job.id, 10) == 0
    assert await store.purge_profile_jobs(made.job.id + 1, 10) == 1
    assert await store.profile_job(made.job.id) is None


async def test_profiles_are_paged_in_the_order_of_their_ids(store: Store) -> None:
    await outcome(store, "create", *(customer(name) for name in "dbac"))
    await outcome(store, "create", device("a", "2"), device("a", "1"), device("b", "1"), app=APP)

    assert [one.customer for one in await store.customers_after("demo", "", 3)] == ["a", "b", "c"]
    assert [one.customer for one in await store.customers_after("demo", "c", 3)] == ["d"]
    page = await store.app_users_after("demo", APP, ("a", "1"), 5)
    assert [(one.user, one.device) for one in page] == [("a", "2"), ("b", "1")]
