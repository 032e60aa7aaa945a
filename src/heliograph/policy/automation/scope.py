"""What the conditions and texts of a rule may name: the payload, the occurrence itself, a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heliograph.model.automation.naming import OCCURRENCE, PROFILE, is_of_profile
from heliograph.model.events import Occurrence, values_at


class Scope:
    """Values by dotted names, each looked for once. `profile` are the attributes of the person that a rule means,
    whose names are matched in any case."""

    def __init__(self, occurrence: Occurrence, profile: Mapping[str, Any] | None = None) -> None:
        self.occurrence = occurrence
        self._known = {
            **occurrence.payload,
            OCCURRENCE: {
                "id": occurrence.id, "trigger": occurrence.trigger, "name": occurrence.name,
                "service": occurrence.service, "at": occurrence.at, "correlation": occurrence.correlation,
            },
            PROFILE: {attribute.lower(): value for attribute, value in (profile or {}).items()},
        }  # fmt: skip
        self._found: dict[str, list[Any]] = {}

    def values(self, name: str) -> list[Any]:
        """The values under a name, none for null or where there is nothing."""
        found = self._found.get(name)
        if found is None:
            asked = name.lower() if is_of_profile(name) else name
            found = [value for value in values_at(self._known, asked) if value is not None]
            self._found[name] = found
        return found
