"""The kinds of app profiles: what each must have, and what its attributes say of how its user is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from heliograph.catalogue import keys
from heliograph.model.workspace import App

Scalar = str | int | float | bool
"""A value of an attribute."""

STATUS, VERIFIED, TIMEZONE, LOCALE = "status", "verified", "timezone", "locale"
USER, DEVICE, RTM, TOKEN, SYSTEM = "userId", "deviceId", "rtmId", "pushId", "os"
USER_TOKENS = ("access_token", "access_token_expiry", "access_token_secret")
SECRETS = frozenset({"access_token", "access_token_secret"})
"""Attributes that are sealed where they are kept and never shown again."""


@dataclass(frozen=True, slots=True)
class Needed:
    """A member that must be there, and the refusal where it is not."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class AppKind:
    """A kind of app profile. `create` and `update` are needed, in this order; `identity` is the member that tells its
    users apart ("": users with devices); `address` is what destinations call it; `aliases` are other names of
    members, in small letters."""

    channel: str
    create: tuple[Needed, ...]
    update: tuple[Needed, ...]
    identity: str = ""
    address: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)


_PSID = Needed("psid", keys.PSID_MISSING)
_TWITTER_ID = Needed("twitter_user_id", keys.TWITTER_USER_ID_MISSING)
_WECHAT_ID = Needed("wechat_user_id", keys.WECHAT_USER_ID_MISSING)
_RTM_ID = Needed(RTM, keys.RTM_ID_MISSING)
_ACCESS_TOKEN = Needed("access_token", keys.ACCESS_TOKEN_MISSING)

MESSENGER = AppKind(
    "fb",
    (_ACCESS_TOKEN, Needed("access_token_expiry", keys.ACCESS_TOKEN_EXPIRY_MISSING), _PSID),
    (_PSID,),
    identity="psid",
    address="psid",
    aliases={"fbid": "psid"},
)
TWITTER = AppKind(
    "twitter",
    (
        _ACCESS_TOKEN,
        Needed("access_token_secret", keys.ACCESS_TOKEN_SECRET_MISSING),
        Needed("screenName", keys.SCREEN_NAME_MISSING),
        _TWITTER_ID,
    ),
    (_TWITTER_ID,),
    identity="twitter_user_id",
    address="twitterid",
    aliases={"twitterid": "twitter_user_id", "twitter_handle": "screenName"},
)
WECHAT = AppKind(
    "wechat",
    (_WECHAT_ID,),
    (_WECHAT_ID,),
    identity="wechat_user_id",
    address="wechatid",
    aliases={"wechatid": "wechat_user_id", "openid": "wechat_user_id"},
)
DEVICES = AppKind(
    "rt",
    (
        Needed("connectStatus", keys.CONNECT_STATUS_MISSING),
        Needed(DEVICE, keys.DEVICE_ID_MISSING),
        _RTM_ID,
    ),
    (_RTM_ID,),
    address="userid",
)


def kind_of(app: App) -> AppKind | None:
    """What profiles an app has; None where it has none, which is 7018."""
    if app.messenger is not None:
        return MESSENGER
    if app.twitter is not None:
        return TWITTER
    if app.wechat is not None:
        return WECHAT
    features = app.features
    mobile = features.push or features.rtm or any(one is not None for one in (app.android, app.ios, app.web))
    return DEVICES if mobile else None


_SYSTEMS = {
    "android": "android", "ios": "ios", "iphone os": "ios", "iphone": "ios", "ipados": "ios", "ipad": "ios",
    "web": "web", "browser": "web", "chrome": "web", "firefox": "web", "safari": "web", "edge": "web",
}  # fmt: skip


def system_of(attributes: Mapping[str, Scalar]) -> str:
    """What the app runs on, by its attribute `os`: android, ios or web; "" where it is empty or unknown."""
    given = str(attributes.get(SYSTEM, "")).strip().lower()
    return _SYSTEMS.get(given) or _SYSTEMS.get(given.split(" ")[0], "")
