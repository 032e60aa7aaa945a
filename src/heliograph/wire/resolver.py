"""Host names to addresses, each name looked up once and remembered for a while."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from heliograph.wire.addresses import HttpError, refusal

TTL = 30.0
FAILURE_TTL = 5.0
CACHED_NAMES = 4096

Lookup = Callable[[str], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The addresses of a host until `expires` (loop time). `refused` names the first kind of address among
    them that callers must not reach; `failure` says why there is no address."""

    addresses: tuple[str, ...]
    refused: str
    failure: str
    expires: float


async def system_lookup(host: str) -> list[str]:
    """The addresses the operating system gives, in its order of preference; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """A cache of names. A private address among several refuses the name: which one is called must not depend
    on luck."""

    def __init__(self, lookup: Lookup = system_lookup, ttl: float = TTL) -> None:
        self._lookup = lookup
        self._ttl = ttl
        self._known: dict[str, Resolved] = {}
        self._asking: dict[str, asyncio.Task[Resolved]] = {}

    def cached(self, host: str, allow_private: bool) -> tuple[str, ...] | None:
        """The addresses if they are known without asking, else None; raises HttpError like `addresses`."""
        known = self._known.get(host)
        if known is None or known.expires <= asyncio.get_running_loop().time():
            return None
        return _permitted(known, allow_private)

    async def addresses(self, host: str, allow_private: bool) -> tuple[str, ...]:
        """The addresses to call, of one look-up for all who ask at once; raises HttpError `resolve` or
        `refused_target`."""
        asking = self._asking.get(host)
        if asking is None:
            asking = self._asking[host] = asyncio.create_task(self._ask(host))
        return _permitted(await asyncio.shield(asking), allow_private)

    async def _ask(self, host: str) -> Resolved:
        addresses: tuple[str, ...] = ()
        failure = ""
        try:
            addresses = tuple(await self._lookup(host))
        except OSError as error:
            failure = error.strerror or "the look-up failed"
        except UnicodeError:
            failure = "the name cannot be looked up"
        finally:
            self._asking.pop(host, None)
        refused = next(filter(None, map(refusal, addresses)), "")
        lifetime = self._ttl if addresses else FAILURE_TTL
        expires = asyncio.get_running_loop().time() + lifetime
        answer = Resolved(addresses, refused, failure or "it has no address", expires)
        self._remember(host, answer)
        return answer

    def _remember(self, host: str, answer: Resolved) -> None:
        self._known.pop(host, None)
        while len(self._known) >= CACHED_NAMES:
            self._known.pop(next(iter(self._known)))  # the oldest
        self._known[host] = answer


def _permitted(known: Resolved, allow_private: bool) -> tuple[str, ...]:
    if not known.addresses:
        raise HttpError("resolve", f"the host was not found ({known.failure})")
    if known.refused and not allow_private:
        raise HttpError("refused_target", f"the host's address is {known.refused}, which is not allowed here")
    return known.addresses
