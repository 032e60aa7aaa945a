"""The events of tenants, made ready once per version of the workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from heliograph.contract.events.definitions import Definition, definitions_of
from heliograph.policy.directory import Directory


class Definitions:
    """Looks up the events of a tenant."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory
        self._of: Directory | None = None
        self._ready: dict[str, Mapping[str, Definition]] = {}

    def of(self, tenant: str) -> Mapping[str, Definition]:
        """The events of a tenant by their ids."""
        directory = self._directory()
        if directory is not self._of:
            self._of, self._ready = directory, {}
        found = self._ready.get(tenant)
        if found is None:
            declared = directory.tenants.get(tenant)
            found = self._ready[tenant] = definitions_of(declared.events if declared else ())
        return found
