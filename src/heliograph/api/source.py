"""Where a call comes from: the peer, or what proxies that are trusted say of it in `X-Forwarded-For`."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

Networks = Sequence[IPv4Network | IPv6Network]

_FORWARDED = b"x-forwarded-for"


class BehindProxies:
    """An application whose callers are found behind trusted proxies: `client` of its scope is the caller."""

    def __init__(self, app: ASGIApp, proxies: Networks) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve with the caller's address in the place of the proxy's."""
        if client := scope.get("client"):
            lines = [value.decode("latin-1") for name, value in scope["headers"] if name == _FORWARDED]
            source = caller(client[0], ",".join(lines), self._proxies) if lines else client[0]
            if source != client[0]:
                scope = {**scope, "client": (source, 0)}
        await self._app(scope, receive, send)


def caller(peer: str, forwarded: str, proxies: Networks) -> str:
    """The caller's address: the right-most in the list that is no trusted proxy, for each proxy adds on the right
    whom it was called by and anything further left may be made up. Where all are trusted it is the left-most, and
    where one cannot be read, or the peer itself is not trusted, the peer."""
    address = _address(peer)
    if address is None or not _trusted(address, proxies):
        return peer
    found = address
    for entry in reversed(forwarded.split(",")):
        named = _address(entry)
        if named is None:
            return peer
        found = named
        if not _trusted(found, proxies):
            break
    return str(found)


def _trusted(address: IPv4Address | IPv6Address, proxies: Networks) -> bool:
    return any(address in network for network in proxies)


def _address(entry: str) -> IPv4Address | IPv6Address | None:
    """`1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; None for anything else."""
    text, port = entry.strip(), ""
    if text.startswith("["):
        text, closed, port = text[1:].partition("]")
        if not closed or port[:1] not in ("", ":"):
            return None
        port = port[1:] if port else "0"
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
    else:
        port = "0"
    if not (port.isascii() and port.isdecimal() and len(port) <= 5):
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return None if address.scope_id else address.ipv4_mapped or address
