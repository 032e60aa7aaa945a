"""What the simulator of WeChat posts to us: signed, in safe mode encrypted, tried again like WeChat does."""

from __future__ import annotations

import asyncio
import base64
import itertools
import secrets
import time
from urllib.parse import urlencode

from heliograph.channels.wechat import crypto, xml
from heliograph.channels.wechat.settings import lane_of, made_up
from heliograph.wire.http import Client, HttpError

TRIES = 3
ANSWER_SECONDS = 5.0
AGAIN_SECONDS = 0.5


class Events:
    """Calls the callback URL of an account, `url` being the platform's."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = Client()
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(time.time_ns() // 1_000_000 * 1_000)

    def number(self) -> int:
        """An id as WeChat gives messages."""
        return next(self._numbers)

    def later(self, seconds: float, appid: str, members: dict[str, str | int]) -> None:
        """Post after so many seconds."""
        task = asyncio.get_running_loop().create_task(self._posted(seconds, appid, members))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def post(self, appid: str, members: dict[str, str | int]) -> int:
        """Post to the account's URL; the status of the last answer, 0 when there was none. `members` without
        ToUserName and CreateTime get them."""
        whole: dict[str, str | int] = {"ToUserName": f"gh_{appid[-12:]}", "CreateTime": int(time.time()), **members}
        status = 0
        for _ in range(TRIES):
            status = await self._call(appid, xml.written(whole), str(whole.get("FromUserName", "")))
            if status == 200:
                break
            await asyncio.sleep(AGAIN_SECONDS)
        return status

    async def verify(self, appid: str) -> bool:
        """Whether the URL answers a verification with the text it was sent."""
        lane, _ = lane_of(appid)
        text = secrets.token_hex(8)
        query = urlencode(self._signed(made_up(lane)["token"]) | {"echostr": text})
        try:
            answer = await self._client.request("GET", f"{self._target(lane)}?{query}", {}, allow_private=True)
        except HttpError:
            return False
        return answer.status == 200 and answer.body == text.encode()

    async def close(self) -> None:
        """Post nothing more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    async def _posted(self, seconds: float, appid: str, members: dict[str, str | int]) -> None:
        await asyncio.sleep(seconds)
        await self.post(appid, members)

    async def _call(self, appid: str, message: bytes, openid: str) -> int:
        lane, plain = lane_of(appid)
        made = made_up(lane, plain=plain)
        query = self._signed(made["token"]) | {"openid": openid}
        body = message
        if not plain:
            key = base64.b64decode(made["encoding_aes_key"] + "=")
            secret = crypto.encrypted(key, appid, message, secrets.token_bytes(16))
            signature = crypto.signature(made["token"], query["timestamp"], query["nonce"], secret)
            query |= {"encrypt_type": "aes", "msg_signature": signature}
            body = xml.written({"ToUserName": f"gh_{appid[-12:]}", "Encrypt": secret})
        try:
            answer = await self._client.request(
                "POST", f"{self._target(lane)}?{urlencode(query)}", {"content-type": "text/xml"}, body,
                ANSWER_SECONDS, allow_private=True,
            )  # fmt: skip
        except HttpError:
            return 0
        return answer.status if answer.body in (b"success", b"") or answer.status != 200 else 0

    def _target(self, lane: str) -> str:
        return f"{self._url}/callbacks/wechat/{lane}"

    def _signed(self, token: str) -> dict[str, str]:
        stamp, nonce = str(int(time.time())), secrets.token_hex(5)
        return {"timestamp": stamp, "nonce": nonce, "signature": crypto.signature(token, stamp, nonce)}
