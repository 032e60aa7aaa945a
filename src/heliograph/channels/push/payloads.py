"""From `channels.push` to what each system is sent. Pure.

A payload is made once for a content; what differs from device to device (token, id, receipt) is put in later. What
is ours stands in one member of its own, `heliograph`, so that it never meets a name of `customtags`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.model.channel import Body
from heliograph.model.placeholders import fill

OURS = "heliograph"
RECEIPT_CHARACTERS = 60
"""How long the receipt of a message is (see `app_receipts`)."""

BYTES, VOIP_BYTES = 4_096, 5_120
WEB_BYTES = 3_993  # what fits into 4,096 bytes once it is encrypted (RFC 8291, 4)
ANDROID_TTL, IOS_TTL, WEB_TTL = 2_419_200, 2_592_000, 2_419_200  # seconds, 28, 30 and 28 days
COLLAPSE_BYTES = 64

# FCM's names of how loud a notification is, by our priority.
_LOUDNESS = {
    "1": "PRIORITY_MIN",
    "2": "PRIORITY_LOW",
    "3": "PRIORITY_DEFAULT",
    "4": "PRIORITY_HIGH",
    "5": "PRIORITY_MAX",
}
_QUIET = frozenset({"1", "2"})
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)  # RFC 8030, 5.4

encode = msgspec.json.encode


class Unfit(Exception):
    """The content cannot go to that system: the catalogue key, and why."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(key, detail)
        self.key = key
        self.detail = detail


class Payload(msgspec.Struct, frozen=True):
    """What goes to a system's devices. `fields` is the native object, to which the receipt is still to be added under
    `ours`; `headers` go beside it; `ttl` is in seconds."""

    fields: dict[str, Any]
    ours: dict[str, Any]
    ttl: int
    headers: dict[str, str] = {}


class _Block:
    """The object of one system in the request, with texts filled in."""

    def __init__(self, body: Body, system: str) -> None:
        content = body.content
        fields = content.fields
        given = fields.get(system)
        if not isinstance(given, dict):
            if any(isinstance(fields.get(other), dict) for other in ("android", "ios", "web")):
                raise Unfit(keys.PUSH_PLATFORM_MISSING, f"Mandatory parameters missing: there is no `{system}`")
            given = {}  # all of it comes from the template
        self._filled = bool(content.template or content.parameters)
        self._parameters = content.parameters
        self.given: Mapping[str, Any] = given
        self.extras: Mapping[str, Any] = given.get("extras") or {}
        self.title = self.text_of(given.get("title"))
        self.text = self.text_of(given.get("text") or fields.get("text"))
        interactive = fields.get("interactive")
        named = isinstance(interactive, dict) and system in (interactive.get("device_types") or ())
        self.buttons: Mapping[str, Any] = interactive if named and isinstance(interactive, dict) else {}

    def text_of(self, value: object) -> str:
        text = "" if value is None else str(value)
        return fill(text, self._parameters) if self._filled else text

    def ttl(self, longest: int, key: str) -> int:
        """The time to live that was asked for, else the longest."""
        value = self.extras.get("time_to_live")
        if value is None or value == "":
            return longest
        seconds = whole(value)
        if seconds is None or not 0 <= seconds <= longest:
            raise Unfit(key, f"`time_to_live` is no whole number from 0 to {longest}")
        return seconds

    def tags(self, *reserved: str) -> dict[str, Any]:
        tags = self.extras.get("customtags") or {}
        for name in (OURS, *reserved):
            if name in tags:
                raise Unfit(keys.PUSH_UNKNOWN_ERROR, f"`{name}` is a reserved name in `customtags`")
        return dict(tags)

    def ours(self) -> dict[str, Any]:
        """What our part of the payload says of taps."""
        found: dict[str, Any] = {}
        if action := self.extras.get("notificationaction"):
            found["action"] = action
        if self.buttons:
            found["category"] = self.buttons.get("category")
            found["buttons"] = self.buttons.get("actions")
        return found


def whole(value: object) -> int | None:
    """A whole number that may be written as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text = value.strip() if isinstance(value, str) else ""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(text) < 12 else None


def android(body: Body, style: str, channel_id: str) -> Payload:
    """A message of FCM HTTP v1 without its token. With buttons, and with the style `data`, nothing is shown by the
    system: the app's own code shows it. Raises `Unfit`."""
    block = _Block(body, "android")
    extras = block.extras
    ttl = block.ttl(ANDROID_TTL, keys.INVALID_TIME_TO_LIVE_ANDROID)
    tags, ours = block.tags(), block.ours()
    data = {name: value if isinstance(value, str) else encode(value).decode() for name, value in tags.items()}
    priority = str(block.given.get("priority") or "")
    quiet = priority in _QUIET or str(extras.get("delay_while_idle")).lower() == "true"
    android_part: dict[str, Any] = {"priority": "NORMAL" if quiet else "HIGH", "ttl": f"{ttl}s"}
    if collapse := extras.get("collapse_key"):
        android_part["collapse_key"] = str(collapse)
    fields: dict[str, Any] = {"data": data, "android": android_part}
    if style == "data" or block.buttons:
        ours |= {"title": block.title, "text": block.text}
        ours |= {name: str(extras[name]) for name in ("sound", "iconurl") if extras.get(name)}
    else:
        fields["notification"] = _plain({"title": block.title, "body": block.text, "image": tags.get("imageurl")})
        shown = {
            "channel_id": extras.get("notificationChannelId") or channel_id,
            "sound": extras.get("sound"),
            "notification_priority": _LOUDNESS.get(priority),
        }
        if extras.get("iconurl"):
            ours["iconurl"] = str(extras["iconurl"])
        android_part["notification"] = _plain(shown)
    _fits(
        {"notification": fields.get("notification"), "data": {**data, OURS: encode(_receipted(ours)).decode()}},
        BYTES, keys.PAYLOAD_TOO_LARGE_ANDROID,
    )  # fmt: skip
    return Payload(fields, ours, ttl)


