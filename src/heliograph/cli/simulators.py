"""The simulators role: stand-ins of every far end, each speaking the provider's own protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import cast

from starlette.routing import BaseRoute

from heliograph.channels import stand_ins
from heliograph.channels.sms.simulator import SmscSimulator
from heliograph.config import Config
from heliograph.model.channel import Peer
from heliograph.simulators.bin import Bins
from heliograph.wire.standin import StandIn

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
SMSC = "smsc"


class SimulatorBusy(OSError):
    """A simulator's port is taken; the text names both and the mend."""


class Simulators:
    """Starts what the roles ask for, or those named in `only`; `peers` says where each one listens."""

    def __init__(self, config: Config, only: Collection[str] = ()) -> None:
        self._active = "simulators" in config.roles
        self.bins = Bins()
        kinds = stand_ins()
        addresses = {
            name: (HOST, kind.port if config.simulator_ports == "usual" else 0) for name, kind in kinds.items()
        }
        addresses[SMSC] = config.smsc_simulator
        self.stand_ins: dict[str, StandIn] = {
            name: kind.make(*addresses[name], config.url) for name, kind in kinds.items() if not only or name in only
        }
        self.peers = {name: Peer(*address) for name, address in addresses.items()}
        self._started: list[StandIn] = []

    async def start(self) -> None:
        """Listen. Raises `SimulatorBusy` where a port is taken."""
        for name, stand_in in self.stand_ins.items() if self._active else ():
            try:
                self.peers[name] = await stand_in.start()
            except OSError as error:
                setting = "HELIOGRAPH_SMSC_SIMULATOR" if name == SMSC else "HELIOGRAPH_SIMULATOR_PORTS=free"
                raise SimulatorBusy(f"the simulator {name} cannot listen ({error}); see {setting}") from error
            self._started.append(stand_in)
            log.info("the simulator %s listens on %s:%d", name, *self.peers[name][:2])

    async def stop(self) -> None:
        """Stop listening."""
        await asyncio.gather(*(stand_in.stop() for stand_in in self._started))

    def send_mo(self, source: str, destination: str, text: str) -> int:
        """A person writes: the SMSC simulator hands a message to whoever is bound; in how many parts."""
        return cast(SmscSimulator, self.stand_ins[SMSC]).send_mo(source, destination, text)

    def bin_routes(self) -> Sequence[BaseRoute]:
        """The webhook bin."""
        return self.bins.routes()
