"""A store, a workspace and the verb that accepts, without a server."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from heliograph.channels import channels
from heliograph.model.ids import Ids
from heliograph.store import Store
from heliograph.store.vault import Vault, new_secret
from heliograph.testing.databases import Database
from heliograph.workspaces import Workspaces

KEY = "11111111-1111-4111-8111-111111111111"
WORKSPACE: dict[str, Any] = {
    "tenants": [
        {
            "id": "demo",
            "profile_key": "a-profile-key-of-demo",
            "senders": [{"id": "HELIO", "channel": "sms"}],
            "connectors": [
                {
                    "name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 2775,
                    "system_id": "helio", "password": "s3cr3t-p",
                }
            ],
            "apps": [{"id": "a_1", "messenger": {"page_id": "1", "page_access_token": "page-token-1"}}],
            "services": [
                {
                    "id": "orders",
                    "keys": [KEY],
                    "jwt": [{"id": "orders", "secret": "and0LXNlY3JldC0x"}],
                    "notify": {"url": "http://caller/dr", "secret": "signing-secret-1"},
                    "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}},
                }
            ],
        }
    ]
}  # fmt: skip
SECRET_KEY = new_secret()


@pytest.fixture
def secrets() -> list[str]:
    """Everything of the workspace that nobody may read."""
    return [KEY, "a-profile-key-of-demo", "s3cr3t-p", "page-token-1", "and0LXNlY3JldC0x", "signing-secret-1"]


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    """The workspace; members of its service as arguments, members of the tenant in `tenant`."""

    def make(*, tenant: dict[str, Any] | None = None, **service: Any) -> dict[str, Any]:
        made = copy.deepcopy(WORKSPACE)
        made["tenants"][0].update(tenant or {})
        made["tenants"][0]["services"][0].update(service)
        return made

    return make


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """An empty store."""
    opened = database.store()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def again(store: Store) -> Callable[[], Awaitable[Workspaces]]:
    """Workspaces over the store, as a new process has them."""

    async def make() -> Workspaces:
        made = Workspaces(store, Vault(SECRET_KEY), channels())
        await made.load()
        return made

    return make


@pytest.fixture
async def workspaces(again: Callable[[], Awaitable[Workspaces]]) -> Workspaces:
    """Nothing declared yet."""
    return await again()


@pytest.fixture
def ids() -> Ids:
    """Of one process."""
    return Ids(lambda: 1_800_000_000_000)
