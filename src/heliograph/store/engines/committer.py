"""Group commit: everything that waits becomes one transaction, then every caller is woken.

No linger: while one commit is on its way to the disk the next group gathers by itself. A caller hands over an
operation's name and its payload and awaits the result, which comes after the commit is durable. A thread owns the
writing connection, so that neither waits for the other: a database works while the event loop is busy.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
    raises anything but `StoreAway` the operations are tried one by one, so that one bad row fails alone.
    """

    def __init__(self, apply: Apply) -> None:
        self._apply = apply
        self._turn: list[Operation] = []  # what this turn of the event loop has to write
        self._queue: SimpleQueue[list[Operation] | None] = SimpleQueue()
        self._waiting: deque[Operation] = deque()  # the thread's
        self._ending = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self.commits = 0
        self.operations = 0

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits, then end the thread."""
        if self._thread.is_alive():
            self._hand_over()
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)

    def write(self, name: str, payload: Any) -> asyncio.Future[Any]:
        """Hand over one operation; the future is done after its commit."""
        assert self._loop is not None, "the committer is not started"  # noqa: S101
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self._turn:  # the thread is woken once for all that a turn of the loop writes
            self._loop.call_soon(self._hand_over)
        self._turn.append(Operation(name, payload, future))
        return future

    def _hand_over(self) -> None:
        if self._turn:
            self._queue.put(self._turn)
            self._turn = []

    def refuse(self, error: StoreAway) -> None:
        """Fail everything that waits; what is under way goes on. For the thread, within `apply`."""
        self._gather()
        waiting = list(self._waiting)
        self._waiting.clear()
        self._answer(waiting, [error] * len(waiting))

    def _gather(self, *, wait: bool = False) -> None:
        while wait or not self._queue.empty():
            turn = self._queue.get()
            self._waiting.extend(turn or ())
            self._ending = self._ending or turn is None
            wait = False

    def _run(self) -> None:
        while self._waiting or not self._ending:
            self._gather(wait=not self._waiting)
            group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
            if group:
                self._commit(group)

    def _commit(self, group: list[Operation]) -> None:
        try:
            results = self._apply(group)
        except StoreAway as error:
            results = [error] * len(group)
        except Exception as error:  # the thread's loop: whatever is wrong with one write stops no other
            if len(group) > 1:
                for operation in group:
                    self._commit([operation])
                return
            log.error("a write of kind %s failed: %s", group[0].name, error, exc_info=_is_a_bug(error))
            results = [error]
        self.commits += 1
        self.operations += len(group)
        self._answer(group, results)

    def _answer(self, group: Sequence[Operation], results: Sequence[Any]) -> None:
        assert self._loop is not None  # noqa: S101
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_wake, group, results)


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
