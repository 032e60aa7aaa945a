"""A message as WeChat takes it: one or two calls, whose media may have to be uploaded first. Pure.

A text and an attachment are two messages in WeChat; the text goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from heliograph.catalogue import keys
from heliograph.model.channel import Outbound
from heliograph.model.outcome import SendError

CUSTOM_PATH = "/cgi-bin/message/custom/send"
TEMPLATE_PATH = "/cgi-bin/message/template/send"

Fields = Mapping[str, Any]


class Media(NamedTuple):
    """A file at WeChat by its `id`, or one at a `url` that is to be brought there."""

    kind: str
    id: str = ""
    url: str = ""


class Step(NamedTuple):
    """One call: its path and body, in whose `inside` member (a template's: the body itself) values may be `Media`.
    What is `safe` is not sent twice by WeChat, whatever we do."""

    path: str
    body: dict[str, Any]
    inside: str = ""
    safe: bool = False

    def media(self) -> list[Media]:
        """What must have an id before it can go out."""
        return [value for value in self.body.get(self.inside, {}).values() if isinstance(value, Media)]

    def filled(self, ids: Mapping[Media, str]) -> dict[str, Any]:
        """The body with ids for media."""
        if not self.inside:
            return self.body
        inside = {
            name: ids[value] if isinstance(value, Media) else value for name, value in self.body[self.inside].items()
        }
        return {**self.body, self.inside: inside}


class _Unsaid(Exception):
    """It cannot be said to WeChat."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(key)
        self.result = SendError(key, detail=detail)


def steps_of(outbound: Outbound) -> tuple[Step, ...] | SendError:
    """The calls that send a message, or why it cannot be said to WeChat."""
    fields, text = outbound.body.content.fields, outbound.body.text
    attachment = fields.get("attachment")
    steps: list[Step] = []
    if text:
        steps.append(_custom(outbound.to, "text", {"content": text}))
    try:
        if isinstance(attachment, dict) and attachment:
            kind = str(attachment.get("type") or "media").lower()
            if kind == "template":
                steps.append(_template(outbound, attachment))
            else:
                steps.append(_custom(outbound.to, *_made(kind, attachment)))
    except _Unsaid as error:
        return error.result
    return tuple(steps)


def _custom(to: str, kind: str, inside: dict[str, Any]) -> Step:
    return Step(CUSTOM_PATH, {"touser": to, "msgtype": kind, kind: inside}, inside=kind)


def _made(kind: str, fields: Fields) -> tuple[str, dict[str, Any]]:
    """The msgtype of an attachment and what stands under it."""
    if kind == "media":
        media = fields.get("media")
        kind = str((media.get("type") if isinstance(media, dict) else None) or "image").lower()
    maker = _MAKERS.get(kind)
    if maker is None:
        known = ", ".join(["media", *_MAKERS, "template"])
        raise _Unsaid(keys.WECHAT_INVALID_MESSAGE_TYPE, f"`attachment.type` {kind[:64]!r} is none of {known}")
    return maker(fields)


def _file(kind: str) -> Callable[[Fields], tuple[str, dict[str, Any]]]:
    def make(fields: Fields) -> tuple[str, dict[str, Any]]:
        return kind, {"media_id": _media(fields, "media", kind)}

    return make


def _video(fields: Fields) -> tuple[str, dict[str, Any]]:
    inside = {"media_id": _media(fields, "media", "video")}
    if fields.get("thumb"):
        inside["thumb_media_id"] = _media(fields, "thumb", "thumb")
    return "video", inside | _texts(fields, title="title", description="description")


def _music(fields: Fields) -> tuple[str, dict[str, Any]]:
    inside = _texts(fields, title="title", description="description", musicurl="url", hqmusicurl="hq_url")
    return "music", inside | {"thumb_media_id": _media(fields, "thumb", "thumb")}


def _news(fields: Fields) -> tuple[str, dict[str, Any]]:
    articles = fields.get("articles")
    if not isinstance(articles, list) or not articles or not all(isinstance(one, dict) for one in articles):
        raise _Unsaid(keys.WECHAT_RICH_MEDIA_EMPTY, "`attachment.articles` is no list of articles, or empty")
    members = ("title", "description", "url", "picurl")
    return "news", {"articles": [_texts(one, **{name: name for name in members}) for one in articles]}


def _mpnews(fields: Fields) -> tuple[str, dict[str, Any]]:
    media = fields.get("media")
    if not isinstance(media, dict) or not media.get("id"):  # it is made at WeChat, there is nothing to upload
        raise _Unsaid(keys.WECHAT_MEDIA_ID_MISSING, "`attachment.media.id` is missing")
    return "mpnews", {"media_id": str(media["id"])}


def _article(fields: Fields) -> tuple[str, dict[str, Any]]:
    return "mpnewsarticle", _texts(fields, article_id="article_id")


def _miniprogram(fields: Fields) -> tuple[str, dict[str, Any]]:
    program = fields.get("miniprogram")
    inside = _texts(program if isinstance(program, dict) else {}, appid="appid", pagepath="pagepath")
    inside |= _texts(fields, title="title")
    return "miniprogrampage", inside | {"thumb_media_id": _media(fields, "thumb", "thumb")}


_MAKERS: dict[str, Callable[[Fields], tuple[str, dict[str, Any]]]] = {
    "image": _file("image"),
    "voice": _file("voice"),
    "video": _video,
    "music": _music,
    "news": _news,
    "mpnews": _mpnews,
    "mpnewsarticle": _article,
    "miniprogram": _miniprogram,
}


def _media(fields: Fields, member: str, kind: str) -> Media:
    found = fields.get(member)
    known = found if isinstance(found, dict) else {}
    if identity := known.get("id"):
        return Media(kind, id=str(identity))
    if isinstance(url := known.get("url"), str) and url:
        return Media(kind, url=url)
    raise _Unsaid(keys.WECHAT_MEDIA_ID_MISSING, f"`attachment.{member}` has neither `id` nor `url`")


def _template(outbound: Outbound, fields: Fields) -> Step:
    """A template of the account. The `client_msg_id` is the same at every try, so that WeChat sends it once."""
    data = fields.get("data") or outbound.body.content.parameters
    if not fields.get("template_id"):
        raise _Unsaid(keys.INVALID_TEMPLATE, "`attachment.template_id` is missing")
    if not isinstance(data, dict):
        raise _Unsaid(keys.WECHAT_INVALID_PARAMETERS, "`attachment.data` is no object")
    body: dict[str, Any] = {
        "touser": outbound.to,
        **_texts(fields, template_id="template_id", url="url"),
        "client_msg_id": f"{outbound.request:x}-{outbound.ordinal:x}",
        "data": {
            str(name): value if isinstance(value, dict) else {"value": _plain(value)} for name, value in data.items()
        },
    }
    if isinstance(program := fields.get("miniprogram"), dict):
        body["miniprogram"] = _texts(program, appid="appid", pagepath="pagepath")
    return Step(TEMPLATE_PATH, body, safe=True)


def _texts(fields: Fields, **members: str) -> dict[str, Any]:
    """Members of ours under WeChat's names, as text, where they are there."""
    return {theirs: _plain(fields[ours]) for theirs, ours in members.items() if fields.get(ours) not in (None, "")}


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
