"""Several processes of the platform on one PostgreSQL and one NATS, in a test: within this process and beside it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from heliograph.config import FILE
from heliograph.model.channel import Peer
from heliograph.store.vault import new_secret
from heliograph.testing import ADMIN_TOKEN, Running, running, workspace

SERVE = (sys.executable, "-c", "from heliograph.cli.main import main; main()", "serve")
START_SECONDS = 30.0
STOP_SECONDS = 20.0


@dataclass(slots=True)
class Process:
    """`heliograph serve` as a process of its own."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def ready(self) -> dict[str, Any]:
        """What `/readyz` says; nothing while it does not answer. Raises when the process has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text(encoding="utf-8")[-3000:])
        try:
            found: dict[str, Any] = httpx.get(f"{self.url}/readyz", timeout=10, trust_env=False).json()
        except (httpx.HTTPError, ValueError):
            return {}
        return found

    def connectors(self) -> dict[str, str]:
        """The state of each connector."""
        found: dict[str, str] = self.ready().get("connectors", {})
        return found

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; after one that ends it, wait for that."""
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(STOP_SECONDS)


@dataclass(slots=True)
class Cluster:
    """One database and one broker, and what runs on them. Each process has a folder of its own in `folder`."""

    database: str
    bus: str
    folder: Path
    secret: str = field(default_factory=new_secret)
    peers: dict[str, str] = field(default_factory=dict)
    simulators: Mapping[str, Peer] = field(default_factory=dict)
    started: list[Process] = field(default_factory=list)

    def settings(self, **more: str) -> dict[str, str]:
        """What all processes have in common."""
        shared = {"BUS": self.bus, "SECRET_KEY": self.secret, "ADMIN_TOKEN": ADMIN_TOKEN}
        return {**shared, **self.peers, **more}

    @asynccontextmanager
    async def node(
        self, name: str, document: Callable[[str], dict[str, Any]] = workspace, **more: str
    ) -> AsyncIterator[Running]:
        """A platform within this process; those without simulators send to those of the first that has some."""
        own = "simulators" in more.get("ROLES", "simulators")
        if own:
            more = {"SMSC_SIMULATOR": "127.0.0.1:0", **more}
        async with running(self.folder / name, document, self.database, **self.settings(**more)) as live:
            peers = live.platform.simulators.peers
            if not own:
                peers.update(self.simulators)
            elif not self.peers:
                self.simulators = peers
                self.peers["SMSC_SIMULATOR"] = f"{peers['smsc'].host}:{peers['smsc'].port}"
            yield live

    @asynccontextmanager
    async def nodes(self, *roles: str) -> AsyncIterator[list[Running]]:
        """Several platforms within this process, each with these roles."""
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(self.node(f"node{number}", ROLES=has))
                for number, has in enumerate(roles)
            ]

    def process(self, name: str, *arguments: str, roles: str = "worker") -> Process:
        """A process of its own; returns at once."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{probe.getsockname()[1]}"
        data = self.folder / name
        data.mkdir(exist_ok=True)
        settings = self.settings(DATABASE=self.database)
        (data / FILE).write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))
        log = self.folder / f"{name}.log"
        command = [*SERVE, "--data", str(data), "--listen", listen, "--roles", roles, *arguments]
        with log.open("ab") as target:
            child = subprocess.Popen(command, stdout=target, stderr=target)  # noqa: S603 - ourselves
        self.started.append(Process(child, f"http://{listen}", log))
        return self.started[-1]


@contextmanager
def cluster(database: str, bus: str, folder: Path) -> Iterator[Cluster]:
    """A cluster whose processes end with the test."""
    made = Cluster(database, bus, folder)
    try:
        yield made
    finally:
        for process in made.started:
            if process.process.poll() is None:
                process.process.kill()
                process.process.wait()


def until(check: Callable[[], Any], seconds: float = START_SECONDS) -> Any:
    """The first true value that `check` gives; raises TimeoutError when it gives none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := check():
            return value
        time.sleep(0.05)
    raise TimeoutError
