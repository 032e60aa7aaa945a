"""Whom the simulator of X lets in: it checks signatures and tokens, hands out tokens, counts the window."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from heliograph.channels.twitter import oauth1
from heliograph.channels.twitter.settings import lane_of, made_up
from heliograph.channels.twitter.simulated.plans import RATE_LIMITED, Plan, old, problem
from heliograph.wire.plain_asgi import Asked, Reply, said

SKEW_SECONDS = 300
UNAUTHORIZED = problem(401, "Unauthorized", "Unauthorized")
NOT_AUTHENTICATED = old(401, 32, "Could not authenticate you.")
BAD_CLOCK = old(401, 135, "Timestamp out of bounds.")
BAD_TOKEN = old(401, 89, "Invalid or expired token.")
NONCES = 100_000


class Refused(Exception):
    """The caller is not let in; `plan` is the answer."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.status)
        self.plan = plan


@dataclass(slots=True)
class Window:
    """Messages of one account in one window: `used` of them until `ends` (Unix seconds)."""

    ends: float = 0.0
    used: int = 0

    def headers(self, limit: int) -> tuple[tuple[str, str], ...]:
        """How X tells of it."""
        return (
            ("x-rate-limit-limit", str(limit)),
            ("x-rate-limit-remaining", str(max(0, limit - self.used))),
            ("x-rate-limit-reset", str(int(self.ends) + 1)),
        )


@dataclass(slots=True)
class Doors:
    """`limit` messages are taken of an account in `window` seconds; tokens live `token_seconds`. `revoked` are lanes
    whose account took its permission back."""

    limit: int = 100_000
    window: float = 900.0
    token_seconds: int = 7_200
    revoked: set[str] = field(default_factory=set)
    renewals: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    windows: dict[str, Window] = field(default_factory=lambda: defaultdict(Window))
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    _refresh: dict[str, str] = field(default_factory=dict)
    _nonces: dict[str, None] = field(default_factory=dict)

    def lane(self, asked: Asked, *, signed_only: bool = False) -> str:
        """The lane that calls; raises `Refused`."""
        scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
        if scheme == "Bearer" and not signed_only:
            lane, ends = self._tokens.get(rest, ("", 0.0))
            if not lane or ends <= time.time() or lane in self.revoked:
                raise Refused(UNAUTHORIZED)
            return lane
        return self._signed(asked)

    def _signed(self, asked: Asked) -> str:
        given = dict(oauth1.read(asked.headers.get("authorization", "")))
        lane, signature = lane_of(given.get("oauth_consumer_key", "")), given.pop("oauth_signature", "")
        if not lane or given.get("oauth_signature_method") != "HMAC-SHA1":
            raise Refused(NOT_AUTHENTICATED)
        right = made_up(lane)
        keys = oauth1.Keys(*(right[name] for name in (
            "consumer_key", "consumer_secret", "access_token", "access_token_secret")))  # fmt: skip
        url = f"http://{asked.headers.get('host', '')}{asked.path}"
        expected = oauth1.signature(asked.method, url, [*given.items(), *asked.query.items()], keys)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise Refused(NOT_AUTHENTICATED)
        stamp = given.get("oauth_timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) - time.time()) > SKEW_SECONDS:
            raise Refused(BAD_CLOCK)
        self._once(f"{lane} {stamp} {given.get('oauth_nonce', '')}")
        if given.get("oauth_token") != right["access_token"] or lane in self.revoked:
            raise Refused(BAD_TOKEN)
        return lane

    def _once(self, nonce: str) -> None:
        if nonce in self._nonces:
            raise Refused(NOT_AUTHENTICATED)
        self._nonces[nonce] = None
        if len(self._nonces) > NONCES:
            del self._nonces[next(iter(self._nonces))]

    def count(self, lane: str) -> Window:
        """One more message in the account's window; raises `Refused` when it is used up."""
        window = self.windows[lane]
        now = time.time()
        if window.ends <= now:
            window.ends, window.used = now + self.window, 0
        window.used += 1
        if window.used > self.limit:
            raise Refused(RATE_LIMITED)
        return window

    def token(self, asked: Asked) -> Reply:
        """The token endpoint: a refresh token is good once."""
        form = dict(parse_qsl(asked.body.decode("utf-8", "replace")))
        client_id, secret = _basic(asked.headers.get("authorization", ""))
        client_id = client_id or form.get("client_id", "")
        lane = lane_of(client_id)
        if not lane or secret != made_up(lane)["client_secret"]:
            return said(
                {"error": "unauthorized_client", "error_description": "Missing valid authorization header"}, 401
            )
        current = self._refresh.get(lane) or made_up(lane)["refresh_token"]
        given = form.get("refresh_token", "")
        if form.get("grant_type") != "refresh_token" or given != current or lane in self.revoked:
            wrong = "Value passed for the token was invalid."
            return said({"error": "invalid_request", "error_description": wrong}, 400)
        access, self._refresh[lane] = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._tokens[access] = (lane, time.time() + self.token_seconds)
        self.renewals[lane].append(given)
        return said(
            {
                "token_type": "bearer", "expires_in": self.token_seconds, "access_token": access,
                "refresh_token": self._refresh[lane], "scope": "dm.write dm.read users.read offline.access",
            }
        )  # fmt: skip


def _basic(header: str) -> tuple[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(rest).decode().partition(":")
    except ValueError:
        return "", ""
    return name, secret
