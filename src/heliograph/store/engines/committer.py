"""Group commit: everything that waits becomes one transaction, then every caller is woken.

No linger: while one commit is on its way to the disk the next group gathers by itself. A caller hands over an
operation's name and its payload and awaits the result, which comes after the commit is durable. A thread owns the
writing connection of an engine that blocks (`Committer`), a task that of one that does not (`LoopCommitter`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from heliograph.store.engines.base import StoreAway, StoreUnavailable
from heliograph.store.steps import Plan, Write

log = logging.getLogger(__name__)

GROUP = 2_000  # operations in one transaction at most; a call of 1,000 destinations is one operation


class Operation:
    """One thing to be written and the future that waits for it."""

    __slots__ = ("future", "name", "payload")

    def __init__(self, name: str, payload: Any, future: asyncio.Future[Any]) -> None:
        self.name = name
        self.payload = payload
        self.future = future


Apply = Callable[[list[Operation]], list[Any]]


def planned(writes: Mapping[str, Write], group: Sequence[Operation]) -> Plan[list[Any]]:
    """One plan for a whole group: all operations of a kind at once, kinds in the order of `writes`; one result per
    operation."""
    results: dict[int, Any] = {}
    for name, write in writes.items():
        chosen = [operation for operation in group if operation.name == name]
        if chosen:
            answers = yield from write([operation.payload for operation in chosen])
            results.update(zip(map(id, chosen), answers, strict=True))
    return [results[id(operation)] for operation in group]


class Committer:
    """Feeds `apply` with groups of operations on a thread of its own.

    `apply` writes the whole group in one transaction and gives one result per operation; when it
    raises anything the operations are tried one by one, so that one bad row fails alone.
    """

    def __init__(self, apply: Apply) -> None:
        self._apply = apply
        self._queue: SimpleQueue[Operation | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self.commits = 0
        self.operations = 0

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end the thread."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def write(self, name: str, payload: Any) -> asyncio.Future[Any]:
        """Hand over one operation; the future is done after its commit."""
        assert self._loop is not None, "the committer is not started"  # noqa: S101
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(Operation(name, payload, future))
        return future

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, ending = [first], False
            while len(group) < GROUP and not self._queue.empty():
                operation = self._queue.get()
                if operation is None:
                    ending = True
                    break
                group.append(operation)
            self._commit(group)
            if ending:
                return

    def _commit(self, group: list[Operation]) -> None:
        try:
            results = self._apply(group)
        except Exception as error:  # the thread's loop: whatever is wrong with one write stops no other
            if len(group) > 1:
                for operation in group:
                    self._commit([operation])
                return
            log.error("a write of kind %s failed: %s", group[0].name, error, exc_info=_is_a_bug(error))
            results = [error]
        self.commits += 1
        self.operations += len(group)
        assert self._loop is not None  # noqa: S101
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_wake, group, results)


class LoopCommitter:
    """Feeds an asynchronous `apply` with groups, on the event loop; as `Committer` in all else. After `StoreAway`
    nothing is tried one by one."""

    def __init__(self, apply: Callable[[list[Operation]], Awaitable[list[Any]]]) -> None:
        self._apply = apply
        self._queue: deque[Operation] = deque()
        self._came = asyncio.Event()
        self._ending = False
        self._task: asyncio.Task[None] | None = None
        self.commits = 0
        self.operations = 0

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._task = asyncio.create_task(self._run(), name="store-writer")

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._ending = True
        self._came.set()
        if self._task is not None:
            await self._task

    def write(self, name: str, payload: Any) -> asyncio.Future[Any]:
        """Hand over one operation; the future is done after its commit."""
        assert self._task is not None, "the committer is not started"  # noqa: S101
        future: asyncio.Future[Any] = self._task.get_loop().create_future()
        self._queue.append(Operation(name, payload, future))
        self._came.set()
        return future

    def refuse(self, error: StoreAway) -> None:
        """Fail everything that waits; what is under way goes on."""
        waiting = list(self._queue)
        self._queue.clear()
        _wake(waiting, [error] * len(waiting))

    async def _run(self) -> None:
        while True:
            await self._came.wait()
            while self._queue:
                group = [self._queue.popleft() for _ in range(min(GROUP, len(self._queue)))]
                await self._commit(group)
            if self._ending:
                return
            self._came.clear()

    async def _commit(self, group: list[Operation]) -> None:
        try:
            results = await self._apply(group)
        except StoreAway as error:
            results = [error] * len(group)
        except Exception as error:  # the loop: whatever is wrong with one write stops no other
            if len(group) > 1:
                for operation in group:
                    await self._commit([operation])
                return
            log.error("a write of kind %s failed: %s", group[0].name, error, exc_info=_is_a_bug(error))
            results = [error]
        self.commits += 1
        self.operations += len(group)
        _wake(group, results)


def _is_a_bug(error: Exception) -> bool:
    return not isinstance(error, StoreUnavailable)


def _wake(group: Sequence[Operation], results: Sequence[Any]) -> None:
    for operation, result in zip(group, results, strict=True):
        if operation.future.done():
            continue  # the caller went away; what it wrote stays written
        if isinstance(result, Exception):
            operation.future.set_exception(result)
        else:
            operation.future.set_result(result)
