"""Whether a token is good, and until when: `debug_token`, asked of the far end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from heliograph.catalogue import keys
from heliograph.model.outcome import SendError
from heliograph.wire.graph.account import Account
from heliograph.wire.graph.meanings import Fault, Meanings, fault_in, fault_of
from heliograph.wire.http import Client, HttpError
from heliograph.wire.sending import CredentialsRefused, Unreachable

EVERY_SECONDS = 6 * 3_600.0
AGAIN_SECONDS = 60.0
WARN_SECONDS = 7 * 86_400

TOKEN_FAULTS = frozenset({0, 101, 102, 190})
"""Faults that mean the token itself. Another fault means that nobody may ask about it, and tells nothing."""


class Standing(NamedTuple):
    """What is known of a token, in words; `ends_at` is Unix seconds, 0 when it does not end or that is not known."""

    words: str
    ends_at: int = 0


UNKNOWN = Standing("not asked yet")
UNASKABLE = Standing("not refused; the far end does not say until when they are good")


async def ask(client: Client, account: Account, meanings: Meanings, seconds: float) -> Standing:
    """How the token stands. Raises `CredentialsRefused` when it is not taken, `Unreachable` when nobody answers."""
    url = account.url("/debug_token", input_token=account.token)
    try:
        answer = await client.request("GET", url, account.headers(), b"", seconds, account.private)
    except HttpError as error:
        raise Unreachable(SendError(keys.ENDPOINT_UNREACHABLE, "soon", error.kind, error.detail)) from None
    fault = fault_in(answer.body)
    if fault is None and answer.status >= 500:
        raise Unreachable(SendError(keys.ENDPOINT_UNREACHABLE, "soon", f"http {answer.status}", "it is down"))
    if fault is not None:
        if fault.code in TOKEN_FAULTS or "appsecret_proof" in fault.message.lower():
            raise CredentialsRefused(meanings.error(fault)[0])
        return UNASKABLE
    return _standing(answer.body, meanings)


def _standing(body: bytes, meanings: Meanings) -> Standing:
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNASKABLE
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(data, dict):
        return UNASKABLE
    if data.get("is_valid") is False:
        fault = fault_of(data.get("error")) or Fault(190, 0, "the token is not valid")
        raise CredentialsRefused(meanings.error(fault)[0])
    expires = data.get("expires_at")
    if isinstance(expires, int) and 0 < expires < 1 << 34:
        shown = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Standing(f"good until {shown}", expires)
    return Standing("good, without an end")


def warning(standing: Standing, now_ms: int) -> str:
    """What to tell an operator of a token that ends soon; "" when there is time."""
    if not standing.ends_at or standing.ends_at - now_ms / 1000 > WARN_SECONDS:
        return ""
    return f"its token ends soon ({standing.words}); enter a new one before"
