"""How a SIP connector is set up: every setting and option, its default, and what is wrong with a spec."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from heliograph.model.channel import Peers
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.rtp.g711 import PCMA, PCMU
from heliograph.wire.sip.digest import Credentials
from heliograph.wire.sip.headers import PORTS

Check = Callable[[Any], str]

MAX_WINDOW = 1_000
HOSTS_MOST = 8
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")
_USER = re.compile(r"[!-~]{1,128}")


class Place(NamedTuple):
    """A host of the trunk, by name or address, and its port."""

    host: str
    port: int


class Option(NamedTuple):
    """One member of `options`: its default, and a check that gives what the value must be, or ""."""

    default: Any
    check: Check


def place_of(text: str, port: int) -> Place | None:
    """`host`, `host:port`, `[v6]:port` or an IPv6 address; None when it is none of them."""
    host, shown = text, ""
    if text.startswith("["):
        host, _, shown = text[1:].partition("]")
        shown = shown.removeprefix(":")
    elif text.count(":") == 1:
        host, _, shown = text.partition(":")
    if shown and not (shown.isascii() and shown.isdigit() and 0 < int(shown) <= 65_535):
        return None
    bracketed = text.startswith("[")
    if not (_is_address(host) if bracketed or ":" in host else _HOST.fullmatch(host)):
        return None
    return Place(host, int(shown) if shown else port)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _choice(*values: str) -> Check:
    sentence = f"must be one of {', '.join(values)}"
    return lambda value: "" if value in values else sentence


def _number(low: float, high: float) -> Check:
    sentence = f"must be a number from {low:g} to {high:g}"
    return lambda value: "" if type(value) in (int, float) and low <= value <= high else sentence


def _whole(low: int, high: int) -> Check:
    sentence = f"must be a whole number from {low} to {high}"
    return lambda value: "" if type(value) is int and low <= value <= high else sentence


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _matching(pattern: str, sentence: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: "" if isinstance(value, str) and compiled.fullmatch(value) else sentence


def _address(value: Any) -> str:
    return "" if value == "" or (isinstance(value, str) and _is_address(value)) else "must be an IP address"


def _file(value: Any) -> str:
    return "" if value == "" or (isinstance(value, str) and Path(value).is_file()) else "must name a readable file"


def _hosts(value: Any) -> str:
    if not isinstance(value, list | tuple) or len(value) > HOSTS_MOST:
        return f"must be a list of {HOSTS_MOST} hosts at most"
    wrong = [item for item in value if not isinstance(item, str) or place_of(item, 1) is None]
    return f"{wrong[0]!r} is no `host` or `host:port`" if wrong else ""


def _codecs(value: Any) -> str:
    known = [PCMU, PCMA]
    right = isinstance(value, list | tuple) and value and all(item in known for item in value)
    return "" if right and len(set(value)) == len(value) else f"must be a list of {' and '.join(known)}, best first"


def _ports(value: Any) -> str:
    try:
        low, high = port_range(value)
    except (ValueError, AttributeError):
        return "must be two ports such as 16384-32767"
    return "" if (low, high) == (0, 0) or 1024 <= low < high <= 65_535 else "must lie within 1024-65535"


def port_range(text: str) -> tuple[int, int]:
    """`low-high` as numbers, `(0, 0)` for an empty text. Raises ValueError."""
    if text == "":
        return 0, 0
    low, _, high = text.partition("-")
    return int(low), int(high)


OPTIONS: dict[str, Option] = {
    "transport": Option("udp", _choice("udp", "tcp")),
    "hosts": Option((), _hosts),
    "domain": Option("", _matching(r"|[A-Za-z0-9.:\[\]-]{1,255}", "must be a host name or an address")),
    "asserted_identity": Option(False, _flag),
    "prefix": Option("", _matching(r"[0-9+*#]{0,16}", "must be digits, +, * and #")),
    "codecs": Option((PCMA, PCMU), _codecs),
    "ring_limit": Option(45, _number(1, 300)),
    "setup_limit": Option(180, _number(1, 600)),
    "response_timeout": Option(32, _number(0.5, 32)),
    "longest_call": Option(600, _number(1, 14_400)),
    "min_play": Option(0, _number(0, 600)),
    "redirects": Option(3, _whole(0, 10)),
    "language": Option("en", _matching(_LANGUAGE.pattern, "must be a language such as en or en-gb")),
    "local_address": Option("", _address),
    "local_port": Option(0, _whole(0, 65_535)),
    "public_address": Option("", _address),
    "rtp_ports": Option("", _ports),
    "tls_ca": Option("", _file),
    "tls_verify": Option(True, _flag),
}
"""Every member of `options`, in the order of the README."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked spec. Times are seconds; the credentials are in no representation."""

    name: str
    places: tuple[Place, ...]
    kind: str
    credentials: Credentials | None = field(repr=False)
    window: int
    domain: str
    asserted_identity: bool
    prefix: str
    codecs: tuple[str, ...]
    ring_limit: float
    setup_limit: float
    response_timeout: float
    longest_call: float
    min_play: float
    redirects: int
    language: str
    local_address: str
    local_port: int
    public_address: str
    rtp_ports: tuple[int, int]
    tls_ca: str
    tls_verify: bool

    def context(self) -> ssl.SSLContext:
        """The TLS context. Raises OSError where `tls_ca` cannot be read."""
        made = ssl.create_default_context(cafile=self.tls_ca or None)
        if not self.tls_verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made


