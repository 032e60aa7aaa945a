"""One folder per medium. A folder counts as a channel when it has a passport, `CHANNEL`."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from heliograph.model.channel import Channel


def channels() -> dict[str, Channel]:
    """Every channel of this installation by its name and by its aliases."""
    found: dict[str, Channel] = {}
    for module in pkgutil.iter_modules(__path__):
        channel = getattr(import_module(f"{__name__}.{module.name}"), "CHANNEL", None) if module.ispkg else None
        if isinstance(channel, Channel):
            found |= dict.fromkeys((channel.name, *channel.aliases), channel)
    return found
