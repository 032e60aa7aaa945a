"""What processes tell each other so that none decides by what is no longer so."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from heliograph.cli.parts.cluster import Cluster
from heliograph.lookup import Lookup
from heliograph.workspaces import Workspaces

WORKSPACE, LISTED = "workspace", "dnd"


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
