"""`heliograph doctor`: looks at what usually goes wrong, and says the mend."""

from __future__ import annotations

import asyncio
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.api.admin.credentials import credentials
from heliograph.bus.nats.connection import BusAway, servers_of
from heliograph.bus.nats.looking import look_at as look_at_broker
from heliograph.cli.remote import Remote, RemoteError
from heliograph.config import LOCAL, SQLITE, Config, ConfigError, shown_bus, shown_database
from heliograph.store import StoreUnavailable
from heliograph.store.engines.postgres.engine import look_at

LEAST_FREE = 1 << 30  # bytes
FIRST_MOMENT = 1_760_000_000  # Unix seconds; a clock before this release is wrong
WELL = ("bound", "ready", "no connector", "elsewhere")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `mend` says what to do when it is not well."""

    what: str
    ok: bool
    found: str
    mend: str = ""


def examine(config: Config) -> Iterator[Finding]:
    """Every check, in the order in which one would look."""
    yield Finding("settings", True, "read and checked")
    yield from _folder(config)
    if config.database != SQLITE:
        yield from _database(config)
    if config.bus != LOCAL:
        yield from _broker(config)
    now = time.time()
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    yield Finding("clock", now > FIRST_MOMENT, moment, "set the system's clock; receipts and expiries depend on it")
    yield from _server(config)


def _folder(config: Config) -> Iterator[Finding]:
    folder = config.data
    if not folder.is_dir():
        yield Finding(
            "data folder", False, f"{folder} does not exist", "start `heliograph serve` once, or give --data"
        )
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    yield Finding("data folder", not mode & 0o077, f"{folder}, mode {mode:o}", f"run: chmod 700 {folder}")
    free = shutil.disk_usage(folder).free
    yield Finding(
        "disk", free >= LEAST_FREE, f"{free / 1e9:.1f} GB free", "make room, or lower HELIOGRAPH_RETENTION_DAYS"
    )


def _database(config: Config) -> Iterator[Finding]:
    where = shown_database(config.database)
    try:
        seen = asyncio.run(look_at(config.database))
    except StoreUnavailable as error:
        yield Finding(
            "database",
            False,
            f"{where}: {error}",
            "start PostgreSQL, or correct HELIOGRAPH_DATABASE and its password",
        )
        return
    yield Finding("database", True, f"{where}: PostgreSQL {seen.version}, {seen.milliseconds:.1f} ms a question")
    yield Finding(
        "durability", not seen.careless, ", ".join(seen.careless) or "a commit is on the disk when it is answered",
        "set these to `on` in postgresql.conf: without them an accepted message can be lost",
    )  # fmt: skip
    yield Finding(
        "schema", not seen.missing, f"{len(seen.missing)} migrations to apply" if seen.missing else "up to date",
        "start `heliograph serve`, which applies them",
    )  # fmt: skip


def _broker(config: Config) -> Iterator[Finding]:
    where = shown_bus(config.bus)
    try:
        seen = asyncio.run(look_at_broker(servers_of(config.bus)))
    except BusAway as error:
        mend = "start NATS, or correct HELIOGRAPH_BUS and its password; meanwhile calls are accepted and wait"
        yield Finding("broker", False, f"{where}: {error}", mend)
        return
    yield Finding("broker", True, f"{where}: NATS {seen.version}, {seen.milliseconds:.1f} ms a question")
    yield Finding(
        "jetstream", seen.keeps, "keeps the work" if seen.keeps else "is not there",
        "switch JetStream on in the server's configuration, with a store_dir on a disk, and for the account",
    )  # fmt: skip


def _server(config: Config) -> Iterator[Finding]:
    remote = Remote(config)
    try:
        ready = remote.ready()
        yield Finding("server", True, f"answers at {config.url}")
        yield Finding("store", ready["store"] == "ok", ready["store"], "see the server's log; check the disk")
        connectors = remote.admin("GET", "/connectors")
        stats = remote.admin("GET", "/stats")
    except (RemoteError, ConfigError) as error:
        yield Finding("server", False, str(error), "start `heliograph serve`, or give --listen and --data")
        return
    for name, status in connectors.items():
        yield Finding(f"connector {name}", status["state"] in WELL, *standing(status))
    yield from _credentials(connectors)
    parked = stats["callbacks_parked"]
    yield Finding("callbacks", not parked, f"{parked} given up", "mend the endpoint, then `heliograph replay parked`")


def _credentials(connectors: dict[str, Any]) -> Iterator[Finding]:
    """The credentials of apps and accounts, one finding for each system of an app."""
    for one in credentials(connectors, time.time_ns() // 1_000_000):
        found = f"{one.kind}, {one.state}" + (f": {one.why}" if one.why else "")
        if one.ends_ms:
            found += f", ends {time.strftime('%Y-%m-%d', time.gmtime(one.ends_ms / 1000))}"
        mend = f"renew {f'`{one.system}`' if one.system else 'the credentials'} of the app in the workspace"
        yield Finding(f"credentials {one.connector} {one.system}".rstrip(), one.state == "ok", found, mend)


def standing(status: Mapping[str, Any]) -> tuple[str, str]:
    """How a connector stands, and the mend where it does not stand well."""
    if refused := status.get("credentials"):
        return f"error, its credentials are refused: {refused}", "check the credentials of the app in the workspace"
    errors = status.get("last_errors") or []
    found = str(status["state"]) + (f", last error: {errors[-1]}" if errors else "")
    if ends_ms := status.get("token_ends_ms"):
        found += f", its token ends {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(ends_ms / 1000))}"
    return found, "check host, port, system_id and password of the connector, or the endpoint of the app"
