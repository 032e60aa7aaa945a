"""Meta's calls to the callback URL of a WhatsApp number: statuses of our messages, and what people write. Pure.

Source: the Cloud API's webhook reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from heliograph.catalogue import keys
from heliograph.model.channel import HookCall, Hooked, Report
from heliograph.model.outcome import Inbound, Reachability, Receipt
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.graph import webhook
from heliograph.wire.graph.meanings import Meanings, fault_of, load
from heliograph.wire.graph.webhook import member, number_at, objects, text_at

CHANNEL = "whatsapp"
MEANINGS: Meanings = load("heliograph.channels.whatsapp")

REACHED = {"sent": keys.SUBMITTED, "delivered": keys.DELIVERED, "read": keys.READ, "played": keys.READ}
MEDIA = ("image", "video", "audio", "document", "sticker")
TOLD_WHOLE = ("location", "contacts", "order", "referral", "system")


def hook(spec: ConnectorSpec, call: HookCall, now_ms: int) -> Hooked:
    """See `Hook`."""
    if call.method == "GET":
        return webhook.verification(call, str(spec.options["verify_token"]))
    secret = str(spec.options["app_secret"])
    if why := webhook.refusal(call, secret):
        return Hooked(refused=why)
    return Hooked(items=tuple(_items(spec, call.body, secret)))


def _items(spec: ConnectorSpec, body: bytes, secret: str) -> Iterator[Report]:
    number = str(spec.options["phone_number_id"])
    for entry in webhook.read(body, "whatsapp_business_account"):
        for change in objects(entry.get("changes")):
            value = change.get("value")
            if change.get("field") != "messages" or not isinstance(value, dict):
                continue
            if text_at(value, "metadata", "phone_number_id") != number:
                continue  # a number of the same business that is another app here
            for status in objects(value.get("statuses")):
                yield from _reports(spec.name, status, secret)
            for message in objects(value.get("messages")):
                yield from _people(spec.name, value, message)


def _reports(connector: str, status: dict[str, Any], secret: str) -> Iterator[Receipt]:
    """What became of a message of ours."""
    word, native_id = text_at(status, "status"), text_at(status, "id")
    reference = webhook.referred(text_at(status, "biz_opaque_callback_data"), secret)
    if word in REACHED:
        yield Receipt(connector, native_id, REACHED[word], word, reference=reference)
    elif word == "failed":
        errors = objects(status.get("errors"))
        fault = fault_of(_plain(errors[0])) if errors else None
        row = MEANINGS.of(fault) if fault else MEANINGS.rows["other"]
        code, detail = (fault.native, fault.message) if fault else (word, "")
        yield Receipt(connector, native_id, row.key, code, detail, reference=reference)


def _plain(error: dict[str, Any]) -> dict[str, Any]:
    """An error of a webhook has a title where an answer has a message."""
    return {**error, "message": error.get("message") or error.get("title")}


def _people(connector: str, value: dict[str, Any], message: dict[str, Any]) -> Iterator[Inbound | Reachability]:
    """What a person wrote; whoever writes can be reached (again)."""
    person, native_id = text_at(message, "from"), text_at(message, "id")
    if not person:
        return
    ours = text_at(value, "metadata", "display_phone_number") or text_at(value, "metadata", "phone_number_id")
    text, native = _said(message)
    names = (text_at(contact, "profile", "name") for contact in objects(value.get("contacts")))
    told = {
        "waid": person,
        "event": text_at(message, "type") or "message",
        "profileName": next(filter(None, names), ""),
        "replyTo": text_at(message, "context", "id"),
        **native,
    }
    shown = {name: value for name, value in told.items() if value}
    at_ms = number_at(message, "timestamp") * 1000
    yield Inbound(connector, CHANNEL, person, ours, text, shown, native_id)
    yield Reachability(connector, CHANNEL, person, True, at_ms, reason="wrote to the number")


def _said(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The text of what a person wrote, and what else there is."""
    kind = text_at(message, "type")
    if kind in MEDIA:
        found = message.get(kind)
        medium = found if isinstance(found, dict) else {}
        return text_at(medium, "caption"), {"attachments": [{"type": kind, **medium}]}
    if kind == "interactive":
        return _tapped(message)
    if kind == "button":
        return text_at(message, "button", "text"), {"payload": text_at(message, "button", "payload")}
    if kind == "reaction":
        return text_at(message, "reaction", "emoji"), {"replyTo": text_at(message, "reaction", "message_id")}
    if kind in TOLD_WHOLE:
        return text_at(message, "system", "body"), {kind: message.get(kind)}
    return text_at(message, "text", "body"), {}


def _tapped(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An answer to buttons, to a list or to a form."""
    for name in ("button_reply", "list_reply"):
        if isinstance(member(message, "interactive", name), dict):
            title, row = text_at(message, "interactive", name, "title"), text_at(message, "interactive", name, "id")
            return title, {"payload": row}
    form = member(message, "interactive", "nfm_reply")
    if isinstance(form, dict):
        return text_at(form, "body"), {"payload": text_at(form, "response_json")}
    return "", {}
