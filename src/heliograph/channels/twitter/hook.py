"""What X tells us by itself: the challenge it asks, and the events it posts. Pure.

Two envelopes say the same: Account Activity (`for_user_id` beside lists of events) and X Activity (`data` with
`event_type` and the same lists in `payload`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.channels.twitter.settings import Account, account_of
from heliograph.model.channel import HookCall, Hooked, Report
from heliograph.model.outcome import Inbound, Reachability, Receipt
from heliograph.model.workspace import ConnectorSpec

SIGNATURE = "x-twitter-webhooks-signature"
EPOCH_MS = 1_288_834_974_657  # of the ids of X
CHANNEL_NAME = "twitter"


def hook(spec: ConnectorSpec, call: HookCall, now_ms: int) -> Hooked:
    """See `Hook`."""
    account = account_of(spec)
    if not account.consumer_secret:
        return Hooked(refused="the app has no consumer_secret, so nothing can be proved")
    if call.method == "GET":
        return _challenged(account, call)
    given = call.headers.get(SIGNATURE, "").encode()
    if not hmac.compare_digest(signed(account.consumer_secret, call.body).encode(), given):
        return Hooked(refused="its signature is missing or wrong")
    try:
        found = msgspec.json.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Hooked(refused="it is signed and no JSON")
    return _read(spec.name, account, _object(found))


def signed(secret: str, message: bytes) -> str:
    """`sha256=` and the base64 of the HMAC-SHA256: the answer to a challenge, the signature of a call."""
    return "sha256=" + base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).decode()


def moment_of(event_id: str) -> int:
    """When X made an id (Unix milliseconds); 0 for what is none. The lowest 22 bits are machine and sequence."""
    number = int(event_id) if event_id.isascii() and event_id.isdigit() and len(event_id) <= 19 else 0
    return (number >> 22) + EPOCH_MS if number >> 22 else 0


def _challenged(account: Account, call: HookCall) -> Hooked:
    token = call.query.get("crc_token", "")
    if not token:
        return Hooked(refused="it asks nothing: there is no crc_token")
    answer = {"response_token": signed(account.consumer_secret, token.encode())}
    return Hooked(body=msgspec.json.encode(answer), media_type="application/json")


def _read(name: str, account: Account, found: Mapping[str, Any]) -> Hooked:
    data = _object(found.get("data"))
    payload = _object(data.get("payload")) if data else found
    told_id = str(_object(data.get("filter")).get("user_id") or "") if data else str(found.get("for_user_id") or "")
    own_id = account.own_id or told_id
    if revoked := _revoked(str(data.get("event_type") or ""), payload):
        if own_id and revoked != own_id:
            return Hooked()
        return Hooked(
            notice=f"the account {revoked} has taken its permission back (oauth.revoke); authorise it again"
        )
    if told_id and own_id and told_id != own_id:
        return Hooked()  # another account of the same app at X
    items = [item for event in _objects(payload, "direct_message_events") for item in _message(name, own_id, event)]
    items += [item for event in _objects(payload, "direct_message_mark_read_events")
              for item in _mark(name, own_id, event)]  # fmt: skip
    return Hooked(items=tuple(items))


def _message(name: str, own_id: str, event: Mapping[str, Any]) -> Iterator[Report]:
    """A message of ours that X keeps, or one that a person wrote."""
    create = _object(event.get("message_create"))
    identity, sender = str(event.get("id") or ""), str(create.get("sender_id") or "")
    recipient = str(_object(create.get("target")).get("recipient_id") or "")
    if not identity or not sender or not recipient:
        return
    if sender == own_id:
        yield Receipt(name, identity, keys.DELIVERED, destination=recipient, raw="dm.sent")
        return
    data = _object(create.get("message_data"))
    yield Inbound(
        name, CHANNEL_NAME, sender, recipient, str(data.get("text") or ""), _particulars(data), native_id=identity
    )
    yield Reachability(name, CHANNEL_NAME, sender, True, at_ms=moment_of(identity), reason="dm.received")


def _particulars(data: Mapping[str, Any]) -> dict[str, str]:
    """Which quick reply it is, and where its media is."""
    reply = _object(data.get("quick_reply_response")).get("metadata")
    media = _object(_object(data.get("attachment")).get("media")).get("media_url_https")
    found = {"quick_reply": reply, "media_url": media}
    return {member: str(value) for member, value in found.items() if value}


def _mark(name: str, own_id: str, event: Mapping[str, Any]) -> Iterator[Report]:
    """A person has read an event of the conversation, and everything before it."""
    reader, last = str(event.get("sender_id") or ""), str(event.get("last_read_event_id") or "")
    if not last or reader == own_id:
        return
    yield Receipt(name, last, keys.READ, raw="dm.read")
    if reader and (until_ms := moment_of(last)):
        yield Receipt(name, "", keys.READ, destination=reader, raw="dm.read", until_ms=until_ms)


def _revoked(event_type: str, payload: Mapping[str, Any]) -> str:
    """The account that took its permission back; "" when none did."""
    if event_type == "oauth.revoke":
        return str(payload.get("user_id") or "")
    revoke = _object(_object(payload.get("user_event")).get("revoke"))
    return str(_object(revoke.get("source")).get("user_id") or "")


def _objects(payload: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = payload.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
