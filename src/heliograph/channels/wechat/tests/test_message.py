"""A message as WeChat takes it, kind by kind, and what cannot be said to WeChat."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph import catalogue
from heliograph.channels.wechat.message import CUSTOM_PATH, TEMPLATE_PATH, Media, Step, steps_of
from heliograph.model.channel import Outbound
from heliograph.model.outcome import SendError

from .conftest import body

ID, THUMB = {"id": "MEDIA"}, {"id": "THUMB"}
ARTICLE = {"title": "t", "description": "d", "url": "https://a", "picurl": "https://b", "more": "no"}
MADE: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"type": "media", "media": ID}, "image", {"media_id": Media("image", "MEDIA")}),
    ({"media": {"id": 5, "type": "Voice"}}, "voice", {"media_id": Media("voice", "5")}),
    ({"type": "image", "media": {"url": "https://a/b.jpg"}}, "image",
     {"media_id": Media("image", url="https://a/b.jpg")}),
    ({"type": "voice", "media": ID}, "voice", {"media_id": Media("voice", "MEDIA")}),
    ({"type": "video", "media": ID, "thumb": THUMB, "title": "t", "description": "d"}, "video",
     {"media_id": Media("video", "MEDIA"), "thumb_media_id": Media("thumb", "THUMB"), "title": "t",
      "description": "d"}),
    ({"type": "video", "media": ID}, "video", {"media_id": Media("video", "MEDIA")}),
    ({"type": "music", "thumb": THUMB, "url": "https://m", "hq_url": "https://h"}, "music",
     {"musicurl": "https://m", "hqmusicurl": "https://h", "thumb_media_id": Media("thumb", "THUMB")}),
    ({"type": "news", "articles": [ARTICLE]}, "news",
     {"articles": [{"title": "t", "description": "d", "url": "https://a", "picurl": "https://b"}]}),
    ({"type": "mpnews", "media": ID}, "mpnews", {"media_id": "MEDIA"}),
    ({"type": "mpnewsarticle", "article_id": "A1"}, "mpnewsarticle", {"article_id": "A1"}),
    ({"type": "miniprogram", "miniprogram": {"appid": "wx1", "pagepath": "p"}, "title": "t", "thumb": THUMB},
     "miniprogrampage", {"appid": "wx1", "pagepath": "p", "title": "t", "thumb_media_id": Media("thumb", "THUMB")}),
]  # fmt: skip
UNSAID: list[tuple[dict[str, Any], str]] = [
    ({"type": "fax", "media": ID}, "7607"),
    ({"type": "media", "media": {"id": "M", "type": "smell"}}, "7607"),
    ({"type": "image"}, "7627"),
    ({"type": "image", "media": {"id": ""}}, "7627"),
    ({"type": "image", "media": {"url": 5}}, "7627"),
    ({"type": "music", "url": "https://m"}, "7627"),
    ({"type": "mpnews", "media": {"url": "https://a"}}, "7627"),
    ({"type": "news"}, "7630"),
    ({"type": "news", "articles": []}, "7630"),
    ({"type": "news", "articles": ["x"]}, "7630"),
    ({"type": "template", "data": {}}, "7108"),
    ({"type": "template", "template_id": "t", "data": [1]}, "7619"),
]


def steps(text: str = "", parameters: Any = None, **attachment: Any) -> tuple[Step, ...] | SendError:
    return steps_of(Outbound(0x5EED, 3, "OPENID", body(text, parameters=parameters, **attachment)))


def test_a_text_is_one_step() -> None:
    assert steps("hi") == (
        Step(CUSTOM_PATH, {"touser": "OPENID", "msgtype": "text", "text": {"content": "hi"}}, "text"),
    )


@pytest.mark.parametrize(("attachment", "kind", "inside"), MADE)
def test_an_attachment_has_wechats_own_shape(attachment: Any, kind: str, inside: Any) -> None:
    found = steps(**attachment)

    assert found == (Step(CUSTOM_PATH, {"touser": "OPENID", "msgtype": kind, kind: inside}, kind),)


@pytest.mark.parametrize(("attachment", "code"), UNSAID)
def test_what_cannot_be_said_is_refused_and_not_dropped(attachment: Any, code: str) -> None:
    found = steps("hi", **attachment)

    assert isinstance(found, SendError)
    assert (catalogue.code(found.key), found.retry, bool(found.detail)) == (code, "no", True)


def test_a_text_goes_before_its_attachment() -> None:
    found = steps("hi", type="image", media=ID)

    assert isinstance(found, tuple)
    assert [step.body["msgtype"] for step in found] == ["text", "image"]


def test_a_template_is_sent_once_however_often_we_try() -> None:
    found = steps(type="template", template_id="t1", url="https://a", data={"thing1": "x", "date2": {"value": "y"}},
                  miniprogram={"appid": "wx1", "pagepath": "p"})  # fmt: skip
    expected = {
        "touser": "OPENID", "template_id": "t1", "url": "https://a", "client_msg_id": "5eed-3",
        "data": {"thing1": {"value": "x"}, "date2": {"value": "y"}},
        "miniprogram": {"appid": "wx1", "pagepath": "p"},
    }  # fmt: skip

    assert found == (Step(TEMPLATE_PATH, expected, safe=True),)


def test_a_template_without_data_takes_the_parameters() -> None:
    found = steps(parameters={"thing1": 5}, type="template", template_id="t1")

    assert isinstance(found, tuple)
    assert found[0].body["data"] == {"thing1": {"value": "5"}}


def test_a_client_msg_id_is_never_too_long() -> None:
    longest = Outbound(2**63 - 1, 999_999, "O", body("", type="template", template_id="t", data={"a": "b"}))
    [step] = steps_of(longest)  # type: ignore[misc]

    assert len(step.body["client_msg_id"]) <= 32


def test_ids_take_the_place_of_media() -> None:
    [step] = steps(type="video", media={"url": "u"}, thumb={"id": "T"}, title="t")  # type: ignore[misc]
    ids = {media: media.id or "M" for media in step.media()}

    assert step.filled(ids)["video"] == {"media_id": "M", "thumb_media_id": "T", "title": "t"}
