"""Whom the simulator of WeChat lets in: it hands out access tokens, lets them run out, and keeps uploads."""

from __future__ import annotations

import secrets
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

import msgspec

from heliograph.channels.wechat.settings import lane_of, made_up
from heliograph.channels.wechat.simulated.plans import TEXTS
from heliograph.wire.plain_asgi import Asked, Reply, said

OVERLAP_SECONDS = 300  # a replaced token lives on so long
FORCED_A_DAY, FORCED_APART = 20, 30.0
MEDIA_SECONDS = 3 * 86_400
GIVEN = "MEDIA"  # ids that begin so stand for uploads made elsewhere


class Refused(Exception):
    """The caller is not let in, or not with this; `errcode` is the answer."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode)
        self.errcode = errcode


class _Wanted(msgspec.Struct, frozen=True):
    grant_type: str = ""
    appid: str = ""
    secret: str = ""
    force_refresh: bool = False


@dataclass(slots=True)
class Doors:
    """`token_seconds` is how long an access token lives, `refused` lists appids whose secret was changed. `forced`
    holds the times of forced renewals by appid."""

    token_seconds: int = 7_200
    refused: set[str] = field(default_factory=set)
    forced: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=FORCED_A_DAY)))
    handed_out: int = 0
    _newest: dict[str, str] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    _media: dict[str, tuple[str, str, float]] = field(default_factory=dict)

    def token(self, asked: Asked) -> Reply:
        """`/cgi-bin/stable_token`."""
        try:
            wanted = msgspec.json.decode(asked.body, type=_Wanted)
        except msgspec.DecodeError:
            raise Refused(47001) from None
        self._check(wanted)
        now = time.time()
        value = self._newest.get(wanted.appid, "")
        ends = self._tokens.get(value, ("", 0.0))[1]
        forced = self.forced[wanted.appid]
        if wanted.force_refresh and (not forced or now - forced[-1] >= FORCED_APART):
            if len(forced) == FORCED_A_DAY and now - forced[0] < 86_400:
                raise Refused(45009)
            forced.append(now)
            self._tokens.pop(value, None)
            ends = 0.0
        if ends - now < min(OVERLAP_SECONDS, self.token_seconds / 2):
            value, ends = f"sim-{secrets.token_urlsafe(48)}", now + self.token_seconds
            self._newest[wanted.appid] = value
            self._tokens[value] = (wanted.appid, ends)
            self.handed_out += 1
        return said({"access_token": value, "expires_in": int(ends - now)})

    def _check(self, wanted: _Wanted) -> None:
        if wanted.grant_type != "client_credential":
            raise Refused(40002)
        if not wanted.appid:
            raise Refused(41002)
        if not wanted.secret:
            raise Refused(41004)
        lane, _ = lane_of(wanted.appid)
        if not lane:
            raise Refused(40013)
        if wanted.secret != made_up(lane)["secret"] or wanted.appid in self.refused:
            raise Refused(40125)

    def appid(self, asked: Asked) -> str:
        """Whose access token it is; raises `Refused`."""
        value = asked.query.get("access_token", "")
        if not value:
            raise Refused(41001)
        appid, ends = self._tokens.get(value, ("", 0.0))
        if not appid or appid in self.refused:
            raise Refused(40001)
        if ends <= time.time():
            raise Refused(42001)
        return appid

    def expire(self, appid: str) -> None:
        """The newest token of an account is worth nothing from now on."""
        self._tokens.pop(self._newest.get(appid, ""), None)

    def keep(self, appid: str, kind: str) -> str:
        """An upload's id."""
        identity = f"sim-{secrets.token_urlsafe(24)}"
        self._media[identity] = (appid, kind, time.time() + MEDIA_SECONDS)
        return identity

    def lose(self) -> None:
        """Every upload is forgotten, as after three days."""
        self._media.clear()

    def knows(self, appid: str, identity: str) -> bool:
        """Whether the account has such an upload."""
        owner, _, ends = self._media.get(identity, ("", "", 0.0))
        return identity.startswith(GIVEN) or (owner == appid and ends > time.time())


def fault(errcode: int) -> Reply:
    """How WeChat says no: with 200."""
    return said({"errcode": errcode, "errmsg": f"{TEXTS.get(errcode, f'fault {errcode}')} rid: simulated"})
