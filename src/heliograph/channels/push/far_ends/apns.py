"""iOS: APNs over HTTP/2, with a provider token or a client certificate.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
"""

from __future__ import annotations

import re
from typing import Any

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
from heliograph.channels.push.far_ends.credentials import ProviderKey
from heliograph.channels.push.outcomes import by_status
from heliograph.channels.push.payloads import OURS, encode
from heliograph.channels.push.settings import TOPIC_SUFFIXES, Ios
from heliograph.model.channel import Token, Tools
from heliograph.wire.addresses import HttpError
from heliograph.wire.http2.client import Client, NotTaken
from heliograph.wire.http_connection import Answer

RENEW_SECONDS = 45 * 60  # Apple: not more often than every 20 minutes, not later than after 60
YOUNGEST_SECONDS = 20 * 60
_TOKEN = re.compile(r"[0-9A-Fa-f]{8,200}", re.ASCII)


class Apns:
    """Sends by APNs; one pool of connections for its one key. `timeout` is in seconds."""

    def __init__(self, settings: Ios, tools: Tools, *, timeout: float) -> None:
        self._settings = settings
        self._tokens = tools.tokens
        self._clock_ms = tools.clock_ms
        self._timeout = timeout
        context = settings.reach.context()
        if settings.certificate is not None:
            settings.certificate.show(context)
        self._client = Client(tls=context, careful=settings.token is not None)
        push_type = settings.push_type
        self._headers = {
            "apns-topic": settings.topic + TOPIC_SUFFIXES[push_type],
            "apns-push-type": push_type,
            "apns-priority": "5" if push_type == "background" else "10",
        }

    async def send(self, push: Push) -> Result:
        """See `Sender`."""
        if not _TOKEN.fullmatch(push.token):
            return Result(("BadDeviceToken",), "the token is no hexadecimal number; looked at before sending")
        result = Result()
        for endpoint in self._settings.endpoints:
            result = await self._send_to(endpoint, push)
            if "BadDeviceToken" not in result.codes:
                break
        return result

    async def close(self) -> None:
        """See `Sender`."""
        await self._client.close()

    def health(self) -> dict[str, Any]:
        """See `Sender`."""
        settings = self._settings
        shown: dict[str, Any] = {"topic": settings.topic, "environment": settings.environment}
        if settings.token is not None:
            shown |= {"kind": "token", "key_id": settings.token.key_id, "team_id": settings.token.team_id}
        elif settings.certificate is not None:
            shown |= {
                "kind": "certificate", "subject": settings.certificate.subject,
                "ends": settings.certificate.ends * 1000,
            }  # fmt: skip
        return shown

    async def _send_to(self, endpoint: str, push: Push) -> Result:
        key = self._settings.token
        proof = await self._proof(key, "") if key else ""
        result = await self._post(endpoint, push, proof)
        if key and "ExpiredProviderToken" in result.codes:
            fresh = await self._proof(key, proof)
            if fresh != proof:
                result = await self._post(endpoint, push, fresh)
        return result

    async def _proof(self, key: ProviderKey, refused: str) -> str:
        """The provider token that all who use the key share."""

        async def fetch(before: Token | None) -> Token:
            now_ms = self._clock_ms()
            if before is not None and before.expires_ms - now_ms > (RENEW_SECONDS - YOUNGEST_SECONDS) * 1000:
                return before  # a newer one would be refused as one too many
            return Token(key.token(now_ms / 1000), now_ms + RENEW_SECONDS * 1000)

        return (await self._tokens.get(f"apns {key.identity}", fetch, refused=refused)).value

    async def _post(self, endpoint: str, push: Push, proof: str) -> Result:
        now = self._clock_ms() // 1000
        headers = {
            **self._headers,
            **push.payload.headers,
            "apns-id": push.id,
            "apns-expiration": str(now + push.ttl if push.ttl else 0),
        }
        body = encode({**push.payload.fields, OURS: push.ours()})
        url = f"{endpoint}/3/device/{push.token}"
        request = request_shown("POST", url, headers, body)
        if proof:
            headers["authorization"] = f"bearer {proof}"
        try:
            answer = await self._client.request(
                "POST", url, headers, body, self._timeout, self._settings.reach.allow_private
            )
        except NotTaken as error:
            codes = (error.reason, "goaway") if error.reason else ("goaway",)
            return Result(codes, error.detail, native=(request,))
        except HttpError as error:
            return self._no_answer(error, request)
        return self._read(answer, (request, answer_shown(answer)))

    def _no_answer(self, error: HttpError, request: bytes) -> Result:
        result = msgspec.structs.replace(failed(error), native=(request,))
        if error.kind == "tls" and self._settings.certificate is not None:
            return msgspec.structs.replace(result, codes=("tls/certificate",))
        return result

    def _read(self, answer: Answer, native: tuple[bytes, ...]) -> Result:
        if answer.status == 200:
            return Result(native=native)
        found = decoded(answer.body)
        reason, since = found.get("reason"), found.get("timestamp")
        return Result(
            (*((reason,) if isinstance(reason, str) else ()), *by_status(answer.status)),
            f"HTTP {answer.status}",
            retry_after(answer.headers, self._clock_ms() / 1000),
            since if isinstance(since, int) and not isinstance(since, bool) else 0,
            native=native,
        )
