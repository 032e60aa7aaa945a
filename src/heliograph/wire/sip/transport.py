"""How SIP messages travel: one UDP socket, or TCP and TLS connections that are made when they are needed.

A transport gives every message that came to `Sink.came`, and says in `Sink.lost` where nothing can be sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any, Protocol, cast

from heliograph.wire.sip.layer import Target
from heliograph.wire.sip.message import Framer, Message, SipError, decode

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
WAITING_MOST = 256  # messages held while a connection is being made
CONNECTIONS_MOST = 256
TOS = 0x60  # CS3, what call signalling is marked with (RFC 4594 4.4)

# linux/in.h and in6.h, which the socket module does not name: errors that come back for datagrams are told.
_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}


class Sink(Protocol):
    """Who takes what comes."""

    def came(self, message: Message, source: Target) -> None:
        """A message, and where it came from."""

    def lost(self, target: Target, why: str) -> None:
        """Nothing can be sent there now."""


class Transport(Protocol):
    """One way to send."""

    async def start(self, sink: Sink) -> None:
        """Open it. Raises OSError."""

    def send(self, data: bytes, target: Target) -> None:
        """Send one message; what goes wrong is told to the sink."""

    def local(self, target: Target) -> tuple[str, int]:
        """Our own address as that target sees it, and our port. Raises OSError where there is no way there."""

    async def close(self) -> None:
        """Close it."""


def family_of(host: str) -> socket.AddressFamily:
    """The family of an address literal."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def local_address(host: str, port: int) -> str:
    """The address that the system would send from to there; nothing is sent. Raises OSError."""
    with socket.socket(family_of(host), socket.SOCK_DGRAM) as probe:
        probe.connect((host, port or 5060))
        return str(probe.getsockname()[0])


