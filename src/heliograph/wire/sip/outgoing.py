"""The caller's side of a call, from the INVITE on. Pure; see `Session` for what it gives. Source: RFC 3261 13.2."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from heliograph.wire.sip.dialog import AGENT, ALLOW, MAX_FORWARDS, by_response
from heliograph.wire.sip.digest import Credentials
from heliograph.wire.sip.headers import parse_address, q850
from heliograph.wire.sip.message import Header, Request, Response, SipError
from heliograph.wire.sip.session import SDP, Ask, Ending, NewToken, Out, Over, Rang, Session, Tell, Up
from heliograph.wire.sip.transactions import cancel_of

CANCEL_SECONDS = 32.0  # 9.1: 64 * T1, after which a cancelled INVITE is taken as ended
REDIRECTS = frozenset({300, 301, 302, 303, 304, 305})
CANCELLED = REDIRECTS | {401, 407, 422, 487}  # ends of an INVITE that say nothing more once we gave it up


class Plan(NamedTuple):
    """A call to be placed: URIs of the called and the caller, our contact, the offer, further headers."""

    to: str
    sender: str
    contact: str
    offer: bytes
    more: tuple[Header, ...] = ()


class OutgoingCall(Session):
    """One call. `begin` gives the INVITE; responses go to `response`, what never came to `silence`."""

    def __init__(self, plan: Plan, hop: str, credentials: Credentials | None, token: NewToken) -> None:
        super().__init__(hop, credentials, token)
        self._plan = plan
        self.call_id = f"{token()}@heliograph"
        self.tag = token()
        self._invite: Request | None = None
        self._provisional = False
        self._cancelling = False
        self._until: float | None = None
        self._acks: dict[str, Tell] = {}  # by their tags
        self._widened = False

    @property
    def due(self) -> float | None:
        """See `Session`."""
        return self._until

    def begin(self, to: str = "") -> list[Out]:
        """The INVITE; with `to` to another URI (8.1.3.4), as a redirect asks for."""
        plan = self._plan
        number = self._invite.cseq.number + 1 if self._invite else 1
        headers = (
            ("Via", self._via()), ("Max-Forwards", MAX_FORWARDS), ("From", f"<{plan.sender}>;tag={self.tag}"),
            ("To", f"<{plan.to}>"), ("Call-ID", self.call_id), ("CSeq", f"{number} INVITE"),
            ("Contact", f"<{plan.contact}>"), ("User-Agent", AGENT), ("Allow", ALLOW), *plan.more,
            ("Content-Type", SDP),
        )  # fmt: skip
        self._provisional = False
        self._invite = Request("INVITE", to or plan.to, headers, plan.offer)
        return [Ask(self._invite)]

    def cancel(self, now: float) -> list[Out]:
        """Nobody is to answer any more. 9.1: a CANCEL goes out only after a provisional response."""
        if self.over or self.up or self._cancelling:
            return []
        self._cancelling = True
        return self._cancel(now) if self._provisional else []

    def hang_up(self, now: float) -> list[Out]:
        """End it, in whatever state it is."""
        return super().hang_up(now) if self.up else self.cancel(now)

    def tick(self, now: float) -> list[Out]:
        """See `Session`."""
        if self._until is None or now < self._until:
            return []
        self._until = None
        return self._end(Ending("us", 487, "cancelled, and no final response came"))

    def response(self, request: Request, response: Response, now: float) -> list[Out]:
        """A response to a request of ours."""
        if request.method == "CANCEL":
            return []  # the INVITE's own final response counts
        if request.method != "INVITE" or (self._invite and request.cseq.number > self._invite.cseq.number):
            return self.answered(request, response, now)
        if self._invite is None or request.cseq.number < self._invite.cseq.number:
            return []  # of the INVITE before the challenge
        if response.code < 200:
            return self._progress(response, now)
        if response.code < 300:
            return self._answered(response, now)
        return self._refused(response)

    def silence(self, request: Request, why: str, now: float) -> list[Out]:
        """No answer came to a request of ours."""
        if request.method == "CANCEL":
            return []
        if self.up:
            return self.unanswered(request, why, now)
        return self._end(Ending("us" if self._cancelling else "trunk", 487 if self._cancelling else 0, why))

    def _cancel(self, now: float) -> list[Out]:
        assert self._invite is not None  # noqa: S101 - a provisional response came to it
        self._until = now + CANCEL_SECONDS
        return [Ask(cancel_of(self._invite))]

    def _progress(self, response: Response, now: float) -> list[Out]:
        if self.over or self.up:
            return []
        first, self._provisional = not self._provisional, True
        if self._cancelling:
            return self._cancel(now) if first else []
        return [Rang(response.code, response.reason)]

    def _answered(self, response: Response, now: float) -> list[Out]:
        tag = parse_address(response.first("To")).tag
        if tag in self._acks:
            return [self._acks[tag]]  # it was lost
        assert self._invite is not None  # noqa: S101 - this answers it
        dialog = by_response(self._invite, response, self._plan.contact)
        if self.up or self.over:
            return self._fork(dialog.tags[1], response)
        self.dialog, self.up, self._until = dialog, True, None
        ack = self._acks[tag] = self._ack(self._invite)
        if self._cancelling:  # 9.1: the answer was faster
            return [ack, *super().hang_up(now)]
        return [ack, Up(response.body)]

    def _fork(self, tag: str, response: Response) -> list[Out]:
        """Another one answered too (13.2.2.4): it is acknowledged and told that it is over."""
        assert self._invite is not None  # noqa: S101
        kept, self.dialog = self.dialog, by_response(self._invite, response, self._plan.contact)
        ack = self._acks[tag] = self._ack(self._invite)
        bye = self._ask("BYE")
        self.dialog = kept
        return [ack, bye]

    def _refused(self, response: Response) -> list[Out]:
        assert self._invite is not None  # noqa: S101 - this answers it
        if self.up or self.over:
            return []
        again = None if self._cancelling else (self._proof(self._invite, response) or self._wider(response))
        if again is not None:
            self._invite, self._provisional = again, False
            return [Ask(again)]
        if self._cancelling and response.code in CANCELLED:
            said = response.reason if response.code == 487 else f"{response.code} {response.reason}"
            return self._end(Ending("us", 487, said))
        contacts = _contacts(response) if response.code in REDIRECTS else ()
        ending = Ending("far", response.code, response.reason, q850(response.headers), contacts)
        return self._end(replace(ending, retry_after=_seconds(response.first("Retry-After"))))

    def _wider(self, response: Response) -> Request | None:
        """RFC 4028 7.3: the session interval that they want at least, once."""
        least = response.first("Min-SE").partition(";")[0].strip()
        if response.code != 422 or self._widened or self._invite is None or not least.isdigit():
            return None
        self._widened = True
        return self._renewed(self._invite, ("Min-SE", least))

    def _end(self, ending: Ending) -> list[Out]:
        if self.over:
            return []
        self.over, self._until = True, None
        return [Over(ending)]


def _contacts(response: Response) -> tuple[str, ...]:
    found = []
    for value in response.all("Contact"):
        try:
            found.append(parse_address(value).uri)
        except SipError:
            continue  # one that cannot be read is none
    return tuple(found)


def _seconds(value: str) -> int:
    digits = value.partition("(")[0].partition(";")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else 0
