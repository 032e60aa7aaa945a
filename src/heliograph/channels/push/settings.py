"""How an app is set up for push: the members of `android`, `ios` and `web`, and what is wrong with a spec."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from heliograph.channels.push.far_ends.credentials import (
    BadCredential,
    Certificate,
    ProviderKey,
    ServiceAccount,
    Vapid,
    certificate,
    provider_key,
    receipt_key,
    service_account,
    vapid,
)
from heliograph.model.workspace import App, ConnectorSpec
from heliograph.wire.addresses import HttpError, parse_url

SYSTEMS = ("android", "ios", "web")
FCM_ENDPOINT = "https://fcm.googleapis.com"
APNS_ENDPOINTS = {"production": "https://api.push.apple.com", "sandbox": "https://api.sandbox.push.apple.com"}

# Apple's push types, and what each adds to the topic.
TOPIC_SUFFIXES = {
    "alert": "", "background": "", "voip": ".voip", "complication": ".complication",
    "fileprovider": ".pushkit.fileprovider", "mdm": "", "location": ".location-query",
    "liveactivity": ".push-type.liveactivity", "pushtotalk": ".voip-ptt", "widgets": ".push-type.widgets",
}  # fmt: skip

SHARED = ("receipt_secret", "allow_private", "ca")
MEMBERS: Mapping[str, tuple[str, ...]] = {
    "android": ("fcm_service_account", "endpoint", "style", "channel_id", "http", *SHARED),
    "ios": (
        "topic",
        "environment",
        "token",
        "certificate",
        "endpoint",
        "push_type",
        "try_other_environment",
        *SHARED,
    ),
    "web": ("vapid_private_key", "subject", "simulated", *SHARED),
}
"""What may stand in each object, in the order of the README; `simulated` is put there in the sandbox."""

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Reach:
    """How a far end is called: whether at private addresses too, which certificate (PEM) is trusted besides none (""
    for those of the system), and the key of receipts."""

    allow_private: bool
    ca: str
    receipt_key: bytes = field(repr=False)

    def context(self) -> ssl.SSLContext:
        """The TLS of our calls."""
        return ssl.create_default_context(cadata=self.ca or None)


@dataclass(frozen=True, slots=True)
class Android:
    """`android` of an app."""

    account: ServiceAccount
    endpoint: str
    style: str
    channel_id: str
    http: str
    reach: Reach


@dataclass(frozen=True, slots=True)
class Ios:
    """`ios` of an app: with a key for provider tokens or with a certificate. `endpoints` are tried in their order."""

    topic: str
    push_type: str
    environment: str
    endpoints: tuple[str, ...]
    token: ProviderKey | None
    certificate: Certificate | None
    reach: Reach


@dataclass(frozen=True, slots=True)
class Web:
    """`web` of an app. `simulated` is the subscription of simulated browsers (in the sandbox)."""

    vapid: Vapid
    simulated: Mapping[str, Any]
    reach: Reach


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked spec."""

    name: str
    android: Android | None
    ios: Ios | None
    web: Web | None
    sandbox: bool = False

    def systems(self) -> tuple[str, ...]:
        """What the app runs on."""
        return tuple(system for system in SYSTEMS if getattr(self, system) is not None)

    def reach_of(self, system: str) -> Reach | None:
        """How the far end of a system is called; None where the app is not for it."""
        part = {"android": self.android, "ios": self.ios, "web": self.web}.get(system)
        return part.reach if part else None


def options(app: App) -> dict[str, Any] | None:
    """What of an app is for push; None when nothing is."""
    given = {system: value for system in SYSTEMS if (value := getattr(app, system)) is not None}
    if not given and not app.features.push:
        return None
    return {**given, "features": {"push": app.features.push}}


def check(spec: ConnectorSpec) -> list[str]:
    """What is wrong or missing in a spec, in sentences without secrets; empty when it can be used."""
    given = [system for system in SYSTEMS if spec.options.get(system) is not None]
    if not given:
        return ["neither `android`, `ios` nor `web` is there"]
    return [fault for system in given for fault in _faults(system, spec.options[system])]


def _faults(system: str, found: Any) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"`{system}` is no object"
        return
    for name in found:
        if name not in MEMBERS[system]:
            yield f"`{system}.{name}` is unknown; there are {', '.join(MEMBERS[system])}"
    try:
        _READ[system](found)
    except BadCredential as error:
        yield f"`{system}`: {error}"


