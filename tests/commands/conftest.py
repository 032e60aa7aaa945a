"""The command as people run it: processes of its own, a real server on a free port. Commands that end are forked from
a process that has imported everything, which is most of what they take."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

COMMAND = [sys.executable, "-c", "from heliograph.cli.main import main; main()"]
KEY = "11111111-1111-4111-8111-111111111111"
SECRET = "signing-secret-of-orders"
PASSWORD = "s3cr3tpw"


def clean(**more: str) -> dict[str, str]:
    """The environment without our settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")}
    return {**kept, "COLUMNS": "200", "NO_COLOR": "1", **more}


@dataclass(frozen=True)
class Ended:
    """A command that ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


runner: list[Any] = []


@pytest.fixture(scope="session", autouse=True)
def forking(forked: Any) -> None:
    """What commands are forked from."""
    runner.append(forked)


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> Ended:
    """Run a command to its end."""
    return Ended(*runner[-1].run(arguments, clean(**environment), cwd or Path.cwd()))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def workspace(url: str) -> dict[str, Any]:
    """A sandbox service that is told at the webhook bin."""
    return {
        "tenants": [
            {
                "id": "demo",
                "allow_private_targets": True,
                "senders": [{"id": "HELIO", "channel": "sms"}],
                "connectors": [
                    {"name": "smsc", "channel": "sms", "kind": "smpp", "system_id": "helio", "password": PASSWORD}
                ],
                "templates": [{"id": "1001", "channel": "sms", "text": "Hello"}],
                "services": [
                    {
                        "id": "orders",
                        "sandbox": True,
                        "keys": [KEY],
                        "notify": {"url": f"{url}/sim/bin/dr", "secret": SECRET},
                        "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}},
                    }
                ],
            }
        ]
    }


@dataclass
class Serving:
    """A server process, and commands that talk to it."""

    data: Path
    listen: str
    process: subprocess.Popen[bytes]
    log: Path
    ran: list[Ended] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.listen}"

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        """A command of an operator: it knows where the server and its data are."""
        ended = run(
            *arguments,
            HELIOGRAPH_LISTEN=self.listen,
            HELIOGRAPH_DATA=str(self.data),
            HELIOGRAPH_KEY=KEY,
            **environment,
        )
        self.ran.append(ended)
        return ended

    def file(self, **members: Any) -> str:
        """The workspace as a file, its service with other members."""
        document = workspace(self.url)
        document["tenants"][0]["services"][0].update(members)
        path = self.data.parent / "workspace.json"
        path.write_text(json.dumps(document))
        return str(path)

    def sent(self, number: str = "447700900123") -> str:
        """The transid of a message that was sent."""
        return str(self("send", number, "--text", "Hello", "--json").json[0]["transid"])

    def final(self, transid: str) -> Any:
        """The status once it is final."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            [row] = httpx.get(f"{self.url}/resources/v1/messaging/status/{transid}", headers={"key": KEY}).json()
            if row["status"] not in ("queued", "sent"):
                return row
            time.sleep(0.05)
        raise TimeoutError(transid)

    def stop(self) -> int:
        """Told to stop; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


Start = Callable[..., Serving]


def started(folder: Path, *arguments: str, **environment: str) -> Serving:
    """A server with its data in the folder; returns when it is ready or ended."""
    listen, log = f"127.0.0.1:{free_port()}", folder / "log"
    settings = {
        "HELIOGRAPH_SMSC_SIMULATOR": "127.0.0.1:0", "HELIOGRAPH_SIMULATOR_PORTS": "free", **environment
    }  # fmt: skip
    with log.open("ab") as target:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--data", str(folder / "data"), "--listen", listen, *arguments],
            stdout=target, stderr=target, env=clean(**settings),
        )  # fmt: skip
    serving, end = Serving(folder / "data", listen, process, log), time.monotonic() + 20
    while process.poll() is None and time.monotonic() < end:
        try:
            if httpx.get(f"{serving.url}/readyz", timeout=2).status_code == 200:
                break
        except httpx.HTTPError:
            time.sleep(0.03)
    return serving


@pytest.fixture
def command() -> Callable[..., Ended]:
    """Runs a command without a server."""
    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers that end with the test."""
    running: list[Serving] = []

    def begin(*arguments: str, folder: Path = tmp_path, **environment: str) -> Serving:
        folder.mkdir(exist_ok=True)
        running.append(started(folder, *arguments, **environment))
        return running[-1]

    yield begin
    for serving in running:
        serving.process.kill()
        serving.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server for a module, with the workspace applied."""
    serving = started(tmp_path_factory.mktemp("server"))
    serving("apply", serving.file())
    yield serving
    serving.process.kill()
    serving.process.wait()


class _Stranger(BaseHTTPRequestHandler):
    """A web server that is not ours."""

    def do_GET(self) -> None:
        body = b"<html>It works!</html>"
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class names it so

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """Host and port of a web server that is not ours."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"127.0.0.1:{web.server_port}"
        web.shutdown()
        thread.join()
