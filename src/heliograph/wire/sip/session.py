"""A call that stands, from either side: BYE, re-INVITE, UPDATE, OPTIONS, INFO, REFER and NOTIFY both ways. Pure.

A session gives what is to be sent (`Ask`, `Tell`, `Reply`) and what happened (`Fact`); whoever holds it passes the
one to the transactions and the other to people. Times are seconds of any monotonic clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from heliograph.wire.sip import digest
from heliograph.wire.sip.dialog import ALLOW, Dialog, response_to
from heliograph.wire.sip.headers import COOKIE, parse_address, q850
from heliograph.wire.sip.layer import Key
from heliograph.wire.sip.message import Header, Request, Response, replaced

NewToken = Callable[[], str]
SDP = "application/sdp"
FRAGMENT = "message/sipfrag;version=2.0"
RELAYED = "application/dtmf-relay"
PROOFS_MOST = 16  # challenges answered in one call

_SIGNAL = re.compile(rb"(?i)signal\s*=\s*([0-9*#A-D])")
_STATUS = re.compile(rb"\s*SIP/2\.0 (\d{3})(?: ([^\r\n]*))?")


class Ask(NamedTuple):
    """Begin a transaction with this, sent to the URI `hop` ("": to where the call was placed)."""

    request: Request
    hop: str = ""


class Tell(NamedTuple):
    """Send this ACK, outside of any transaction."""

    request: Request
    hop: str = ""


class Reply(NamedTuple):
    """Answer the other side's request."""

    key: Key
    response: Response


class Rang(NamedTuple):
    """A provisional response: 100 trying, 180 ringing, 182 queued, 183 progress."""

    code: int
    reason: str


class Up(NamedTuple):
    """The call is answered; `body` is the other side's description."""

    body: bytes


class Offered(NamedTuple):
    """The other side wants to change the session: `accept` or `decline` it under `key`. Without a body it wants an
    offer of ours."""

    key: Key
    request: Request


class Described(NamedTuple):
    """The other side's answer to that offer of ours."""

    body: bytes


class Pressed(NamedTuple):
    """A digit in an INFO."""

    digit: str


class Wanted(NamedTuple):
    """The other side asks us to call somebody else (REFER), and was told that we think of it: the URI. `notify` says
    what became of it."""

    to: str


class Transferred(NamedTuple):
    """What became of our REFER."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended. `by` is far (the other side's words), us, or trunk (nobody answered at all); `code` and
    `reason` are of SIP (0 after an answered call), `cause` of Q.850, `contacts` those of a redirect, `retry_after`
    in seconds."""

    by: str
    code: int = 0
    reason: str = ""
    cause: int = 0
    contacts: tuple[str, ...] = ()
    retry_after: int = 0


class Over(NamedTuple):
    """The call has ended; nothing comes after this."""

    ending: Ending


Fact = Rang | Up | Offered | Described | Pressed | Wanted | Transferred | Over
Out = Ask | Tell | Reply | Fact


