"""The SIP user-agent simulator: takes calls over UDP, checks who calls, behaves as the number says, records what it
hears."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from functools import partial

from heliograph.channels.voice import simulated as sim
from heliograph.channels.voice.settings import simulated_password
from heliograph.model.channel import Peer
from heliograph.wire.rtp import g711
from heliograph.wire.rtp.stream import Stream, Way
from heliograph.wire.sip import sdp
from heliograph.wire.sip import session as ss
from heliograph.wire.sip.dialog import response_to
from heliograph.wire.sip.digest import proof_of
from heliograph.wire.sip.endpoint import Endpoint
from heliograph.wire.sip.headers import parse_address, parse_uri
from heliograph.wire.sip.incoming import IncomingCall
from heliograph.wire.sip.layer import Key, Target
from heliograph.wire.sip.message import Request, SipError
from heliograph.wire.sip.transport import Udp
from heliograph.wire.standin import StandInKind

REALM = "simulator"
NONCES_KEPT = 10_000
CALLS_KEPT = 50
AUDIO_KEPT = 60 * 8_000  # bytes: a minute
CALLS_MOST = 500
LOST = 3  # of a lossy line every third packet
TRANSFER_SECONDS = 0.2
HOLD_SECONDS = 0.5


class Heard:
    """One call as the callee saw it: who called whom, what was heard (G.711 of `law`), digits, how it ended."""

    def __init__(self, number: str, caller: str) -> None:
        self.number = number
        self.caller = caller
        self.law = g711.PCMU
        self.audio = bytearray()
        self.digits = ""
        self.ended = ""
        self.transfers: list[str] = []

    def keep(self, payload: bytes) -> None:
        """Audio that came."""
        if len(self.audio) < AUDIO_KEPT:
            self.audio += payload


class SipSimulator:
    """Any user is taken whose password is the one the README tells, unless `credentials` names them (username to
    password); an empty mapping takes everybody without asking."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, credentials: Mapping[str, str] | None = None
    ) -> None:
        self.address = (host, port)
        """Where it listens, once started."""
        self.calls: deque[Heard] = deque(maxlen=CALLS_KEPT)
        """The last calls, newest last."""
        self.counts = {"invites": 0, "challenged": 0, "answered": 0, "under_way": 0}
        self._credentials = credentials
        self._nonces: OrderedDict[str, None] = OrderedDict()
        self._udp: Udp
        self._endpoint: Endpoint
        self._lines: set[Line] = set()

    async def start(self) -> Peer:
        """Listen, and give the address; port 0 asks the system for a free one. Raises OSError."""
        self._udp = Udp(*self.address)
        self._endpoint = Endpoint({"udp": self._udp}, invited=self._invited)
        await self._endpoint.start()
        self.address = (self.address[0], self._udp.local(Target("udp", *self.address))[1])
        return Peer(*self.address)

    async def stop(self) -> None:
        """Stop listening; calls under way are dropped."""
        for line in list(self._lines):
            line.close()
        await self._endpoint.close()

    def _invited(self, key: Key, request: Request, source: Target) -> None:
        self.counts["invites"] += 1
        try:
            number = parse_uri(request.uri).user.lstrip("+")
            caller = parse_uri(parse_address(request.first("From")).uri).user
        except SipError:
            self._endpoint.refuse(key, response_to(request, 416, "Unsupported URI Scheme", "sim"))
            return
        plan = sim.plan_of(number)
        if plan.odd == sim.SILENT:
            self._endpoint.ignore(key)
        elif not self._known(request) or plan.final == 401:
            self._challenge(key, request)
        elif len(self._lines) >= CALLS_MOST:
            self._endpoint.refuse(key, response_to(request, 503, "Service Unavailable", "sim"))
        else:
            self._take(key, request, source, plan, Heard(number, caller))

    def _take(self, key: Key, request: Request, source: Target, plan: sim.Plan, heard: Heard) -> None:
        own = self._endpoint.own(source, "sim")
        try:
            call = IncomingCall(key, request, own.contact, own.hop, lambda: secrets.token_hex(8))
        except SipError:
            self._endpoint.refuse(key, response_to(request, 400, "Bad Request", "sim"))
            return
        self.calls.append(heard)
        line = Line(self._endpoint, call, plan, heard, self._closed)
        self._lines.add(line)
        self.counts["under_way"] = len(self._lines)
        self._endpoint.hold(call, source, line.tell, lambda way, message: None)
        line.begin(self.address[0])

    def _closed(self, line: Line) -> None:
        self._lines.discard(line)
        self.counts["under_way"] = len(self._lines)
        self.counts["answered"] += line.answered

    # Who calls

    def _known(self, request: Request) -> bool:
        if self._credentials == {}:
            return True
        proof = proof_of(request.headers, "Authorization", REALM)
        if proof is None or proof.nonce not in self._nonces:
            return False
        if self._credentials is None:
            password: str | None = simulated_password(proof.username)
        else:
            password = self._credentials.get(proof.username)
        return password is not None and proof.holds(password, request.method)

    def _challenge(self, key: Key, request: Request) -> None:
        self.counts["challenged"] += 1
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = None
        while len(self._nonces) > NONCES_KEPT:
            self._nonces.popitem(last=False)
        more = tuple(
            ("WWW-Authenticate", f'Digest realm="{REALM}", nonce="{nonce}", algorithm={name}, qop="auth"')
            for name in ("SHA-256", "MD5")  # RFC 8760 2.2: best first
        )
        self._endpoint.refuse(key, response_to(request, 401, "Unauthorized", "sim", more))


