"""Delivered and read come from the app: no push service tells a sender of them.

Each push carries a receipt of its own: its id, to which device it went and when, signed with a key that only we have.
The app sends it back with what happened; so no secret lives in the app, and a device can speak of nothing but what
it was sent. The README has the calls. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.channels.push.far_ends.credentials import base64url, from_base64url
from heliograph.channels.push.outcomes import APP, FAR_END_OF, OTHER, TABLE, Outcome
from heliograph.channels.push.settings import Settings, read
from heliograph.model.channel import HookCall, Hooked, Report
from heliograph.model.outcome import TAPPED, Reachability, Receipt
from heliograph.model.workspace import ConnectorSpec

LIFE_SECONDS = 45 * 86_400  # a push lives 30 days at most, and phones are offline
SKEW_SECONDS = 3_600
MOST = 500  # receipts of one call
WORD = 64  # characters of a button or reason

_HEAD = struct.Struct(">B16sI8s")
_MAC_BYTES = 16
_LENGTH = _HEAD.size + _MAC_BYTES
_LETTERS = {"android": ord("a"), "ios": ord("i"), "web": ord("w")}
_SYSTEMS = {letter: system for system, letter in _LETTERS.items()}

EVENTS = {"delivered": keys.DELIVERED, "read": keys.READ, "tapped": keys.READ}
"""What an app may say of a message that went well; `failed` and `moved` are the other two."""


class Claim(msgspec.Struct, frozen=True):
    """What a receipt proves: the id of a push, the system and (digested) the device it was sent to."""

    id: str
    system: str
    device: bytes


class BadReceipt(ValueError):
    """A receipt proves nothing; the text says why."""


def push_id(request: int, ordinal: int, token: str) -> str:
    """The UUID of a push to a device, the same each time that it is sent (RFC 9562, version 8: our own digest)."""
    digest = bytearray(hashlib.sha256(b"%d/%d/%b" % (request, ordinal, token.encode())).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80
    return _written(bytes(digest))


def make(system: str, push: str, token: str, now: int, key: bytes) -> str:
    """The receipt of a push that is sent at `now` (Unix seconds): 60 letters of base64url."""
    head = _HEAD.pack(_LETTERS[system], bytes.fromhex(push.replace("-", "")), now & 0xFFFFFFFF, _device(token))
    return base64url(head + hmac.digest(key, head, "sha256")[:_MAC_BYTES])


def _device(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()[:8]


def check(receipt: str, settings: Settings, now: float) -> Claim:
    """What a receipt proves at `now`; raises `BadReceipt`."""
    try:
        found = from_base64url(receipt) if len(receipt) < 2 * _LENGTH else b""
    except ValueError:
        found = b""
    if len(found) != _LENGTH:
        raise BadReceipt("it has not the form of a receipt")
    head, mac = found[: _HEAD.size], found[_HEAD.size :]
    letter, identity, sent, device = _HEAD.unpack(head)
    system = _SYSTEMS.get(letter, "")
    reach = settings.reach_of(system)
    if reach is None:
        raise BadReceipt("the app is not for its system")
    if not hmac.compare_digest(hmac.digest(reach.receipt_key, head, "sha256")[:_MAC_BYTES], mac):
        raise BadReceipt("its signature is wrong")
    if not now - LIFE_SECONDS <= sent <= now + SKEW_SECONDS:
        raise BadReceipt("it is too old")
    return Claim(_written(identity), system, device)


def _written(identity: bytes) -> str:
    text = identity.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Said(msgspec.Struct, frozen=True):
    """What an app says: `button` of a tapped one, `reason` of a failure, `was` and `pushid` when its token moved."""

    receipt: str
    event: str
    button: str = ""
    reason: str = ""
    was: str = ""
    pushid: str = ""


class _Call(msgspec.Struct, frozen=True):
    receipts: list[Any]


class _Refusal(msgspec.Struct, frozen=True):
    index: int
    why: str


def hook(spec: ConnectorSpec, call: HookCall, now_ms: int) -> Hooked:
    """Reads a call of an app. What is wrong with one receipt does not harm the others: the answer names it; a call
    of which nothing is right is refused."""
    if call.method != "POST":
        return Hooked(refused="receipts come by POST")
    try:
        given = _given(call.body)
    except ValueError as error:
        return Hooked(refused=str(error))
    settings = read(spec)
    items: dict[Report, None] = {}
    refusals: list[_Refusal] = []
    for index, one in enumerate(given):
        try:
            items[_report(spec, settings, one, now_ms)] = None
        except BadReceipt as error:
            refusals.append(_Refusal(index, str(error)))
    if refusals and not items:
        return Hooked(refused=refusals[0].why)
    body = msgspec.json.encode({"accepted": len(given) - len(refusals), "refused": refusals})
    return Hooked(tuple(items), body=body, media_type="application/json")


def _given(body: bytes) -> list[Any]:
    """The receipts of a call: `{"receipts": [...]}`, or one by itself."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("the body is no JSON") from None
    if not isinstance(found, dict):
        raise ValueError("the body is no object")
    given = found.get("receipts", [found])
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise ValueError(f"`receipts` is no list of 1 to {MOST}")
    return given


def _report(spec: ConnectorSpec, settings: Settings, given: Any, now_ms: int) -> Report:
    try:
        said = msgspec.convert(given, Said)
    except msgspec.ValidationError as error:
        raise BadReceipt(f"it cannot be read: {error}") from None
    claim = check(said.receipt, settings, now_ms / 1000)
    if said.event == "moved":
        return _moved(spec, claim, said)
    if said.event == "failed":
        key = _failure(said.reason, claim).key
        return Receipt(spec.name, claim.id, key, _word(said.reason) or "failed")
    key = EVENTS.get(said.event, "")
    if not key:
        raise BadReceipt(f"there is no such event; there are {', '.join((*EVENTS, 'failed', 'moved'))}")
    if said.event == "tapped":
        return Receipt(spec.name, claim.id, key, TAPPED, _word(said.button))
    return Receipt(spec.name, claim.id, key)


def _failure(reason: str, claim: Claim) -> Outcome:
    """A word of the app's own, or one of the far end of its system."""
    return TABLE[APP].get(reason) or TABLE[FAR_END_OF[claim.system]].get(reason) or TABLE[APP][OTHER]


def _moved(spec: ConnectorSpec, claim: Claim, said: Said) -> Reachability:
    """The device has another token from now on. It shows the old one, which only it and we know."""
    if not hmac.compare_digest(_device(said.was), claim.device) or not said.pushid:
        raise BadReceipt("`was` is not the token that the push was sent to, or there is no `pushid`")
    if len(said.pushid) > 4_096 or not said.pushid.isprintable():
        raise BadReceipt("`pushid` is no token")
    return Reachability(spec.name, "push", said.was, False, replaced_by=said.pushid, reason="moved")


def _word(text: str) -> str:
    """A word of the app's as it may be shown."""
    return "".join(letter for letter in text[:WORD] if letter.isprintable())
