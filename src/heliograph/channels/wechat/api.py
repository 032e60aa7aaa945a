"""Calls to WeChat with an access token that all users of the account share, renewed when WeChat wants another."""

from __future__ import annotations

import hashlib
from collections import deque
from functools import partial
from typing import Any, NamedTuple

import msgspec

from heliograph.channels.wechat import outcomes
from heliograph.channels.wechat.settings import Account
from heliograph.model.channel import Token, Tools
from heliograph.model.outcome import SendError
from heliograph.wire import natives
from heliograph.wire.http import Answer, Client, HttpError
from heliograph.wire.sending import CredentialsRefused, Unreachable

TOKEN_PATH = "/cgi-bin/stable_token"  # noqa: S105 - a path
KNOWN_PATH = "/cgi-bin/getcallbackip"  # the cheapest call that needs a token
JSON = "application/json; charset=utf-8"
RENEW, ERROR = "renew", "error"
EARLY_SECONDS = 300  # WeChat has the next token ready so long before the end of one, and takes both
LIFE_SECONDS = 7_200

UNREADABLE = -2
"""Our number for an answer that cannot be read."""
GATEWAY_TIMEOUT = 504
DOWN, NO_ANSWER = outcomes.TABLE["status", "5xx"], outcomes.TABLE["status", "no answer"]

FORCED_A_DAY, FORCED_APART_MS, DAY_MS = 20, 30_000, 86_400_000


class Reply(NamedTuple):
    """What WeChat answered: 0 and its text, or the number of the fault; the rest of it; the exchange as it went."""

    errcode: int
    errmsg: str
    found: dict[str, Any]
    native: tuple[bytes, ...] = ()


class TokenRefused(Exception):
    """WeChat gives no access token; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.errcode)
        self.reply = reply


class Forced:
    """Forced renewals: at most 20 a day, half a minute apart. Times are Unix milliseconds."""

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=FORCED_A_DAY)

    def take(self, now_ms: int) -> bool:
        """Whether the token may be forced to change now; a yes counts."""
        if self._times and now_ms - self._times[-1] < FORCED_APART_MS:
            return False
        if len(self._times) == FORCED_A_DAY and now_ms - self._times[0] < DAY_MS:
            return False
        self._times.append(now_ms)
        return True


class Api:
    """One account's calls. What WeChat does not answer, or answers with a 5xx, is `Unreachable`."""

    def __init__(self, account: Account, tools: Tools, client: Client, timeout: float) -> None:
        self._account = account
        self._tools = tools
        self._client = client
        self._timeout = timeout
        self._forced = Forced()
        # One token for all lanes of the account; another secret begins anew.
        mark = hashlib.sha256(f"{account.secret} {account.endpoint}".encode()).hexdigest()[:16]
        self._name = f"wechat/{account.appid}/{mark}"
        self.token_ends_ms = 0

    async def call(
        self, path: str, body: bytes, *, safe: bool = False, media_type: str = JSON, more: str = ""
    ) -> Reply:
        """Post to a path, or get it where there is no body; `more` is the rest of the query. `safe` says that it may
        arrive twice. A token that WeChat refuses is renewed once."""
        refused, reply = "", None
        while True:
            try:
                token = await self._token(refused)
            except TokenRefused as error:
                return error.reply
            if reply is not None and token.value == refused:  # it cannot be forced to change again yet
                return reply
            url = f"{path}?access_token={token.value}{more}"
            answer, native = await self._asked("POST" if body else "GET", url, body, media_type, safe=safe)
            reply = _read(answer, native)
            if not reply.errcode or outcomes.of_errcode(reply.errcode).action != RENEW or refused:
                return reply
            refused = token.value

    async def known(self) -> None:
        """Whether WeChat takes the account; raises `CredentialsRefused` when not."""
        reply = await self.call(KNOWN_PATH, b"", safe=True)
        outcome = outcomes.of_errcode(reply.errcode)
        if reply.errcode and outcome.action in (RENEW, ERROR):
            raise CredentialsRefused(SendError(outcome.key, outcome.retry, str(reply.errcode), reply.errmsg))

    async def _token(self, refused: str) -> Token:
        token = await self._tools.tokens.get(self._name, partial(self._fetched, refused), refused=refused)
        self.token_ends_ms = token.expires_ms
        return token

    async def _fetched(self, refused: str, before: Token | None) -> Token:
        """Another token: the next one, or by force when the present one was refused."""
        force = bool(refused) and before is not None and before.value == refused
        if force and before is not None and not self._forced.take(self._tools.clock_ms()):
            return before
        wanted = {
            "grant_type": "client_credential", "appid": self._account.appid, "secret": self._account.secret,
            "force_refresh": force,
        }  # fmt: skip
        answer, _ = await self._asked("POST", TOKEN_PATH, msgspec.json.encode(wanted), JSON, safe=True)
        reply = _read(answer, ())
        value = reply.found.get("access_token")
        if reply.errcode or not isinstance(value, str) or not value:
            raise TokenRefused(reply)
        seconds = reply.found.get("expires_in")
        seconds = seconds if isinstance(seconds, int) and seconds > 0 else LIFE_SECONDS
        lasts_ms = (seconds - min(EARLY_SECONDS, seconds // 2)) * 1000
        return Token(value, self._tools.clock_ms() + lasts_ms)

    async def _asked(
        self, method: str, path: str, body: bytes, media_type: str, *, safe: bool
    ) -> tuple[Answer, tuple[bytes, ...]]:
        """The answer of the first endpoint that can be reached, and the exchange."""
        native = natives.asked(method, path, body if media_type == JSON else b"")  # files are not kept
        *others, last = self._account.endpoints
        for endpoint in (*others, last):
            try:
                answer = await self._client.request(
                    method, endpoint + path, {"content-type": media_type}, body, self._timeout,
                    self._account.allow_private, once=not safe,
                )  # fmt: skip
            except HttpError as error:
                if not error.written and endpoint != last:
                    continue
                key, retry = NO_ANSWER.key, NO_ANSWER.retry if error.written and not safe else DOWN.retry
                raise Unreachable(SendError(key, retry, error.kind, error.detail, (native,))) from error
            exchange = (native, natives.answered(answer))
            if answer.status >= 500:
                retry = NO_ANSWER.retry if answer.status == GATEWAY_TIMEOUT and not safe else DOWN.retry
                raise Unreachable(SendError(DOWN.key, retry, str(answer.status), "WeChat is not up", exchange))
            return answer, exchange
        raise LookupError("the account has no endpoint")


def _read(answer: Answer, native: tuple[bytes, ...]) -> Reply:
    """An answer as it is meant: WeChat says 200 for faults, too."""
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        errcode = answer.status if answer.status >= 400 else UNREADABLE
        return Reply(errcode, f"HTTP {answer.status} and no JSON object", {}, native)
    errcode = found.get("errcode", 0)
    return Reply(errcode if isinstance(errcode, int) else UNREADABLE, str(found.get("errmsg") or ""), found, native)
