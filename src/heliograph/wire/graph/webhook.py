"""Meta's calls to our callback URL: the check of the URL, signatures, our references in what they repeat. Pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from heliograph.model.channel import HookCall, Hooked
from heliograph.model.outcome import Reference

SIGNATURE = "x-hub-signature-256"
CHALLENGE_CHARACTERS = 256

_REFERENCE = re.compile(r"hg([0-9a-f]{1,16})\.([0-9]{1,7})\.([0-9])\.([1-9])\.([0-9a-f]{16})")


@lru_cache(maxsize=1024)
def _keyed(secret: str) -> hmac.HMAC:
    return hmac.new(secret.encode(), digestmod="sha256")


def digest(secret: str, data: bytes) -> str:
    """Hexadecimal HMAC-SHA256."""
    keyed = _keyed(secret).copy()
    keyed.update(data)
    return keyed.hexdigest()


def proof(token: str, secret: str) -> str:
    """The `appsecret_proof` of a token."""
    return digest(secret, token.encode())


def signature(secret: str, body: bytes) -> str:
    """The value of the signature's header for a raw body."""
    return f"sha256={digest(secret, body)}"


def verification(call: HookCall, verify_token: str) -> Hooked:
    """The answer to the check that is made when the URL is entered: the challenge, if the token is ours."""
    query = call.query
    challenge = query.get("hub.challenge", "")
    if query.get("hub.mode") != "subscribe" or not same(query.get("hub.verify_token", ""), verify_token):
        return Hooked(refused="the verify token is not the one of the workspace")
    if not 0 < len(challenge) <= CHALLENGE_CHARACTERS or not challenge.isprintable():
        return Hooked(refused="the challenge is no such")
    return Hooked(body=challenge.encode())


def refusal(call: HookCall, secret: str) -> str:
    """Why the body of a call is not believed; "" when its signature is right."""
    if call.method != "POST":
        return f"the method is {call.method}"
    found = call.headers.get(SIGNATURE, "")
    if not found:
        return "there is no X-Hub-Signature-256"
    return "" if same(found, signature(secret, call.body)) else "the signature is not of the app's secret"


def same(theirs: str, ours: str) -> bool:
    """Whether two texts are equal, in a time that tells nothing of where they differ; nothing equals an empty one."""
    return bool(ours) and hmac.compare_digest(theirs.encode(), ours.encode())


def read(body: bytes, kind: str) -> list[dict[str, Any]]:
    """The entries of a webhook's body of that kind (`object`); none when it is another."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    if not isinstance(found, dict) or found.get("object") != kind:
        return []
    return objects(found.get("entry"))


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, whatever else stands in it; none when it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def member(holder: Mapping[str, Any], *path: str) -> Any:
    """The member at a path; None where there is none."""
    value: Any = holder
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_at(holder: Mapping[str, Any], *path: str) -> str:
    """The text (or number) at a path as text; "" where there is none."""
    value = member(holder, *path)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def number_at(holder: Mapping[str, Any], *path: str) -> int:
    """The whole number at a path, be it written as text; 0 where there is none."""
    text = text_at(holder, *path)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0


def named(reference: Reference, secret: str) -> str:
    """A reference as the far end repeats it to us: signed, so that nobody else can make one."""
    plain = f"hg{reference.request:x}.{reference.ordinal}.{reference.part}.{reference.parts}"
    return f"{plain}.{digest(secret, plain.encode())[:16]}"


def referred(text: str, secret: str) -> Reference | None:
    """The reference that a text is; None when it is none of ours."""
    match = _REFERENCE.fullmatch(text)
    if match is None or not same(match[5], digest(secret, text.rpartition(".")[0].encode())[:16]):
        return None
    return Reference(int(match[1], 16), int(match[2]), int(match[3]), int(match[4]))
