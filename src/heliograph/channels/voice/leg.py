"""One try to reach somebody over one host of the trunk: the SIP call and its audio, tied together."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from heliograph.channels.voice.settings import Settings
from heliograph.wire.rtp.stream import Stream, Way
from heliograph.wire.sip import sdp
from heliograph.wire.sip import session as ss
from heliograph.wire.sip.endpoint import Endpoint
from heliograph.wire.sip.headers import host_port
from heliograph.wire.sip.layer import Key, Target
from heliograph.wire.sip.message import Message, Request, encode
from heliograph.wire.sip.outgoing import OutgoingCall, Plan

ANYWHERE = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - audio comes from wherever the far end sends it
KINDS = {"PCMU": 0, "PCMA": 8}


@dataclass(frozen=True, slots=True)
class Callee:
    """Who is called and as whom: numbers as the trunk writes them."""

    to: str
    sender: str


class Keypad:
    """The digits that were pressed and not taken yet."""

    def __init__(self) -> None:
        self._digits: deque[str] = deque()
        self._came = asyncio.Event()

    def push(self, digit: str) -> None:
        """One was pressed."""
        self._digits.append(digit)
        self._came.set()

    async def take(self) -> str:
        """The next one, once there is one."""
        await self.wait()
        digit = self._digits.popleft()
        if not self._digits:
            self._came.clear()
        return digit

    async def wait(self) -> None:
        """Until there is one."""
        await self._came.wait()


class Leg:
    """`progress` gets what happens until the callee answers or the try ends, None once it ended; then `over` is
    done."""

    def __init__(self, endpoint: Endpoint, settings: Settings, note: Callable[[str], object]) -> None:
        self.progress: asyncio.Queue[ss.Rang | ss.Up | None] = asyncio.Queue()
        self.over: asyncio.Future[ss.Ending] = asyncio.get_running_loop().create_future()
        self._keypad = Keypad()
        self.native: list[bytes] = []
        self.media_fault = ""
        self.codec = ""
        self._endpoint = endpoint
        self._settings = settings
        self._note = note
        self._stream = Stream(self._pressed)
        self._call: OutgoingCall
        self._ours: sdp.Media
        self._versions = 1
        self._session = secrets.randbelow(1 << 31)
        self._transferred: asyncio.Future[ss.Transferred] | None = None

    async def place(self, callee: Callee, target: Target, to: str = "") -> str:
        """Send the INVITE, to the URI `to` where a redirect asks for that: the Call-ID. Raises OSError."""
        own = self._endpoint.own(target, "heliograph")
        bind = self._settings.local_address or ANYWHERE[6 if ":" in target.host else 4]
        port = await self._stream.open(bind, self._settings.rtp_ports)
        codecs = tuple((KINDS[name], name) for name in self._settings.codecs)
        self._ours = sdp.Media(own.host, port, codecs, sdp.EVENTS_TYPE)
        domain = host_port(self._settings.domain, 0)
        sender = f"sip:{callee.sender}@{domain}"
        more = (("P-Asserted-Identity", f"<{sender}>"),) if self._settings.asserted_identity else ()
        plan = Plan(f"sip:{callee.to}@{domain}", sender, own.contact, self._described(), more)
        self._call = OutgoingCall(plan, own.hop, self._settings.credentials, lambda: secrets.token_hex(9))
        self._endpoint.hold(self._call, target, self._tell, self._trace)
        self._endpoint.do(self._call, self._call.begin(to))
        return self._call.call_id

    def hang_up(self) -> None:
        """End it, in whatever state it is."""
        self._do(self._call.hang_up(self._endpoint.now()))

    def play(self, samples: bytes) -> asyncio.Future[bool]:
        """See `Stream`."""
        return self._stream.play(samples)

    def hush(self) -> None:
        """Stop what plays."""
        self._stream.hush()

    async def take(self) -> str:
        """The next digit that is pressed."""
        return await self._keypad.take()

    async def heard(self) -> None:
        """Until a digit is there to be taken."""
        await self._keypad.wait()

    async def press(self, digits: str) -> bool:
        """Send digits, and wait until they are sent; whether the far end takes any."""
        if not self._stream.press(digits):
            return False
        while self._stream.pressing:
            await asyncio.sleep(0.02)
        return True

    async def transfer(self, to: str, seconds: float) -> tuple[int, str]:
        """Ask for somebody else to be called: how that ended, as a SIP status."""
        self._transferred = asyncio.get_running_loop().create_future()
        uri = to if to.startswith(("sip:", "sips:")) else f"sip:{to}@{host_port(self._settings.domain, 0)}"
        self._do(self._call.refer(uri))
        try:
            async with asyncio.timeout(seconds):
                found = await self._transferred
        except TimeoutError:
            return 408, "no word of it in time"
        return found.code, found.reason

    def audio(self) -> dict[str, float]:
        """What was sent and heard, in packets and milliseconds."""
        counts = self._stream.counts
        return {
            "sent": counts.sent, "late": counts.late, "latest_ms": round(counts.latest * 1000, 1),
            "heard": counts.heard, "missing": counts.missing, "stray": counts.stray,
        }  # fmt: skip

    def close(self) -> None:
        """Give everything back."""
        self._stream.close()
        if hasattr(self, "_call"):
            self._endpoint.release(self._call)

    # What happens

    def _do(self, outs: list[ss.Out]) -> None:
        self._endpoint.do(self._call, outs)

    def _tell(self, fact: ss.Fact) -> None:
        match fact:
            case ss.Rang():
                self.progress.put_nowait(fact)
            case ss.Up(body):
                self._up(body)
                self.progress.put_nowait(fact)
            case ss.Offered(key, request):
                self._offered(key, request)
            case ss.Described(body):
                self._change(body)
            case ss.Pressed(digit):
                self._pressed(digit)
            case ss.Transferred():
                if self._transferred is not None and not self._transferred.done():
                    self._transferred.set_result(fact)
            case ss.Wanted():
                self._do(self._call.notify(603, "Decline"))  # we connect nobody
            case ss.Over(ending):
                self._stream.close()
                if not self.over.done():
                    self.over.set_result(ending)
                self.progress.put_nowait(None)

    def _pressed(self, digit: str) -> None:
        self._note("a digit was pressed")  # which one, the flow says, unless it is hidden
        self._keypad.push(digit)

    def _trace(self, way: str, message: Message) -> None:
        """The INVITE and the last response to it are kept for the story."""
        if message.cseq.method != "INVITE":
            return
        if isinstance(message, Request):
            self.native = [encode(message)] if way == "sent" else self.native
        elif way == "got":
            self.native[1:] = [encode(message)]

    # Audio

    def _described(self) -> bytes:
        made = sdp.written(self._ours, self._session, self._versions)
        self._versions += 1
        return made

    def _up(self, body: bytes) -> None:
        try:
            theirs = sdp.parse(body)
            kind, law = sdp.chosen(theirs, self._ours)
        except sdp.SdpError as error:
            self.media_fault = str(error)
            return
        self.codec = law
        self._send(theirs, kind, law, self._ours.events)

    def _send(self, theirs: sdp.Media, kind: int, law: str, events_in: int | None) -> None:
        """RFC 3264 6.1: what they send bears the numbers of our description."""
        self._stream.hold = not theirs.listens
        self._stream.start(Way(theirs.host, theirs.port, kind, law, theirs.events), events_in)

    def _offered(self, key: Key, request: Request) -> None:
        """A re-INVITE or UPDATE: taken where there is a codec for it, else refused."""
        if not request.body:
            self._do(self._call.accept(key, request, self._described()))
            return
        try:
            theirs = sdp.parse(request.body)
            answer = sdp.answer_to(theirs, self._ours)
        except sdp.SdpError as error:
            self._note(f"a change of the audio was refused: {error}")
            self._do(self._call.decline(key, request))
            return
        described = sdp.written(answer, self._session, self._versions)
        self._versions += 1
        self._do(self._call.accept(key, request, described))
        self._moved(theirs, *answer.codecs[0], answer.events)

    def _change(self, body: bytes) -> None:
        """Their answer, in the ACK, to an offer they asked for."""
        try:
            theirs = sdp.parse(body)
            self._moved(theirs, *sdp.chosen(theirs, self._ours), self._ours.events)
        except sdp.SdpError as error:
            self._note(f"a change of the audio cannot be followed: {error}")

    def _moved(self, theirs: sdp.Media, kind: int, law: str, events_in: int | None) -> None:
        self._note("on hold" if not theirs.listens else f"audio goes to {theirs.host} as {law}")
        self._send(theirs, kind, law, events_in)
