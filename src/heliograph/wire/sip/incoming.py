"""The called side of a call, from an INVITE on. Pure; see `Session` for what it gives. Source: RFC 3261 13.3."""

from __future__ import annotations

from heliograph.wire.sip.dialog import ALLOW, by_request, response_to
from heliograph.wire.sip.layer import Key
from heliograph.wire.sip.message import Header, Request
from heliograph.wire.sip.session import SDP, Ending, NewToken, Out, Over, Reply, Session


class IncomingCall(Session):
    """One call, to be rung for, answered or refused."""

    def __init__(self, key: Key, request: Request, contact: str, hop: str, token: NewToken) -> None:
        """Raises SipError when the INVITE cannot be answered."""
        super().__init__(hop, None, token)
        self.key = key
        self.invite = request
        self.tag = token()
        self.call_id = request.first("Call-ID")
        self.acked = False
        self.contact = contact
        tagged = response_to(request, 200, "OK", self.tag).first("To")
        self.dialog = by_request(request, tagged, contact)
        self._answered = False

    def ring(self, code: int = 180, reason: str = "Ringing") -> list[Out]:
        """A provisional response."""
        if self._answered or self.over:
            return []
        more = (("Contact", f"<{self.contact}>"),) if code > 100 else ()
        return [Reply(self.key, response_to(self.invite, code, reason, self.tag, more))]

    def pick_up(self, body: bytes) -> list[Out]:
        """Answer with our description."""
        if self._answered or self.over:
            return []
        self._answered = self.up = True
        more = (("Contact", f"<{self.contact}>"), ("Allow", ALLOW), ("Content-Type", SDP))
        return [Reply(self.key, response_to(self.invite, 200, "OK", self.tag, more, body))]

    def refuse(self, code: int, reason: str, more: tuple[Header, ...] = ()) -> list[Out]:
        """A final response that is no answer."""
        if self._answered or self.over:
            return []
        self._answered = self.over = True
        return [
            Reply(self.key, response_to(self.invite, code, reason, self.tag, more)), Over(Ending("us", code, reason)),
        ]  # fmt: skip

    def cancelled(self) -> list[Out]:
        """The caller gave up (9.2)."""
        if self._answered or self.over:
            return []
        self._answered = self.over = True
        reply = Reply(self.key, response_to(self.invite, 487, "Request Terminated", self.tag))
        return [reply, Over(Ending("far", 487, "Request Terminated"))]

    def silence(self, why: str) -> list[Out]:
        """The ACK never came (13.3.1.4): the call is ended."""
        if self.over or self.acked:
            return []
        return self.hang_up(0.0)

    def _acked(self, request: Request) -> list[Out]:
        self.acked = True
        return super()._acked(request)
