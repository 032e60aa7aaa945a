"""A lean HTTP/1.1 client for calls to other people's endpoints: pooled, bounded, guarded, never redirected.

It exists because general clients cost several hundred microseconds a call, which would be most of what
telling a caller costs (`bench/notify.py` measures both).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Mapping
from functools import cache, partial
from types import TracebackType
from typing import NamedTuple

from heliograph.wire.addresses import HttpError, Target, parse_url
from heliograph.wire.http_connection import BODY_KEPT, Answer, Connection
from heliograph.wire.resolver import Lookup, Resolver, system_lookup

__all__ = ["Answer", "Client", "HttpError", "Limits"]

TIMEOUT = 10.0
REQUEST_LIMIT = 4 * 1024 * 1024

# RFC 9110 5.6.2 (token) and 5.5 (field value): no CR, LF or NUL can get into a head.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


@cache
def _usual_tls() -> ssl.SSLContext:
    """What all clients trust that are given nothing else; to read it takes some 25 ms."""
    return ssl.create_default_context()


class Limits(NamedTuple):
    """Bytes at most: of a request's body, and of an answer's body that is kept."""

    request: int = REQUEST_LIMIT
    answer: int = BODY_KEPT


USUAL = Limits()


class Client:
    """Calls over kept connections, at most so many at once to an origin; further calls wait their turn.

    Everything of a call, waiting included, happens within its timeout.
    """

    def __init__(
        self,
        *,
        max_connections_per_origin: int = 16,
        connect_timeout: float = 5.0,
        idle_timeout: float = 30.0,
        tls: ssl.SSLContext | None = None,
        lookup: Lookup = system_lookup,
        limits: Limits = USUAL,
    ) -> None:
        self._limits = limits
        self._size = max_connections_per_origin
        self._connect_timeout = connect_timeout
        self._idle_timeout = idle_timeout
        self._tls = tls or _usual_tls()
        self._resolver = Resolver(lookup)
        self._pools: dict[str, _Pool] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        timeout: float = TIMEOUT,  # noqa: ASYNC109 - one deadline over all steps, cheaper than a scope
        allow_private: bool = False,
        once: bool = False,
    ) -> Answer:
        """One call and its answer, whatever its status; raises HttpError when there is none.

        Private, loopback and other special addresses are refused unless `allow_private`. A kept connection may turn
        out closed when it is used; then the call goes out again on a fresh one, unless it must be written `once`.
        """
        target = parse_url(url)
        payload = _payload(method, target, headers, body, self._limits.request)
        deadline = asyncio.get_running_loop().time() + timeout
        addresses = self._resolver.cached(target.host, allow_private)
        if addresses is None:
            async with _within(deadline, "looking up the host took too long"):
                addresses = await self._resolver.addresses(target.host, allow_private)
        pool = self._pool(target.origin)
        if not pool.enter():
            async with _within(deadline, "no connection became free in time"):
                await pool.wait()
        try:
            return await self._call(pool, target, addresses, payload, deadline, once)
        finally:
            pool.leave()

    async def close(self) -> None:
        """Close the kept connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        await asyncio.sleep(0)  # aborted transports report their end on the next turn

    async def _call(
        self, pool: _Pool, target: Target, addresses: tuple[str, ...], payload: bytes, deadline: float, once: bool
    ) -> Answer:
        head_only = payload.startswith(b"HEAD ")
        kept = pool.take(addresses)
        if kept is not None:
            try:
                return await self._exchange(pool, kept, payload, head_only, deadline)
            except HttpError as error:
                # RFC 9110 9.2.2: the far end may close an idle connection just when we write to it.
                if error.kind != "closed" or not kept.untouched or (once and error.written):
                    raise
        fresh = await self._connect(target, addresses, deadline)
        return await self._exchange(pool, fresh, payload, head_only, deadline)

    async def _exchange(
        self, pool: _Pool, connection: Connection, payload: bytes, head_only: bool, deadline: float
    ) -> Answer:
        try:
            return await connection.exchange(payload, head_only, deadline)
        finally:
            if connection.reusable:
                pool.put(connection)
                self._sweep_later()
            else:
                connection.close()

    async def _connect(self, target: Target, addresses: tuple[str, ...], deadline: float) -> Connection:
        loop = asyncio.get_running_loop()
        tls = self._tls if target.secure else None
        failure = HttpError("connect", "there is no address to connect to")
        for address in addresses:
            limit = min(deadline, loop.time() + self._connect_timeout)
            try:
                async with _within(limit, "connecting took too long"):
                    _, connection = await loop.create_connection(
                        partial(Connection, address, self._limits.answer),
                        address,
                        target.port,
                        ssl=tls,
                        server_hostname=target.host if tls else None,
                    )
                    return connection
            except ssl.SSLCertVerificationError as error:
                raise HttpError("tls", f"the certificate was refused: {error.verify_message}") from None
            except ssl.SSLError as error:
                raise HttpError("tls", f"the TLS handshake failed ({error.reason or 'no reason'})") from None
            except OSError as error:
                failure = HttpError("connect", f"connecting failed ({error.strerror or error!r})")
            except HttpError as error:
                failure = error
        raise failure

    def _pool(self, origin: str) -> _Pool:
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = _Pool(self._size)
        return pool

    def _sweep_later(self) -> None:
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(self._idle_timeout / 2, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        before = asyncio.get_running_loop().time() - self._idle_timeout
        for origin, pool in list(self._pools.items()):
            if pool.drop_idle(before):
                del self._pools[origin]
        if self._pools:
            self._sweep_later()


class _Pool:
    """The connections of one origin: those kept idle, and how many calls are under way."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._busy = 0
        self._idle: list[Connection] = []
        self._turns: deque[asyncio.Future[None]] = deque()

    def enter(self) -> bool:
        """Take a place if one is free and nobody waits for it."""
        if self._busy >= self._size:
            return False
        self._busy += 1
        return True

    async def wait(self) -> None:
        """Wait for a place; first come, first served."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place came together with the cancellation
            raise

    def leave(self) -> None:
        """Give the place back, or to the one who waits longest."""
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy -= 1

    def take(self, addresses: tuple[str, ...]) -> Connection | None:
        """The connection used last among those to one of the addresses that the name has now."""
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.address in addresses:
                return connection
            connection.close()
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection for the next call."""
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)

    def drop_idle(self, before: float) -> bool:
        """Close what was idle since `before`; whether nothing is left of the pool."""
        kept = []
        for connection in self._idle:
            if connection.reusable and connection.idle_since > before:
                kept.append(connection)
            else:
                connection.close()
        self._idle = kept
        return not (kept or self._busy or self._turns)

    def close(self) -> None:
        """Close what is idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()


class _within:  # noqa: N801 - used like asyncio.timeout_at, of which it is a form
    """A deadline over a step whose passing is an HttpError `timeout`."""

    def __init__(self, deadline: float, detail: str) -> None:
        self._scope = asyncio.timeout_at(deadline)
        self._detail = detail

    async def __aenter__(self) -> None:
        await self._scope.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._scope.__aexit__(kind, error, trace)
        except TimeoutError:
            raise HttpError("timeout", self._detail) from None


def _payload(method: str, target: Target, headers: Mapping[str, str], body: bytes, limit: int) -> bytes:
    if not _TOKEN.fullmatch(method):
        raise HttpError("protocol", "the method is no valid token")
    if len(body) > limit:
        raise HttpError("protocol", f"the request body is longer than {limit} bytes")
    lines = [f"{method} {target.path} HTTP/1.1\r\nhost: {target.authority}"]
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in _OURS:
            raise HttpError("protocol", "a request header is not valid or not the caller's to set")
        lines.append(f"{name}: {value}")
    if body or method not in ("GET", "HEAD", "DELETE"):
        lines.append(f"content-length: {len(body)}")
    lines.append("\r\n")
    return "\r\n".join(lines).encode("latin-1") + body
