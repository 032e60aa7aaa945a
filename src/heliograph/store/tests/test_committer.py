"""Group commit: everyone is woken with their own result; one bad write fails alone."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from heliograph.store import StoreUnavailable
from heliograph.store.engines.committer import GROUP, Committer, Operation


class Disk:
    """Takes groups; `gate` closed holds the writer, a payload named in `bad` fails its group."""

    def __init__(self) -> None:
        self.groups: list[list[Any]] = []
        self.bad: dict[Any, Exception] = {}
        self.gate = threading.Event()
        self.gate.set()

    def apply(self, group: list[Operation]) -> list[Any]:
        self.gate.wait(5)
        payloads = [operation.payload for operation in group]
        for payload in payloads:
            if payload in self.bad:
                raise self.bad[payload]
        self.groups.append(payloads)
        return [payload * 10 for payload in payloads]


@pytest.fixture
def disk() -> Disk:
    """Where groups go."""
    return Disk()


@pytest.fixture
async def committer(disk: Disk) -> AsyncIterator[Committer]:
    """A running committer."""
    made = Committer(disk.apply)
    made.start()
    yield made
    await made.stop()


async def gathered(disk: Disk, committer: Committer, write: Callable[[], list[Any]]) -> list[Any]:
    """What is written while one commit is on its way, awaited."""
    disk.gate.clear()
    first = committer.write("x", 0)
    await asyncio.sleep(0.01)
    waiting = write()
    disk.gate.set()
    return (await asyncio.gather(first, *waiting, return_exceptions=True))[1:]


async def test_what_waits_is_one_commit_and_results_are_in_order(disk: Disk, committer: Committer) -> None:
    results = await gathered(disk, committer, lambda: [committer.write("x", number) for number in range(1, 101)])

    assert results == [number * 10 for number in range(1, 101)]
    assert (disk.groups, committer.commits, committer.operations) == ([[0], list(range(1, 101))], 2, 101)


async def test_a_group_is_bounded(disk: Disk, committer: Committer) -> None:
    await gathered(disk, committer, lambda: [committer.write("x", number) for number in range(1, GROUP + 2)])

    assert [len(group) for group in disk.groups] == [1, GROUP, 1]


@pytest.mark.parametrize(
    "error", [StoreUnavailable("disk full"), ValueError("bad row"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no")]
)
async def test_one_bad_write_fails_alone(disk: Disk, committer: Committer, error: Exception) -> None:
    disk.bad[3] = error
    results = await gathered(disk, committer, lambda: [committer.write("x", number) for number in range(1, 6)])

    assert [result for result in results if not isinstance(result, Exception)] == [10, 20, 40, 50]
    assert results[2] is error


async def test_a_failing_write_does_not_end_the_writer(disk: Disk, committer: Committer) -> None:
    disk.bad[1] = RuntimeError("broken")
    with pytest.raises(RuntimeError):
        await committer.write("x", 1)

    assert await committer.write("x", 2) == 20


async def test_a_bug_is_logged_with_its_traceback(
    disk: Disk, committer: Committer, caplog: pytest.LogCaptureFixture
) -> None:
    disk.bad[1] = RuntimeError("broken")
    with caplog.at_level(logging.ERROR), pytest.raises(RuntimeError):
        await committer.write("settle", 1)

    assert "a write of kind settle failed: broken" in caplog.text
    assert caplog.records[0].exc_info


async def test_a_caller_that_went_away_hinders_nobody(disk: Disk, committer: Committer) -> None:
    def write() -> list[Any]:
        gone, stays = committer.write("x", 1), committer.write("x", 2)
        gone.cancel()
        return [gone, stays]

    assert (await gathered(disk, committer, write))[1] == 20
    assert disk.groups[-1] == [1, 2]


async def test_stopping_writes_what_waits(disk: Disk) -> None:
    committer = Committer(disk.apply)
    committer.start()
    disk.gate.clear()
    waiting = [committer.write("x", number) for number in range(5)]
    disk.gate.set()
    await committer.stop()

    assert await asyncio.gather(*waiting) == [0, 10, 20, 30, 40]