def read(spec: ConnectorSpec) -> Settings:
    """The settings of a spec that `check` found nothing wrong with."""
    found = spec.options
    return Settings(
        spec.name,
        _part(found, "android", read_android),
        _part(found, "ios", read_ios),
        _part(found, "web", read_web),
        found.get("sandbox") is True,
    )


def _part(found: Mapping[str, Any], system: str, reading: Callable[[Mapping[str, Any]], Part]) -> Part | None:
    given = found.get(system)
    return None if given is None else reading(given)


def read_android(found: Mapping[str, Any]) -> Android:
    """`android`; raises `BadCredential`, as the next two do."""
    try:
        account = service_account(found.get("fcm_service_account"))
    except BadCredential as error:
        raise BadCredential(f"`fcm_service_account` {error}") from None
    endpoint = _url(found, "endpoint", FCM_ENDPOINT)
    if not account.token_uri.startswith(("https://", "http://")):
        raise BadCredential("`fcm_service_account`: its `token_uri` is no URL")
    style = _choice(found, "style", ("notification", "data"))
    usual = "2" if endpoint.startswith("https:") else "1.1"
    http = str(found.get("http") or usual)
    if http not in ("1.1", "2"):
        raise BadCredential("`http` must be 1.1 or 2")
    secret = str(found.get("receipt_secret") or account.identity)
    return Android(account, endpoint, style, str(found.get("channel_id") or ""), http, _reach(found, secret))


def read_ios(found: Mapping[str, Any]) -> Ios:
    """`ios`."""
    token = _credential(found, "token", provider_key)
    shown = _credential(found, "certificate", certificate)
    if (token is None) == (shown is None):
        raise BadCredential("either `token` or `certificate` must be there")
    topic = str(found.get("topic") or (shown.topic if shown else ""))
    if not topic:
        raise BadCredential("`topic` is missing: the bundle id of the app")
    environment = _choice(found, "environment", tuple(APNS_ENDPOINTS))
    endpoints = [_url(found, "endpoint", APNS_ENDPOINTS[environment])]
    if found.get("try_other_environment"):
        endpoints += [url for url in APNS_ENDPOINTS.values() if url not in endpoints and not found.get("endpoint")]
    if not endpoints[0].startswith("https:"):
        raise BadCredential("`endpoint` must be https: APNs is HTTP/2 over TLS")
    push_type = _choice(found, "push_type", tuple(TOPIC_SUFFIXES))
    secret = str(found.get("receipt_secret") or (token.identity if token else shown.pem if shown else ""))
    return Ios(topic, push_type, environment, tuple(endpoints), token, shown, _reach(found, secret))


def read_web(found: Mapping[str, Any]) -> Web:
    """`web`."""
    key = vapid(found.get("vapid_private_key"), found.get("subject"))
    secret = str(found.get("receipt_secret") or found.get("vapid_private_key"))
    simulated = found.get("simulated") or {}
    return Web(key, simulated, _reach(found, secret))


_READ: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "android": read_android, "ios": read_ios, "web": read_web,
}  # fmt: skip


def _credential(found: Mapping[str, Any], name: str, reading: Callable[[object], Part]) -> Part | None:
    given = found.get(name)
    if given is None:
        return None
    try:
        return reading(given)
    except BadCredential as error:
        raise BadCredential(f"`{name}` {error}") from None


def _choice(found: Mapping[str, Any], name: str, values: tuple[str, ...]) -> str:
    value = found.get(name) or values[0]
    if value not in values:
        raise BadCredential(f"`{name}` must be one of {', '.join(values)}")
    return str(value)


def _url(found: Mapping[str, Any], name: str, default: str) -> str:
    value = str(found.get(name) or default).rstrip("/")
    try:
        parse_url(value)
    except HttpError as error:
        raise BadCredential(f"`{name}`: {error.detail}") from None
    return value


def _reach(found: Mapping[str, Any], secret: str) -> Reach:
    private, ca = found.get("allow_private", False), found.get("ca") or ""
    if not isinstance(private, bool):
        raise BadCredential("`allow_private` must be true or false")
    if ca:
        try:
            ssl.create_default_context(cadata=str(ca))
        except (ssl.SSLError, ValueError):
            raise BadCredential("`ca` is no certificate in PEM") from None
    return Reach(private, str(ca), receipt_key(secret))
