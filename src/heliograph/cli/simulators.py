"""The simulators role: stand-ins of every far end, each speaking the provider's own protocol."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.routing import BaseRoute

from heliograph.channels.sms.simulator import SmscSimulator
from heliograph.config import Config
from heliograph.simulators.bin import Bins

log = logging.getLogger(__name__)


class Simulators:
    """Starts what the roles ask for; `endpoints` says where each channel's stand-in listens."""

    def __init__(self, config: Config) -> None:
        self._active = "simulators" in config.roles
        self.bins = Bins()
        self._smsc = SmscSimulator(*config.smsc_simulator)
        self.endpoints: dict[str, tuple[str, int]] = {"sms": config.smsc_simulator}

    async def start(self) -> None:
        """Listen. A port that is taken is an error that names it."""
        if self._active:
            self.endpoints["sms"] = await self._smsc.start()
            log.info("the SMSC simulator listens on %s:%d", *self.endpoints["sms"])

    async def stop(self) -> None:
        """Stop listening."""
        if self._active:
            await self._smsc.stop()

    def send_mo(self, source: str, destination: str, text: str) -> int:
        """A person writes: the SMSC simulator hands a message to whoever is bound; in how many parts."""
        return self._smsc.send_mo(source, destination, text)

    def bin_routes(self) -> Sequence[BaseRoute]:
        """The webhook bin."""
        return self.bins.routes()
