"""The SMSC simulator: SMPP 3.4 over TCP, outcomes chosen by destination number, bad days on demand."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import uvloop

from heliograph.channels.sms.outbox import Outbox, Timers
from heliograph.channels.sms.simulated import Plan, Report, plan_of, receipt
from heliograph.model.channel import Peer
from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.codec import encode
from heliograph.wire.smpp.pdus import MessageResp, ShortMessage
from heliograph.wire.smpp.segment import segment_text
from heliograph.wire.smpp.server import Server, ServerLink
from heliograph.wire.smpp.session import Settings
from heliograph.wire.standin import StandInKind

GARBAGE = bytes(range(255, 191, -1))
PLAIN, HEX_DECIMAL, DECIMAL_HEX = "plain", "hex-decimal", "decimal-hex"


@dataclass(slots=True)
class Behaviour:
    """How the simulator behaves towards every number; may be changed while it runs. Times are seconds.

    `throttle` is how many submits a second are taken before 0x58 is answered (0: any number); `id_style` how
    ids are written in answers and receipts; `refuse_binds` a status for every bind; `silent` answers no submit.
    """

    answer_delay: float = 0.0
    receipt_delay: float = 0.1
    receipts: bool = True
    receipts_first: bool = False
    duplicate_receipts: bool = False
    receipt_style: str = "text"
    id_style: str = PLAIN
    throttle: int = 0
    silent: bool = False
    refuse_binds: int = c.ESME_ROK


class SmscSimulator:
    """A stand-in of an operator's SMSC. Any credentials are taken unless `credentials` names them
    (system_id to password)."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        behaviour: Behaviour | None = None,
        *,
        credentials: Mapping[str, str] | None = None,
        window: int = 500,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`window` is how many deliveries may wait for their answers on one bind."""
        self.behaviour = behaviour or Behaviour()
        self.counts = {"submits": 0, "accepted": 0, "refused": 0, "throttled": 0, "most_unanswered": 0}
        self.submits: list[ShortMessage] | None = None
        """Set to a list to have every submit kept there."""
        self.address = (host, port)
        """Where it listens, once started."""
        self._credentials = credentials
        self._tls = tls
        self._server = Server(self._authorise, self._on_event, "simulator", Settings(window=window))
        self._listener: asyncio.Server | None = None
        self._ids = itertools.count(int(time.time()) << 32)
        self._failed: dict[str, int] = {}
        self._unanswered = 0
        self._second = (0, 0)
        self._date = (0, "")
        self._timers: Timers
        self.outbox: Outbox

    async def start(self) -> Peer:
        """Listen, and give the address; port 0 asks the system for a free one. Raises OSError."""
        self._timers = Timers()
        self.outbox = Outbox(self._timers)
        host, port = self.address
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Link(self._server), host, port, ssl=self._tls)
        self.address = (host, self._listener.sockets[0].getsockname()[1])
        return Peer(*self.address)

    async def stop(self) -> None:
        """Stop listening and unbind everybody."""
        if self._listener is not None:
            self._listener.close()
        self._timers.clear()
        await self._server.close(1.0)

    def drop_links(self) -> None:
        """Cut every connection without a word."""
        for link in tuple(self._server.links):
            link.abort("the simulator was told to")

    @property
    def links(self) -> list[ServerLink]:
        """Who is connected."""
        return list(self._server.links)

    def send_mo(self, source: str, destination: str, text: str) -> int:
        """A person's message to one of our addresses, in as many segments as it needs; gives their number. It
        goes to every account that is bound, or waits for none: 0 when nobody is."""
        system_ids = {link.system_id for link in self._server.links if link.system_id}
        parts = segment_text(text)
        head = ShortMessage(source_addr_ton=1, source_addr_npi=1, source_addr=source, destination_addr=destination)
        for system_id in system_ids:
            for part in parts:
                self.outbox.send(system_id, head._replace(**part._asdict()))
        return len(parts) if system_ids else 0

    def _authorise(self, system_id: str, password: str, command_id: int) -> int:
        if self.behaviour.refuse_binds:
            return self.behaviour.refuse_binds
        if self._credentials is None:
            return c.ESME_ROK
        if system_id not in self._credentials:
            return c.ESME_RINVSYSID
        return c.ESME_ROK if self._credentials[system_id] == password else c.ESME_RINVPASWD

    def _on_event(self, link: ServerLink, event: ev.Event) -> None:
        if isinstance(event, ev.SubmitArrived):
            self._submitted(link, event)
        elif isinstance(event, ev.DeliverAnswered):
            self.outbox.answered(link, event)
        elif isinstance(event, ev.Bound):
            self.outbox.bound(link)
        elif isinstance(event, ev.Resumed):
            self.outbox.drain(link)
        elif isinstance(event, ev.TimedOut):
            self.outbox.back(link.system_id, event.requests)
        elif isinstance(event, ev.Closed):
            self.outbox.closed(link, event.unanswered)

    def _submitted(self, link: ServerLink, event: ev.SubmitArrived) -> None:
        behaviour, counts = self.behaviour, self.counts
        counts["submits"] += 1
        self._unanswered += 1
        if self._unanswered > counts["most_unanswered"]:
            counts["most_unanswered"] = self._unanswered
        if self.submits is not None:
            self.submits.append(event.message)
        plan = plan_of(event.message.destination_addr)
        status = c.ESME_RTHROTTLED if self._throttled() else self._status(plan, event.message.destination_addr)
        answer_after = behaviour.answer_delay + plan.answer_after
        number = next(self._ids)
        if status == c.ESME_ROK and behaviour.receipts:
            self._report_later(link, event.message, plan, number, answer_after)
        if behaviour.silent or plan.answer == "never":
            return
        answer = partial(self._answer, link, event, plan, status, self._written(number, answered=True))
        self._timers.after(answer_after, answer)

    def _throttled(self) -> bool:
        limit = self.behaviour.throttle
        if not limit:
            return False
        second = int(asyncio.get_running_loop().time())
        taken = self._second[1] + 1 if second == self._second[0] else 1
        self._second = (second, taken)
        if taken > limit:
            self.counts["throttled"] += 1
        return taken > limit

    def _status(self, plan: Plan, destination: str) -> int:
        if not plan.fail_first:
            return plan.status
        failed = self._failed[destination] = self._failed.get(destination, 0) + 1
        return plan.status if failed <= plan.fail_first else c.ESME_ROK

    def _answer(self, link: ServerLink, event: ev.SubmitArrived, plan: Plan, status: int, native_id: str) -> None:
        self._unanswered -= 1
        self.counts["accepted" if status == c.ESME_ROK else "refused"] += 1
        if plan.answer == "plain":
            link.answer(event.command_id, event.sequence, status, native_id)
        elif plan.answer == "nack":
            link.answer_with(c.GENERIC_NACK, event.sequence, None, c.ESME_RINVCMDLEN)
        elif isinstance(link, _Link):
            frame = encode(event.command_id | c.RESPONSE, event.sequence, MessageResp(native_id))
            spoiled = {"cut": frame[:11], "garbage": GARBAGE}.get(plan.answer, b"")
            # behind the answers of this turn, which the link writes at its end
            asyncio.get_running_loop().call_soon(link.spoil, spoiled)

    def _written(self, number: int, *, answered: bool) -> str:
        style = self.behaviour.id_style
        return str(number) if style == (DECIMAL_HEX if answered else HEX_DECIMAL) else f"{number:016x}"

    def _report_later(
        self, link: ServerLink, submit: ShortMessage, plan: Plan, number: int, answer_after: float
    ) -> None:
        behaviour = self.behaviour
        # SMPP 3.4, 5.2.17: bits 1 and 0 of registered_delivery; 2 asks for receipts of failures only
        wanted = submit.registered_delivery & 3
        for report in plan.reports:
            if not wanted or (wanted == 2 and report.state == "DELIVRD"):
                continue
            after = behaviour.receipt_delay if report.after is None else report.after
            if not (behaviour.receipts_first or (report.after == 0.0 and plan.answer_after)):
                after += answer_after
            deliver = partial(self._report, link, submit, number, report)
            for _ in range(2 if behaviour.duplicate_receipts else 1):
                if after:
                    self._timers.after(after, deliver)
                elif behaviour.receipts_first or plan.answer_after:
                    deliver()
                else:
                    asyncio.get_running_loop().call_soon(deliver)

    def _report(self, link: ServerLink, submit: ShortMessage, number: int, report: Report) -> None:
        if report.style == "text" and self.behaviour.receipt_style != "text":
            report = report._replace(style=self.behaviour.receipt_style)
        second = int(time.time())
        if self._date[0] != second:
            self._date = (second, time.strftime("%y%m%d%H%M", time.gmtime(second)))
        message = receipt(submit, self._written(number, answered=False), report, self._date[1])
        self.outbox.send(link.system_id, message, link)


class _Link(ServerLink):
    """A connection that can be spoiled."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the connection stands."""
        super().connection_made(transport)
        self._raw = cast(asyncio.Transport, transport)  # uvloop's is none by class

    def spoil(self, octets: bytes) -> None:
        """Write these octets as they are and hang up."""
        self._raw.write(octets)
        self._raw.close()


async def _run(options: argparse.Namespace) -> None:
    behaviour = Behaviour(
        answer_delay=options.delay_ms / 1000,
        receipt_delay=options.receipt_delay_ms / 1000,
        receipts=not options.no_receipts,
        throttle=options.throttle,
    )
    simulator = SmscSimulator(options.host, options.port, behaviour)
    host, port, _ = await simulator.start()
    print(f"The SMSC simulator listens on {host}:{port}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await simulator.stop()


def main() -> None:
    """Run the simulator alone until it is interrupted."""
    parser = argparse.ArgumentParser(description="An SMSC simulator speaking SMPP 3.4.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2775)
    parser.add_argument("--delay-ms", type=float, default=0, help="before each submit_sm_resp")
    parser.add_argument("--receipt-delay-ms", type=float, default=100, help="before each receipt")
    parser.add_argument("--throttle", type=int, default=0, help="submits a second before 0x58; 0: no limit")
    parser.add_argument("--no-receipts", action="store_true", help="accept and send no receipt")
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_run(parser.parse_args()))


STAND_INS = (StandInKind("smsc", 2775, lambda host, port, _: SmscSimulator(host, port)),)


if __name__ == "__main__":
    main()
