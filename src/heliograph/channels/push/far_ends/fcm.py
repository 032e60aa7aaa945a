"""Android: FCM HTTP v1, with an access token of a service account.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from heliograph.channels.push.far_ends.base import (
    Push,
    Result,
    answer_shown,
    decoded,
    failed,
    request_shown,
    retry_after,
)
from heliograph.channels.push.outcomes import by_status
from heliograph.channels.push.payloads import OURS, encode
from heliograph.channels.push.settings import Android
from heliograph.model.channel import Token, Tools
from heliograph.wire import http
from heliograph.wire.addresses import HttpError
from heliograph.wire.http2.client import Client as Http2Client
from heliograph.wire.http2.client import NotTaken
from heliograph.wire.http_connection import Answer

EARLY_SECONDS = 300  # before its end an access token is replaced
TOKEN_LIFE = 3_599
_FORM = {"content-type": "application/x-www-form-urlencoded"}

# A Firebase installation id, which FCM takes in place of a registration token (which goes on behind a colon).
_INSTALLATION = re.compile(r"[c-f][A-Za-z0-9_-]{21}", re.ASCII)

# Where a BadRequest points, and what that means.
_FIELDS = {"message.token": "token", "message.fid": "token", "message.android.ttl": "ttl", "android.ttl": "ttl"}

# Words of a 400 that has no field violation.
_WORDS = (
    ("registration token", "token"),
    ("recipient of the message is not set", "recipient"),
    ("too big", "size"),
    ("payload size", "size"),
    ("android message is too", "size"),
    ("ttl", "ttl"),
)


class Caller(Protocol):
    """What both our HTTP clients do."""

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout: float = ...,  # noqa: ASYNC109
        allow_private: bool = ...,
    ) -> Answer:  # fmt: skip
        """One call."""

    async def close(self) -> None:
        """Close."""


class _Refused(Exception):
    """The token endpoint gave no access token."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.detail)
        self.result = result


