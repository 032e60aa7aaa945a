"""What the simulator of X posts to us: it asks the challenge first, signs its calls, and tries again."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from heliograph.channels.twitter.hook import EPOCH_MS, SIGNATURE, signed
from heliograph.channels.twitter.settings import made_up
from heliograph.wire.http import Client, HttpError

TRIES = 5
AGAIN_SECONDS = 0.5


class Events:
    """Calls the callback URL of a lane, `url` being the platform's. With `old` an event goes out in the envelope of
    the Account Activity API, else in the one of the X Activity API."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = Client()
        self._proved: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sequence = itertools.count()

    def new_id(self) -> str:
        """An id as X makes them: its moment and a sequence."""
        moment = time.time_ns() // 1_000_000 - EPOCH_MS
        return str((moment << 22) + next(self._sequence) % (1 << 22))

    def message(self, lane: str, sender: str, recipient: str, text: str, **more: Any) -> dict[str, Any]:
        """A message of the account or of a person, as an event; `more` are `event_id` and members of its data."""
        identity = more.pop("event_id", "") or self.new_id()
        create = {
            "target": {"recipient_id": recipient}, "sender_id": sender, "source_app_id": "268278",
            "message_data": {"text": text, "entities": {"hashtags": [], "urls": []}, **more},
        }  # fmt: skip
        event = {"type": "message_create", "id": identity, "created_timestamp": _now(), "message_create": create}
        return {"direct_message_events": [event]}

    def mark(self, lane: str, reader: str, last: str) -> dict[str, Any]:
        """A person has read up to an event."""
        own = made_up(lane)["user_id"]
        event = {
            "created_timestamp": _now(), "sender_id": reader, "target": {"recipient_id": own},
            "last_read_event_id": last,
        }  # fmt: skip
        return {"direct_message_mark_read_events": [event]}

    def later(self, lane: str, *events: tuple[float, str, Mapping[str, Any]], old: bool = False) -> None:
        """Post events, each so many seconds after the one before was answered."""
        task = asyncio.get_running_loop().create_task(self._posted(lane, events, old))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def post(self, lane: str, kind: str, payload: Mapping[str, Any], *, old: bool = False) -> int:
        """Post an event; the status of the last answer, 0 when there was none or the challenge was not met."""
        own = made_up(lane)["user_id"]
        if old:
            body = msgspec.json.encode({"for_user_id": own, **payload})
        else:
            data = {
                "event_uuid": str(secrets.randbits(62)), "filter": {"user_id": own}, "event_type": kind,
                "tag": "simulated", "payload": payload,
            }  # fmt: skip
            body = msgspec.json.encode({"data": data})
        status = 0
        for _ in range(TRIES):
            status = await self._call(lane, body)
            if 200 <= status < 300:
                return status
            await asyncio.sleep(AGAIN_SECONDS)
        return status

    async def close(self) -> None:
        """Post nothing more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    async def _posted(self, lane: str, events: tuple[tuple[float, str, Mapping[str, Any]], ...], old: bool) -> None:
        for seconds, kind, payload in events:
            await asyncio.sleep(seconds)
            await self.post(lane, kind, payload, old=old)

    async def _call(self, lane: str, body: bytes) -> int:
        secret, url = made_up(lane)["consumer_secret"], f"{self._url}/callbacks/twitter/{lane}"
        headers = {"content-type": "application/json", SIGNATURE: signed(secret, body)}
        try:
            if lane not in self._proved and not await self._challenge(lane, url, secret):
                return 0
            return (await self._client.request("POST", url, headers, body, allow_private=True)).status
        except HttpError:
            return 0

    async def _challenge(self, lane: str, url: str, secret: str) -> bool:
        token = secrets.token_urlsafe(16)
        answer = await self._client.request("GET", f"{url}?crc_token={token}", {}, allow_private=True)
        right = msgspec.json.encode({"response_token": signed(secret, token.encode())})
        if answer.status != 200 or answer.body != right:
            return False
        self._proved.add(lane)
        return True


def _now() -> str:
    return str(time.time_ns() // 1_000_000)