def _bound(address: tuple[str, int]) -> socket.socket:
    """A TCP socket with that address. Raises OSError."""
    made = socket.socket(family_of(address[0]), socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


class Udp(asyncio.DatagramProtocol):
    """Datagrams over one socket, bound to `(host, port)`; port 0 takes a free one."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._sink: Sink
        self.drop: Callable[[bytes], bool] | None = None
        """Whether a message is to be lost on its way out; for tests of what happens then."""

    async def start(self, sink: Sink) -> None:
        """See `Transport`."""
        self._sink = sink
        made = socket.socket(family_of(self._address[0]), socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            made.bind(self._address)
            with contextlib.suppress(OSError):  # an aid that a system may not have
                made.setsockopt(*_RECVERR[made.family], 1)
            if made.family == socket.AF_INET:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, TOS)
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=made)
        except OSError:
            made.close()
            raise
        self._socket, self._transport = made, transport

    def send(self, data: bytes, target: Target) -> None:
        """See `Transport`."""
        if self._transport is not None and not (self.drop and self.drop(data)):
            self._transport.sendto(data, (target.host, target.port))

    def local(self, target: Target) -> tuple[str, int]:
        """See `Transport`."""
        host, port = self._own()
        if host in ("0.0.0.0", "::"):  # noqa: S104 - bound to all, seen as one
            host = local_address(target.host, target.port)
        return host, port

    def _own(self) -> tuple[str, int]:
        assert self._socket is not None  # noqa: S101 - `start` comes first
        name = self._socket.getsockname()
        return str(name[0]), int(name[1])

    async def close(self) -> None:
        """See `Transport`."""
        if self._transport is not None:
            self._transport.close()
            await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Called by asyncio."""
        if len(data) < 5:
            return  # RFC 5626 and others: blanks and zeros that keep a way open
        try:
            message = decode(data)
        except SipError as error:
            log.debug("a datagram of %s is no SIP: %s", addr[0], error)
            return
        self._sink.came(message, Target("udp", str(addr[0]), int(addr[1])))

    def error_received(self, exc: Exception) -> None:
        """Called by asyncio: an ICMP error, perhaps. The queue of errors says where the datagram went."""
        assert self._socket is not None  # noqa: S101
        while True:
            try:
                _, extra, _, address = self._socket.recvmsg(512, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return  # the queue is empty
            why = next((_why(data) for level, _, data in extra if level == _RECVERR[self._socket.family][0]), "")
            self._sink.lost(Target("udp", str(address[0]), int(address[1])), why or "not reachable")


def _why(data: bytes) -> str:
    """The error of a `struct sock_extended_err`."""
    number = struct.unpack_from("=I", data)[0] if len(data) >= 4 else 0
    return {111: "the port is closed", 113: "the host is not reachable", 101: "the network is not reachable"}.get(
        number, "not reachable"
    )


class Streams:
    """TCP or TLS: a connection for each target, kept; also listens, so that a far end can call back (18.1)."""

    def __init__(
        self, kind: str, host: str, port: int, client: ssl.SSLContext | None = None,
        server: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """`client` and `server` are the TLS contexts of each role; without `server` TLS is not listened for."""
        self.names: dict[Target, str] = {}
        """Whom a far end's certificate must name, where that is not its address."""
        self._kind, self._address, self._client, self._server = kind, (host, port), client, server
        self._links: dict[Target, _Link] = {}
        self._connecting: dict[Target, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._port = port  # where we are called back: listened on, or that of our own connections
        self._sink: Sink
        self._closed = False

    async def start(self, sink: Sink) -> None:
        """See `Transport`."""
        self._sink = sink
        if self._kind == "tcp" or self._server is not None:
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(lambda: _Link(self), *self._address, ssl=self._server)
            self._port = int(self._listener.sockets[0].getsockname()[1])
        elif not self._port:
            with _bound(self._address) as probe:
                self._port = int(probe.getsockname()[1])

    def send(self, data: bytes, target: Target) -> None:
        """See `Transport`."""
        link = self._links.get(target)
        if link is not None:
            link.write(data)
        elif target in self._connecting:
            if len(self._connecting[target]) < WAITING_MOST:
                self._connecting[target].append(data)
        elif not self._closed:
            self._connecting[target] = [data]
            task = asyncio.get_running_loop().create_task(self._connect(target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, target: Target) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                name = self.names.get(target, target.host) if self._client else None
                made = await self._connected(target)
                _, link = await loop.create_connection(
                    lambda: _Link(self, target), sock=made, ssl=self._client, server_hostname=name
                )
        except ssl.SSLError as error:
            self._failed(target, f"the TLS handshake failed ({error.reason or 'no reason'})")
        except TimeoutError:
            self._failed(target, "connecting took too long")
        except OSError as error:
            self._failed(target, f"connecting failed ({error.strerror or 'no reason'})")
        else:
            for data in self._connecting.pop(target, []):
                link.write(data)

    async def _connected(self, target: Target) -> socket.socket:
        """A connection to there. Without a listener it comes from the port that our Contact names, so that the far
        end finds us by it (RFC 5923)."""
        loop = asyncio.get_running_loop()
        for port in dict.fromkeys((0 if self._listener else self._port, 0)):
            try:
                made = _bound((self._address[0], port))
            except OSError:
                if not port:
                    raise
                continue
            try:
                await loop.sock_connect(made, (target.host, target.port))
            except OSError as error:
                made.close()
                if not port or error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                    raise
            except asyncio.CancelledError:
                made.close()
                raise
            else:
                return made
        raise OSError(errno.EADDRNOTAVAIL, "no port to connect from")

    def _failed(self, target: Target, why: str) -> None:
        self._connecting.pop(target, None)
        self._sink.lost(target, why)

    def local(self, target: Target) -> tuple[str, int]:
        """See `Transport`."""
        host, port = self._address[0], self._port
        if host in ("0.0.0.0", "::"):  # noqa: S104
            host = local_address(target.host, target.port)
        return host, port

    @property
    def full(self) -> bool:
        """Whether no further connection is taken."""
        return len(self._links) >= CONNECTIONS_MOST

    def opened(self, link: _Link, target: Target) -> None:
        """A connection stands."""
        self._links[target] = link

    def came(self, message: Message, source: Target) -> None:
        """A connection brought a message."""
        self._sink.came(message, source)

    def lost(self, link: _Link, target: Target) -> None:
        """A connection ended."""
        if self._links.get(target) is link:
            del self._links[target]
            if not self._closed:
                self._sink.lost(target, "the connection was closed")

    @property
    def kind(self) -> str:
        """tcp or tls."""
        return self._kind

    async def close(self) -> None:
        """See `Transport`."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in list(self._links.values()):
            link.close()
        if self._listener is not None:
            self._listener.close()
        await asyncio.sleep(0)


class _Link(asyncio.Protocol):
    """One connection."""

    def __init__(self, owner: Streams, target: Target | None = None) -> None:
        self._owner = owner
        self._target = target
        self._framer = Framer()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        if self._target is None:
            host, port, *_ = transport.get_extra_info("peername")
            self._target = Target(self._owner.kind, str(host), int(port))
            if self._owner.full:
                self._transport.abort()
                return
        self._owner.opened(self, self._target)

    def write(self, data: bytes) -> None:
        """Send one message."""
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        assert self._target is not None  # noqa: S101 - made with the connection
        try:
            for whole in self._framer.feed(data):
                self._owner.came(decode(whole), self._target)
        except SipError as error:
            log.warning("the connection of %s brings no SIP and is closed: %s", self._target.host, error)
            self._transport.abort()
            return
        if self._framer.pings:
            self._framer.pings = 0
            self._transport.write(b"\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        assert self._target is not None  # noqa: S101
        self._owner.lost(self, self._target)

    def close(self) -> None:
        """End it after what was written."""
        self._transport.close()
