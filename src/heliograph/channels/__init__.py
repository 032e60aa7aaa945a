"""One folder per medium. A folder counts as a channel when it has a passport, `CHANNEL`; its `simulator` module, if
it has one, says in `STAND_INS` which far ends it can stand in for."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

from heliograph.model.channel import Channel
from heliograph.wire.standin import StandInKind


def channels() -> dict[str, Channel]:
    """Every channel of this installation by its name and by its aliases."""
    found: dict[str, Channel] = {}
    for package in _packages():
        channel = getattr(import_module(package), "CHANNEL", None)
        if isinstance(channel, Channel):
            found |= dict.fromkeys((channel.name, *channel.aliases), channel)
    return found


def stand_ins() -> dict[str, StandInKind]:
    """Every simulator of this installation by its name."""
    found: dict[str, StandInKind] = {}
    for package in _packages():
        name = f"{package}.simulator"
        if find_spec(name) is not None:
            found |= {kind.name: kind for kind in import_module(name).STAND_INS}
    return found


def stand_ins_by_channel() -> dict[str, tuple[str, ...]]:
    """The names of each channel's simulators."""
    return {
        package.rpartition(".")[2]: tuple(kind.name for kind in import_module(f"{package}.simulator").STAND_INS)
        for package in _packages()
        if find_spec(f"{package}.simulator") is not None
    }


def _packages() -> Iterator[str]:
    return (f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__) if module.ispkg)
