"""What an SMPP session reports: one frozen value for each thing that can happen on a bind."""

from typing import Any, NamedTuple

from heliograph.wire.smpp.pdus import Bind, Body, ShortMessage


class Pending(NamedTuple):
    """A request of ours that the peer has not answered: what happened to it there is not known."""

    sequence: int
    command_id: int
    sent_at: float
    context: Any
    """What the caller gave with the request, untouched."""


class Bound(NamedTuple):
    """The session is bound; in the SMSC role, because we accepted a bind."""

    command_id: int
    """Which of the three binds it was."""
    system_id: str
    """The peer's name for itself."""
    interface_version: int | None
    """The peer's SMPP version (0x34), if it told one."""


class BindRefused(NamedTuple):
    """The SMSC refused our bind; the session stays open for another try."""

    status: int


class BindArrived(NamedTuple):
    """An ESME wants to bind; it waits for `Session.answer_bind`."""

    command_id: int
    sequence: int
    bind: Bind


class SubmitAnswered(NamedTuple):
    """The peer answered a submit_sm or data_sm of ours; it has the message if status is 0."""

    sequence: int
    status: int
    message_id: str
    sent_at: float
    context: Any
    late: bool
    """True when this request was already reported in TimedOut."""
    frame: bytes
    """The answer as it came, for `describe`."""


class DeliverAnswered(NamedTuple):
    """The ESME answered a deliver_sm or data_sm of ours (SMSC role)."""

    sequence: int
    status: int
    sent_at: float
    context: Any
    late: bool
    frame: bytes


class DeliverArrived(NamedTuple):
    """A receipt or an inbound message; it waits for `Session.answer` with this command_id and sequence."""

    command_id: int
    """deliver_sm, or data_sm."""
    sequence: int
    message: ShortMessage
    """Of a data_sm: its fields, with short_message empty and the text in the TLV message_payload."""
    frame: bytes


class SubmitArrived(NamedTuple):
    """An ESME submits a message (SMSC role); it waits for `Session.answer` with a message id."""

    command_id: int
    """submit_sm, or data_sm."""
    sequence: int
    message: ShortMessage
    frame: bytes


class OtherArrived(NamedTuple):
    """A request of a rarer kind (query_sm, cancel_sm, replace_sm, outbind, alert_notification).

    The first three wait for `Session.answer`; the last two have no answer.
    """

    command_id: int
    sequence: int
    body: Body
    frame: bytes


class OtherAnswered(NamedTuple):
    """The peer answered a query_sm, cancel_sm or replace_sm of ours."""

    command_id: int
    """Of the answer."""
    sequence: int
    status: int
    body: Body
    context: Any
    frame: bytes


class Nacked(NamedTuple):
    """The peer sent generic_nack: it could not read a request of ours, and has not acted upon it."""

    sequence: int
    status: int
    pending: Pending | None
    """The request meant, when the sequence number is one of ours."""
    frame: bytes


class TimedOut(NamedTuple):
    """No answer came in time: the fate of these requests is unknown, they must not be sent again at once."""

    requests: tuple[Pending, ...]


class Odd(NamedTuple):
    """The peer broke a rule and the session went on: an answer to nothing, an unknown or broken PDU."""

    reason: str
    command_id: int
    sequence: int
    status: int
    """What we answered; 0 if nothing."""
    frame: bytes


class PeerUnbound(NamedTuple):
    """The peer ended the bind with unbind, and has our answer; nothing may be submitted any more."""


class Paused(NamedTuple):
    """The network takes no more for now: stop submitting until Resumed."""


class Resumed(NamedTuple):
    """The network takes data again after Paused."""


class Closed(NamedTuple):
    """The last event of a session: the link is gone."""

    reason: str
    clean: bool
    """True after an unbind that was answered, if only by hanging up."""
    unanswered: tuple[Pending, ...]
    """Requests whose fate is unknown."""


Event = (
    Bound
    | BindRefused
    | BindArrived
    | SubmitAnswered
    | DeliverAnswered
    | DeliverArrived
    | SubmitArrived
    | OtherArrived
    | OtherAnswered
    | Nacked
    | TimedOut
    | Odd
    | PeerUnbound
    | Paused
    | Resumed
    | Closed
)
