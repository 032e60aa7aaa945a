"""Processes of the benchmarks: the platform, its far ends, a caller; started, watched and ended by their own ids."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from heliograph.store.vault import new_secret
from heliograph.testing.nats import nats
from heliograph.testing.postgres import postgres

BENCH = Path(__file__).parent
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
DRAIN_SECONDS = 10.0  # what SIGTERM may take
KEY = "11111111-1111-4111-8111-111111111111"
TOKEN = "bench-admin-token"
SERVE = "from heliograph.cli.main import main; main()"


def free_port() -> int:
    """A port of loopback that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_listening(port: int, seconds: float = READY_SECONDS) -> None:
    """Return once something listens. Raises TimeoutError."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise TimeoutError(f"nothing listens on port {port}")


def get(port: int, path: str, method: str = "GET", seconds: float = 30.0) -> Any:
    """JSON from a server on loopback."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", method=method, headers={"authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        return json.load(answer)


def document(smsc_port: int, sink_port: int, *, window: int = 50, binds: int = 1, **service: Any) -> dict[str, Any]:
    """A workspace with one service on the SMSC, told of deliveries and failures."""
    return {
        "tenants": [
            {
                "id": "bench",
                "allow_private_targets": True,
                "senders": [{"id": "HELIO", "channel": "sms"}],
                "connectors": [
                    {
                        "name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": smsc_port,
                        "system_id": "bench", "password": "secret", "window": window, "binds": binds,
                        "options": {"reconnect_after": 0.1, "reconnect_at_most": 1},
                    }
                ],
                "services": [
                    {
                        "id": "bench", "keys": [KEY],
                        "notify": {
                            "url": f"http://127.0.0.1:{sink_port}/dr", "secret": "bench-secret",
                            "states": ["Delivered", "Un-Delivered", "Failed"],
                        },
                        "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}},
                        **service,
                    }
                ],
            }
        ]
    }  # fmt: skip


@dataclass(slots=True)
class FarEnd:
    """The SMSC and the callback endpoint in their process."""

    process: subprocess.Popen[str]
    smsc: int
    sink: int

    def counts(self) -> dict[str, int]:
        """What happened so far."""
        found: dict[str, int] = get(self.sink, "/counts")
        return found


@contextlib.contextmanager
def far_end(*options: str) -> Iterator[FarEnd]:
    """Started, and ended."""
    process = subprocess.Popen(
        [sys.executable, str(BENCH / "farend.py"), *options], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        yield FarEnd(process, ports["smsc"], ports["sink"])
    finally:
        end(process)
        assert process.stdout is not None
        process.stdout.close()


@dataclass(slots=True)
class Servers:
    """What several processes share: the settings that say where it is, and how to ask the database for a number."""

    settings: dict[str, str]
    ask: Callable[[str], int]


@contextlib.contextmanager
def servers(*, broker: bool) -> Iterator[Servers]:
    """A fresh PostgreSQL with fsync on and, with `broker`, a NATS server."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(postgres(durable=True))
        made = server.create()
        settings = {"DATABASE": server.url(made)}
        if broker:
            settings["BUS"] = stack.enter_context(nats()).url
            settings["SECRET_KEY"] = new_secret()
        yield Servers(settings, lambda sql: int(server.sql(sql, made)))


class Platform:
    """`heliograph serve` as its own process on a data folder."""

    def __init__(
        self, data: Path, document: dict[str, Any], roles: str = "api,worker", *, port: int = 0, **settings: str
    ) -> None:
        self.data = data
        self.settings = {f"HELIOGRAPH_{name}": value for name, value in settings.items()}
        self.port = port or free_port()
        self.roles = roles
        self.log = data / "serve.log"
        self._workspace = data / "workspace.json"
        data.mkdir(parents=True, exist_ok=True)
        self._workspace.write_text(json.dumps(document), encoding="utf-8")
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def start(self, *, wait: bool = True, source: str = SERVE) -> float:
        """Start it; seconds until it was ready."""
        environment = {**os.environ, "HELIOGRAPH_ADMIN_TOKEN": TOKEN, "HELIOGRAPH_LOG": "warning"} | self.settings
        environment.setdefault("PYTHONPATH", str(BENCH.parent / "src"))
        began = time.perf_counter()
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-c", source, "serve", "--listen", f"127.0.0.1:{self.port}",
                    "--data", str(self.data), "--workspace", str(self._workspace), "--roles", self.roles,
                ],
                stdout=log, stderr=log, text=True, env=environment,
            )  # fmt: skip
        if wait:
            self.wait_ready()
        return time.perf_counter() - began

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return once `/readyz` says so. Raises RuntimeError with the end of the log."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                if get(self.port, "/readyz", seconds=5)["ok"]:
                    return
            time.sleep(0.01)
        raise RuntimeError(f"the platform did not get ready:\n{self.log.read_text(encoding='utf-8')[-3000:]}")

    def kill(self) -> None:
        """`kill -9`, now."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit status and the seconds it took."""
        assert self.process is not None
        began = time.perf_counter()
        status = end(self.process)
        return status, time.perf_counter() - began

    def memory(self) -> int:
        """Bytes of the process that are resident."""
        assert self.process is not None
        return resident(self.process.pid)

    def seconds_of_cpu(self) -> float:
        """CPU time of the process so far."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Bytes of a process that are resident."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def end(process: subprocess.Popen[str]) -> int:
    """SIGTERM, and SIGKILL if that does not help; the exit status."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A fresh folder on a real disk, not on a memory file system if that can be avoided."""
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as name:
        yield Path(name)


def load(port: int, **options: float) -> dict[str, Any]:
    """One run of the caller's process; its figures."""
    more = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, str(BENCH / "load.py"), str(port), KEY, *more], capture_output=True, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    if figures["refused"]:
        raise RuntimeError(f"{figures['refused']} destinations were refused: {figures['first_refusal']}")
    return figures
