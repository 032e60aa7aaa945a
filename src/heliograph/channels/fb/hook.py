"""Meta's calls to the callback URL of a page: deliveries, reads, echoes, and what people write. Pure.

Source: the Messenger Platform's webhook reference; providers 1.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from heliograph.catalogue import keys
from heliograph.model.channel import HookCall, Hooked, Report
from heliograph.model.outcome import Inbound, Reachability, Receipt
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.graph import webhook
from heliograph.wire.graph.webhook import member, number_at, objects, text_at

CHANNEL = "fb"
ANY_PAGE = "me"


def hook(spec: ConnectorSpec, call: HookCall, now_ms: int) -> Hooked:
    """See `Hook`."""
    if call.method == "GET":
        return webhook.verification(call, str(spec.options["verify_token"]))
    secret = str(spec.options["app_secret"])
    if why := webhook.refusal(call, secret):
        return Hooked(refused=why)
    return Hooked(items=tuple(_items(spec, call.body, secret)), body=b"EVENT_RECEIVED")


def _items(spec: ConnectorSpec, body: bytes, secret: str) -> Iterator[Report]:
    page = str(spec.options["page_id"])
    for entry in webhook.read(body, "page"):
        if page not in (text_at(entry, "id"), ANY_PAGE):
            continue  # a page of the same Meta app that is another app here
        for event in objects(entry.get("messaging")):
            yield from _reports(spec.name, event, secret)
            yield from _people(spec.name, event)
        for event in objects(entry.get("standby")):  # another app has the conversation by now
            yield from _reports(spec.name, event, secret)


def _reports(connector: str, event: dict[str, Any], secret: str) -> Iterator[Receipt]:
    """What became of our messages. A watermark speaks of everything before it; `mids` may be missing."""
    person = text_at(event, "sender", "id")
    mids = member(event, "delivery", "mids")
    for mid in mids if isinstance(mids, list) else ():
        if isinstance(mid, str):
            yield Receipt(connector, mid, keys.DELIVERED, "delivery")
    for name, key in (("delivery", keys.DELIVERED), ("read", keys.READ)):
        if until := number_at(event, name, "watermark"):
            yield Receipt(connector, "", key, name, destination=person, until_ms=until)
    if member(event, "message", "is_echo") is True:
        reference = webhook.referred(text_at(event, "message", "metadata"), secret)
        if reference is not None:
            yield Receipt(
                connector, text_at(event, "message", "mid"), keys.SUBMITTED, "echo",
                destination=text_at(event, "recipient", "id"), reference=reference,
                sent_ms=number_at(event, "timestamp"),
            )  # fmt: skip


def _people(connector: str, event: dict[str, Any]) -> Iterator[Inbound | Reachability]:
    """What a person did; whoever does something can be reached (again)."""
    person, page = text_at(event, "sender", "id"), text_at(event, "recipient", "id")
    moment = text_at(event, "timestamp")
    found = _said(event)
    if found is None or not person:
        return
    native_id, text, native = found
    name = native_id or f"{native['event']}.{person}.{moment}"
    shown = {name: value for name, value in native.items() if value}
    yield Inbound(connector, CHANNEL, person, page, text, {"psid": person, **shown}, name)
    yield Reachability(connector, CHANNEL, person, True, number_at(event, "timestamp"), reason="wrote to the page")


def _said(event: dict[str, Any]) -> tuple[str, str, dict[str, Any]] | None:
    """The id, the text and what else there is of something a person did; None when it was nothing of the kind."""
    if isinstance(event.get("message"), dict) and member(event, "message", "is_echo") is not True:
        return text_at(event, "message", "mid"), text_at(event, "message", "text"), {
            "event": "message",
            "payload": text_at(event, "message", "quick_reply", "payload"),
            "replyTo": text_at(event, "message", "reply_to", "mid"),
            "attachments": [_attachment(item) for item in objects(member(event, "message", "attachments"))],
        }  # fmt: skip
    if isinstance(event.get("postback"), dict):
        return text_at(event, "postback", "mid"), text_at(event, "postback", "title"), {
            "event": "postback",
            "payload": text_at(event, "postback", "payload"),
            "ref": text_at(event, "postback", "referral", "ref"),
        }  # fmt: skip
    if isinstance(event.get("optin"), dict):
        return "", "", {"event": "optin", "ref": text_at(event, "optin", "ref")}
    if isinstance(event.get("reaction"), dict):
        return "", text_at(event, "reaction", "emoji"), {
            "event": "reaction",
            "action": text_at(event, "reaction", "action"),
            "replyTo": text_at(event, "reaction", "mid"),
        }  # fmt: skip
    return None


def _attachment(item: dict[str, Any]) -> dict[str, Any]:
    payload = item.get("payload")
    return {"type": text_at(item, "type"), **(payload if isinstance(payload, dict) else {})}
