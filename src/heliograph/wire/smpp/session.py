"""One SMPP bind as a pure state machine: bytes and the time go in, events and bytes come out.

Both roles live here; ALLOWED and AFTER hold every rule about who may send what and when.
"""

from enum import Enum
from itertools import takewhile
from typing import Any, Final, NamedTuple

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.codec import (
    MAX_PDU,
    LocalProtocolError,
    Pdu,
    Reader,
    RemoteProtocolError,
    SubmitTemplate,
    decode,
    encode,
    make_tlvs,
)
from heliograph.wire.smpp.pdus import Bind, BindResp, Body, DataSm, MessageResp, ShortMessage


class Role(Enum):
    """The two ends of a bind."""

    ESME = "esme"
    SMSC = "smsc"


class State(Enum):
    """Where a session stands (SMPP 3.4, 2.2); UNBOUND: unbind was sent or taken, only answers still pass."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBOUND = "unbound"
    CLOSED = "closed"


_ESME, _SMSC = Role.ESME, Role.SMSC
_PEER: Final = {_ESME: _SMSC, _SMSC: _ESME}
_OPEN: Final = frozenset({State.OPEN})
_SENDING: Final = frozenset({State.BOUND_TX, State.BOUND_TRX})
_RECEIVING: Final = frozenset({State.BOUND_RX, State.BOUND_TRX})
_BOUND: Final = _SENDING | _RECEIVING
_LEAVING: Final = _BOUND | {State.UNBOUND}
_LIVE: Final = _OPEN | _LEAVING

ALLOWED: Final[dict[tuple[Role, int], frozenset[State]]] = {
    # SMPP 3.4, 2.3: which request each side may send in which state
    (_ESME, c.BIND_TRANSMITTER): _OPEN,
    (_ESME, c.BIND_RECEIVER): _OPEN,
    (_ESME, c.BIND_TRANSCEIVER): _OPEN,
    (_SMSC, c.OUTBIND): _OPEN,
    (_ESME, c.SUBMIT_SM): _SENDING,
    (_ESME, c.DATA_SM): _SENDING,
    (_ESME, c.QUERY_SM): _SENDING,
    (_ESME, c.CANCEL_SM): _SENDING,
    (_ESME, c.REPLACE_SM): _SENDING,
    (_SMSC, c.DELIVER_SM): _RECEIVING,
    (_SMSC, c.DATA_SM): _RECEIVING,
    (_SMSC, c.ALERT_NOTIFICATION): _RECEIVING,
    (_ESME, c.UNBIND): _LEAVING,  # in UNBOUND too: both may ask at once
    (_SMSC, c.UNBIND): _LEAVING,
    (_ESME, c.ENQUIRE_LINK): _LIVE,  # SMPP 3.4 says bound; peers ask before the bind too
    (_SMSC, c.ENQUIRE_LINK): _LIVE,
}

AFTER: Final[dict[tuple[State, int], State]] = {
    # the state that a PDU with status 0 leads to, whoever sends it
    (State.OPEN, c.BIND_TRANSMITTER | c.RESPONSE): State.BOUND_TX,
    (State.OPEN, c.BIND_RECEIVER | c.RESPONSE): State.BOUND_RX,
    (State.OPEN, c.BIND_TRANSCEIVER | c.RESPONSE): State.BOUND_TRX,
    (State.BOUND_TX, c.UNBIND): State.UNBOUND,
    (State.BOUND_RX, c.UNBIND): State.UNBOUND,
    (State.BOUND_TRX, c.UNBIND): State.UNBOUND,
    (State.UNBOUND, c.UNBIND | c.RESPONSE): State.CLOSED,
}

_NOWHERE: Final[frozenset[State]] = frozenset()
_CONTROL: Final = frozenset({*c.BINDS, c.UNBIND, c.ENQUIRE_LINK})
_UNANSWERED: Final = frozenset({c.OUTBIND, c.ALERT_NOTIFICATION})
_MAX_SEQUENCE: Final = 0x7FFFFFFF
_MAX_LATE: Final = 10_000


class Settings(NamedTuple):
    """Limits of a session; times in seconds."""

    window: int = 10
    """How many requests may wait for their answers."""
    response_timeout: float = 60.0
    """After this an unanswered request is reported in TimedOut."""
    bind_timeout: float = 30.0
    """How long a bind may go unanswered, and an SMSC waits for one."""
    enquire_after: float = 30.0
    """Silence after which we send enquire_link."""
    enquire_timeout: float = 20.0
    """Silence after an enquire_link that means the link is dead."""
    max_pdu: int = MAX_PDU
    """Longest PDU taken, in octets."""


DEFAULTS: Final = Settings()
"""The settings of a session that says nothing of its own."""


class Session:
    """The protocol of one connection, without the connection."""

    def __init__(self, role: Role, now: float, settings: Settings = DEFAULTS) -> None:
        self.role = role
        self.state = State.OPEN
        self.settings = settings
        self._reader = Reader(settings.max_pdu)
        self._out: list[bytes] = []
        self._sequence = 0
        self._pending: dict[int, ev.Pending] = {}
        self._control: dict[int, ev.Pending] = {}
        self._late: dict[int, ev.Pending] = {}
        self._heard_at = self._opened_at = now

    @property
    def room(self) -> int:
        """How many more requests the window takes now."""
        return self.settings.window - len(self._pending)

    @property
    def pending(self) -> int:
        """How many requests of ours wait for their answers."""
        return len(self._pending)

    @property
    def is_bound(self) -> bool:
        """Whether the session is bound and nobody has asked to end that."""
        return self.state in _BOUND

    @property
    def has_output(self) -> bool:
        """Whether `data_to_send` has anything to give."""
        return bool(self._out)

    def data_to_send(self) -> bytes:
        """All bytes that wait to be written; they are then forgotten here."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def bind(self, command_id: int, bind: Bind, now: float) -> int:
        """Ask for a bind of one of the three kinds; answered by Bound, BindRefused or Closed."""
        return self.request(command_id, bind, now)

    def submit(self, message: ShortMessage, now: float, context: Any = None) -> int:
        """Send a submit_sm; the context comes back with its answer. The sequence number is returned."""
        return self.request(c.SUBMIT_SM, message, now, context)

    def submit_template(self, template: SubmitTemplate, destination: str, now: float, context: Any = None) -> int:
        """Send a ready-made submit_sm to one destination, the fast way; as `submit` otherwise."""
        self._check(c.SUBMIT_SM)
        sequence = self._sequence % _MAX_SEQUENCE + 1
        self._out.append(template.encode(sequence, destination))
        self._sequence = sequence
        self._pending[sequence] = ev.Pending(sequence, c.SUBMIT_SM, now, context)
        return sequence

    def request(self, command_id: int, body: Body | None, now: float, context: Any = None) -> int:
        """Send any request and return its sequence number.

        Raises LocalProtocolError if state or window forbid it, or a value does not fit its field.
        """
        self._check(command_id)
        # SMPP 3.4, 3.2: sequence_number runs from 1 to 0x7FFFFFFF.
        sequence = self._sequence % _MAX_SEQUENCE + 1
        self._out.append(encode(command_id, sequence, body))
        self._sequence = sequence
        if command_id not in _UNANSWERED:
            waiting = self._control if command_id in _CONTROL else self._pending
            waiting[sequence] = ev.Pending(sequence, command_id, now, context)
        self._pass(command_id)
        return sequence

    def answer(self, command_id: int, sequence: int, status: int = c.ESME_ROK, message_id: str = "") -> bool:
        """Answer a request that arrived, now or later; False when the link is gone and nobody can hear it."""
        # SMPP 3.4, 4.4.2: the body is left out of an answer with an error status;
        # 4.6.2: message_id of deliver_sm_resp is unused and set to NULL.
        has_body = status == c.ESME_ROK and command_id in (c.SUBMIT_SM, c.DELIVER_SM, c.DATA_SM)
        return self.answer_with(command_id, sequence, MessageResp(message_id) if has_body else None, status)

    def answer_with(self, command_id: int, sequence: int, body: Body | None, status: int = 0) -> bool:
        """Answer with a body of one's own making, as for query_sm; otherwise as `answer`."""
        if self.state is State.CLOSED:
            return False
        self._out.append(encode(command_id | c.RESPONSE, sequence, body, status))
        self._pass(command_id | c.RESPONSE, status)
        return True

    def answer_bind(self, arrived: ev.BindArrived, status: int, system_id: str) -> list[ev.Event]:
        """Accept (status 0) or refuse a bind; Bound is the event of an accepted one."""
        if status != c.ESME_ROK:
            self.answer_with(arrived.command_id, arrived.sequence, None, status)
            return []
        version = arrived.bind.interface_version
        # SMPP 3.4, 3.4: optional parameters go only to a peer of version 0x34 or later.
        tlvs = make_tlvs(sc_interface_version=0x34) if version >= 0x34 else {}
        self.answer_with(arrived.command_id, arrived.sequence, BindResp(system_id, tlvs))
        return [ev.Bound(arrived.command_id, arrived.bind.system_id, version)]

    def unbind(self, now: float) -> None:
        """Ask to end the bind; answered by Closed. Only answers pass from now on."""
        self.request(c.UNBIND, None, now)

    def lost(self, reason: str, by_peer: bool = False) -> list[ev.Event]:
        """The connection is gone: Closed with the unanswered requests, unless that was told before.

        A peer that just hangs up after our unbind has understood it.
        """
        clean = by_peer and self.state is State.UNBOUND
        return self._close(reason, clean) if self.state is not State.CLOSED else []

    def receive_data(self, data: bytes, now: float) -> list[ev.Event]:
        """Take bytes of the peer and say what they mean; answers due at once are in `data_to_send`."""
        events: list[ev.Event] = []
        self._heard_at = now
        try:
            for pdu in self._reader.feed(data):
                if self.state is State.CLOSED:
                    break
                self._receive(pdu, events)
        except RemoteProtocolError as error:
            # SMPP 3.4, 4.3: generic_nack answers an invalid command_length; where the next PDU begins
            # cannot be known after that, so the link ends.
            self._out.append(encode(c.GENERIC_NACK, 0, status=error.command_status))
            events += self.lost(f"unreadable stream: {error}")
        return events

    def tick(self, now: float) -> list[ev.Event]:
        """Let time pass: report what timed out, ask a silent peer whether it lives. Call it every second."""
        if self.state is State.CLOSED:
            return []
        events = self._time_out(now)
        reason = self._overdue(now)
        if reason:
            return events + self._close(reason)
        asked = any(request.command_id == c.ENQUIRE_LINK for request in self._control.values())
        if self.state in _BOUND and not asked and now - self._heard_at >= self.settings.enquire_after:
            self.request(c.ENQUIRE_LINK, None, now)
        return events

    def _time_out(self, now: float) -> list[ev.Event]:
        limit = self.settings.response_timeout
        expired = tuple(takewhile(lambda request: now - request.sent_at >= limit, self._pending.values()))
        for request in expired:
            self._late[request.sequence] = self._pending.pop(request.sequence)
            if len(self._late) > _MAX_LATE:
                del self._late[next(iter(self._late))]
        return [ev.TimedOut(expired)] if expired else []

    def _overdue(self, now: float) -> str:
        """Why the link must be given up, or nothing."""
        settings = self.settings
        if self.role is Role.SMSC and self.state is State.OPEN:
            return "no bind in time" if now - self._opened_at >= settings.bind_timeout else ""
        for request in tuple(self._control.values()):
            enquiry = request.command_id == c.ENQUIRE_LINK
            if now - request.sent_at < (settings.enquire_timeout if enquiry else settings.bind_timeout):
                continue
            if not enquiry or self._heard_at <= request.sent_at:
                return f"{c.COMMANDS[request.command_id]} was not answered"
            del self._control[request.sequence]  # any sign of life will do
        return ""

    def _check(self, command_id: int) -> None:
        """Raise LocalProtocolError unless state and window let us send this request."""
        if self.state not in ALLOWED.get((self.role, command_id), _NOWHERE):
            name = c.COMMANDS.get(command_id, f"{command_id:#010x}")
            raise LocalProtocolError(f"the {self.role.value} may not send {name} when {self.state.value}")
        if len(self._pending) >= self.settings.window and command_id not in _CONTROL:
            raise LocalProtocolError(f"the window of {self.settings.window} is full")

    def _pass(self, command_id: int, status: int = c.ESME_ROK) -> None:
        """Move to the state that a PDU leads to, sent or received."""
        if status == c.ESME_ROK:
            self.state = AFTER.get((self.state, command_id), self.state)

    def _receive(self, pdu: Pdu, events: list[ev.Event]) -> None:
        try:
            body = decode(pdu)
        except RemoteProtocolError as error:
            self._refuse(pdu, error.command_status, str(error), events)
            return
        if pdu.command_id == c.GENERIC_NACK:
            waiting = self._pending.pop(pdu.sequence, None) or self._late.pop(pdu.sequence, None)
            events.append(ev.Nacked(pdu.sequence, pdu.status, waiting, pdu.frame))
        elif pdu.command_id > c.RESPONSE:
            self._answered(pdu, body, events)
        elif _may_arrive(self.role, self.state, pdu.command_id):
            self._arrived(pdu, body, events)
        else:
            status = c.ESME_RALYBND if pdu.command_id in c.BINDS else c.ESME_RINVBNDSTS
            self._refuse(pdu, status, f"{c.COMMANDS[pdu.command_id]} when {self.state.value}", events)

    def _arrived(self, pdu: Pdu, body: Body, events: list[ev.Event]) -> None:
        """A request that its sender was allowed to send."""
        command_id, sequence = pdu.command_id, pdu.sequence
        if isinstance(body, DataSm):
            body = body.as_short_message()
        if isinstance(body, ShortMessage):
            kind = ev.DeliverArrived if self.role is Role.ESME else ev.SubmitArrived
            events.append(kind(command_id, sequence, body, pdu.frame))
        elif isinstance(body, Bind):
            events.append(ev.BindArrived(command_id, sequence, body))
        elif command_id == c.ENQUIRE_LINK:
            self.answer(command_id, sequence)
        elif command_id == c.UNBIND:
            self._pass(command_id)
            self.answer(command_id, sequence)
            events.append(ev.PeerUnbound())
            events += self._close("the peer unbound", clean=True)
        else:
            events.append(ev.OtherArrived(command_id, sequence, body, pdu.frame))

    def _answered(self, pdu: Pdu, body: Body, events: list[ev.Event]) -> None:
        """An answer of the peer, to one of our requests if all is well."""
        for waiting in (self._pending, self._control, self._late):
            request = waiting.get(pdu.sequence)
            if request and request.command_id | c.RESPONSE == pdu.command_id:
                break
        else:
            reason = f"{c.COMMANDS[pdu.command_id]} answers no request of ours"
            events.append(ev.Odd(reason, pdu.command_id, pdu.sequence, c.ESME_ROK, pdu.frame))
            return
        del waiting[pdu.sequence]
        self._pass(pdu.command_id, pdu.status)
        if waiting is self._control:
            events += _bind_outcome(request.command_id, pdu.status, body)
            if request.command_id == c.UNBIND:
                events += self._close("unbound", clean=True)
            return
        events.append(_answer(self.role, pdu, body, request, waiting is self._late))

    def _refuse(self, pdu: Pdu, status: int, reason: str, events: list[ev.Event]) -> None:
        """Answer a request that cannot be served; an answer is never answered."""
        if pdu.command_id & c.RESPONSE or pdu.command_id in _UNANSWERED:
            status = c.ESME_ROK
        elif pdu.command_id in c.COMMANDS:
            self._out.append(encode(pdu.command_id | c.RESPONSE, pdu.sequence, status=status))
        else:  # SMPP 3.4, 4.3: an unrecognised command_id is answered by generic_nack, status 3
            self._out.append(encode(c.GENERIC_NACK, pdu.sequence, status=status))
        events.append(ev.Odd(reason, pdu.command_id, pdu.sequence, status, pdu.frame))

    def _close(self, reason: str, clean: bool = False) -> list[ev.Event]:
        unanswered = tuple(self._pending.values())
        self._pending.clear()
        self.state = State.CLOSED
        return [ev.Closed(reason, clean, unanswered)]


