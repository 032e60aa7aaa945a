"""Whom to tell of an outcome and in which words, and what an inbound message looks like to a caller. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.model.message import Message
from heliograph.model.outcome import Inbound, State
from heliograph.model.workspace import Service

SHOWN_CHANNEL = {"sms": "SMS"}
"""How receipts spell a channel (messaging.md 8.2); all others are spelled as they are."""

INBOUND_CHANNEL = {**SHOWN_CHANNEL, "rt": "Rtm"}
"""How inbound messages spell it (messaging.md 8.4)."""

_REACHED = {State.SUBMITTED: "Submitted", State.DELIVERED: "Delivered", State.READ: "Read"}
_REACHED_ON = {("voice", State.DELIVERED): "Answered"}
_FAILURES = frozenset({State.FAILED, State.LAPSED})

# messaging.md 8.2: the first digits of the codes that the far end reported, and the channel's word for them.
_FAR_END_FAILURE = {"sms": ("72", "Un-Delivered"), "voice": ("74", "Rejected")}


@lru_cache(maxsize=4096)
def delivery_status(channel: str, key: str, state: State) -> str:
    """The word of a receipt for a state reached with a catalogue key; "" where there is nothing to tell."""
    if key == keys.LINK_CLICKED:
        return "Clicked"
    if state in _FAILURES:
        prefix, word = _FAR_END_FAILURE.get(channel, ("", ""))
        return word if prefix and catalogue.code(key).startswith(prefix) else "Failed"
    return _REACHED_ON.get((channel, state)) or _REACHED.get(state, "")


def target(message: Message, service: Service | None, status_word: str) -> str:
    """The URL to tell: the request's own over the service's; "" if there is none or the service does not want
    this word. A request's own URL outlives its service."""
    if not status_word:
        return ""
    if service is None:
        return message.notify_url
    return (message.notify_url or service.notify.url) if status_word in service.notify.states else ""


class InboundBody(msgspec.Struct, frozen=True):
    """An inbound message as it is posted: `oa` and `da` are who wrote and to which of our addresses; `ts` is Unix
    milliseconds, `datetime` the same in UTC to the second, `timeStamp` to the millisecond."""

    userId: str  # noqa: N815
    channel: str
    oa: str
    da: str
    message: str
    tid: str
    datetime: str
    ts: str
    timeStamp: str  # noqa: N815
    x_networkid: str


NETWORK = "network"
"""What of an inbound message's native facts is told as `x_networkid`."""


def inbound_body(inbound: Inbound, tid: str, at_ms: int) -> bytes:
    """An inbound message as UTF-8 JSON; `tid` is our id of it, `at_ms` when it came (Unix milliseconds). What else
    its channel tells of it stands beside the members that all have."""
    body = InboundBody(
        userId=inbound.sender,
        channel=INBOUND_CHANNEL.get(inbound.channel, inbound.channel),
        oa=inbound.sender,
        da=inbound.destination,
        message=inbound.text,
        tid=tid,
        datetime=_second(at_ms // 1000).replace("T", " "),
        ts=str(at_ms),
        timeStamp=utc_ms(at_ms),
        x_networkid=str(inbound.native.get(NETWORK, "")),
    )
    more = {name: value for name, value in inbound.native.items() if name != NETWORK}
    return msgspec.json.encode({**more, **msgspec.structs.asdict(body)} if more else body)


def utc_ms(at_ms: int) -> str:
    """`2030-01-01T00:00:00.000Z` of Unix milliseconds."""
    return f"{_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@lru_cache(maxsize=1024)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
