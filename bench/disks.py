"""A disk of its own for one server, which can be filled to the last byte and made slow (Linux, as root).

It is a file with a file system that is mounted through a loop device. Slow means that the kernel lets the server's
processes write so many times a second to that device (control groups, either version).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

SIZE = 3 << 30  # bytes; those that nothing was written to take no room
SLOW = 25  # writes a second; a page of a log that is synced takes one to three
FIRST = 1 << 30  # bytes by which a filler grows, then halves of it
GROUPS = Path("/sys/fs/cgroup")
FILLER = "filler"
PREFIX = "heliograph-disk-"


class Unable(RuntimeError):
    """This machine cannot do it; the text says what."""


class Disk:
    """A file system of its own at `path`, which anyone may pass."""

    def __init__(self, name: str, size: int = SIZE) -> None:
        temporary = Path(tempfile.gettempdir())
        _sweep(temporary)
        self._folder = temporary / f"{PREFIX}{os.getpid()}-{name}"
        self._image = self._folder / "image"
        self.path = path = self._folder / "files"
        self._group = _Group(self._folder.name)
        path.mkdir(parents=True)
        with self._image.open("wb") as image:
            image.truncate(size)
        # Without a journal each write is made by whoever asks for it, so that it counts as theirs.
        try:
            _run("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", str(self._image))
            _run("mount", "-o", "loop", str(self._image), str(path))
        except Unable:
            _forget(self._folder)
            raise
        found = os.stat(path).st_dev
        self._device = f"{os.major(found)}:{os.minor(found)}"

    def fill(self) -> None:
        """Leave no room at all: a file grows until a write fails with ENOSPC."""
        filler = os.open(self.path / FILLER, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = FIRST
            while size >= 1 << 16:
                try:
                    os.posix_fallocate(filler, os.fstat(filler).st_size, size)
                except OSError as error:
                    _expect_full(error)
                    size //= 2
            while True:
                try:
                    os.write(filler, bytes(4_096))
                    os.fsync(filler)
                except OSError as error:
                    return _expect_full(error)
        finally:
            os.close(filler)

    def free(self) -> None:
        """Have room again."""
        (self.path / FILLER).unlink(missing_ok=True)

    def slow(self, processes: Iterable[int], writes: int = SLOW) -> None:
        """From now on these processes and those that they start write so often a second at most. Raises `Unable`."""
        self._group.limit(self._device, writes)
        for process in processes:
            self._group.take(process)

    def quick(self) -> None:
        """As quick as it is."""
        self._group.limit(self._device, 0)

    def close(self) -> None:
        """Leave nothing."""
        self._group.close()
        _forget(self._folder)


class _Group:
    """A control group that limits writes."""

    def __init__(self, name: str) -> None:
        self._second = (GROUPS / "cgroup.controllers").exists()
        self._path = (GROUPS if self._second else GROUPS / "blkio") / name
        self._made = False

    def limit(self, device: str, writes: int) -> None:
        """So many writes a second to the device; 0: as many as it takes."""
        try:
            if not self._made:
                if self._second:
                    (GROUPS / "cgroup.subtree_control").write_text("+io")
                self._path.mkdir(exist_ok=True)
                self._made = True
            if self._second:
                (self._path / "io.max").write_text(f"{device} wiops={writes or 'max'}")
            else:
                (self._path / "blkio.throttle.write_iops_device").write_text(f"{device} {writes}")
        except OSError as error:
            raise Unable(f"a disk cannot be made slow here, no control group limits writes: {error}") from error

    def take(self, process: int) -> None:
        """The process, if it is still there, is in the group."""
        with contextlib.suppress(ProcessLookupError):
            (self._path / "cgroup.procs").write_text(str(process))

    def close(self) -> None:
        """Gone, when nobody is in it any more."""
        with contextlib.suppress(OSError):
            self._path.rmdir()


@contextlib.contextmanager
def disk(name: str, size: int = SIZE) -> Iterator[Disk]:
    """A disk, while it is needed. Raises `Unable` where there cannot be one."""
    made = Disk(name, size)
    try:
        yield made
    finally:
        made.close()


def _sweep(temporary: Path) -> None:
    """Unmount what processes that were killed have left."""
    for left in temporary.glob(f"{PREFIX}*-*"):
        process = left.name.removeprefix(PREFIX).partition("-")[0]
        if process.isdecimal() and not Path(f"/proc/{process}").exists():
            _forget(left)


def _forget(folder: Path) -> None:
    if (folder / "files").is_mount():
        subprocess.run(["umount", "--lazy", str(folder / "files")], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unable(f"there can be no disk of its own here: {command[0]} is not there") from error
    except subprocess.CalledProcessError as error:
        raise Unable(f"there can be no disk of its own here: {' '.join(command)}: {error.stderr.strip()}") from error


def _expect_full(error: OSError) -> None:
    if error.errno != errno.ENOSPC:
        raise error
