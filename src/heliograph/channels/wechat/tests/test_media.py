"""Files by URL: fetched under a guard, checked, uploaded once, and uploaded again when WeChat forgot them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from heliograph import catalogue
from heliograph.channels.wechat.media import UPLOAD_PATH, form_of
from heliograph.model.outcome import SendError, Submitted
from heliograph.wire.plain_asgi import Asked, Reply, application
from heliograph.wire.standin import HttpStandIn

from .conftest import Connect, Line, body

JPEG, PNG = b"\xff\xd8\xff\xe0" + b"j" * 100, b"\x89PNG\r\n\x1a\n" + b"p" * 100
AMR, MP3, MP4 = b"#!AMR\n" + b"a" * 100, b"ID3" + b"m" * 100, b"\0\0\0\x18ftypmp42" + b"v" * 100
FILES = {
    "/a.jpg": JPEG, "/a.png": PNG, "/a.amr": AMR, "/a.mp3": MP3, "/a.mp4": MP4, "/page.html": b"<html>",
    "/empty": b"", "/large.jpg": JPEG * 20_000,
}  # fmt: skip


class Shop:
    """Serves files."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.server = HttpStandIn(application(self.serve), "127.0.0.1", 0)
        self.url = ""

    async def serve(self, asked: Asked) -> Reply:
        self.asked[asked.path] += 1
        if asked.path in FILES:
            return Reply(200, FILES[asked.path], "application/octet-stream")
        status = {"/moved": 302, "/down": 503}.get(asked.path, 404)
        return Reply(status, b"", headers=(("location", f"{self.url}/a.jpg"),))


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A server with files."""
    found = Shop()
    found.url = (await found.server.start()).url()
    yield found
    await found.server.stop()


@pytest.mark.parametrize(
    ("kind", "path"),
    [("image", "/a.jpg"), ("image", "/a.png"), ("voice", "/a.amr"), ("voice", "/a.mp3"), ("video", "/a.mp4")],
)
async def test_a_file_is_uploaded_and_sent_by_its_id(line: Line, shop: Shop, kind: str, path: str) -> None:
    result = await line.result(sent=body("", type=kind, media={"url": shop.url + path}))

    assert isinstance(result, Submitted)
    assert line.simulator.doors.knows(line.appid, line.taken()[kind]["media_id"])


async def test_a_film_has_a_thumbnail(line: Line, shop: Shop) -> None:
    sent = body("", type="video", media={"url": f"{shop.url}/a.mp4"}, thumb={"url": f"{shop.url}/a.jpg"}, title="t")

    assert isinstance(await line.result(sent=sent), Submitted)
    assert line.simulator.asked[UPLOAD_PATH] == 2


async def test_a_file_is_uploaded_once_for_many(line: Line, shop: Shop) -> None:
    sent = body("", type="image", media={"url": f"{shop.url}/a.jpg"})
    await asyncio.gather(*(line.result(sent=sent) for _ in range(10)))
    await line.result(sent=sent)

    assert (shop.asked["/a.jpg"], line.simulator.asked[UPLOAD_PATH]) == (1, 1)


async def test_a_file_that_wechat_forgot_is_uploaded_again(line: Line, shop: Shop) -> None:
    sent = body("", type="image", media={"url": f"{shop.url}/a.jpg"})
    await line.result(sent=sent)
    line.simulator.doors.lose()

    assert isinstance(await line.result(sent=sent), Submitted)
    assert line.simulator.asked[UPLOAD_PATH] == 2


async def test_an_id_of_the_caller_that_wechat_forgot_is_7606(line: Line) -> None:
    result = await line.result(sent=body("", type="image", media={"id": "old"}))

    assert isinstance(result, SendError)
    assert catalogue.code(result.key) == "7606"


@pytest.mark.parametrize(
    ("kind", "path", "code", "retry"),
    [
        ("image", "/page.html", "7643", "no"),
        ("voice", "/a.jpg", "7604", "no"),
        ("video", "/a.mp3", "7604", "no"),
        ("image", "/empty", "7626", "no"),
        ("image", "/nothing", "7626", "no"),
        ("image", "/moved", "7626", "no"),
        ("image", "/down", "7626", "soon"),
        ("thumb", "/large.jpg", "7611", "no"),
    ],
)
async def test_a_file_that_is_not_right_is_refused(
    line: Line, shop: Shop, kind: str, path: str, code: str, retry: str
) -> None:
    media = {"url": shop.url + path}
    if kind == "thumb":
        sent = body("", type="music", url="https://m", thumb=media)
    else:
        sent = body("", type=kind, media=media)
    result = await line.result(sent=sent)

    assert isinstance(result, SendError)
    assert (catalogue.code(result.key), result.retry) == (code, retry)
    assert line.simulator.asked[UPLOAD_PATH] == 0


@pytest.mark.parametrize(("kind", "path", "code"), [
    ("image", "/large.jpg", "7608"), ("voice", "/a.amr", "7609"), ("video", "/a.mp4", "7610"),
])  # fmt: skip
async def test_the_limits_are_the_accounts(connect: Connect, shop: Shop, kind: str, path: str, code: str) -> None:
    line = await connect(image_limit=131_072, voice_limit=50, video_limit=50)
    result = await line.result(sent=body("", type=kind, media={"url": shop.url + path}))

    assert isinstance(result, SendError)
    assert catalogue.code(result.key) == code


async def test_a_private_address_is_not_fetched_from_unless_the_tenant_may(line: Line, shop: Shop) -> None:
    result = await line.result(sent=body("", private=False, type="image", media={"url": f"{shop.url}/a.jpg"}))

    assert isinstance(result, SendError)
    assert (catalogue.code(result.key), result.retry) == ("7626", "no")
    assert "loopback" in result.detail
    assert shop.asked.total() == 0


async def test_wechat_says_what_is_wrong_with_an_upload(connect: Connect, shop: Shop) -> None:
    line = await connect(thumb_limit=10_000_000)
    result = await line.result(sent=body("", type="music", url="https://m", thumb={"url": f"{shop.url}/large.jpg"}))

    assert isinstance(result, SendError)
    assert (catalogue.code(result.key), result.native_code) == ("7611", "40012")


def test_a_file_is_known_by_how_it_begins() -> None:
    assert form_of("image", b"GIF89a").extension == "gif"  # type: ignore[union-attr]
    assert form_of("thumb", PNG) is None
