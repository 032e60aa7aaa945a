"""What processes tell each other so that none decides by what is no longer so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from heliograph.cli.parts.cluster import Cluster
from heliograph.lookup import Lookup
from heliograph.rules.runner import Runner
from heliograph.store import Store
from heliograph.workspaces import Workspaces

WORKSPACE, LISTED, ERASED, PROFILES, HAPPENED = "workspace", "dnd", "erased", "profiles", "happened"
SLICE = 10_000  # requests in one signal
GATHER_SECONDS = 0.02  # for which what happens is told of once

_requests = msgspec.msgpack.Decoder(list[int]).decode


def together(
    cluster: Cluster, workspaces: Workspaces, lookup: Lookup, run: Callable[[Coroutine[Any, Any, None], str], None]
) -> None:
    """Follow the workspace and the do-not-disturb lists of other processes, and tell them of ours."""
    if not cluster.shared:
        return
    signals = cluster.signals

    def declared(version: int) -> None:
        signals.signal(WORKSPACE, str(version).encode())

    def look(data: bytes) -> None:
        if data != str(workspaces.directory().version).encode():
            workspaces.look()

    workspaces.declared.append(declared)
    signals.listen(WORKSPACE, look)
    lookup.tell = lambda tenant: signals.signal(LISTED, tenant.encode())
    signals.listen(LISTED, lambda data: lookup.heard(data.decode(errors="replace")))
    run(workspaces.follow(), "workspace")


def forgetting(cluster: Cluster, store: Store) -> None:
    """What was erased by one process is read anew by all."""
    if not cluster.shared:
        return

    def erased(ids: list[int]) -> None:
        for start in range(0, len(ids), SLICE):
            cluster.signals.signal(ERASED, msgspec.msgpack.encode(ids[start : start + SLICE]))

    store.erased = erased
    cluster.signals.listen(ERASED, lambda data: store.forget_requests(_requests(data)))


def waking(cluster: Cluster, wake: Callable[[], None]) -> Callable[[], None]:
    """What says, in any process, that there are writes of profiles to be done."""
    cluster.signals.listen(PROFILES, lambda _: wake())
    return lambda: cluster.signals.signal(PROFILES)


def causing(cluster: Cluster, store: Store, runner: Runner, *, works: bool) -> Callable[[], None]:
    """Workers look at once for what happened in any process; what is given back says that something did."""
    soon = False

    def give() -> None:
        nonlocal soon
        soon = False
        cluster.signals.signal(HAPPENED)

    def caused() -> None:
        nonlocal soon
        if not soon:
            soon = True
            asyncio.get_running_loop().call_later(GATHER_SECONDS, give)

    store.caused = caused
    if works:
        cluster.signals.listen(HAPPENED, lambda _: runner.look())
    return caused