def ios(body: Body, push_type: str) -> Payload:
    """The body of a call to APNs, and its collapse id. Raises `Unfit`."""
    block = _Block(body, "ios")
    extras = block.extras
    ttl = block.ttl(IOS_TTL, keys.INVALID_TIME_TO_LIVE_IOS)
    ours = block.ours()
    alert = _plain({"title": block.title, "body": block.text})
    aps: dict[str, Any] = {"content-available": 1} if push_type == "background" else {"alert": alert}
    if push_type != "background":
        aps["mutable-content"] = 1  # so that the app's extension may fetch what is attached, and say it was delivered
        aps["sound"] = extras.get("sound")
        aps["category"] = block.buttons.get("category")
        aps["badge"] = _badge(extras.get("badge"))
    else:
        ours |= alert
    if url := extras.get("attachmenturl"):
        ours["attachmenturl"] = str(url)
    fields = {**block.tags("aps"), "aps": _plain(aps)}
    headers = {}
    if collapse := str(extras.get("collapse_key") or ""):
        if len(collapse.encode()) > COLLAPSE_BYTES or not collapse.isprintable():
            raise Unfit(keys.PUSH_UNKNOWN_ERROR, f"`collapse_key` is longer than {COLLAPSE_BYTES} bytes")
        headers["apns-collapse-id"] = collapse.encode().decode("latin-1")
    longest = VOIP_BYTES if push_type == "voip" else BYTES
    _fits({**fields, OURS: _receipted(ours)}, longest, keys.PAYLOAD_TOO_LARGE_IOS)
    return Payload(fields, ours, ttl, headers)


def _badge(value: object) -> int | None:
    if value is None or value == "":
        return None
    number = whole(value)
    if number is None or number < 0:
        raise Unfit(keys.PUSH_UNKNOWN_ERROR, "`badge` is no whole number")
    return number


def web(body: Body, browser: str) -> Payload:
    """What a browser is given, before it is encrypted. With a URL it is a Declarative Web Push message as well, which
    Safari shows by itself. `browser` is whose it is, "" where that is not known. Raises `Unfit`."""
    block = _Block(body, "web")
    wanted = block.given.get("platform_types") or ()
    if browser and wanted and browser not in wanted:
        raise Unfit(keys.PUSH_PLATFORM_MISSING, f"Mandatory parameters missing: `platform_types` has no {browser}")
    ttl = block.ttl(WEB_TTL, keys.INVALID_TIME_TO_LIVE_ANDROID)
    tags = block.tags()
    url = str(block.given.get("url") or "")
    notification = _plain({"title": block.title or block.text, "body": block.text if block.title else None})
    if url:
        notification["navigate"] = url
    if label := block.text_of(block.given.get("actiontext")):
        notification["actions"] = [_plain({"action": "open", "title": label, "navigate": url})]
    headers = {}
    if collapse := str(block.extras.get("collapse_key") or ""):
        notification["tag"] = collapse
        headers["topic"] = _topic(collapse)
    fields: dict[str, Any] = {"web_push": 8030} if url else {}
    fields |= {"notification": notification}
    if tags:
        notification["data"] = tags
    ours = block.ours()
    _fits({**fields, OURS: _receipted(ours)}, WEB_BYTES, keys.PAYLOAD_TOO_LARGE_ANDROID)
    return Payload(fields, ours, ttl, headers)


def _topic(collapse: str) -> str:
    """A collapse key in the form of the header Topic; one that does not fit is digested."""
    return collapse if _TOPIC.fullmatch(collapse) else hashlib.sha256(collapse.encode()).hexdigest()[:32]


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """Without the members that say nothing."""
    return {name: value for name, value in found.items() if value is not None and value != ""}


def _receipted(ours: dict[str, Any]) -> dict[str, Any]:
    return {**ours, "receipt": "-" * RECEIPT_CHARACTERS}


def _fits(payload: dict[str, Any], longest: int, key: str) -> None:
    size = len(encode(_plain(payload)))
    if size > longest:
        raise Unfit(key, f"the payload has {size} bytes, {longest} is the most")


def all_texts(fields: Mapping[str, Any], text: str) -> str:
    """Every text that people will read, for the checks of content."""
    found = [text]
    for system in ("android", "ios", "web"):
        block = fields.get(system)
        if isinstance(block, dict):
            found += [str(block.get(name) or "") for name in ("title", "text", "actiontext")]
    return "\n".join(line for line in dict.fromkeys(found) if line)
