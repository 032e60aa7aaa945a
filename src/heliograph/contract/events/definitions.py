"""What a tenant declares of its events, checked, and made ready for the calls that are held against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.contract.profiles.types import BadValue, typed
from heliograph.contract.shape import Fault
from heliograph.contract.values import check_depth
from heliograph.model.events.declared import EventSpec, Parameter
from heliograph.model.outcome import Rejected
from heliograph.model.profiles.declared import Attribute

PARAMETER_CHARACTERS = 4_096
MOST_PARAMETERS = 200
_NAME = re.compile(r"[^\W\d][\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Definition:
    """An event made ready: its parameters by name, and the defaults as they are kept."""

    spec: EventSpec
    parameters: Mapping[str, Parameter]
    defaults: Mapping[str, Any]

    def may_send(self, service: str) -> bool:
        """Whether a service may send it."""
        return not self.spec.services or service in self.spec.services


def definitions_of(specs: Iterable[EventSpec]) -> dict[str, Definition]:
    """The events of a tenant by their ids."""
    return {spec.id: _ready(spec) for spec in specs}


def _ready(spec: EventSpec) -> Definition:
    defaults = {item.name: kept(item, item.default) for item in spec.parameters if not missing(item.default)}
    return Definition(spec, {item.name: item for item in spec.parameters}, defaults)


def missing(value: Any) -> bool:
    """Whether a value is as good as none."""
    return value is None or value == ""


def kept(parameter: Parameter, value: Any) -> Any:
    """A value as it is kept; raises `BadValue` for one that does not fit its type."""
    if parameter.type == "json":
        try:
            check_depth(value)
        except Rejected as error:
            raise BadValue from error
        return value
    return typed(Attribute(name=parameter.name, type=parameter.type, max_length=PARAMETER_CHARACTERS), value)


def event_faults(spec: EventSpec, path: str) -> Iterator[Fault]:
    """What the shape of a declared event cannot say."""
    seen: set[str] = set()
    if len(spec.parameters) > MOST_PARAMETERS:
        yield f"{path}.parameters", f"must be {MOST_PARAMETERS} at most"
    for item in spec.parameters:
        where = f"{path}.parameters[{item.name}]"
        if not _NAME.fullmatch(item.name):
            yield (
                f"{where}.name",
                "must begin with a letter and be 1 to 64 letters, digits, dots, dashes or underscores",
            )
        if item.name in seen:
            yield where, "is declared twice"
        seen.add(item.name)
        if not missing(item.default):
            try:
                kept(item, item.default)
            except BadValue:
                yield f"{where}.default", f"does not fit the type {item.type}"
