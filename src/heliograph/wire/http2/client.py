"""Calls over HTTP/2: few connections to an origin, many calls at once on each, bounded and guarded."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from functools import partial

from heliograph.wire.addresses import HttpError, Target, parse_url
from heliograph.wire.http2.connection import Connection, NotTaken
from heliograph.wire.http2.pool import Pool
from heliograph.wire.http_connection import Answer
from heliograph.wire.resolver import Lookup, Resolver, system_lookup

__all__ = ["Answer", "Client", "HttpError", "NotTaken"]

TIMEOUT = 10.0
TRIES = 3  # of a call that the far end did not look at
REQUEST_LIMIT = 4 * 1024 * 1024
PROTOCOL = "h2"

# RFC 9113, 8.2.1: names in lower case, no line ends and no NUL in values.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_METHOD = re.compile(r"[A-Z]+")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "te", "upgrade"})


class Client:
    """Calls to far ends. `careful` as in `Connection`; `connections` is the most to an origin.

    Everything of a call, waiting included, happens within its timeout. A plain `http` URL is spoken to in HTTP/2 at
    once (RFC 9113, 3.3).
    """

    def __init__(
        self,
        *,
        connections: int = 4,
        connect_timeout: float = 5.0,
        tls: ssl.SSLContext | None = None,
        careful: bool = False,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._most = connections
        self._connect_timeout = connect_timeout
        self._tls = tls or ssl.create_default_context()
        self._tls.set_alpn_protocols([PROTOCOL])
        self._careful = careful
        self._resolver = Resolver(lookup)
        self._pools: dict[str, Pool] = {}

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        timeout: float = TIMEOUT,  # noqa: ASYNC109 - one deadline over all steps, cheaper than a scope
        allow_private: bool = False,
    ) -> Answer:
        """One call and its answer, whatever its status; raises HttpError when there is none, NotTaken when it was
        surely not looked at. Names of headers are in lower case.

        Private, loopback and other special addresses are refused unless `allow_private`.
        """
        target = parse_url(url)
        head = _head(method, target, headers, body)
        deadline = asyncio.get_running_loop().time() + timeout
        addresses = self._resolver.cached(target.host, allow_private)
        if addresses is None:
            try:
                async with asyncio.timeout_at(deadline):
                    addresses = await self._resolver.addresses(target.host, allow_private)
            except TimeoutError:
                raise HttpError("timeout", "looking up the host took too long") from None
        pool = self._pool(target)
        tries = 0
        while True:
            connection = pool.at_once(addresses) or await pool.wait(addresses, deadline)
            connection.reserved -= 1
            try:
                return await connection.exchange(head, body, deadline)
            except NotTaken:
                tries += 1
                if tries == TRIES:
                    raise

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        await asyncio.sleep(0)  # aborted transports report their end on the next turn

    def _pool(self, target: Target) -> Pool:
        pool = self._pools.get(target.origin)
        if pool is None:
            pool = self._pools[target.origin] = Pool(partial(self._connect, target), self._most, self._careful)
        return pool

    async def _connect(self, target: Target, addresses: tuple[str, ...], pool: Pool) -> Connection:
        """A connection whose far end said how many calls it takes."""
        failure = HttpError("connect", "there is no address to connect to")
        for address in addresses:
            try:
                async with asyncio.timeout(self._connect_timeout):
                    return await self._connect_to(target, address, pool)
            except TimeoutError:
                failure = HttpError("timeout", "connecting took too long")
            except ssl.SSLCertVerificationError as error:
                raise HttpError("tls", f"the certificate was refused: {error.verify_message}") from None
            except ssl.SSLError as error:
                raise HttpError("tls", f"the TLS handshake failed ({error.reason or 'no reason'})") from None
            except OSError as error:
                failure = HttpError("connect", f"connecting failed ({error.strerror or error!r})")
            except HttpError as error:
                failure = error
        raise failure

    async def _connect_to(self, target: Target, address: str, pool: Pool) -> Connection:
        tls = self._tls if target.secure else None
        transport, connection = await asyncio.get_running_loop().create_connection(
            partial(Connection, address, pool.changed, self._careful),
            address,
            target.port,
            ssl=tls,
            server_hostname=target.host if tls else None,
        )
        try:
            if tls and transport.get_extra_info("ssl_object").selected_alpn_protocol() != PROTOCOL:
                raise HttpError("protocol", "the far end does not speak HTTP/2")
            await connection.ready
        except BaseException:
            connection.close()
            raise
        return connection


def _head(method: str, target: Target, headers: Mapping[str, str], body: bytes) -> list[tuple[bytes, bytes]]:
    """The header fields, pseudo-headers first (RFC 9113, 8.3.1)."""
    if not _METHOD.fullmatch(method) or len(body) > REQUEST_LIMIT:
        raise HttpError("protocol", f"the method is none, or the body is longer than {REQUEST_LIMIT} bytes")
    head = [
        (b":method", method.encode()),
        (b":scheme", target.scheme.encode()),
        (b":authority", target.authority.encode()),
        (b":path", target.path.encode("latin-1")),
    ]
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or name in _OURS:
            raise HttpError("protocol", "a request header is not valid or not the caller's to set")
        head.append((name.encode(), value.encode("latin-1")))
    if body:
        head.append((b"content-length", b"%d" % len(body)))
    return head
