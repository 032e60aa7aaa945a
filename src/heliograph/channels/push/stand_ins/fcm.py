"""A stand-in of FCM HTTP v1 and of Google's token endpoint: access tokens are given for signed assertions only."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from heliograph.channels.push.far_ends.base import decoded
from heliograph.channels.push.far_ends.credentials import GOOGLE_TOKEN_URI, GRANT, SCOPE, from_base64url
from heliograph.channels.push.payloads import OURS, encode
from heliograph.channels.push.sandbox import SANDBOX_MAIL, lane_of
from heliograph.channels.push.stand_ins.app import AppSide
from heliograph.channels.push.stand_ins.plans import LAPSE_SECONDS, LAPSING, asked, sayings
from heliograph.channels.push.stand_ins.tokens import BadJwt, read_jwt
from heliograph.model.channel import Peer
from heliograph.wire.http2.server import Call, Reply, Server

LIFE = 3_599
WHOLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LONGEST_BYTES = 4_096
LONGEST_TTL = 2_419_200
_TYPE = "type.googleapis.com"
_FCM_ERROR = f"{_TYPE}/google.firebase.fcm.v1.FcmError"


class Refusal(msgspec.Struct, frozen=True):
    """A native refusal: HTTP status, its name there, FCM's own name, words; the field it points to, whose quota is
    used up, what APNs said, seconds to wait."""

    status: int
    name: str
    code: str
    words: str
    field: str = ""
    quota: str = ""
    apns: str = ""
    after: int = 0


NO_TOKEN = Refusal(400, "INVALID_ARGUMENT", "", "Recipient of the message is not set.")
BAD_TTL = Refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Invalid TTL", "message.android.ttl")
TOO_BIG = Refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Android message is too big")
BAD_TOKEN = Refusal(
    400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token",
    "message.token",
)  # fmt: skip
UNAUTHENTICATED = Refusal(401, "UNAUTHENTICATED", "", "Request had invalid authentication credentials.")
NO_PROJECT = Refusal(404, "NOT_FOUND", "", "Requested entity was not found.")
RESERVED = Refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Invalid data payload key", "message.data")

REFUSALS: Mapping[str, Refusal] = {
    "7503": Refusal(
        429,
        "RESOURCE_EXHAUSTED",
        "QUOTA_EXCEEDED",
        "Device message rate exceeded",
        quota="device",
        after=LAPSE_SECONDS,
    ),
    "7504": Refusal(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "SenderId mismatch"),
    "7505": TOO_BIG,
    "7506": BAD_TTL,
    "7507": Refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Quota exceeded", quota="project", after=1),
    "7508": Refusal(503, "UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable."),
    "7509": Refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Device message rate exceeded", quota="device"),
    "7512": BAD_TOKEN,
    "7513": Refusal(404, "NOT_FOUND", "UNREGISTERED", "Requested entity was not found."),
    "7514": Refusal(
        401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", "Auth error from APNS", apns="BadEnvironmentKeyInToken"
    ),
    "7515": Refusal(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", "Auth error from APNS", apns="BadCertificate"),
    "7518": Refusal(400, "UNKNOWN", "UNSPECIFIED_ERROR", "No more information is available about this error."),
}
"""By published code."""

_REASONS = {"7512": "INVALID_ARGUMENT/token", "7505": "INVALID_ARGUMENT/size", "7506": "INVALID_ARGUMENT/ttl",
            "7507": "QUOTA_EXCEEDED", "7509": "QUOTA_EXCEEDED/device", "7514": "THIRD_PARTY_AUTH_ERROR/environment",
            "7515": "THIRD_PARTY_AUTH_ERROR/apns"}  # fmt: skip
"""The native code of a refusal where it is not FCM's own name of it."""