class Line:
    """One call that is taken."""

    def __init__(
        self, endpoint: Endpoint, call: IncomingCall, plan: sim.Plan, heard: Heard, closed: Callable[[Line], None]
    ) -> None:
        self.answered = False
        self._endpoint = endpoint
        self._call = call
        self._plan = plan
        self._heard = heard
        self._closed = closed
        self._loop = asyncio.get_running_loop()
        self._timers: list[asyncio.TimerHandle] = []
        self._stream = Stream(self._digit, self._keep)
        self._packets = 0
        self._ours = sdp.Media("", 0, ((0, g711.PCMU), (8, g711.PCMA)), sdp.EVENTS_TYPE)
        self._session = secrets.randbelow(1 << 31)
        self._version = 0
        self._opening: asyncio.Task[None] | None = None

    def begin(self, host: str) -> None:
        """Do what the plan says first."""
        plan = self._plan
        self._do(self._call.ring(100, "Trying"))
        if plan.provisional:
            self._do(self._call.ring(plan.provisional, sim.reason_of(plan.provisional)))
        if plan.final == 200:
            self._opening = self._loop.create_task(self._pick_up(host))
        elif plan.final != sim.NEVER:
            self._after(plan.after, self._refuse)

    def close(self) -> None:
        """It is over."""
        for timer in self._timers:
            timer.cancel()
        if self._opening is not None:
            self._opening.cancel()
        self._stream.close()
        self._endpoint.release(self._call)
        self._closed(self)

    def tell(self, fact: ss.Fact) -> None:
        """What the caller does."""
        match fact:
            case ss.Wanted(to):
                self._heard.transfers.append(to)
                self._after(TRANSFER_SECONDS, partial(self._transferred, to))
            case ss.Offered(key, request):
                self._do(self._call.decline(key, request))
            case ss.Over(ending):
                self._heard.ended = ending.by
                self.close()

    def _do(self, outs: list[ss.Out]) -> None:
        self._endpoint.do(self._call, outs)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._timers.append(self._loop.call_later(seconds, act))

    def _refuse(self) -> None:
        plan, more = self._plan, []
        if plan.cause:
            more.append(("Reason", f"Q.850;cause={plan.cause}"))
        if plan.final == 302:
            contact = parse_uri(parse_address(self._call.invite.first("To")).uri)
            port = parse_uri(self._call.contact).port
            more.append(("Contact", f"<sip:447700900123@{contact.host}:{port}>"))
        if plan.final == 422:
            more.append(("Min-SE", "1800"))
        self._do(self._call.refuse(plan.final, sim.reason_of(plan.final), tuple(more)))

    # Answered

    async def _pick_up(self, host: str) -> None:
        port = await self._stream.open(host, (0, 0))
        await asyncio.sleep(self._plan.after)
        try:
            theirs = sdp.parse(self._call.invite.body)
            self._ours = sdp.answer_to(theirs, sdp.Media(host, port, self._ours.codecs, self._ours.events))
        except sdp.SdpError:
            self._do(self._call.refuse(488, "Not Acceptable Here"))
            return
        kind, law = self._ours.codecs[0]
        self._heard.law = law
        self.answered = True
        self._do(self._call.pick_up(self._described()))
        self._stream.start(Way(theirs.host, theirs.port, kind, law, theirs.events), self._ours.events)
        self._behave()

    def _described(self, direction: str = "sendrecv") -> bytes:
        self._version += 1
        codecs = ((18, "G729"),) if self._plan.odd == sim.NO_CODEC else self._ours.codecs
        ours = sdp.Media(self._ours.host, self._ours.port, codecs, self._ours.events, direction)
        return sdp.written(ours, self._session, self._version)

    def _behave(self) -> None:
        plan, call = self._plan, self._call
        if plan.keys:
            self._after(sim.PRESS_SECONDS, lambda: self._press(plan.keys))
        if plan.talks is not None:
            self._after(plan.talks, lambda: self._do(call.hang_up(0.0)))
        match plan.odd:
            case sim.HOLDS:
                self._after(HOLD_SECONDS, lambda: self._do(call.reinvite(self._described("sendonly"))))
                self._after(2 * HOLD_SECONDS, lambda: self._do(call.reinvite(self._described())))
            case sim.REFRESHES:
                self._after(HOLD_SECONDS, lambda: self._do(call.reinvite(self._described())))
            case sim.PROBES:
                self._after(HOLD_SECONDS, lambda: self._do(call.options()))
            case sim.INFO:
                self._after(HOLD_SECONDS, lambda: self._do(call.info("5")))

    def _press(self, keys: str) -> None:
        self._stream.press(keys)

    def _digit(self, digit: str) -> None:
        self._heard.digits += digit

    def _keep(self, payload: bytes) -> None:
        self._packets += 1
        if self._plan.odd != sim.LOSSY or self._packets % LOST:
            self._heard.keep(payload)

    def _transferred(self, to: str) -> None:
        """What becomes of a transfer is chosen by the number that is to be called."""
        with contextlib.suppress(SipError):
            final = sim.plan_of(parse_uri(to).user).final or 408
            self._do(self._call.notify(final, "OK" if final == 200 else sim.reason_of(final)))


STAND_INS = (StandInKind("sip", 5060, lambda host, port, _: SipSimulator(host, port)),)
