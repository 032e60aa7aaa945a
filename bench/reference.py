"""What acceptance costs at least: a raw ASGI application that decodes a call, writes the same rows through the
same group commit, answers, and does nothing else. No keys, rules, policy, routing.

    python bench/reference.py DATABASE PORT
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

from heliograph.model.message import Content, Message, Request
from heliograph.model.record import Accepted, Run
from heliograph.store import Store

SWITCH_SECONDS = 0.0005  # as `heliograph serve` sets it

Take = Callable[[bytes], Awaitable[list[dict[str, str]]]]


class Call(msgspec.Struct):
    """The parts of a call that become rows."""

    deliverychannel: str
    channels: dict[str, dict[str, str]]
    destination: list[dict[str, list[str]]]


class Reference:
    """The application: `take` makes the answer to a call's body, once its rows are durable."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._encode = msgspec.json.Encoder().encode

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one call."""
        if scope["type"] != "http":
            return
        message = await receive()
        content = message["body"]
        while message.get("more_body"):
            message = await receive()
            content += message["body"]
        answer = self._encode({"response": await self._take(content)})
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def messages(store: Store) -> Take:
    """Takes calls of the Messaging API."""
    numbers, decode = itertools.count(1 << 40), msgspec.json.Decoder(Call).decode

    async def take(content: bytes) -> list[dict[str, str]]:
        call, number = decode(content), next(numbers)
        kept = Message(content=Content(channel="sms", fields=dict(call.channels["sms"])), addresses=())
        request = Request(id=number, nonce=number, tenant="bench", service="bench", accepted=0, messages=(kept,))
        values = call.destination[0]["msisdn"]
        await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", values),)))
        base = f"00000000-0000-7000-8000-{number:012x}"
        return [
            {"code": "1001", "transid": f"{base}_{ordinal}", "description": "Queued", "correlationid": ""}
            for ordinal in range(len(values))
        ]

    return take


async def serve(taking: Callable[[Store], Take], path: Path, port: int) -> None:
    """Serve until told to stop."""
    store = Store.on_sqlite(path)
    await store.open()
    config = uvicorn.Config(
        Reference(taking(store)), port=port, log_level="error", access_log=False, lifespan="off", http="httptools",
        ws="none", loop="none", backlog=2048,
    )  # fmt: skip
    await uvicorn.Server(config).serve()
    await store.close()


def main(taking: Callable[[Store], Take], path: str, port: str) -> None:
    """Be the process that serves."""
    sys.setswitchinterval(SWITCH_SECONDS)
    uvloop.run(serve(taking, Path(path), int(port)))


if __name__ == "__main__":
    main(messages, *sys.argv[1:])