class FcmStandIn:
    """Listens on plain HTTP, 1.1 and 2. `accounts` are service accounts by e-mail with their public keys; those of
    the sandbox are known by themselves. `messages` keeps what was taken, if it is set to a list."""

    def __init__(
        self, host: str, port: int, platform: str = "", accounts: Mapping[str, rsa.RSAPublicKey] | None = None
    ) -> None:
        self.messages: list[dict[str, Any]] | None = None
        self.counts = {"tokens": 0, "taken": 0, "refused": 0}
        self._accounts = accounts or {}
        self._app = AppSide(platform)
        self._given: dict[str, tuple[str, float]] = {}
        self.server = Server(self._serve, host, port)

    async def start(self) -> Peer:
        """See `StandIn`."""
        return Peer(*await self.server.start())

    async def stop(self) -> None:
        """See `StandIn`."""
        await self.server.stop()
        await self._app.stop()

    def forget_tokens(self) -> None:
        """Every access token is refused from now on, as when a key is revoked."""
        self._given.clear()

    def _serve(self, call: Call) -> Reply:
        parts = call.path.partition("?")[0].strip("/").split("/")
        if call.method != "POST":
            return Reply(405)
        if parts == ["token"]:
            return self._token(call)
        match parts:
            case ["v1", "projects", project, "messages:send"]:
                return self._send(call, project)
        return Reply(404, {"content-type": "text/html"}, b"<!DOCTYPE html><title>Error 404 (Not Found)</title>")

    # the token endpoint

    def _token(self, call: Call) -> Reply:
        form = parse_qs(call.body.decode("latin-1"))
        if form.get("grant_type") != [GRANT]:
            return _json(400, {"error": "unsupported_grant_type"})
        now = time.time()
        try:
            email = self._account(form.get("assertion", [""])[0], now)
        except BadJwt as error:
            return _json(400, {"error": "invalid_grant", "error_description": f"Invalid JWT: {error}"})
        token = f"ya29.{secrets.token_urlsafe(96)}"
        self._given[token] = (email, now + LIFE)
        self.counts["tokens"] += 1
        return _json(200, {"access_token": token, "expires_in": LIFE, "token_type": "Bearer"})

    def _account(self, assertion: str, now: float) -> str:
        """The account that made an assertion; raises `BadJwt`."""
        found = read_jwt(assertion)
        email = str(found.claims.get("iss"))
        key = self._accounts.get(email)
        if key is None and email.endswith(f"@{SANDBOX_MAIL}"):
            key = _public(str(found.head.get("kid")))
        if key is None:
            raise BadJwt("there is no such account")
        found.verify(key)
        scopes = set(str(found.claims.get("scope")).split())
        if not {SCOPE, WHOLE_SCOPE} & scopes or found.claims.get("aud") != GOOGLE_TOKEN_URI:
            raise BadJwt("the scope or the audience is wrong")
        issued, ends = found.moment("iat"), found.moment("exp")
        if not (issued - 300 <= now < ends and ends - issued <= 3_600):
            raise BadJwt("Token must be a short-lived token (60 minutes) and in a reasonable timeframe")
        return email

    # messages

    def _send(self, call: Call, project: str) -> Reply:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        email, ends = self._given.get(token, ("", 0.0))
        if time.time() >= ends:
            return self._refuse(UNAUTHENTICATED)
        if not project:
            return self._refuse(NO_PROJECT)
        message = decoded(call.body).get("message")
        device = (message.get("token") or message.get("fid")) if isinstance(message, dict) else None
        if not isinstance(message, dict) or not device:
            return self._refuse(NO_TOKEN)
        if fault := _fault(message):
            return self._refuse(fault)
        found = asked(str(device))
        refusal = REFUSALS.get(found.code)
        if refusal is not None and not found.later:
            return self._refuse(refusal)
        self.counts["taken"] += 1
        if self.messages is not None:
            self.messages.append(message)
        if not decoded(call.body).get("validate_only"):
            receipt = decoded(str((message.get("data") or {}).get(OURS) or "").encode()).get("receipt")
            reason = _REASONS.get(found.code) or (refusal.code if refusal else "")
            self._app.got(lane_of(email.partition("@")[0]), receipt, sayings(found, reason))
        name = f"projects/{project}/messages/0:{time.time_ns() // 1000}%{secrets.token_hex(8)}"
        return _json(200, {"name": name})

    def _refuse(self, refusal: Refusal) -> Reply:
        self.counts["refused"] += 1
        details: list[dict[str, Any]] = []
        if refusal.code:
            details.append({"@type": _FCM_ERROR, "errorCode": refusal.code})
        if refusal.field:
            violations = [{"field": refusal.field, "description": refusal.words}]
            details.append({"@type": f"{_TYPE}/google.rpc.BadRequest", "fieldViolations": violations})
        if refusal.quota:
            violations = [{"subject": f"{refusal.quota}:1", "description": refusal.words}]
            details.append({"@type": f"{_TYPE}/google.rpc.QuotaFailure", "violations": violations})
        if refusal.apns:
            apns = {"@type": f"{_TYPE}/google.firebase.fcm.v1.ApnsError", "statusCode": 403, "reason": refusal.apns}
            details.append(apns)
        error = {"code": refusal.status, "message": refusal.words, "status": refusal.name, "details": details}
        headers = {"retry-after": str(refusal.after)} if refusal.after else {}
        return _json(refusal.status, {"error": error}, headers)


def _fault(message: dict[str, Any]) -> Refusal | None:
    """What FCM would refuse of any message."""
    data, android = message.get("data") or {}, message.get("android") or {}
    if not all(isinstance(value, str) for value in data.values()) or any(map(_is_reserved, data)):
        return RESERVED
    ttl = str(android.get("ttl", "0s"))
    if not (ttl.endswith("s") and ttl[:-1].isdigit() and int(ttl[:-1]) <= LONGEST_TTL):
        return BAD_TTL
    size = len(encode({name: message[name] for name in ("notification", "data") if message.get(name)}))
    return TOO_BIG if size > LONGEST_BYTES else None


def _is_reserved(name: str) -> bool:
    return name in ("from", "message_type") or name.startswith(("google", "gcm"))


def _public(key_id: str) -> rsa.RSAPublicKey:
    """The key of a sandbox account, which its key id is; raises `BadJwt`."""
    try:
        return rsa.RSAPublicNumbers(65_537, int.from_bytes(from_base64url(key_id), "big")).public_key()
    except ValueError:
        raise BadJwt("there is no such key") from None


def _json(status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"content-type": "application/json; charset=UTF-8", **(headers or {})}, encode(value))


__all__ = ["LAPSING", "REFUSALS", "FcmStandIn"]
