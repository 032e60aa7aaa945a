"""Submits and receipts a second between the SMPP connector and the simulator, each in its own process.

The driver keeps the window full and does nothing else, so this is the most that SMPP alone lets through; a
window of W and an answer delay of D seconds allow at most W / D. Run: python bench/smpp.py [seconds]
"""

from __future__ import annotations

import asyncio
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import uvloop

from heliograph.channels.sms.smpp import SmppConnector
from heliograph.model.channel import Body, Connector, Outbound
from heliograph.model.message import Content
from heliograph.model.outcome import Inbound, Receipt, SendError, Submitted
from heliograph.model.workspace import ConnectorSpec

SECONDS = 3.0
BODY = Body(content=Content(channel="sms", fields={"type": "text"}), text="Hello from the benchmark", sender="HELIO")


class Driver:
    """Submits whenever there is capacity and counts what comes back."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.submitted = self.refused = self.receipts = self._next = 0
        self.running = True

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        """One answer: one more message goes out."""
        if isinstance(result, Submitted):
            self.submitted += 1
        else:
            self.refused += 1
        self.ready()

    def ready(self) -> None:
        """Fill the window."""
        while self.running and (room := self.connector.capacity()):
            for _ in range(room):
                self._next += 1
                self.connector.submit(Outbound(1, self._next, f"4477{self._next % 100_000_000:08d}", BODY))

    def received(self, item: Receipt | Inbound, stored: Callable[[bool], None]) -> None:
        """A receipt is kept nowhere."""
        self.receipts += 1
        stored(True)


def simulator(delay_ms: int, receipts: bool) -> tuple[subprocess.Popen[str], int]:
    """The simulator in its own process, and its port."""
    command = [sys.executable, "-m", "heliograph.channels.sms.simulator", "--port", "0"]
    command += ["--delay-ms", str(delay_ms), "--receipt-delay-ms", "20"] + ([] if receipts else ["--no-receipts"])
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r":(\d+)$", process.stdout.readline())
    assert found is not None
    return process, int(found[1])


class Figures(NamedTuple):
    """Submits and receipts a second, microseconds of this process for each submit, submits in all."""

    submits: float
    receipts: float
    cpu_us: float
    total: int


async def measure(port: int, window: int, seconds: float) -> Figures:
    """Keep the window full for some seconds."""
    spec = ConnectorSpec(
        name="bench", channel="sms", kind="smpp", host="127.0.0.1", port=port, system_id="bench", password="bench",
        window=window,
    )  # fmt: skip
    connector = SmppConnector(spec)
    driver = Driver(connector)
    await connector.start(driver)
    while not driver.submitted:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    submitted, receipts = driver.submitted, driver.receipts
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    passed, spent = time.perf_counter() - began, time.process_time() - cpu
    submitted, receipts = driver.submitted - submitted, driver.receipts - receipts
    driver.running = False
    await connector.stop(1.0)
    assert driver.refused == 0
    return Figures(submitted / passed, receipts / passed, spent / submitted * 1e6, driver.submitted)


def run(window: int, delay_ms: int, receipts: bool, seconds: float) -> str:
    """One line of the table."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process, port = simulator(delay_ms, receipts)
    try:
        found = uvloop.run(measure(port, window, seconds))
    finally:
        process.terminate()
        process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    theirs = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    share = f"{found.submits * delay_ms / 1000 / window:6.0%}" if delay_ms else "     -"
    return (
        f"{window:>6} {delay_ms:>8} {'yes' if receipts else 'no':>8} {found.submits:>10,.0f}"
        f" {found.receipts:>10,.0f} {found.cpu_us:>12.1f} {theirs / found.total * 1e6:>12.1f} {share}"
    )


def main() -> None:
    """Print one line for each window, delay and with or without receipts."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    print("window delay ms receipts  submits/s receipts/s connector us simulator us  of W/D")
    for receipts in (True, False):
        for delay_ms in (0, 40):
            for window in (10, 50, 500):
                print(run(window, delay_ms, receipts, seconds), flush=True)


if __name__ == "__main__":
    main()
