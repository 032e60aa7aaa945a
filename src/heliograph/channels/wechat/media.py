"""Files that messages point at by URL: fetched under a guard, checked, brought to WeChat, remembered for days."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple

from heliograph.catalogue import keys
from heliograph.channels.wechat import outcomes
from heliograph.channels.wechat.api import ERROR, RENEW, Api
from heliograph.channels.wechat.message import Media
from heliograph.channels.wechat.settings import Account
from heliograph.model.outcome import SendError
from heliograph.wire.http import Client, HttpError, Limits
from heliograph.wire.sending import CredentialsRefused

UPLOAD_PATH = "/cgi-bin/media/upload"
KEPT = 2_000  # URLs whose ids are remembered
LIVES_MS = 3 * 86_400_000 - 3_600_000  # three days, less an hour
FETCH_SECONDS = 20.0
OVERHEAD = 4_096  # bytes of a form around its file


class MediaRefused(Exception):
    """The file cannot be brought to WeChat; `result` is what becomes of the message."""

    def __init__(self, result: SendError) -> None:
        super().__init__(result.detail)
        self.result = result


class Form(NamedTuple):
    """A format: how its files begin (at `offset`), their extension and media type."""

    magic: bytes
    extension: str
    media_type: str
    offset: int = 0


JPEG = Form(b"\xff\xd8\xff", "jpg", "image/jpeg")
FORMS: Mapping[str, tuple[Form, ...]] = {
    "image": (
        JPEG, Form(b"\x89PNG\r\n\x1a\n", "png", "image/png"), Form(b"GIF8", "gif", "image/gif"),
        Form(b"BM", "bmp", "image/bmp"),
    ),
    "voice": (
        Form(b"#!AMR", "amr", "audio/amr"), Form(b"ID3", "mp3", "audio/mpeg"), Form(b"\xff\xfb", "mp3", "audio/mpeg"),
        Form(b"\xff\xf3", "mp3", "audio/mpeg"), Form(b"\xff\xf2", "mp3", "audio/mpeg"),
    ),
    "video": (Form(b"ftyp", "mp4", "video/mp4", 4),),
    "thumb": (JPEG,),
}  # fmt: skip
WRONG_FORM = {"image": keys.WECHAT_INVALID_IMAGE_FILE_TYPE}
TOO_LARGE = {
    "image": keys.WECHAT_INVALID_IMAGE_SIZE,
    "voice": keys.WECHAT_INVALID_AUDIO_SIZE,
    "video": keys.WECHAT_INVALID_VIDEO_SIZE,
    "thumb": keys.WECHAT_INVALID_THUMBNAIL_SIZE,
}


def form_of(kind: str, file: bytes) -> Form | None:
    """The format of a file, if WeChat takes it for that kind of media."""
    return next((form for form in FORMS[kind] if file[form.offset :].startswith(form.magic)), None)


def multipart(file: bytes, form: Form, boundary: str) -> bytes:
    """The form that carries a file."""
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="media.{form.extension}"\r\n'
        f"Content-Type: {form.media_type}\r\n\r\n"
    )
    return head.encode() + file + f"\r\n--{boundary}--\r\n".encode()


class Uploads:
    """Ids of media at WeChat by their URL. Who needs the same file at once waits for one upload."""

    def __init__(self, account: Account, api: Api, clock_ms: Callable[[], int]) -> None:
        self._limits = {
            "image": account.image_limit, "voice": account.voice_limit, "video": account.video_limit,
            "thumb": account.thumb_limit,
        }  # fmt: skip
        self._api = api
        self._clock_ms = clock_ms
        self._fetcher = Client(limits=Limits(answer=max(self._limits.values()) + 1))
        self._known: dict[Media, tuple[str, int]] = {}
        self._under_way: dict[Media, asyncio.Task[str]] = {}

    async def id_of(self, media: Media, *, allow_private: bool) -> str:
        """The id of media at WeChat; raises `MediaRefused`, and what `Api.call` raises."""
        if media.id:
            return media.id
        identity, ends_ms = self._known.get(media, ("", 0))
        if self._clock_ms() < ends_ms:
            return identity
        task = self._under_way.get(media)
        if task is None:
            task = self._under_way[media] = asyncio.create_task(self._brought(media, allow_private))
            task.add_done_callback(lambda _: self._under_way.pop(media, None))
        return await asyncio.shield(task)

    def forget(self, media: Media) -> None:
        """WeChat does not know the id any more."""
        self._known.pop(media, None)

    async def close(self) -> None:
        """Stop what is under way."""
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._fetcher.close()

    async def _brought(self, media: Media, allow_private: bool) -> str:
        file = await self._fetched(media, allow_private)
        form = form_of(media.kind, file)
        if form is None:
            key = WRONG_FORM.get(media.kind, keys.WECHAT_INVALID_FILE_TYPE)
            extensions = dict.fromkeys(form.extension for form in FORMS[media.kind])
            raise _refused(key, f"the file is no {media.kind} that WeChat takes ({', '.join(extensions)})")
        boundary = secrets.token_hex(16)
        reply = await self._api.call(
            UPLOAD_PATH, multipart(file, form, boundary), safe=True, more=f"&type={media.kind}",
            media_type=f"multipart/form-data; boundary={boundary}",
        )  # fmt: skip
        identity = reply.found.get("media_id") or reply.found.get("thumb_media_id")
        if reply.errcode or not isinstance(identity, str):
            outcome = outcomes.of_errcode(reply.errcode)
            result = SendError(outcome.key, outcome.retry, str(reply.errcode), reply.errmsg, reply.native)
            if outcome.action in (RENEW, ERROR):
                raise CredentialsRefused(result)
            raise MediaRefused(result)
        self._keep(media, identity)
        return identity

    async def _fetched(self, media: Media, allow_private: bool) -> bytes:
        try:
            answer = await self._fetcher.request(
                "GET", media.url, {"accept": "*/*"}, timeout=FETCH_SECONDS, allow_private=allow_private
            )
        except HttpError as error:
            retry = "no" if error.kind in ("refused_target", "bad_url") else "soon"
            raise _refused(keys.WECHAT_MEDIA_DATA_MISSING, f"the file cannot be fetched: {error}", retry) from error
        if answer.status != 200:
            retry = "soon" if answer.status >= 500 or answer.status == 429 else "no"
            said = f"the address of the file answers {answer.status}; redirects are not followed"
            raise _refused(keys.WECHAT_MEDIA_DATA_MISSING, said, retry)
        limit = self._limits[media.kind]
        if answer.cut or len(answer.body) > limit:
            raise _refused(TOO_LARGE[media.kind], f"the file has more than {limit} bytes")
        if not answer.body:
            raise _refused(keys.WECHAT_MEDIA_DATA_MISSING, "the file is empty")
        return answer.body

    def _keep(self, media: Media, identity: str) -> None:
        self._known.pop(media, None)
        while len(self._known) >= KEPT:
            del self._known[next(iter(self._known))]  # the oldest
        self._known[media] = (identity, self._clock_ms() + LIVES_MS)


def _refused(key: str, detail: str, retry: str = "no") -> MediaRefused:
    return MediaRefused(SendError(key, retry, detail=detail))
