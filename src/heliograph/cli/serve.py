"""Runs the platform until it is told to stop, and drains it then."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
import yaml

from heliograph.api.inapp.protocol import AppSocket
from heliograph.cli.data import Secrets, prepare
from heliograph.cli.parts.processes import Inherited, NotStarted, Supervisor
from heliograph.cli.platform import Platform
from heliograph.cli.simulators import SimulatorBusy
from heliograph.config import Config, ConfigError
from heliograph.contract.declared.documents import read_yaml
from heliograph.contract.workspace import Faults
from heliograph.realtime.frames import FRAME_BYTES
from heliograph.store import StoreUnavailable
from heliograph.wire.standin import HttpServer

log = logging.getLogger(__name__)

HTTP_GRACE = 3  # seconds for calls under way when the process is told to stop
BACKLOG = 2048
PING_SECONDS = 30.0  # between two pings of a WebSocket, and for their answers
GC_THRESHOLDS = (50_000, 20, 1_000)  # our hot objects are acyclic: whole collections only cost pauses
SWITCH_SECONDS = 0.0005  # see docs/performance.md: the store's thread must get its turn quickly

Then = Callable[[Platform], Awaitable[None]]


class Server(HttpServer):
    """Our HTTP server: leaves signals to us, so that the platform drains before the process ends."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            app, backlog=BACKLOG, timeout_graceful_shutdown=HTTP_GRACE, ws=AppSocket, ws_max_size=FRAME_BYTES,
            ws_ping_interval=PING_SECONDS, ws_ping_timeout=PING_SECONDS, ws_per_message_deflate=False,
        )  # fmt: skip


def serve(
    config: Config, workspace: Path | None = None, then: Then | None = None, inherited: Inherited | None = None
) -> None:
    """Run until SIGTERM or SIGINT. `workspace` is applied first; `then` runs once the platform is up; `inherited` is
    what a supervisor gave. Raises `ConfigError` for what cannot work."""
    secrets = _prepared(config)
    listener = inherited.listener if inherited else _bind(config)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)
    platform = Platform(config, secrets)
    uvloop.run(_run(platform, listener, workspace, _supervised(inherited) if inherited else then))


def serve_many(config: Config, workspace: Path | None = None) -> None:
    """Run several processes until SIGTERM or SIGINT. Raises `ConfigError` for what cannot work."""
    if "simulators" in config.roles:
        raise ConfigError(
            f"--processes {config.processes} cannot have the role simulators, which listen once on each port; give "
            f"--roles api,worker and run `heliograph simulate` beside it"
        )
    _prepared(config)
    arguments = ["--data", str(config.data), "--listen", config.listen, "--roles", ",".join(sorted(config.roles))]
    first = ["--workspace", str(workspace)] if workspace else []
    supervisor = Supervisor(config.processes, _bind(config), [*arguments, "--processes", "1"], first)
    try:
        asyncio.run(supervisor.run())
    except NotStarted as error:
        raise ConfigError(f"{error}; its message is above") from error


def _prepared(config: Config) -> Secrets:
    secrets = prepare(config)
    if secrets.made:
        sys.stderr.write(f"admin token (kept in {config.data}/admin-token, shown once): {secrets.admin_token}\n")
    return secrets


def _supervised(inherited: Inherited) -> Then:
    """Tell the supervisor that we serve, and drain when it is gone."""

    async def then(platform: Platform) -> None:
        inherited.watch(partial(signal.raise_signal, signal.SIGTERM))
        inherited.say_ready()

    return then


def _bind(config: Config) -> socket.socket:
    host, port = config.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {config.listen}: {error.strerror}; give another address with --listen"
        ) from error
    return listener


async def _run(platform: Platform, listener: socket.socket, workspace: Path | None, then: Then | None) -> None:
    try:
        await platform.start()
    except StoreUnavailable as error:
        raise ConfigError(f"the database cannot be used: {error}; run `heliograph doctor`") from error
    except SimulatorBusy as error:
        await platform.stop()
        raise ConfigError(f"{error}, or leave `simulators` out of --roles") from error
    server = Server(platform.surface.app())

    def end() -> None:
        log.info("told to stop: draining")
        platform.tail.close()
        server.end()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    try:
        if workspace is not None:
            await _apply_file(platform, workspace)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        log.info("heliograph listens on %s", platform.config.url)
        if then is not None:
            following: asyncio.Task[Any] = asyncio.create_task(_after_start(server, platform, then))
            await asyncio.wait({serving, following}, return_when=asyncio.FIRST_EXCEPTION)
            if following.done() and not following.cancelled() and (fault := following.exception()):
                server.end()
                await serving
                raise fault
        await serving
    finally:
        await platform.stop()
        log.info("stopped; everything accepted is durable")


async def _after_start(server: Server, platform: Platform, then: Then) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    await then(platform)


async def _apply_file(platform: Platform, path: Path) -> None:
    try:
        applied = await platform.workspaces.apply(read_document(path))
    except Faults as faults:
        raise ConfigError(f"the workspace {path} is not applied:\n{faults}") from faults
    log.info("workspace %s applied: %d changes", path, len(applied.changes))
    for name, key in applied.made_keys.items():
        sys.stderr.write(f"{'service' if '/' in name else 'profile'} key made for {name} (shown once): {key}\n")


def read_document(path: Path) -> dict[str, Any]:
    """A workspace file, YAML or JSON. Raises `ConfigError`."""
    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is neither YAML nor JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must hold one object with `tenants`")
    return document
