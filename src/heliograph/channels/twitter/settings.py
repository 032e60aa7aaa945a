"""What an X account needs to be sent from, and how it points at the simulator in a sandbox."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

import msgspec

from heliograph.model.channel import Peers
from heliograph.model.workspace import ConnectorSpec

KIND = "x"
PEER = "x"
ENDPOINT = "https://api.x.com"
TIMEOUT = 10.0
FAST_TIMEOUT = 2.0

_SIGNED = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_BEARER = ("client_id", "refresh_token")


@dataclass(frozen=True, slots=True)
class Account:
    """The account as its app declares it. With `client_id` it speaks by OAuth 2 tokens, else it signs by OAuth 1.0a;
    `consumer_secret` also proves X's calls to us. `user_id` is the account's own number, `timeout` seconds."""

    endpoint: str = ENDPOINT
    consumer_key: str = ""
    consumer_secret: str = ""
    access_token: str = ""
    access_token_secret: str = ""
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    user_id: str = ""
    timeout: float = TIMEOUT
    allow_private: bool = False

    @property
    def bearer(self) -> bool:
        """Whether it speaks by OAuth 2 tokens."""
        return bool(self.client_id)

    @property
    def own_id(self) -> str:
        """The account's number where it is known: an OAuth 1.0a access token begins with it."""
        number, dash, _ = self.access_token.partition("-")
        return self.user_id or (number if dash and number.isascii() and number.isdigit() else "")


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
    faults = [f"{name!r} is no setting of an X account" for name in options if name not in _KINDS]
    faults += [f"{name!r} must be {_word(name)}" for name, value in options.items() if not _fits(name, value)]
    if faults:
        return faults
    wanted = _BEARER if options.get("client_id") else _SIGNED
    faults += [f"{name!r} is missing" for name in wanted if not options.get(name)]
    endpoint = urlsplit(str(options.get("endpoint", ENDPOINT)))
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname:
        faults.append("'endpoint' must be an http or https URL")
    return faults


def _fits(name: str, value: Any) -> bool:
    kind = _KINDS.get(name)
    if kind is float or kind is int:
        return isinstance(value, int | kind) and not isinstance(value, bool) and value > 0
    return kind is None or isinstance(value, kind)


def _word(name: str) -> str:
    words = {int: "a whole number above 0", float: "a number above 0", bool: "true or false"}
    return words.get(_KINDS[name], "text")


def sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    """The same account at the simulator. Its own credentials stay at home: the simulator takes made-up ones."""
    bearer = bool(spec.options.get("client_id"))
    made = made_up(lane)
    names = ("client_id", "client_secret", "refresh_token", "consumer_secret", "user_id") if bearer else _SIGNED
    options = {"endpoint": peers[PEER].url(), "allow_private": True, **{name: made[name] for name in names}}
    return msgspec.structs.replace(spec, options=options)


def made_up(lane: str) -> dict[str, str]:
    """The credentials of a lane in the sandbox, each of which leads back to the lane."""
    name = base64.urlsafe_b64encode(lane.encode()).decode().rstrip("=")
    user_id = str(10**14 + int(_derived("user", lane)[:11], 16))
    return {
        "consumer_key": f"sim.{name}",
        "consumer_secret": _derived("consumer secret", lane),
        "access_token": f"{user_id}-sim.{name}",
        "access_token_secret": _derived("access token secret", lane),
        "client_id": f"sim.{name}",
        "client_secret": _derived("client secret", lane),
        "refresh_token": _derived("refresh token", lane),
        "user_id": user_id,
    }


def lane_of(consumer_key: str) -> str:
    """The lane of a made-up consumer key or client id; "" for any other."""
    prefix, _, name = consumer_key.partition(".")
    if prefix != "sim":
        return ""
    try:
        return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    except ValueError:
        return ""


def _derived(what: str, lane: str) -> str:
    return hashlib.sha256(f"simulated {what} of {lane}".encode()).hexdigest()[:40]