def _may_arrive(role: Role, state: State, command_id: int) -> bool:
    """Whether our peer may send this; in UNBOUND, what it sent before it heard of that still counts."""
    states = ALLOWED.get((_PEER[role], command_id), _NOWHERE)
    return state in states or (state is State.UNBOUND and not states.isdisjoint(_BOUND))


def _answer(role: Role, pdu: Pdu, body: Body, request: ev.Pending, late: bool) -> ev.Event:
    """The event of an answer to a request that took room in the window."""
    sequence, status, sent_at, context = pdu.sequence, pdu.status, request.sent_at, request.context
    if not isinstance(body, MessageResp):
        return ev.OtherAnswered(pdu.command_id, sequence, status, body, context, pdu.frame)
    if role is Role.SMSC:
        return ev.DeliverAnswered(sequence, status, sent_at, context, late, pdu.frame)
    return ev.SubmitAnswered(sequence, status, body.message_id, sent_at, context, late, pdu.frame)


def _bind_outcome(command_id: int, status: int, body: Body) -> list[ev.Event]:
    """What an answer to a bind tells; nothing if it answers another request."""
    if not isinstance(body, BindResp):
        return []
    if status != c.ESME_ROK:
        return [ev.BindRefused(status)]
    version = body.tlvs.get(c.SC_INTERFACE_VERSION)
    return [ev.Bound(command_id, body.system_id, version[0] if version else None)]