class Session:
    """What a call is to both sides once it stands. `hop` is our Via without a branch, as in
    `SIP/2.0/UDP 192.0.2.1:5060;rport`."""

    def __init__(self, hop: str, credentials: digest.Credentials | None, token: NewToken) -> None:
        self.dialog: Dialog | None = None
        self.up = False
        self.over = False
        self._hop = hop
        self._credentials = credentials
        self._token = token
        self._proofs: dict[str, int] = {}  # how often each nonce was answered
        self._closing = False
        self._reinvited: int | None = None  # the number of their INVITE whose ACK brings an answer

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        return None

    def tick(self, now: float) -> list[Out]:
        """An alarm."""
        return []

    # What we want

    def hang_up(self, now: float) -> list[Out]:
        """End it with a BYE."""
        if not self.up or self.over or self._closing:
            return []
        self._closing = True
        return [self._ask("BYE")]

    def refer(self, to: str) -> list[Out]:
        """Ask the other side to call `to` (a URI) instead (RFC 3515)."""
        if not self.up or self.dialog is None:
            return [Transferred(481, "the call does not stand")]
        mine = parse_address(self.dialog.local).uri
        return [self._ask("REFER", (("Refer-To", f"<{to}>"), ("Referred-By", f"<{mine}>")))]

    def notify(self, code: int, reason: str) -> list[Out]:
        """Say what became of a REFER of theirs."""
        more = (
            ("Event", "refer"), ("Content-Type", FRAGMENT),
            ("Subscription-State", "active" if code < 200 else "terminated;reason=noresource"),
        )  # fmt: skip
        return [self._ask("NOTIFY", more, f"SIP/2.0 {code} {reason}\r\n".encode())] if self.up else []

    def reinvite(self, body: bytes) -> list[Out]:
        """Change the session, or ask whether it stands."""
        return [self._ask("INVITE", (("Content-Type", SDP), ("Allow", ALLOW)), body)] if self.up else []

    def info(self, digit: str) -> list[Out]:
        """Press a digit for those who do not hear it in the audio."""
        body = f"Signal={digit}\r\nDuration=160\r\n".encode()
        return [self._ask("INFO", (("Content-Type", RELAYED),), body)] if self.up else []

    def options(self) -> list[Out]:
        """Ask whether they are there."""
        return [self._ask("OPTIONS")] if self.up else []

    def accept(self, key: Key, request: Request, body: bytes) -> list[Out]:
        """Take what was `Offered`, with our answer (or offer, where they asked for one)."""
        more = (("Contact", f"<{self._dialog.contact}>"), ("Allow", ALLOW), ("Content-Type", SDP))
        if request.method == "INVITE" and not request.body:
            self._reinvited = request.cseq.number
        return [Reply(key, response_to(request, 200, "OK", more=more, body=body))]

    def decline(self, key: Key, request: Request) -> list[Out]:
        """Refuse what was `Offered`; the session stays as it was."""
        return [Reply(key, response_to(request, 488, "Not Acceptable Here"))]

    # What the other side wants

    def request(self, key: Key | None, request: Request, now: float) -> list[Out]:
        """A request within the dialog."""
        if request.method == "ACK":
            return self._acked(request)
        assert key is not None  # noqa: S101 - all but an ACK are answered
        if self.dialog is None or self.over:
            return [Reply(key, response_to(request, 481, "Call/Transaction Does Not Exist"))]
        moved = self.dialog.heard(request)
        if moved is None:
            return [Reply(key, response_to(request, 500, "Server Internal Error", more=(("Retry-After", "1"),)))]
        self.dialog = moved
        return self._asked(key, request)

    def _asked(self, key: Key, request: Request) -> list[Out]:
        ok = Reply(key, response_to(request, 200, "OK"))
        match request.method:
            case "BYE":
                self.over = True
                return [ok, Over(Ending("far", cause=q850(request.headers), reason=request.first("Reason")[:80]))]
            case "INVITE" if not self.up:
                return [Reply(key, response_to(request, 491, "Request Pending"))]
            case "INVITE":
                return [Offered(key, request)]
            case "UPDATE" if request.body and self.up:
                return [Offered(key, request)]
            case "UPDATE":
                more = (("Contact", f"<{self._dialog.contact}>"),)
                return [Reply(key, response_to(request, 200, "OK", more=more))]
            case "INFO":
                found = _SIGNAL.search(request.body) if _is(request, RELAYED) else None
                return [ok, Pressed(found[1].decode().upper())] if found else [ok]
            case "OPTIONS":
                return [Reply(key, response_to(request, 200, "OK", more=ABLE))]
            case "NOTIFY":
                found = _STATUS.match(request.body) if request.first("Event").startswith("refer") else None
                said = [Transferred(int(found[1]), _text(found[2]))] if found and int(found[1]) >= 200 else []
                return [ok, *said]
            case "REFER":
                return self._referred(key, request)
            case _:
                return [Reply(key, not_allowed(request))]

    def _referred(self, key: Key, request: Request) -> list[Out]:
        to = parse_address(request.first("Refer-To")).uri if request.first("Refer-To") else ""
        if not to:
            return [Reply(key, response_to(request, 400, "Bad Request"))]
        more = (("Contact", f"<{self._dialog.contact}>"),)
        return [Reply(key, response_to(request, 202, "Accepted", more=more)), Wanted(to)]

    def _acked(self, request: Request) -> list[Out]:
        if self._reinvited == request.cseq.number:
            self._reinvited = None
            return [Described(request.body)]
        return []

    # What came of what we asked

    def answered(self, request: Request, response: Response, now: float) -> list[Out]:
        """A response to a request of ours within the dialog."""
        if response.code < 200 or self.over:
            return []
        if again := self._proof(request, response):
            return [Ask(again, self._dialog.hop)]
        match request.method:
            case "BYE":
                self.over = True
                return [Over(Ending("us"))]
            case "REFER" if response.code >= 300:
                return [Transferred(response.code, response.reason)]
            case "INVITE" if response.code < 300:
                return [self._ack(request)]
        if response.code == 481 or (response.code == 408 and request.method != "OPTIONS"):
            self.over = True  # 12.2.1.2: the dialog is gone
            return [Over(Ending("far", cause=q850(response.headers), reason=f"{response.code} {response.reason}"))]
        return []

    def unanswered(self, request: Request, why: str, now: float) -> list[Out]:
        """No answer came to a request of ours within the dialog."""
        if self.over:
            return []
        if request.method == "REFER":
            return [Transferred(408, why)]
        if request.method in ("BYE", "INVITE"):
            self.over = True
            return [Over(Ending("us" if request.method == "BYE" else "trunk", reason=why))]
        return []

    # Inside

    @property
    def _dialog(self) -> Dialog:
        assert self.dialog is not None  # noqa: S101 - only asked for once there is one
        return self.dialog

    def _via(self) -> str:
        return f"{self._hop};branch={COOKIE}{self._token()}"

    def _ask(self, method: str, more: tuple[Header, ...] = (), body: bytes = b"") -> Ask:
        self.dialog = self._dialog.next()
        return Ask(self.dialog.request(method, self._via(), self.dialog.number, more, body), self.dialog.hop)

    def _ack(self, request: Request) -> Tell:
        """13.2.2.4: the ACK of a 2xx: with the number and the credentials of its INVITE."""
        names = {name for _, name in digest.CHALLENGES.values()}
        proofs = tuple((name, value) for name, value in request.headers if name in names)
        made = self._dialog.request("ACK", self._via(), request.cseq.number, proofs)
        return Tell(made, self._dialog.hop)

    def _proof(self, request: Request, response: Response) -> Request | None:
        """The request once more, answering the challenge (22.2); None when there is none, or nothing to answer."""
        names = digest.CHALLENGES.get(response.code)
        if names is None or self._credentials is None:
            return None
        asked, proved = names
        challenge = digest.challenge_of(response.headers, asked)
        if challenge is None or sum(self._proofs.values()) >= PROOFS_MOST:
            return None
        given = request.first(proved)
        if given and (not challenge.stale or f'nonce="{challenge.nonce}"' in given):
            return None  # refused already with what we have
        count = self._proofs[challenge.nonce] = self._proofs.get(challenge.nonce, 0) + 1
        value = digest.answer(challenge, self._credentials, request.method, request.uri, self._token(), count)
        return self._renewed(request, (proved, value))

    def _renewed(self, request: Request, header: Header) -> Request:
        """The same request in a transaction of its own, with one header more."""
        number = request.cseq.number + 1
        if self.dialog is not None:
            self.dialog = self.dialog.next()
            number = self.dialog.number
        headers = replaced(request.headers, "Via", self._via())
        headers = replaced(headers, "CSeq", f"{number} {request.method}")
        return request._replace(headers=replaced(headers, *header))


ABLE = (("Allow", ALLOW), ("Accept", SDP), ("Supported", ""))


def not_allowed(request: Request) -> Response:
    """The answer to a method that we do not take."""
    return response_to(request, 405, "Method Not Allowed", more=(("Allow", ALLOW),))


def _is(request: Request, kind: str) -> bool:
    return request.first("Content-Type").partition(";")[0].strip().lower() == kind


def _text(found: bytes | None) -> str:
    return (found or b"").decode("utf-8", "replace").strip()
