"""What WeChat tells us by itself: the URL's verification, messages of people, events. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.channels.wechat import crypto, outcomes, xml
from heliograph.channels.wechat.settings import Account, account_of
from heliograph.model.channel import HookCall, Hooked, Report
from heliograph.model.outcome import Inbound, Reachability, Receipt
from heliograph.model.workspace import ConnectorSpec

CHANNEL_NAME = "wechat"
SUCCESS = b"success"
TOLERANCE_SECONDS = 600
"""By which a call's timestamp may differ: in plain mode the signature is not over the body, so it must not last."""

# Members of a message that are told on, by the names we give them.
_PARTICULARS = {
    "MsgType": "type",
    "Event": "event",
    "MediaId": "media_id",
    "PicUrl": "media_url",
    "ThumbMediaId": "thumb_media_id",
    "Format": "format",
    "Location_X": "latitude",
    "Location_Y": "longitude",
    "Label": "label",
    "Title": "title",
    "Url": "url",
    "Ticket": "ticket",
}


def hook(spec: ConnectorSpec, call: HookCall, now_ms: int) -> Hooked:
    """See `Hook`."""
    account, query = account_of(spec), call.query
    if not account.token:
        return Hooked(refused="the app has no token, so nothing can be proved")
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not _recent(stamp, now_ms):
        return Hooked(refused="its timestamp is missing or too far from this machine's clock")
    if call.method == "GET":
        if not crypto.signed_so(query.get("signature", ""), account.token, stamp, nonce):
            return Hooked(refused="its signature is missing or wrong")
        return Hooked(body=query.get("echostr", "").encode())
    try:
        members = _opened(account, call, stamp, nonce)
    except (xml.BadXml, crypto.BadSecret, _Unproved) as error:
        return Hooked(refused=str(error))
    return Hooked(items=_read(spec.name, members), body=SUCCESS)


class _Unproved(Exception):
    """The call does not prove that it is WeChat's."""


def _recent(stamp: str, now_ms: int) -> bool:
    known = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    return known and abs(now_ms / 1000 - int(stamp)) <= TOLERANCE_SECONDS


def _opened(account: Account, call: HookCall, stamp: str, nonce: str) -> dict[str, str]:
    """The members of a call that proves itself, in the mode that the account uses."""
    query = call.query
    if not account.safe:
        if not crypto.signed_so(query.get("signature", ""), account.token, stamp, nonce):
            raise _Unproved("its signature is missing or wrong")
        return xml.read(call.body)
    secret = xml.read(call.body).get("Encrypt", "")
    if query.get("encrypt_type") != "aes" or not secret:
        raise _Unproved(
            "it is not encrypted, though the app has an encoding_aes_key; plain mode is `callbacks: plain`"
        )
    if not crypto.signed_so(query.get("msg_signature", ""), account.token, stamp, nonce, secret):
        raise _Unproved("its signature is missing or wrong")
    return xml.read(crypto.decrypted(account.aes_key, account.appid, secret))


def _read(name: str, members: Mapping[str, str]) -> tuple[Report, ...]:
    person = members.get("FromUserName", "")
    if not person:
        return ()
    if members.get("MsgType") != "event":
        text = members.get("Content") or members.get("Recognition") or ""
        return (_inbound(name, members, text),)
    event, at_ms = members.get("Event", "").lower(), _ms(members.get("CreateTime", ""))
    match event:
        case "subscribe" | "unsubscribe":
            return (Reachability(name, CHANNEL_NAME, person, event == "subscribe", at_ms=at_ms, reason=event),)
        case "click" | "scan":  # a menu entry or a QR code says something in the person's name
            return (_inbound(name, members, members.get("EventKey", "")),)
        case "templatesendjobfinish":
            return _finished(name, members, "MsgID", outcomes.of_template(members.get("Status", "")))
        case "masssendjobfinish":
            return _finished(name, members, "MsgID", outcomes.of_mass(members.get("Status", "")))
    return ()


def _finished(name: str, members: Mapping[str, str], member: str, outcome: outcomes.Outcome) -> tuple[Report, ...]:
    identity, status = members.get(member, ""), members.get("Status", "")
    return (Receipt(name, identity, outcome.key, status),) if identity else ()


def _inbound(name: str, members: Mapping[str, str], text: str) -> Inbound:
    """A message of a person; WeChat repeats it under the same number, and events, which have none, at the same
    second."""
    person = members["FromUserName"]
    identity = members.get("MsgId") or f"{person}-{members.get('CreateTime', '')}"
    native = {ours: members[theirs] for theirs, ours in _PARTICULARS.items() if members.get(theirs)}
    return Inbound(name, CHANNEL_NAME, person, members.get("ToUserName", ""), text, native, native_id=identity)


def _ms(seconds: str) -> int:
    return int(seconds) * 1000 if seconds.isascii() and seconds.isdigit() and len(seconds) <= 12 else 0
