"""Where an HTTP call may go: URLs taken apart strictly, and addresses judged before anything is called."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import SplitResult, quote, urlsplit

Kind = Literal["refused_target", "bad_url", "resolve", "connect", "tls", "timeout", "closed", "protocol"]

PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")  # urlsplit silently drops some of these
_PATH_SAFE = "/%:?#[]@!$&'()*+,;=~-._"
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*{_LABEL}\.?")

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the address that is meant
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291 2.4: all that IANA gives out
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")  # RFC 6890: IETF protocol assignments
_RELAY = ipaddress.IPv4Network("192.88.99.0/24")  # RFC 7526: 6to4 relays, deprecated
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")  # RFC 6598: carrier-grade NAT


class HttpError(Exception):
    """A call that brought no answer. `kind` is one of a closed set; `detail` is a sentence without the URL,
    which may hold secrets; `written` says that the request went out, so that the far end may have acted on it."""

    def __init__(self, kind: Kind, detail: str, *, written: bool = False) -> None:
        super().__init__(kind, detail)
        self.kind: Kind = kind
        self.detail = detail
        self.written = written

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `origin` is scheme, host and port; `authority` the Host header; `path` the request
    target of RFC 9112 3.2.1, query included."""

    scheme: str
    host: str
    port: int
    origin: str
    authority: str
    path: str

    @property
    def secure(self) -> bool:
        """Whether the call goes over TLS."""
        return self.scheme == "https"


@lru_cache(maxsize=4096)
def parse_url(url: str) -> Target:
    """The parts of an http or https URL; raises HttpError `bad_url` with the reason."""
    if _FORBIDDEN.search(url):
        raise HttpError("bad_url", "the URL has a blank, a control character or a backslash in it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise HttpError("bad_url", "the URL cannot be parsed") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise HttpError("bad_url", "the URL is neither http nor https")
    if "@" in parts.netloc:
        raise HttpError("bad_url", "the URL has a user name or password in it")
    if port == 0:
        raise HttpError("bad_url", "port 0 cannot be called")
    host = _host(parts)
    shown = f"[{host}]" if ":" in host else host
    number = port or PORTS[scheme]
    authority = shown if number == PORTS[scheme] else f"{shown}:{number}"
    return Target(scheme, host, number, f"{scheme}://{shown}:{number}", authority, _path(parts))


def refusal(address: str) -> str:
    """Why callers must not reach this address: loopback, private ...; "" for a public one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unreadable"
    if isinstance(parsed, ipaddress.IPv4Address):
        return _refusal4(parsed)
    if parsed in _NAT64:
        return _refusal4(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
    return _refusal6(parsed)


def _refusal4(address: ipaddress.IPv4Address) -> str:
    if address in _SHARED:
        return "carrier-grade NAT"
    if address in _PROTOCOLS or address in _RELAY:
        return "reserved"
    return _special(address) or ("" if address.is_global else "reserved")


def _refusal6(address: ipaddress.IPv6Address) -> str:
    if address.ipv4_mapped or address.sixtofour or address.teredo:
        return "an IPv4 address inside IPv6"
    return _special(address) or ("" if address in _GLOBAL_UNICAST and address.is_global else "reserved")


def _special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    words = {
        "unspecified": address.is_unspecified,
        "loopback": address.is_loopback,
        "link-local": address.is_link_local,
        "multicast": address.is_multicast,
        "reserved": address.is_reserved,
        "private": address.is_private,
    }
    return next((word for word, holds in words.items() if holds), "")


def _host(parts: SplitResult) -> str:
    try:
        name = parts.hostname or ""
        host = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise HttpError("bad_url", "the URL's host is no valid name") from None
    bracketed, _, behind = parts.netloc.rpartition("]")
    if bracketed:
        if behind and not behind.startswith(":"):
            return _no_host()
        try:
            return str(ipaddress.IPv6Address(host)) if "%" not in host else _no_host()
        except ValueError:
            return _no_host()
    return host.lower() if _NAME.fullmatch(host.lower()) else _no_host()


def _no_host() -> str:
    raise HttpError("bad_url", "the URL's host is no valid name or address")


def _path(parts: SplitResult) -> str:
    path = parts.path or "/"
    whole = f"{path}?{parts.query}" if parts.query else path
    return whole if whole.isascii() else quote(whole, safe=_PATH_SAFE)