class Fcm:
    """Sends by FCM; `timeout` is in seconds."""

    def __init__(self, settings: Android, tools: Tools, *, window: int, timeout: float) -> None:
        self._settings = settings
        self._tokens = tools.tokens
        self._clock_ms = tools.clock_ms
        self._timeout = timeout
        account, context = settings.account, settings.reach.context()
        self._url = f"{settings.endpoint}/v1/projects/{account.project_id}/messages:send"
        self._plain = http.Client(max_connections_per_origin=window, tls=context)
        self._client: Caller = self._plain
        if settings.http == "2":
            self._client = Http2Client(tls=settings.reach.context())
        self._ends_ms = 0

    async def send(self, push: Push) -> Result:
        """See `Sender`."""
        try:
            access = await self._access("")
            result = await self._post(push, access)
            if "UNAUTHENTICATED" in result.codes:
                result = await self._post(push, await self._access(access))
        except _Refused as refused:
            return refused.result
        return result

    async def close(self) -> None:
        """See `Sender`."""
        await self._plain.close()
        await self._client.close()

    def health(self) -> dict[str, Any]:
        """See `Sender`."""
        account = self._settings.account
        shown: dict[str, Any] = {
            "kind": "service account", "project_id": account.project_id, "client_email": account.client_email,
            "key_id": account.key_id[:64],
        }  # fmt: skip
        if self._ends_ms:
            shown["access_token_ends"] = self._ends_ms
        return shown

    async def _post(self, push: Push, access: str) -> Result:
        fields = push.payload.fields
        message = {
            **fields,
            "fid" if _INSTALLATION.fullmatch(push.token) else "token": push.token,
            "data": {**fields["data"], OURS: encode(push.ours()).decode()},
            "android": {**fields["android"], "ttl": f"{push.ttl}s"},
        }
        body = encode({"message": message})
        request = request_shown("POST", self._url, {}, body)
        headers = {"content-type": "application/json", "authorization": f"Bearer {access}"}
        try:
            answer = await self._client.request(
                "POST", self._url, headers, body, self._timeout, self._settings.reach.allow_private
            )
        except NotTaken as error:
            return Result(("goaway",), error.detail, native=(request,))
        except HttpError as error:
            return msgspec.structs.replace(failed(error), native=(request,))
        native = (request, answer_shown(answer))
        if answer.status == 200:
            # A stand-in for the legacy API says so when the token was replaced (providers 2.5).
            replaced = decoded(answer.body).get("registration_id")
            return Result(replaced_by=replaced if isinstance(replaced, str) else "", native=native)
        codes, detail = read_error(answer.status, answer.body)
        return Result(codes, detail, retry_after(answer.headers, self._clock_ms() / 1000), native=native)

    async def _access(self, refused: str) -> str:
        """An access token, another than the one that was refused; raises `_Refused`."""
        name = f"fcm {self._settings.account.identity}"
        token = await self._tokens.get(name, self._fetch, refused=refused)
        self._ends_ms = token.expires_ms
        return token.value

    async def _fetch(self, _: Token | None) -> Token:
        account, now_ms = self._settings.account, self._clock_ms()
        try:
            answer = await self._plain.request(
                "POST", account.token_uri, _FORM, account.assertion(now_ms / 1000), self._timeout,
                self._settings.reach.allow_private,
            )  # fmt: skip
        except HttpError as error:
            kind = (
                "connect" if error.kind in ("timeout", "closed", "protocol") else error.kind
            )  # no push was sent yet
            raise _Refused(Result((kind,), f"the token endpoint: {error.detail}")) from None
        found = decoded(answer.body)
        value, life = found.get("access_token"), found.get("expires_in", TOKEN_LIFE)
        if answer.status == 200 and isinstance(value, str) and isinstance(life, int):
            return Token(value, now_ms + max(1, life - EARLY_SECONDS) * 1000)
        if answer.status in (408, 429) or answer.status >= 500:
            after = retry_after(answer.headers, now_ms / 1000)
            raise _Refused(Result(("5xx",), f"the token endpoint answers {answer.status}", after))
        word = found.get("error")
        said = found.get("error_description")
        detail = f"the token endpoint refuses the service account: {word or answer.status} {said or ''}".rstrip()
        raise _Refused(Result((f"oauth/{word}", "oauth"), detail[:256]))


def read_error(status: int, body: bytes) -> tuple[tuple[str, ...], str]:
    """The native codes of a refusal and its words: FcmError first, then `status`, then the HTTP status (providers
    2.4)."""
    found = decoded(body).get("error")
    if not isinstance(found, dict):
        return by_status(status), f"HTTP {status} without a reason"
    details = [item for item in found.get("details") or () if isinstance(item, dict)]
    named = _first(details, "errorCode") or found.get("status")
    name = str(named or "")
    words = str(found.get("message") or "")[:256]
    finer = _finer(name, words, details)
    codes = (f"{name}/{finer}", name) if finer else (name,)
    return (*(code for code in codes if code), *by_status(status)), words


def _finer(name: str, words: str, details: list[dict[str, Any]]) -> str:
    lowered = words.lower()
    if name == "INVALID_ARGUMENT":
        fields = [str(item.get("field")) for item in _each(details, "fieldViolations")]
        if known := next((_FIELDS[field] for field in fields if field in _FIELDS), ""):
            return known
        return next((meaning for word, meaning in _WORDS if word in lowered), "") if not fields else ""
    if name == "QUOTA_EXCEEDED":
        said = " ".join(f"{item.get('subject')} {item.get('description')}" for item in _each(details, "violations"))
        said = f"{said} {lowered}".lower()
        return "device" if "device" in said else "topic" if "topic" in said else ""
    if name == "THIRD_PARTY_AUTH_ERROR":
        reason = str(_first(details, "reason") or "")
        if "Environment" in reason:
            return "environment"
        return "apns" if reason or "apns" in lowered else ""
    return ""


def _first(details: list[dict[str, Any]], member: str) -> Any:
    return next((item[member] for item in details if member in item), None)


def _each(details: list[dict[str, Any]], member: str) -> list[dict[str, Any]]:
    return [one for item in details for one in item.get(member) or () if isinstance(one, dict)]
