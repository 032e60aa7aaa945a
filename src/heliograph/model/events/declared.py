"""What a tenant declares of the events its callers send, and of the hooks that others call."""

from __future__ import annotations

from typing import Any, Literal

from heliograph.model.policies.part import Part

ParameterType = Literal["string", "number", "boolean", "date", "datetime", "msisdn", "email", "json"]


class Parameter(Part, frozen=True):
    """A parameter of an event. A `mandatory` one must be there and not empty, unless it has a `default`, which stands
    for one that is absent."""

    name: str
    type: ParameterType = "string"
    mandatory: bool = False
    default: Any = None


class EventSpec(Part, frozen=True):
    """An event that callers send by its `id`. `services` may send it (none named: all)."""

    id: str
    name: str = ""
    services: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
