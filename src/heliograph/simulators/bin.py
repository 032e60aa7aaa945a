"""The webhook bin: an endpoint that keeps what it was sent, checks signatures, misbehaves when told to."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heliograph.wire import signing

CALLS_KEPT = 1000
BODY_KEPT = 64 * 1024
BINS_KEPT = 100
LONGEST_HANG = 120.0

Verdict = Literal["valid", "invalid", "absent", "unchecked"]


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bin was told: check signatures with `secret` (kept when left out), and for the next `times`
    calls (0: all) wait `hang` seconds, then drop the connection or answer `status`."""

    secret: str | None = None
    status: int = 200
    hang: float = 0
    drop: bool = False
    times: int = 0

    def fault(self) -> str:
        """What is wrong with it, or ""."""
        if not 200 <= self.status <= 599:
            return "status must be 200..599"
        if not 0 <= self.hang <= LONGEST_HANG:
            return f"hang must be 0..{LONGEST_HANG:.0f} seconds"
        return "times must be 0 or more" if self.times < 0 else ""


class Call(msgspec.Struct, frozen=True):
    """One call as it came; `at` is Unix milliseconds, `answered` the status (0: dropped), `cut` says that the
    body was longer than what is kept."""

    at: int
    headers: dict[str, str]
    body: str
    cut: bool
    signature: Verdict
    answered: int


class Bin:
    """The calls of one name and how the next ones are met."""

    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.received = 0
        self.secret = ""
        self.behaviour = Behaviour()
        self._left = 0

    def behave(self, behaviour: Behaviour) -> None:
        """Meet the next calls so."""
        if behaviour.secret is not None:
            self.secret = behaviour.secret
        self.behaviour = behaviour
        self._left = behaviour.times

    def next(self) -> Behaviour:
        """How the call that comes now is met."""
        behaviour = self.behaviour
        if behaviour.times:
            self._left -= 1
            if self._left <= 0:
                self.behaviour = Behaviour()
        return behaviour

    def keep(self, call: Call) -> None:
        """Keep a call; the oldest goes when there are too many."""
        self.calls.append(call)
        self.received += 1

    def empty(self) -> None:
        """Forget the calls; what it was told stands."""
        self.calls.clear()
        self.received = 0

    def verdict(self, headers: dict[str, str], body: bytes, cut: bool, now: float) -> Verdict:
        """What the signature headers are worth."""
        if signing.HUB_SIGNATURE not in headers and signing.SIGNATURE not in headers:
            return "absent"
        if not self.secret or cut:
            return "unchecked"
        return "valid" if signing.verify(self.secret, body, headers, now) else "invalid"


class Bins:
    """All bins, made when first named; the one unused for longest goes when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._bins: dict[str, Bin] = {}

    def routes(self) -> list[Route]:
        """To be mounted at `/sim/bin`."""
        return [
            Route("/{name}", self._take, methods=["POST"]),
            Route("/{name}", self._show, methods=["GET"]),
            Route("/{name}", self._behave, methods=["PUT"]),
            Route("/{name}", self._empty, methods=["DELETE"]),
            Route("/{name}/behave", self._behave, methods=["POST"]),
        ]

    def get(self, name: str) -> Bin:
        """The bin of that name."""
        found = self._bins.pop(name, None) or Bin()
        while len(self._bins) >= BINS_KEPT:
            self._bins.pop(next(iter(self._bins)))
        self._bins[name] = found
        return found

    async def _take(self, request: Request) -> Response:
        chosen = self.get(request.path_params["name"])
        body, cut = await _read(request)
        behaviour = chosen.next()
        now = self._clock()
        headers = dict(request.headers)
        verdict = chosen.verdict(headers, body, cut, now)
        answered = 0 if behaviour.drop else behaviour.status
        text = body.decode("utf-8", "replace")
        chosen.keep(Call(round(now * 1000), headers, text, cut, verdict, answered))
        if behaviour.hang:
            await asyncio.sleep(behaviour.hang)
        if behaviour.drop:
            await _drop(request)
        return Response(status_code=behaviour.status)

    async def _show(self, request: Request) -> Response:
        name = request.path_params["name"]
        chosen = self.get(name)
        body = {"name": name, "received": chosen.received, "calls": list(chosen.calls)}
        return Response(msgspec.json.encode(body), media_type="application/json")

    async def _behave(self, request: Request) -> Response:
        body, _ = await _read(request)
        try:
            behaviour = msgspec.json.decode(body or b"{}", type=Behaviour)
            fault = behaviour.fault()
        except msgspec.DecodeError as error:
            fault = str(error)
        if fault:
            return _error(400, "invalid", fault)
        self.get(request.path_params["name"]).behave(behaviour)
        return Response(status_code=204)

    async def _empty(self, request: Request) -> Response:
        self.get(request.path_params["name"]).empty()
        return Response(status_code=204)


async def _read(request: Request) -> tuple[bytes, bool]:
    kept = bytearray()
    cut = False
    async for chunk in request.stream():
        room = BODY_KEPT - len(kept)
        cut = cut or len(chunk) > room
        kept += chunk[:room]
    return bytes(kept), cut


async def _drop(request: Request) -> None:
    """ASGI knows no way to drop a connection; uvicorn's `receive` is bound to what holds the transport."""
    cycle: Any = getattr(request.receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0.01)  # the end is reported on a later turn; until then an answer would be written


def _error(status: int, key: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"key": key, "message": message, "field": ""}}, status_code=status)
