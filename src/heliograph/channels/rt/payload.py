"""What an app gets of a message, and what is pushed in its place. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.model.channel import Body
from heliograph.model.inapp import Notification

KEPT = 2_048
_encode = msgspec.json.Encoder().encode
_SYSTEMS = ("android", "ios", "web")
_BROWSERS = ["chrome", "firefox", "safari"]


def message_of(body: Body) -> dict[str, Any]:
    """The members of a message that its devices get: text, attachment, extras, conversation."""
    fields = body.content.fields
    message = fields.get("message")
    found = {name: value for name, value in message.items() if name != "text"} if isinstance(message, dict) else {}
    if body.text:
        found["text"] = body.text
    if thread := fields.get("thread_id"):
        found["thread"] = str(thread)
    return found


class Payloads:
    """Messages as JSON, kept under the identity of the body they were made of."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Body, str]] = {}

    def of(self, body: Body, identity: str, at_ms: int) -> str:
        """The JSON object of a message: its id, when it came, and what all its destinations get."""
        kept = self._kept.get(id(body))
        if kept is None:  # the body is kept beside it, so that its identity is not given anew
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            kept = self._kept[id(body)] = (body, _encode(message_of(body)).decode())
        rest = kept[1][1:]
        return f'{{"id":"{identity}","at":{at_ms}{"," if rest != "}" else ""}{rest}'


def native_id(request: int, ordinal: int) -> str:
    """How an app names a message."""
    return f"{request:x}-{ordinal}"


def notification_of(app: str, fields: dict[str, Any]) -> Notification | None:
    """The push for a user who is away; None where the message asks for none."""
    given = fields.get("notification")
    if not isinstance(given, dict) or not given.get("text"):
        return None
    common = {name: given[name] for name in ("title", "text") if given.get(name)}
    push: dict[str, object] = {}
    for system in _SYSTEMS:
        extras = given.get(f"{system}_extras") or {}
        push[system] = {**common, **({"extras": dict(extras)} if extras else {})}
    web = given.get("web_extras") or {}
    more = {"url": web["url"]} if isinstance(web.get("url"), str) else {}
    push["web"] = {**common, "platform_types": _BROWSERS, **more}
    interactive = given.get("interactive")
    if isinstance(interactive, dict) and interactive:
        push["interactive"] = {**interactive, "device_types": ["android", "ios"]}
    return Notification(app, push)
