"""The JSON body of a receipt (messaging.md 8.1). Pure."""

from __future__ import annotations

import msgspec

from heliograph import catalogue
from heliograph.model.message import Content, Request
from heliograph.model.outcome import TAPPED, State
from heliograph.model.record import Notice
from heliograph.policy.telling import SHOWN_CHANNEL, delivery_status, utc_ms

_DEVICE_KINDS = "pushid"


class Interaction(msgspec.Struct, frozen=True):
    """What a person did with a notification: the button that was tapped, and the caller's own reference of it."""

    Button_Pressed: str
    pushref: str


class DeliveryInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """The member `deliveryInfo`, in published spelling; `pushId` and `deviceid` only on push, `interaction` only
    where a button was tapped."""

    deliveryChannel: str  # noqa: N815
    destination: str
    destinationType: str  # noqa: N815
    deliveryStatus: str  # noqa: N815
    code: str
    Description: str
    timeStamp: str  # noqa: N815
    additionalInfo: str  # noqa: N815
    pushId: str | None = None  # noqa: N815
    deviceid: str | None = None
    interaction: Interaction | None = None


class Notification(msgspec.Struct, frozen=True):
    """The member `deliveryInfoNotification`."""

    deliveryInfo: DeliveryInfo  # noqa: N815
    transid: str
    subtid: str
    correlationid: str
    callbackData: str  # noqa: N815


class Envelope(msgspec.Struct, frozen=True):
    """A receipt as it is posted."""

    deliveryInfoNotification: Notification  # noqa: N815


_encode = msgspec.json.Encoder().encode


def receipt_body(notice: Notice, request: Request) -> bytes:
    """The receipt for one state of one destination, as UTF-8 JSON."""
    message = request.messages[notice.element]
    channel = message.content.channel
    address = notice.address
    push = channel == "push"
    interaction = _interaction(notice, message.content)
    info = DeliveryInfo(
        deliveryChannel=SHOWN_CHANNEL.get(channel, channel),
        destination=address.value,
        destinationType=address.kind,
        deliveryStatus=delivery_status(channel, notice.key, notice.state),
        code=catalogue.code(notice.key),
        Description=catalogue.receipt_text(notice.key),
        timeStamp=utc_ms(notice.at),
        additionalInfo="" if interaction else notice.detail,
        pushId=(address.value if address.kind.endswith(_DEVICE_KINDS) else "") if push else None,
        deviceid=notice.device if push else None,
        interaction=interaction,
    )
    correlation = address.correlation or message.correlation
    transid = request.transid(notice.ordinal)
    return _encode(Envelope(Notification(info, transid, "", correlation, message.callback_data)))


def _interaction(notice: Notice, content: Content) -> Interaction | None:
    """The button behind a receipt that says one was tapped."""
    word, _, button = notice.detail.partition(" ")
    if notice.state is not State.READ or word != TAPPED or not button:
        return None
    holder = content.fields if "interactive" in content.fields else content.fields.get("notification")
    found = holder.get("interactive") if isinstance(holder, dict) else None
    reference = found.get("pushref") if isinstance(found, dict) else None
    return Interaction(button, str(reference or ""))
