"""Declares the workspace: read whole, kept sealed, in force at once for every verb.

Where several processes share the store, a document is kept only if it follows the version that is kept; who finds
another version there takes that into force first and makes the change again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from heliograph.contract.shape import label
from heliograph.contract.workspace import Fault, Faults, diff, read_workspace
from heliograph.model.channel import Channel
from heliograph.model.workspace import Document, Service, Tenant
from heliograph.policy.directory import Directory
from heliograph.policy.facts import LINK_BASE
from heliograph.store import Store, StoreUnavailable
from heliograph.store.vault import Vault, VaultError, hash_key

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0  # between looks at the version that is kept; a signal makes it sooner
HIDDEN = "***"  # stands for a secret in an export; given back, it means "as it is"
SECRETS = frozenset(
    {
        "password", "secret", "private_key", "vapid_private_key", "page_access_token", "app_secret",
        "verify_token", "consumer_secret", "access_token", "access_token_secret", "token",
        "encoding_aes_key", "pem", "fcm_service_account",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply changed, in lines for people; the keys it made, by `tenant/service`, and of profiles by
    `tenant`, shown once."""

    version: int
    changes: list[str]
    made_keys: dict[str, str]


class Workspaces:
    """Holds the workspace in force. `changed` runs after every change, so that connectors follow; `declared` after a
    change that was made here, with the version it has."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        channels: Mapping[str, Channel],
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        link_base: str = LINK_BASE,
    ) -> None:
        """`link_base` is the URL that short links begin with."""
        self._link_base = link_base
        self._store = store
        self._vault = vault
        self._channels = channels
        self._directory = Directory(Document(), channels, 0, link_base)
        self._clock_ms = clock_ms
        self._lock = asyncio.Lock()
        self._look = asyncio.Event()
        self.changed: list[Callable[[], Awaitable[None]]] = []
        self.declared: list[Callable[[int], None]] = []

    async def load(self) -> None:
        """Take the stored workspace into force, at start; raises `VaultError` when it cannot be opened."""
        stored = await self._store.load_workspace()
        if stored is not None:
            version, sealed = stored
            document = msgspec.json.decode(self._vault.open(sealed), type=Document)
            self._directory = Directory(document, self._channels, version, self._link_base)

    def look(self) -> None:
        """Another process may have declared something."""
        self._look.set()

    async def follow(self) -> None:
        """Take into force what other processes declare, for ever; ends by cancellation."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._look.wait()
            self._look.clear()
            try:
                async with self._lock:
                    await self._catch_up()
            except (StoreUnavailable, VaultError) as error:
                log.error("the workspace that another process declared cannot be taken into force: %s", error)

    async def _catch_up(self) -> None:
        if await self._store.workspace_version() not in (0, self._directory.version):
            await self.load()
            log.info("version %d of the workspace is in force", self._directory.version)
            for follow in self.changed:
                await follow()

    def directory(self) -> Directory:
        """The snapshot in force."""
        return self._directory

    def plan(self, document: dict[str, Any]) -> list[str]:
        """What an apply would change; raises `Faults`."""
        new, _ = self._read(document)
        return diff(self._directory.document, new)

    async def apply(self, document: dict[str, Any]) -> Applied:
        """Declare a document: all of it or, with `Faults`, nothing."""
        async with self._lock:
            return await self._declare(lambda: document)

    async def edit(self, change: Callable[[dict[str, Any]], None]) -> Applied:
        """Declare the workspace as it is but for what `change` does to it; others who change it wait meanwhile."""

        def edited() -> dict[str, Any]:
            document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self._directory.document))
            change(document)
            return document

        async with self._lock:
            return await self._declare(edited)

    async def _declare(self, change: Callable[[], dict[str, Any]]) -> Applied:
        while True:
            await self._catch_up()
            new, made = self._read(change())
            changes = diff(self._directory.document, new)
            if not changes or await self._enforce(new):
                return Applied(self._directory.version, changes, made)

    async def change_tenant(self, tenant: str, **members: Any) -> None:
        """Declare other members of a tenant, which are right already."""
        await self._replace(
            lambda one: msgspec.structs.replace(one, **members) if one.id == tenant else one,
        )

    async def set_keys(self, tenant: str, service: str, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        """Give a service other keys: `change` makes the new hashes of the present ones, oldest first. Whoever else
        changes the workspace waits meanwhile."""

        def changed(one: Tenant) -> Tenant:
            if one.id != tenant:
                return one
            services = tuple(
                msgspec.structs.replace(item, keys=change(item.keys or ())) if item.id == service else item
                for item in one.services
            )
            return msgspec.structs.replace(one, services=services)

        await self._replace(changed)

    async def _replace(self, change: Callable[[Tenant], Tenant]) -> None:
        async with self._lock:
            kept = False
            while not kept:
                await self._catch_up()
                kept = await self._enforce(Document(tenants=tuple(map(change, self._directory.document.tenants))))

    async def _enforce(self, new: Document) -> bool:
        """Keep it and take it into force; False when another process was faster."""
        version = self._directory.version + 1
        hashes = [key for one in new.tenants for service in one.services for key in service.keys or ()]
        sealed = self._vault.seal(msgspec.json.encode(new))
        if not await self._store.save_workspace(version, sealed, hashes, self._clock_ms()):
            return False
        self._directory = Directory(new, self._channels, version, self._link_base)
        for tell in self.declared:
            tell(version)
        for follow in self.changed:
            await follow()
        return True

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        """The workspace as a document; secrets are hidden unless asked for, keys stay hashes."""
        plain: dict[str, Any] = msgspec.to_builtins(self._directory.document)
        return plain if secrets else _hide(plain)

    def _read(self, document: dict[str, Any]) -> tuple[Document, dict[str, str]]:
        current = msgspec.to_builtins(self._directory.document)
        whole = _unhide(document, current)
        if faults := list(_unknown(whole)):
            raise Faults(faults)
        read = read_workspace(whole, self._channels)
        made: dict[str, str] = {}
        tenants = tuple(self._with_keys(tenant, made) for tenant in read.tenants)
        return Document(tenants=tenants), made

    def _with_keys(self, tenant: Tenant, made: dict[str, str]) -> Tenant:
        """Keys become hashes; a service that declares none keeps what it has, a new one gets one made."""
        services = []
        for service in tenant.services:
            keys = service.keys
            if keys is None:
                keys = self._kept_keys(tenant, service) or self._made_key(tenant, service, made)
            services.append(msgspec.structs.replace(service, keys=tuple(hash_key(key) for key in keys)))
        profile_key = tenant.profile_key or self._profile_key(tenant, made)
        return msgspec.structs.replace(
            tenant, services=tuple(services), profile_key=hash_key(profile_key) if profile_key else ""
        )

    def _profile_key(self, tenant: Tenant, made: dict[str, str]) -> str:
        """Of a tenant with profiles: the key it has, else one that is made."""
        if tenant.profile_store is None:
            return ""
        known = self._directory.tenants.get(tenant.id)
        return (known.profile_key if known else "") or self._make_key(tenant.id, made)

    def _kept_keys(self, tenant: Tenant, service: Service) -> tuple[str, ...]:
        found = self._directory.service_of(tenant.id, service.id)
        return (found[1].keys or ()) if found else ()

    def _made_key(self, tenant: Tenant, service: Service, made: dict[str, str]) -> tuple[str, ...]:
        return (self._make_key(f"{tenant.id}/{service.id}", made),)

    @staticmethod
    def _make_key(name: str, made: dict[str, str]) -> str:
        made[name] = str(uuid.uuid4())
        return made[name]


def _hide(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: HIDDEN if name in SECRETS and inner else _hide(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hide(item) for item in value]
    return value


def _unhide(value: Any, current: Any) -> Any:
    """Puts the present secret where a document says `***`; objects of a list are found by id or name."""
    if value == HIDDEN and current is not None:
        return current
    if isinstance(value, dict) and isinstance(current, dict):
        return {name: _unhide(inner, current.get(name)) for name, inner in value.items()}
    if isinstance(value, list) and isinstance(current, list | tuple):
        by_name = {label(item): item for item in current if label(item)}
        return [_unhide(item, by_name.get(label(item))) for item in value]
    return value


def _unknown(value: Any, path: str = "") -> Iterator[Fault]:
    """Secrets that are to stay as they are, where there is none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            where = f"{path}.{name}" if path else str(name)
            if inner == HIDDEN and name in SECRETS:
                yield where, f"{HIDDEN} keeps a secret as it is, but there is none here yet; give the secret itself"
            else:
                yield from _unknown(inner, where)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unknown(item, f"{path}[{label(item) or index}]")
