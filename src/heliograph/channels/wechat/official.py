"""The connector of kind `wechat`: messages of one official account to its followers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.channels.wechat import outcomes
from heliograph.channels.wechat.api import ERROR, RENEW, UNREADABLE, Api, Reply
from heliograph.channels.wechat.media import OVERHEAD, MediaRefused, Uploads
from heliograph.channels.wechat.message import Step, steps_of
from heliograph.channels.wechat.settings import FAST_TIMEOUT, account_of
from heliograph.model.channel import Outbound, Tools
from heliograph.model.outcome import Reachability, SendError, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire import natives
from heliograph.wire.http import Client, Limits
from heliograph.wire.sending import FAST_SECONDS, CredentialsRefused, Sending

BEIJING = timezone(timedelta(hours=8))  # where the day of a quota ends
IDLE_SECONDS = 10.0  # kept connections are closed by us before WeChat closes them under a message
MINUTE, LONGEST = 60.0, 600.0  # seconds before an account whose quota is used up is tried again
HALFWAY = 10_000  # messages whose first part went out that are remembered


class OfficialAccount(Sending):
    """One account. See `Connector`."""

    def __init__(self, spec: ConnectorSpec, tools: Tools) -> None:
        account = account_of(spec)
        self._tools = tools
        largest = max(account.image_limit, account.voice_limit, account.video_limit, account.thumb_limit)
        self._client = Client(
            max_connections_per_origin=spec.window + 1, idle_timeout=IDLE_SECONDS,
            limits=Limits(request=largest + OVERHEAD),
        )  # fmt: skip
        self._api = Api(account, tools, self._client, FAST_TIMEOUT if tools.fast else account.timeout)
        self._uploads = Uploads(account, self._api, tools.clock_ms)
        self._appid = account.appid
        self._sent: dict[tuple[int, int], int] = {}  # how many parts of a message went out at an earlier try
        super().__init__(
            spec.name, self._message, window=spec.window, fast=tools.fast, close=self._closed, check=self._api.known
        )

    async def _closed(self) -> None:
        await self._uploads.close()
        await self._client.close()

    def describe(self, native: bytes) -> dict[str, Any]:
        """See `Connector`."""
        return natives.described(native)

    def status(self) -> dict[str, Any]:
        """See `Connector`."""
        return super().status() | {"account": self._appid, "token_ends_ms": self._api.token_ends_ms}

    async def _message(self, outbound: Outbound) -> Submitted | SendError:
        steps = steps_of(outbound)
        if isinstance(steps, SendError):
            return steps
        identity = (outbound.request, outbound.ordinal)
        ids: tuple[str, ...] = ()
        native: tuple[bytes, ...] = ()
        for step in steps[self._sent.get(identity, 0) :]:
            result = await self._step(outbound, step)
            if isinstance(result, SendError):
                return result
            ids, native = ids + result.native_ids, native + result.native
            self._went(identity)
        self._sent.pop(identity, None)
        return Submitted(ids, native, more=bool(ids))  # WeChat reports on templates alone

    def _went(self, identity: tuple[int, int]) -> None:
        """One more part of a message went out: another try begins behind it."""
        self._sent[identity] = self._sent.pop(identity, 0) + 1
        if len(self._sent) > HALFWAY:
            del self._sent[next(iter(self._sent))]

    async def _step(self, outbound: Outbound, step: Step) -> Submitted | SendError:
        files, private = step.media(), bool(outbound.body.attached)
        for anew in (False, True):
            try:
                ids = {media: await self._uploads.id_of(media, allow_private=private) for media in files}
            except MediaRefused as error:
                return error.result
            reply = await self._api.call(step.path, msgspec.json.encode(step.filled(ids)), safe=step.safe)
            outcome = outcomes.of_errcode(reply.errcode)
            fetched = [media for media in files if media.url]
            if not reply.errcode or anew or outcome.action != "upload" or not fetched:
                break
            for media in fetched:
                self._uploads.forget(media)
        return self._result(outbound, reply)

    def _result(self, outbound: Outbound, reply: Reply) -> Submitted | SendError:
        outcome = outcomes.of_errcode(reply.errcode)
        if not reply.errcode or outcome.key == keys.SUBMITTED:
            identity = reply.found.get("msgid")
            return Submitted((str(identity),) if identity else (), reply.native)
        if reply.errcode == UNREADABLE:
            return SendError(keys.UNKNOWN_EXCEPTION, "unknown", "", reply.errmsg, reply.native)
        result = SendError(outcome.key, outcome.retry, str(reply.errcode), reply.errmsg, reply.native)
        if outcome.deactivate == "yes":
            reason, now_ms = f"{reply.errcode} {reply.errmsg}".strip(), self._tools.clock_ms()
            self.news(Reachability(self.name, "wechat", outbound.to, False, at_ms=now_ms, reason=reason))
        if outcome.action in (RENEW, ERROR):
            raise CredentialsRefused(result)
        if outcome.action in ("quota", "minute"):
            seconds = seconds_to_new_day(self._tools.clock_ms()) if outcome.action == "quota" else MINUTE
            self.rest(FAST_SECONDS if self._tools.fast else min(seconds, LONGEST))
        return result


def seconds_to_new_day(now_ms: int) -> float:
    """Until the quotas of a day are new: midnight in Beijing."""
    now = datetime.fromtimestamp(now_ms / 1000, BEIJING)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - now).total_seconds()
