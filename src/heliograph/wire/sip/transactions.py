"""The transactions of SIP as pure state machines: messages and times in, what to send and to report out.

Times are seconds of any monotonic clock. Each machine says in `due` when it wants `tick` to be called. Source:
RFC 3261 17, with the state Accepted of RFC 6026.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from heliograph.wire.sip.message import Message, Request, Response

State = Literal["trying", "proceeding", "completed", "confirmed", "accepted", "over"]


class Timers(NamedTuple):
    """RFC 3261 17.1.1.1: seconds. `patience` is timers B and F: how long an answer is waited for at all; `lost`
    timers H, J, L and M: how long what is lost may be sent once more."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    patience: float = 32.0
    lost: float = 32.0
    d: float = 32.0


class Send(NamedTuple):
    """Put this on the wire."""

    message: Message


class Heard(NamedTuple):
    """A response for whoever asked."""

    response: Response


class Lost(NamedTuple):
    """The other side did not answer in time, or not with the ACK that it owes."""


Out = Send | Heard | Lost


class _Machine:
    """What all four share: two alarms, of which the next is `due`."""

    def __init__(self, timers: Timers, reliable: bool) -> None:
        self.state: State = "trying"
        self._timers = timers
        self._reliable = reliable
        self._again: float | None = None  # A, E, G: send once more
        self._pause = timers.t1
        self._end: float | None = None  # B, D, F, H, I, J, K, L, M: leave this state

    @property
    def due(self) -> float | None:
        """When `tick` has something to do; None when never."""
        if self._again is None or self._end is None:
            return self._end if self._again is None else self._again
        return min(self._again, self._end)

    def _enter(self, state: State, end: float | None) -> None:
        self.state, self._again, self._end = state, None, end

    def _over(self) -> None:
        self._enter("over", None)


class ClientInvite(_Machine):
    """17.1.1: the caller's side of an INVITE."""

    def __init__(self, request: Request, timers: Timers, reliable: bool) -> None:
        super().__init__(timers, reliable)
        self.request = request
        self._ack: Request | None = None

    def start(self, now: float) -> list[Out]:
        """The first sending."""
        self._end = now + self._timers.patience  # timer B
        if not self._reliable:
            self._again = now + self._pause  # timer A
        return [Send(self.request)]

    def receive(self, response: Response, now: float) -> list[Out]:
        """A response that belongs to it."""
        if self.state == "over":
            return []
        if response.code < 200:
            if self.state == "trying":
                self._enter("proceeding", None)
            return [Heard(response)] if self.state == "proceeding" else []
        if response.code < 300:
            if self.state == "completed":
                return []
            if self.state != "accepted":
                self._enter("accepted", now + self._timers.lost)  # timer M (RFC 6026 8.4)
            return [Heard(response)]  # each repetition too: its ACK was lost
        if self.state == "accepted":
            return []
        if self.state == "completed":
            return [Send(self._ack)] if self._ack else []
        self._ack = ack_of(self.request, response)
        self._enter("completed", now + self._timers.d)  # timer D
        if self._reliable:
            self._over()
        return [Send(self._ack), Heard(response)]

    def tick(self, now: float) -> list[Out]:
        """An alarm."""
        if self._end is not None and now >= self._end:
            lost = self.state == "trying"
            self._over()
            return [Lost()] if lost else []
        if self._again is not None and now >= self._again:
            self._pause *= 2  # 17.1.1.2: without an upper bound
            self._again = now + self._pause
            return [Send(self.request)]
        return []


class ClientOther(_Machine):
    """17.1.2: the asking side of any other request."""

    def __init__(self, request: Request, timers: Timers, reliable: bool) -> None:
        super().__init__(timers, reliable)
        self.request = request

    def start(self, now: float) -> list[Out]:
        """The first sending."""
        self._end = now + self._timers.patience  # timer F
        if not self._reliable:
            self._again = now + self._pause  # timer E
        return [Send(self.request)]

    def receive(self, response: Response, now: float) -> list[Out]:
        """A response that belongs to it."""
        if self.state not in ("trying", "proceeding"):
            return []
        if response.code < 200:
            self.state = "proceeding"
            return [Heard(response)]
        self._enter("completed", now + self._timers.t4)  # timer K
        if self._reliable:
            self._over()
        return [Heard(response)]

    def tick(self, now: float) -> list[Out]:
        """An alarm."""
        if self._end is not None and now >= self._end:
            lost = self.state != "completed"
            self._over()
            return [Lost()] if lost else []
        if self._again is not None and now >= self._again:
            grown = self._timers.t2 if self.state == "proceeding" else self._pause * 2
            self._pause = min(grown, self._timers.t2)
            self._again = now + self._pause
            return [Send(self.request)]
        return []


