"""How a call to X says for whom it speaks: signed by OAuth 1.0a, or with a token of OAuth 2 that is renewed."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from heliograph.catalogue import keys
from heliograph.channels.twitter import oauth1
from heliograph.channels.twitter.settings import Account
from heliograph.model.channel import Token, Tools
from heliograph.model.outcome import SendError
from heliograph.wire.http import Answer, Client, HttpError
from heliograph.wire.sending import CredentialsRefused, Unreachable

EARLY_SECONDS = 60  # before its end a token is replaced
LIFE_SECONDS = 7_200  # of an access token that does not say
TOKEN_PATH = "/2/oauth2/token"  # noqa: S105 - a path

# RFC 6749, 5.2: errors that say the app itself is not known; all others are about the user's grant.
_OF_THE_APP = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})


class Authorization(NamedTuple):
    """A header, and the token in it where another may take its place."""

    header: str
    token: str = ""


class Signed:
    """Keys that never expire: every call is signed anew."""

    name = "OAuth 1.0a"

    def __init__(self, account: Account, tools: Tools) -> None:
        self._keys = oauth1.Keys(
            account.consumer_key, account.consumer_secret, account.access_token, account.access_token_secret
        )
        self._clock_ms = tools.clock_ms

    async def authorize(self, method: str, url: str, refused: str = "") -> Authorization:
        """The header of a call."""
        second = self._clock_ms() // 1000
        return Authorization(
            oauth1.authorization(method, url, self._keys, nonce=secrets.token_hex(16), timestamp=second)
        )

    def status(self) -> dict[str, Any]:
        """For people."""
        return {"authorization": self.name}


class Bearer:
    """A token of two hours and a refresh token that is good once: what was handed out last is used next."""

    name = "OAuth 2"

    def __init__(self, account: Account, tools: Tools, client: Client) -> None:
        self._account = account
        self._tokens = tools.tokens
        self._clock_ms = tools.clock_ms
        self._client = client
        # Another refresh token in the workspace begins another chain.
        mark = hashlib.sha256(account.refresh_token.encode()).hexdigest()[:16]
        self._name = f"x/{tools.lane}/{mark}"
        self._ends_ms = 0

    async def authorize(self, method: str, url: str, refused: str = "") -> Authorization:
        """The header of a call; a token that was `refused` is not used again. Raises `CredentialsRefused` and
        `Unreachable`."""
        token = await self._tokens.get(self._name, self._renewed, refused=refused)
        self._ends_ms = token.expires_ms
        return Authorization(f"Bearer {token.value}", token.value)

    def status(self) -> dict[str, Any]:
        """For people."""
        return {"authorization": self.name, "token_ends_ms": self._ends_ms}

    async def _renewed(self, before: Token | None) -> Token:
        refresh = before.refresh if before is not None and before.refresh else self._account.refresh_token
        form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": self._account.client_id}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if self._account.client_secret:
            pair = f"{self._account.client_id}:{self._account.client_secret}".encode()
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        try:
            answer = await self._client.request(
                "POST", self._account.endpoint + TOKEN_PATH, headers, urlencode(form).encode(),
                self._account.timeout, self._account.allow_private,
            )  # fmt: skip
        except HttpError as error:
            raise Unreachable(_later(error.kind, f"the token was not renewed: {error.detail}")) from error
        return self._token(answer, refresh)

    def _token(self, answer: Answer, refresh: str) -> Token:
        if answer.status == 429 or answer.status >= 500:
            raise Unreachable(_later(str(answer.status), "the token was not renewed"))
        try:
            granted = msgspec.json.decode(answer.body, type=_Granted)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unreachable(_later(str(answer.status), "the answer to renewing the token is unreadable")) from None
        if answer.status >= 400 or not granted.access_token:
            key = keys.INVALID_APP_CREDENTIALS if granted.error in _OF_THE_APP else keys.INVALID_USER_CREDENTIALS
            detail = granted.error_description or "the token was not renewed"
            raise CredentialsRefused(SendError(key, "late", granted.error or str(answer.status), detail))
        seconds = max(0, (granted.expires_in or LIFE_SECONDS) - EARLY_SECONDS)
        ends = self._clock_ms() + seconds * 1000
        return Token(granted.access_token, ends, granted.refresh_token or refresh)


class _Granted(msgspec.Struct, frozen=True):
    """RFC 6749, 5.1 and 5.2."""

    access_token: str = ""
    refresh_token: str = ""
    expires_in: int = 0
    error: str = ""
    error_description: str = ""


def _later(code: str, detail: str) -> SendError:
    return SendError(keys.ENDPOINT_UNREACHABLE, "soon", code, detail)
