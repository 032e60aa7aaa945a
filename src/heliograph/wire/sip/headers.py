"""What stands in the headers of SIP: URIs, addresses, Via, parameters, reasons. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from heliograph.wire.sip.message import Header, SipError, every, split

PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
COOKIE = "z9hG4bK"
"""Begins each branch of RFC 3261 (8.1.1.7)."""

_HOST = r"(\[[0-9a-f:.]+\]|[^:;?@\s<>\[\]]+)"
_URI = re.compile(rf"(?i)(sips?):(?:([^@\s<>]*)@)?{_HOST}(?::(\d{{1,5}}))?(;[^?\s<>]*)?(\?[^\s<>]*)?")
_VIA = re.compile(r"(?i)SIP\s*/\s*2\.0\s*/\s*([a-z]+)\s+(\[[0-9a-f:.]+\]|[^:;\s\[\]]+)\s*(?::\s*(\d{1,5}))?\s*(;.*)?")
_CAUSE = re.compile(r"(?i)\s*Q\.850\s*;(?:.*;)?\s*cause\s*=\s*\"?(\d{1,3})")


class Uri(NamedTuple):
    """A sip or sips URI. `host` is without brackets, `port` 0 where none is given; parameters' names are in lower
    case."""

    scheme: str
    user: str
    host: str
    port: int
    parameters: tuple[tuple[str, str], ...] = ()

    def parameter(self, name: str) -> str | None:
        """The value of a parameter ("" for one without), None when it is absent."""
        return dict(self.parameters).get(name)

    @property
    def transport(self) -> str:
        """The transport it asks for: udp, tcp or tls."""
        named = (self.parameter("transport") or "").lower()
        if self.scheme == "sips" or named == "tls":
            return "tls"
        return named if named in ("udp", "tcp") else "udp"

    @property
    def place(self) -> tuple[str, str, int]:
        """Where it is sent to: transport, host and port."""
        return self.transport, self.host, self.port or PORTS[self.transport]


class Address(NamedTuple):
    """A `From`, `To`, `Contact` or `Route`: display name, the URI as text, parameters of the header."""

    name: str
    uri: str
    parameters: tuple[tuple[str, str], ...] = ()

    def parameter(self, name: str) -> str | None:
        """The value of a parameter ("" for one without), None when it is absent."""
        return dict(self.parameters).get(name)

    @property
    def tag(self) -> str:
        """Its tag, "" without one."""
        return self.parameter("tag") or ""


class Via(NamedTuple):
    """One hop of a message: the transport in lower case, who sent it, parameters."""

    transport: str
    host: str
    port: int
    parameters: tuple[tuple[str, str], ...] = ()

    def parameter(self, name: str) -> str | None:
        """The value of a parameter ("" for one without), None when it is absent."""
        return dict(self.parameters).get(name)

    @property
    def branch(self) -> str:
        """Its branch, "" without one."""
        return self.parameter("branch") or ""

    def __str__(self) -> str:
        place = host_port(self.host, self.port)
        return f"SIP/2.0/{self.transport.upper()} {place}{written(self.parameters)}"


def host_port(host: str, port: int) -> str:
    """`host:port` with brackets around an IPv6 address; port 0 is left out."""
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown


def written(parameters: tuple[tuple[str, str], ...]) -> str:
    """Parameters as they stand in a header."""
    return "".join(f";{name}={value}" if value else f";{name}" for name, value in parameters)


def parameters_of(text: str) -> tuple[tuple[str, str], ...]:
    """`;name=value;flag` taken apart; names in lower case, quotes kept off."""
    found = []
    for part in split(text, ";"):
        name, _, value = part.partition("=")
        if name.strip():
            found.append((name.strip().lower(), unquoted(value)))
    return tuple(found)


def unquoted(value: str) -> str:
    """A quoted string without its quotes; any other text as it is."""
    value = value.strip()
    if len(value) >= 2 and value[0] == '"' == value[-1]:
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def parse_uri(text: str) -> Uri:
    """A sip or sips URI; raises SipError for anything else."""
    found = _URI.fullmatch(text.strip())
    if found is None:
        raise SipError("no sip URI")
    port = int(found[4] or 0)
    if port > 65_535:
        raise SipError("no sip URI: its port is too great")
    return Uri(found[1].lower(), found[2] or "", found[3].strip("[]"), port, parameters_of(found[5] or ""))


def parse_address(value: str) -> Address:
    """A `name-addr` or `addr-spec` with parameters; raises SipError."""
    left = value.find("<") if not value.lstrip().startswith('"') else _behind_quotes(value)
    if left < 0:
        uri, _, rest = value.partition(";")  # RFC 3261 20.10: without brackets parameters belong to the header
        if not uri.strip() or any(character in uri for character in '<>"'):
            raise SipError("an address without a URI")
        return Address("", uri.strip(), parameters_of(rest))
    right = value.find(">", left)
    if right < 0 or right == left + 1:
        raise SipError("an address without a URI")
    return Address(unquoted(value[:left]), value[left + 1 : right].strip(), parameters_of(value[right + 1 :]))


def _behind_quotes(value: str) -> int:
    found = re.match(r'\s*"(?:[^"\\]|\\.)*"', value)
    if found is None:
        raise SipError("a quote without an end")
    return value.find("<", found.end())


def parse_via(value: str) -> Via:
    """One Via; raises SipError."""
    found = _VIA.fullmatch(value.strip())
    if found is None or int(found[3] or 0) > 65_535:
        raise SipError("a Via that cannot be read")
    return Via(found[1].lower(), found[2].strip("[]"), int(found[3] or 0), parameters_of(found[4] or ""))


def q850(headers: tuple[Header, ...]) -> int:
    """The cause of a `Reason: Q.850;cause=17` (RFC 3326), 0 without one."""
    for value in every(headers, "Reason"):
        for part in split(value):
            if found := _CAUSE.match(part):
                return int(found[1])
    return 0
