"""What an app declares for real time, in `rtm`: secrets for its users' tokens, how long messages are kept, who may
connect. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from heliograph.model.channel import Peers
from heliograph.model.duration import parse_duration
from heliograph.model.workspace import App, ConnectorSpec
from heliograph.wire.jwt import secret_bytes

MEMBERS = ("tokens", "keep", "store", "origins", "mqtt")
SECRET_BYTES = 32  # RFC 7518, 3.2: a key of HS256 has at least 256 bits
SECRETS = 5
KEEP_MS = 7 * 86_400_000
LONGEST_KEEP_MS = 30 * 86_400_000
ORIGINS = 50
STAND_IN = "app_users"


class Broker(msgspec.Struct, frozen=True):
    """An MQTT broker that the app's devices are connected to; `ca` is the certificate (PEM) to trust there."""

    host: str
    port: int = 1883
    username: str = ""
    password: str = ""
    version: Literal["5", "3.1.1"] = "5"
    tls: bool = False
    ca: str = ""


class Settings(msgspec.Struct, frozen=True):
    """An app in real time. `secrets` may have signed its users' tokens; messages are kept `keep_ms` at most, for
    users who are away only with `store`; browsers connect from `origins` besides our own; `push` says that it can be
    pushed to; `wake` is the stand-in's URL, "" outside the sandbox; `mqtt` is the broker that devices use as well."""

    app: str
    secrets: tuple[bytes, ...]
    keep_ms: int
    store: bool
    origins: tuple[str, ...]
    push: bool
    wake: str
    mqtt: Broker | None = None


def options(app: App) -> dict[str, Any] | None:
    """What of an app is for real time; None when it is not for it."""
    if not app.features.rtm:
        return None
    return {"rtm": app.rtm or {}, "push": app.features.push}


def read(spec: ConnectorSpec) -> Settings:
    """The settings of a spec without faults."""
    given = spec.options.get("rtm") or {}
    return Settings(
        app=spec.name,
        secrets=tuple(secret_bytes(token["secret"]) for token in given.get("tokens", ())),
        keep_ms=_keep_ms(given.get("keep")) or KEEP_MS,
        store=given.get("store", True),
        origins=tuple(origin.rstrip("/").lower() for origin in given.get("origins", ())),
        push=bool(spec.options.get("push")),
        wake=str(spec.options.get("wake", "")),
        mqtt=msgspec.convert(given["mqtt"], Broker) if given.get("mqtt") else None,
    )


def check(spec: ConnectorSpec) -> list[str]:
    """What is wrong or missing, in sentences without secrets."""
    given = spec.options.get("rtm")
    if not isinstance(given, dict):
        return ["`rtm` is no object"]
    found = [f"`rtm.{name}` is unknown; there are {', '.join(MEMBERS)}" for name in given if name not in MEMBERS]
    found.extend(_token_faults(given.get("tokens", ())))
    if not given.get("tokens") and not spec.options.get("wake"):
        found.append("`rtm.tokens` is missing: the secrets that sign the tokens of the app's users")
    if given.get("keep") is not None and not _keep_ms(given["keep"]):
        found.append("`rtm.keep` is no time of 1s to 720h, such as 72h")
    if not isinstance(given.get("store", True), bool):
        found.append("`rtm.store` is neither true nor false")
    origins = given.get("origins", ())
    if not isinstance(origins, list | tuple) or len(origins) > ORIGINS or not all(map(_is_origin, origins)):
        found.append("`rtm.origins` is no list of origins such as https://app.example.com, or *")
    if given.get("mqtt") is not None:
        found.extend(_broker_faults(given["mqtt"]))
    return found


def _broker_faults(found: Any) -> Iterator[str]:
    names = Broker.__struct_fields__
    if isinstance(found, dict):
        yield from (
            f"`rtm.mqtt.{name}` is unknown; there are {', '.join(names)}" for name in found if name not in names
        )
    try:
        broker = msgspec.convert(found, Broker)
    except msgspec.ValidationError as error:
        yield f"`rtm.mqtt` cannot be used: {error}"
        return
    try:
        ssl.create_default_context(cadata=broker.ca or None)
    except (ssl.SSLError, ValueError):
        yield "`rtm.mqtt.ca` is no certificate in PEM"
    if not broker.host or not 0 < broker.port < 65_536:
        yield "`rtm.mqtt` has no `host`, or a `port` that is none"


def _token_faults(found: Any) -> Iterator[str]:
    if not isinstance(found, list | tuple) or len(found) > SECRETS:
        yield f"`rtm.tokens` is no list of up to {SECRETS} secrets"
        return
    for index, token in enumerate(found):
        if not isinstance(token, dict) or set(token) != {"id", "secret"}:
            yield f"`rtm.tokens[{index}]` has not `id` and `secret` alone"
        elif not isinstance(token["secret"], str) or len(secret_bytes(token["secret"])) < SECRET_BYTES:
            yield f"`rtm.tokens[{index}].secret` is no base64 of {SECRET_BYTES} bytes or more"


def _keep_ms(value: Any) -> int:
    """0 for what is no time."""
    try:
        found = parse_duration(value) * 1_000 if isinstance(value, str) else 0
    except ValueError:
        return 0
    return found if 1_000 <= found <= LONGEST_KEEP_MS else 0


def _is_origin(value: Any) -> bool:
    return value == "*" or (isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) < 256)


def sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    """The same app with simulated users: whoever is not there is asked for at the stand-in."""
    return msgspec.structs.replace(spec, options={**spec.options, "wake": peers[STAND_IN].url()})
