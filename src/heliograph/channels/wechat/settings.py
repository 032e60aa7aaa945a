"""What an official account needs to be sent from, and how it points at the simulator in a sandbox."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

import msgspec

from heliograph.model.channel import Peers
from heliograph.model.workspace import ConnectorSpec

KIND = "wechat"
PEER = "wechat"
ENDPOINT = "https://api.weixin.qq.com"
SECOND_ENDPOINT = "https://api2.weixin.qq.com"
TIMEOUT = 10.0
FAST_TIMEOUT = 2.0
AES_KEY_CHARACTERS = 43
KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Account:
    """The official account as its app declares it.

    `token` proves WeChat's calls to us; `encoding_aes_key` reads them in safe mode, which holds unless `callbacks` is
    `plain`. `second_endpoint` is asked when the first cannot be reached. The limits are bytes of an upload, `timeout`
    seconds.
    """

    appid: str = ""
    secret: str = ""
    token: str = ""
    encoding_aes_key: str = ""
    callbacks: str = ""
    endpoint: str = ENDPOINT
    second_endpoint: str = ""
    image_limit: int = 10 * MIB
    voice_limit: int = 2 * MIB
    video_limit: int = 10 * MIB
    thumb_limit: int = 64 * KIB
    timeout: float = TIMEOUT
    allow_private: bool = False

    @property
    def safe(self) -> bool:
        """Whether WeChat's calls are encrypted; those that are not are refused then."""
        return bool(self.encoding_aes_key) and self.callbacks != "plain"

    @property
    def aes_key(self) -> bytes:
        """The 32 bytes of the key."""
        return base64.b64decode(self.encoding_aes_key + "=")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Where it may be asked, best first."""
        second = self.second_endpoint or (SECOND_ENDPOINT if self.endpoint == ENDPOINT else "")
        return tuple(one.rstrip("/") for one in (self.endpoint, second) if one)


_OF_THE_LANE: dict[str, type] = {"window": int, "throughput": float}  # see `AppUse`
_OF_THE_ACCOUNT: dict[str, type] = {item.name: type(item.default) for item in fields(Account)}
_KINDS = _OF_THE_ACCOUNT | _OF_THE_LANE


def account_of(spec: ConnectorSpec) -> Account:
    """The account of a spec without faults."""
    kinds = _OF_THE_ACCOUNT
    return Account(**{name: kinds[name](value) for name, value in spec.options.items() if name in kinds})


def check(spec: ConnectorSpec) -> list[str]:
    """Sentences about what is missing or wrong."""
    options = spec.options
    faults = [f"{name!r} is no setting of a WeChat account" for name in options if name not in _KINDS]
    faults += [f"{name!r} must be {_word(name)}" for name, value in options.items() if not _fits(name, value)]
    if faults:
        return faults
    account = account_of(spec)
    faults += [f"{name!r} is missing" for name in ("appid", "secret") if not options.get(name)]
    faults += [f"{url!r} is no http or https URL" for url in account.endpoints if not _is_url(url)]
    if account.callbacks not in ("", "safe", "plain"):
        faults.append("'callbacks' must be safe or plain")
    if account.callbacks == "safe" and not account.encoding_aes_key:
        faults.append("'encoding_aes_key' is missing, which safe mode needs")
    if account.encoding_aes_key and not _is_key(account.encoding_aes_key):
        faults.append(f"'encoding_aes_key' must be {AES_KEY_CHARACTERS} letters and digits, as WeChat shows it")
    return faults


def _is_key(text: str) -> bool:
    return len(text) == AES_KEY_CHARACTERS and text.isascii() and text.isalnum()


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _fits(name: str, value: Any) -> bool:
    kind = _KINDS.get(name)
    if kind is float or kind is int:
        return isinstance(value, int | kind) and not isinstance(value, bool) and value > 0
    return kind is None or isinstance(value, kind)


def _word(name: str) -> str:
    words = {int: "a whole number above 0", float: "a number above 0", bool: "true or false"}
    return words.get(_KINDS[name], "text")


def sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    """The same account at the simulator. Its own credentials stay at home: the simulator takes made-up ones. Limits
    and the mode of callbacks are kept."""
    plain = spec.options.get("callbacks") == "plain"
    limits = {name: value for name, value in spec.options.items() if name.endswith("_limit")}
    options = {"endpoint": peers[PEER].url(), "allow_private": True, **limits, **made_up(lane, plain=plain)}
    return msgspec.structs.replace(spec, options=options)


def made_up(lane: str, *, plain: bool = False) -> dict[str, str]:
    """The credentials of a lane in the sandbox, each of which leads back to the lane."""
    name = base64.urlsafe_b64encode(lane.encode()).decode().rstrip("=")
    made = {
        "appid": f"{'simplain' if plain else 'sim'}.{name}",
        "secret": _derived("secret", lane),
        "token": _derived("token", lane),
        "callbacks": "plain" if plain else "safe",
    }
    return made if plain else made | {"encoding_aes_key": _derived("key", lane) + _derived("more", lane)[:11]}


def lane_of(appid: str) -> tuple[str, bool]:
    """The lane of a made-up appid and whether its callbacks are plain; `("", False)` for any other."""
    prefix, _, name = appid.partition(".")
    if prefix not in ("sim", "simplain"):
        return "", False
    try:
        return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode(), prefix == "simplain"
    except ValueError:
        return "", False


def _derived(what: str, lane: str) -> str:
    return hashlib.sha256(f"simulated {what} of {lane}".encode()).hexdigest()[:32]