def check(spec: ConnectorSpec) -> list[str]:
    """What is wrong or missing in a spec, in sentences; empty when it can be used."""
    faults = []
    if not spec.host:
        faults.append("`host` is missing")
    elif place_of(spec.host, 1) is None:
        faults.append("`host` must be a host name or an address")
    if not 0 <= spec.port <= 65_535:
        faults.append("`port` must be 1 to 65535; 5060 is usual, 5061 with TLS")
    if spec.username and not _USER.fullmatch(spec.username):
        faults.append("`username` must be ASCII text of at most 128 characters without blanks")
    if bool(spec.username) != bool(spec.password):
        faults.append("`username` and `password` must both be there, or neither")
    if sentence := _whole(1, MAX_WINDOW)(spec.window):
        faults.append(f"`window` {sentence}")
    if spec.tls and spec.options.get("transport", "tcp") != "tcp":
        faults.append("`options.transport` must be left out with `tls`")
    for name, value in spec.options.items():
        option = OPTIONS.get(name)
        sentence = option.check(value) if option else f"is unknown; there are {', '.join(OPTIONS)}"
        if sentence:
            faults.append(f"`options.{name}` {sentence}")
    return faults


def read(spec: ConnectorSpec) -> Settings:
    """The settings of a spec that `check` found nothing wrong with."""
    chosen: dict[str, Any] = {name: spec.options.get(name, option.default) for name, option in OPTIONS.items()}
    kind = "tls" if spec.tls else chosen.pop("transport")
    chosen.pop("transport", None)
    usual = spec.port or PORTS[kind]
    texts = (spec.host, *chosen.pop("hosts"))
    places = tuple(dict.fromkeys(place for text in texts if (place := place_of(text, usual))))
    chosen["codecs"] = tuple(chosen["codecs"])
    chosen["rtp_ports"] = port_range(chosen["rtp_ports"])
    chosen["domain"] = chosen["domain"] or places[0].host
    return Settings(
        name=spec.name, places=places, kind=kind, window=spec.window,
        credentials=Credentials(spec.username, spec.password) if spec.username else None, **chosen,
    )  # fmt: skip


SANDBOX_OPTIONS: dict[str, Any] = {
    "response_timeout": 2,
    "ring_limit": 3,
    "transport": "udp",
    "local_address": "127.0.0.1",
}
_ROUTE_OPTIONS = frozenset(
    {"hosts", "domain", "local_port", "public_address", "prefix", "rtp_ports", "min_play", "tls_ca", "tls_verify"}
)


def simulated_password(username: str) -> str:
    """The password that the simulator knows of a user, as the README tells."""
    return hashlib.sha256(f"sim:{username}".encode()).hexdigest()[:16]


def sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    """The same connector against the simulator: its address and password, short waits, nothing of the trunk's own."""
    kept = {name: value for name, value in spec.options.items() if name not in _ROUTE_OPTIONS}
    peer = peers["sip"]
    username = spec.username or "sandbox"
    return msgspec.structs.replace(
        spec,
        host=peer.host,
        port=peer.port,
        username=username,
        password=simulated_password(username),
        tls=False,
        options=kept | SANDBOX_OPTIONS,
    )
