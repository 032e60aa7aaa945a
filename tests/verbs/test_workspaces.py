"""Declaring the workspace: whole or not at all, sealed, keys as hashes, secrets never shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.contract.workspace import Faults
from heliograph.store import Store, StoreUnavailable
from heliograph.store.vault import hash_key
from heliograph.testing.databases import Database
from heliograph.workspaces import HIDDEN, Workspaces

Make = Callable[..., dict[str, Any]]
Again = Callable[[], Workspaces]


def connector_of(workspaces: Workspaces) -> Any:
    """The one connector in force."""
    return workspaces.directory().document.tenants[0].connectors[0]


async def test_what_is_applied_is_in_force_and_survives_a_restart(
    workspaces: Workspaces, document: Make, again: Again
) -> None:
    await workspaces.apply(document())

    assert (await again()).directory().document == workspaces.directory().document
    assert (await again()).directory().version == 1


async def test_applying_the_same_again_changes_nothing(workspaces: Workspaces, document: Make) -> None:
    await workspaces.apply(document())
    applied = await workspaces.apply(document())

    assert (applied.changes, applied.version) == ([], 1)


async def test_a_bad_document_leaves_everything_as_it_was(workspaces: Workspaces, document: Make) -> None:
    await workspaces.apply(document())
    bad = document(status="suspended", tenant={"timezone": "Mars/Base"})
    with pytest.raises(Faults, match="Mars/Base"):
        await workspaces.apply(bad)

    assert workspaces.directory().document.tenants[0].services[0].status == "live"


async def test_a_store_that_fails_leaves_everything_as_it_was(
    workspaces: Workspaces, document: Make, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workspaces.apply(document())

    async def fail(*args: Any) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(store, "save_workspace", fail)
    with pytest.raises(StoreUnavailable):
        await workspaces.apply(document(status="suspended"))

    assert (workspaces.directory().version, workspaces.directory().document.tenants[0].services[0].status) == (
        1,
        "live",
    )


async def test_applies_at_once_come_one_after_the_other(workspaces: Workspaces, document: Make, again: Again) -> None:
    inside: list[int] = []
    most = 0

    async def follow() -> None:
        nonlocal most
        inside.append(1)
        most = max(most, len(inside))
        await asyncio.sleep(0.002)
        inside.pop()

    workspaces.changed.append(follow)
    names = [f"name {number}" for number in range(10)]
    applied = await asyncio.gather(*(workspaces.apply(document(name=name)) for name in names))

    assert sorted(item.version for item in applied) == list(range(1, 11))
    assert most == 1
    assert (await again()).directory().document == workspaces.directory().document


async def test_a_plan_changes_nothing(workspaces: Workspaces, document: Make) -> None:
    assert workspaces.plan(document()) == ["+ tenants[demo]"]
    assert workspaces.directory().version == 0


async def test_keys_are_hashes_and_hashes_are_taken_as_they_are(workspaces: Workspaces, document: Make) -> None:
    await workspaces.apply(document())
    [service] = workspaces.directory().document.tenants[0].services
    applied = await workspaces.apply(document(keys=list(service.keys)))

    assert (service.keys, applied.changes) == ((hash_key(document()["tenants"][0]["services"][0]["keys"][0]),), [])


async def test_a_service_without_keys_gets_one_once(workspaces: Workspaces, document: Make) -> None:
    plain = document()
    del plain["tenants"][0]["services"][0]["keys"]
    first, second = await workspaces.apply(plain), await workspaces.apply(plain)
    key = first.made_keys["demo/orders"]

    assert workspaces.directory().service_by_key(hash_key(key)) is not None
    assert (second.made_keys, second.changes) == ({}, [])


async def test_a_service_that_declares_no_key_has_none(workspaces: Workspaces, document: Make) -> None:
    await workspaces.apply(document(keys=[]))

    assert workspaces.directory().document.tenants[0].services[0].keys == ()


async def test_an_export_shows_no_secret(workspaces: Workspaces, document: Make, secrets: list[str]) -> None:
    await workspaces.apply(document())
    shown = str(workspaces.export())

    assert [secret for secret in secrets if secret in shown] == []


async def test_an_export_with_secrets_shows_them_but_no_key(
    workspaces: Workspaces, document: Make, secrets: list[str]
) -> None:
    await workspaces.apply(document())
    shown = str(workspaces.export(secrets=True))

    assert [secret in shown for secret in secrets] == [False, False, True, True, True, True]


@pytest.mark.parametrize("shown", [False, True])
async def test_an_export_given_back_keeps_every_secret(workspaces: Workspaces, document: Make, shown: bool) -> None:
    await workspaces.apply(document())
    before = workspaces.directory().document
    applied = await workspaces.apply(workspaces.export(secrets=shown))

    assert (applied.changes, workspaces.directory().document) == ([], before)


async def test_an_edited_export_keeps_its_secrets(workspaces: Workspaces, document: Make) -> None:
    await workspaces.apply(document())
    edited = workspaces.export()
    edited["tenants"][0]["connectors"][0]["window"] = 99
    await workspaces.apply(edited)

    assert (connector_of(workspaces).window, connector_of(workspaces).password) == (99, "s3cr3t-p")


async def test_secrets_follow_their_object_when_the_order_changes(workspaces: Workspaces, document: Make) -> None:
    two = document()
    two["tenants"][0]["connectors"].append(
        {**two["tenants"][0]["connectors"][0], "name": "second", "password": "other-pw"}
    )
    await workspaces.apply(two)
    turned = workspaces.export()
    turned["tenants"][0]["connectors"].reverse()
    await workspaces.apply(turned)

    assert {spec.name: spec.password for spec in workspaces.directory().document.tenants[0].connectors} == {
        "smsc": "s3cr3t-p",
        "second": "other-pw",
    }


async def test_a_hidden_secret_that_is_not_known_is_refused_with_its_path(
    workspaces: Workspaces, document: Make
) -> None:
    elsewhere = document()
    elsewhere["tenants"][0]["connectors"][0]["password"] = HIDDEN
    with pytest.raises(Faults, match=r"tenants\[demo\]\.connectors\[smsc\]\.password: "):
        await workspaces.apply(elsewhere)


async def test_a_hidden_secret_of_a_new_object_is_refused(workspaces: Workspaces, document: Make) -> None:
    await workspaces.apply(document())
    more = workspaces.export()
    more["tenants"][0]["connectors"].append({**more["tenants"][0]["connectors"][0], "name": "copy"})
    with pytest.raises(Faults, match=r"connectors\[copy\]\.password"):
        await workspaces.apply(more)


async def test_no_secret_is_in_what_is_kept(
    workspaces: Workspaces, document: Make, secrets: list[str], database: Database
) -> None:
    await workspaces.apply(document())
    content = await database.content()

    assert len(content) > 500
    assert [secret for secret in secrets if secret.encode() in content] == []


async def test_no_secret_is_in_what_a_plan_or_a_fault_says(
    workspaces: Workspaces, document: Make, secrets: list[str]
) -> None:
    await workspaces.apply(document(keys=["another-key-1"], notify={"url": "http://caller/dr", "secret": "other"}))
    said = "\n".join(workspaces.plan(document()))
    bad = document(keys=[secrets[0], secrets[0]], tenant={"profile_key": "x y"})
    with pytest.raises(Faults) as raised:
        workspaces.plan(bad)

    assert [secret for secret in secrets if secret in said + str(raised.value)] == []


async def test_a_followers_error_does_not_undo_what_is_stored(
    workspaces: Workspaces, document: Make, again: Again
) -> None:
    async def fail() -> None:
        raise StoreUnavailable("disk full")

    workspaces.changed.append(fail)
    with pytest.raises(StoreUnavailable):
        await workspaces.apply(document())

    assert (await again()).directory().document == workspaces.directory().document


async def test_of_two_processes_none_undoes_what_the_other_declared(
    workspaces: Workspaces, document: Make, again: Again
) -> None:
    await workspaces.apply(document())
    other = await again()
    named = asyncio.gather(
        workspaces.change_tenant("demo", name="Renamed"), other.change_tenant("demo", status="suspended")
    )
    await named
    await other.edit(lambda made: made["tenants"][0].update(timezone="Europe/Berlin"))

    [tenant] = (await again()).directory().document.tenants
    assert (tenant.name, tenant.status, tenant.timezone) == ("Renamed", "suspended", "Europe/Berlin")
    assert (await again()).directory().version == 4


async def test_what_another_process_declared_comes_into_force_when_it_is_looked_at(
    workspaces: Workspaces, document: Make, again: Again
) -> None:
    other, told, followed = await again(), [], asyncio.Event()

    async def follow() -> None:
        followed.set()

    workspaces.declared.append(told.append)
    other.changed.append(follow)
    following = asyncio.create_task(other.follow())
    await workspaces.apply(document())
    other.look()
    await asyncio.wait_for(followed.wait(), 2)
    following.cancel()

    assert told == [1]
    assert other.directory().document == workspaces.directory().document


async def test_it_comes_into_force_without_a_word_too(
    workspaces: Workspaces, document: Make, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.workspaces.POLL_SECONDS", 0.02)
    other = await again()
    following = asyncio.create_task(other.follow())
    await workspaces.apply(document())
    async with asyncio.timeout(2):
        while other.directory().version != 1:
            await asyncio.sleep(0.01)
    following.cancel()
