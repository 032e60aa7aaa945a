"""A SIP endpoint on an event loop: calls and transactions on one side, transports and a clock on the other."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from heliograph.wire.sip import layer as ly
from heliograph.wire.sip import session as ss
from heliograph.wire.sip.dialog import response_to, seen_from
from heliograph.wire.sip.headers import PORTS, host_port, parse_address, parse_uri
from heliograph.wire.sip.incoming import IncomingCall
from heliograph.wire.sip.layer import Key, Layer, Target
from heliograph.wire.sip.message import Message, Request, Response, SipError, encode
from heliograph.wire.sip.outgoing import OutgoingCall
from heliograph.wire.sip.transactions import Timers
from heliograph.wire.sip.transport import Transport

log = logging.getLogger(__name__)

Call = OutgoingCall | IncomingCall
Listener = Callable[[ss.Fact], None]
Trace = Callable[[str, Message], None]
"""Told of each message of a call once: `sent` or `got`."""
Invited = Callable[[Key, Request, Target], None]


class Own(NamedTuple):
    """How we name ourselves towards a target: Via without a branch, and our Contact."""

    hop: str
    contact: str
    host: str


class _Held(NamedTuple):
    """A call under way: whom to tell of it, and where it was placed."""

    call: Call
    tell: Listener
    trace: Trace
    target: Target


class Endpoint:
    """Owns the transports by kind (udp, tcp, tls). `invited` is given calls that others place; without it they are
    refused. `public` is our address as the far end sees it, where that is another one."""

    def __init__(
        self, transports: Mapping[str, Transport], timers: Timers | None = None, invited: Invited | None = None,
        public: str = "",
    ) -> None:  # fmt: skip
        self._transports = transports
        self._layer = Layer(timers)
        self._invited = invited
        self._public = public
        self._calls: dict[tuple[str, str], _Held] = {}
        self._ringing: dict[Key, _Held] = {}  # calls of others by their INVITE's transaction
        self._names: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._closed = False

    async def start(self) -> None:
        """Open the transports. Raises OSError."""
        for transport in self._transports.values():
            await transport.start(self)

    async def close(self) -> None:
        """Close the transports; calls under way are not ended here."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in self._transports.values():
            await transport.close()

    def own(self, target: Target, user: str) -> Own:
        """How we name ourselves towards a target. Raises OSError where there is no way there."""
        host, port = self._transports[target.transport].local(target)
        host = self._public or host
        place = host_port(host, port)
        named = "" if target.transport == "udp" else f";transport={target.transport}"
        more = ";rport;alias" if target.transport == "tls" else ";rport"  # RFC 5923 5: over the same connection
        return Own(f"SIP/2.0/{target.transport.upper()} {place}{more}", f"sip:{user}@{place}{named}", host)

    def hold(self, call: Call, target: Target, tell: Listener, trace: Trace) -> None:
        """From now on what comes for this call is its own, and `tell` hears of it."""
        held = _Held(call, tell, trace, target)
        self._calls[call.call_id, call.tag] = held
        if isinstance(call, IncomingCall):
            self._ringing[call.key] = held

    def release(self, call: Call) -> None:
        """Nobody cares for this call any more."""
        held = self._calls.pop((call.call_id, call.tag), None)
        if held is not None:
            self._layer.forget(held)
        if isinstance(call, IncomingCall):
            self._ringing.pop(call.key, None)

    def do(self, call: Call, outs: list[ss.Out]) -> None:
        """Carry out what a call gave."""
        held = self._calls.get((call.call_id, call.tag))
        if held is not None:
            self._carry(held, outs)
            self._set_alarm()

    def now(self) -> float:
        """The clock of everything here: seconds."""
        return self._loop.time()

    def known_as(self, name: str, address: str) -> None:
        """A host name that far ends may use of themselves, and the address it has."""
        self._names[name.lower()] = address

    # Sink

    def came(self, message: Message, source: Target) -> None:
        """See `Sink`."""
        try:
            if isinstance(message, Request):
                message = seen_from(message, source.host, source.port)
            self._run(self._layer.receive(message, source, self.now()))
        except SipError as error:
            log.debug("a message of %s cannot be used: %s", source.host, error)
        self._set_alarm()

    def lost(self, target: Target, why: str) -> None:
        """See `Sink`."""
        self._run(self._layer.unreachable(target, why))
        self._set_alarm()

    # Inside

    def _run(self, outs: list[ly.Out]) -> None:
        for out in outs:
            match out:
                case ly.Put(message, target):
                    self._put(message, target)
                case ly.Answer(owner, request, response):
                    self._answered(owner, request, response)
                case ly.Silence(owner, request, why):
                    self._silent(owner, request, why)
                case ly.Unacked(key):
                    if (held := self._ringing.get(key)) and isinstance(held.call, IncomingCall):
                        self._carry(held, held.call.silence(ly.NO_ANSWER))
                case ly.Asked(key, request, source):
                    self._asked(key, request, source)

    def _answered(self, held: _Held, request: Request, response: Response) -> None:
        held.trace("got", response)
        call = held.call
        if isinstance(call, OutgoingCall):
            self._carry(held, call.response(request, response, self.now()))
        else:
            self._carry(held, call.answered(request, response, self.now()))

    def _silent(self, held: _Held, request: Request, why: str) -> None:
        call = held.call
        if isinstance(call, OutgoingCall):
            self._carry(held, call.silence(request, why, self.now()))
        else:
            self._carry(held, call.unanswered(request, why, self.now()))

    def _asked(self, key: Key | None, request: Request, source: Target) -> None:
        tag = parse_address(request.first("To")).tag
        held = self._calls.get((request.first("Call-ID"), tag)) if tag else None
        if held is not None:
            held.trace("got", request)
            self._carry(held, held.call.request(key, request, self.now()))
        elif key is None:
            return
        elif request.method == "CANCEL":
            self._cancelled(key, request)
        elif request.method == "INVITE" and self._invited is not None and not tag:
            self._invited(key, request, source)
        else:
            self._respond(key, _stranger(request, tag))

    def _cancelled(self, key: Key, request: Request) -> None:
        """9.2: it names the INVITE by its branch."""
        held = self._ringing.get((*key[:-1], "INVITE"))
        code, reason = (200, "OK") if held else (481, "Call/Transaction Does Not Exist")
        self._respond(key, response_to(request, code, reason))
        if held is not None and isinstance(held.call, IncomingCall):
            self._carry(held, held.call.cancelled())

    def _respond(self, key: Key, response: Response) -> None:
        self._run(self._layer.respond(key, response, self.now()))

    def refuse(self, key: Key, response: Response) -> None:
        """Answer an INVITE that becomes no call."""
        self._respond(key, response)
        self._set_alarm()

    def ignore(self, key: Key) -> None:
        """Leave an INVITE without any answer."""
        self._layer.drop(key)

    def _carry(self, held: _Held, outs: list[ss.Out]) -> None:
        for out in outs:
            match out:
                case ss.Ask(request, hop):
                    held.trace("sent", request)
                    self._towards(hop, held, request, self._ask)
                case ss.Tell(request, hop):
                    held.trace("sent", request)
                    self._towards(hop, held, request, lambda _, request, target: self._put(request, target))
                case ss.Reply(key, response):
                    held.trace("sent", response)
                    self._respond(key, response)
                case _:
                    held.tell(out)

    def _ask(self, held: _Held, request: Request, target: Target) -> None:
        self._run(self._layer.ask(request, target, held, self.now()))

    def _put(self, message: Message, target: Target) -> None:
        try:
            data = encode(message)
        except SipError as error:  # what we would say ourselves is refused here, not on the wire
            log.error("a message cannot be written: %s", error)
            return
        self._transports[target.transport].send(data, target)

    def _towards(
        self, hop: str, held: _Held, request: Request, act: Callable[[_Held, Request, Target], None]
    ) -> None:
        """Do it with the target that a URI means, at once where it has an address."""
        if not hop:
            act(held, request, held.target)
            return
        uri = parse_uri(hop)
        kind, host, port = uri.place
        if uri.parameter("transport") is None or kind not in self._transports:
            kind = held.target.transport
            port = uri.port or PORTS[kind]
        address = host if _is_address(host) else self._names.get(host.lower())
        if address is not None:
            act(held, request, Target(kind, address, port))
            return
        task = self._loop.create_task(self._look_up(Target(kind, host, port), held, request, act))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_up(
        self, named: Target, held: _Held, request: Request, act: Callable[[_Held, Request, Target], None]
    ) -> None:
        try:
            found = await self._loop.getaddrinfo(named.host, named.port)
        except (OSError, UnicodeError):
            self._silent(held, request, "the host was not found")
        else:
            act(held, request, named._replace(host=str(found[0][4][0])))
        self._set_alarm()

    def _set_alarm(self) -> None:
        dues = [held.call.due for held in self._calls.values() if held.call.due is not None]
        if (due := self._layer.due()) is not None:
            dues.append(due)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if dues and not self._closed:
            self._alarm = self._loop.call_at(min(dues), self._tick)

    def _tick(self) -> None:
        self._alarm = None
        now = self.now()
        self._run(self._layer.tick(now))
        for held in list(self._calls.values()):
            if held.call.due is not None and held.call.due <= now:
                self._carry(held, held.call.tick(now))
        self._set_alarm()


def _stranger(request: Request, tag: str) -> Response:
    """What we answer to requests that belong to no call."""
    if tag:
        return response_to(request, 481, "Call/Transaction Does Not Exist")
    if request.method == "OPTIONS":
        return response_to(request, 200, "OK", more=ss.ABLE)
    if request.method == "INVITE":
        return response_to(request, 403, "Forbidden")
    return ss.not_allowed(request)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
