"""The command in processes of its own, quickly: each is forked from one that has imported everything."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from heliograph.cli.main import main

LIMIT_SECONDS = 30.0


class Order(msgspec.Struct, frozen=True):
    """A command that is to be run: its arguments, its whole environment, its folder, and the files that take what it
    writes."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str
    out: str
    err: str


def forked() -> None:
    """Returns in a process of its own for each order that is read from standard input; ends with the last of them."""
    gc.freeze()  # what is shared stays shared
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        if not (child := os.fork()):
            _become(order)
            return
        _, status = os.waitpid(child, 0)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))
    sys.exit()


def _become(order: Order) -> None:
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    for number, path in enumerate((os.devnull, order.out, order.err)):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["heliograph", *order.arguments]


class Commands:
    """Runs commands, one after another."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self._files = folder / "out", folder / "err"

    def run(self, arguments: tuple[str, ...], environment: dict[str, str], folder: Path) -> tuple[int, str, str]:
        """Run a command to its end; its exit status (a signal is below nothing), output and errors. Raises
        `TimeoutError`."""
        out, err = self._files
        for path in self._files:
            path.write_bytes(b"")
        asked, told = self._process.stdin, self._process.stdout
        assert asked is not None
        assert told is not None
        order = Order(arguments, environment, str(folder), str(out), str(err))
        asked.write(msgspec.json.encode(order) + b"\n")
        asked.flush()
        if not select.select([told], [], [], LIMIT_SECONDS)[0]:
            self._process.kill()  # what comes late is no answer to the next
            raise TimeoutError(f"{arguments} after {LIMIT_SECONDS} s: {err.read_text(encoding='utf-8')[-2_000:]}")
        return int(told.readline()), out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


@contextlib.contextmanager
def commands(environment: dict[str, str]) -> Iterator[Commands]:
    """The process that commands are forked from; it imports everything in this environment."""
    with (
        tempfile.TemporaryDirectory(prefix="heliograph-commands-") as folder,
        subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
            start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            yield Commands(process, Path(folder))
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with a command that does not end


if __name__ == "__main__":
    forked()
    main()