class ServerInvite(_Machine):
    """17.2.1: the called side of an INVITE. A 2xx is repeated here until its ACK comes (13.3.1.4)."""

    def __init__(self, request: Request, timers: Timers, reliable: bool) -> None:
        super().__init__(timers, reliable)
        self.state = "proceeding"
        self.request = request
        self._last: Response | None = None

    def respond(self, response: Response, now: float) -> list[Out]:
        """Answer; after a final response nothing more is sent."""
        if self.state != "proceeding":
            return []
        self._last = response
        if response.code >= 200:
            self._enter("accepted" if response.code < 300 else "completed", now + self._timers.lost)  # timers L, H
            if response.code < 300 or not self._reliable:
                self._again = now + self._pause  # timer G; of a 2xx also where the transport is reliable
        return [Send(response)]

    def repeated(self, now: float) -> list[Out]:
        """The INVITE came once more."""
        return [Send(self._last)] if self._last and self.state in ("proceeding", "completed") else []

    def acked(self, now: float) -> bool:
        """Its ACK came; whether it is news."""
        if self.state == "accepted":
            news = self._again is not None
            self._again = None
            return news
        if self.state == "completed":
            self._enter("confirmed", now + self._timers.t4)  # timer I
            if self._reliable:
                self._over()
            return True
        return False

    def tick(self, now: float) -> list[Out]:
        """An alarm."""
        if self._end is not None and now >= self._end:
            lost = self.state == "completed" or self._again is not None
            self._over()
            return [Lost()] if lost else []
        if self._again is not None and self._last is not None and now >= self._again:
            self._pause = min(self._pause * 2, self._timers.t2)
            self._again = now + self._pause
            return [Send(self._last)]
        return []


class ServerOther(_Machine):
    """17.2.2: the answering side of any other request."""

    def __init__(self, request: Request, timers: Timers, reliable: bool) -> None:
        super().__init__(timers, reliable)
        self.request = request
        self._last: Response | None = None

    def respond(self, response: Response, now: float) -> list[Out]:
        """Answer; after a final response nothing more is sent."""
        if self.state not in ("trying", "proceeding"):
            return []
        self._last, self.state = response, "proceeding"
        if response.code >= 200:
            self._enter("completed", now + self._timers.lost)  # timer J
            if self._reliable:
                self._over()
        return [Send(response)]

    def repeated(self, now: float) -> list[Out]:
        """The request came once more."""
        return [Send(self._last)] if self._last else []

    def tick(self, now: float) -> list[Out]:
        """An alarm."""
        if self._end is not None and now >= self._end:
            self._over()
        return []


Client = ClientInvite | ClientOther
Server = ServerInvite | ServerOther


def ack_of(request: Request, response: Response) -> Request:
    """17.1.1.3: the ACK of a final response that is no 2xx: of the same transaction, so with its branch."""
    headers = [("Via", request.first("Via"))]
    headers += [(name, request.first(name)) for name in ("Max-Forwards", "From")]
    headers += [("To", response.first("To")), ("Call-ID", request.first("Call-ID"))]
    headers += [("CSeq", f"{request.cseq.number} ACK")]
    headers += [("Route", value) for value in request.all("Route")]
    return Request("ACK", request.uri, tuple(headers))


def cancel_of(request: Request) -> Request:
    """9.1: the CANCEL of an INVITE: the same Via, Route, Call-ID, From, To and number."""
    kept = ("via", "max-forwards", "from", "to", "call-id", "route")
    headers = [(name, value) for name, value in request.headers if name.lower() in kept]
    return Request("CANCEL", request.uri, (*headers, ("CSeq", f"{request.cseq.number} CANCEL")))
