"""A full disk: what was accepted stays, new calls are refused with 7006 in HTTP 200, and it goes on when there is
space again."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

import chaos
import load
import procs

SMALL = 6 * 1024 * 1024  # bytes of the whole file system
ROOM = 256 * 1024  # bytes that files may still grow by, when a limit stands for the full disk
SIZE = 50  # destinations of a call
STORED, REFUSED = "1001", "7006"

Disk = tuple[Path, Callable[[procs.Platform], None], Callable[[procs.Platform], None]]


@pytest.fixture(params=["file system", "limit"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A data folder, how to fill its disk, and how to make space again."""
    data = tmp_path / "data"
    data.mkdir()
    if request.param == "limit":
        yield data, _limited, _unlimited
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(data)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield data, lambda _: _fill(data / "filler"), lambda _: (data / "filler").unlink()
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filler:
        for size in (65_536, 4_096, 512):
            while True:
                try:
                    filler.write(bytes(size))
                except OSError:
                    break


def _limited(platform: procs.Platform) -> None:
    biggest = max(path.stat().st_size for path in platform.data.glob("heliograph.sqlite*"))
    _limit(platform, biggest + ROOM)


def _unlimited(platform: procs.Platform) -> None:
    _limit(platform, resource.RLIM_INFINITY)


def _limit(platform: procs.Platform, size: int) -> None:
    assert platform.process is not None
    _, hard = resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def _codes(platform: procs.Platform, first: int, calls: int) -> list[str]:
    """The codes of the answers to so many calls, all of them HTTP 200; `lost` where there was no answer."""
    found: list[str] = []

    async def send() -> None:
        for number in range(first, first + calls * SIZE, SIZE):
            status, body = await load.once(platform.port, load.call(procs.KEY, load.body(number, SIZE)))
            assert status == 200
            found.append(
                STORED if body.count(load.ACCEPTED) == SIZE else REFUSED if b'"7006"' in body else body.decode()
            )

    uvloop.run(send())
    return found


def test_a_full_disk_refuses_new_calls_keeps_the_old_ones_and_is_survived(disk: Disk) -> None:
    data, fill, free = disk
    database = data / "heliograph.sqlite"
    with (
        procs.far_end("--journal", str(data.parent / "journal")) as far,
        procs.Platform(data, procs.document(far.smsc, far.sink)) as platform,
    ):
        platform.start()
        before = _codes(platform, 100_000_000, 4)
        fill(platform)
        during = _codes(platform, 200_000_000, 40)
        alive = procs.get(platform.port, "/healthz")["ok"]
        free(platform)
        after = _codes(platform, 300_000_000, 4)
        accepted = sum(codes.count(STORED) for codes in (before, during, after)) * SIZE
        chaos.wait_final(database, least=accepted)
        states = chaos.states(database)
        status, _ = platform.stop()

    assert before == [STORED] * 4
    assert set(during) <= {STORED, REFUSED}
    assert during[-1] == REFUSED
    assert alive
    assert after == [STORED] * 4
    assert states == {chaos.DELIVERED: accepted}
    assert status == 0
