"""Reads a Messaging call: the envelope that all channels share, in the published order of checks.

deliverychannel (7003, 7004) -> destination (7003) -> number of destinations (7009) -> channel object (7003) ->
values (7004, interactive last) -> expiry (7005). First failure wins; a body that is a list fails element by element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.contract.destinations import TOO_MANY, Group, addresses_of, correlation_of, read_destinations
from heliograph.contract.expiry import expiry_ms
from heliograph.contract.interactive import check_interactive
from heliograph.contract.links import shorten_of, smartlinks_of
from heliograph.contract.rules import check
from heliograph.contract.values import as_text, check_depth, member_at, object_member, text_member
from heliograph.model.categories import SHIPPED, Category
from heliograph.model.channel import Channel
from heliograph.model.message import DEFAULT_PRIORITY, Content, Message
from heliograph.model.outcome import Rejected
from heliograph.model.rules import Path

MOST_DESTINATIONS = 1_000
CALLBACK_CHARACTERS = 2_000
URL_CHARACTERS = 2_048
ID_CHARACTERS = 256

Categories = Mapping[str, Category]

_decode = msgspec.json.Decoder().decode
_PRIORITIES = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}


class BadElement(Rejected):
    """An element of a list body that is refused while the others are taken; it keeps its correlation id."""

    def __init__(self, error: Rejected, correlation: str) -> None:
        super().__init__(error.key, *error.values)
        self.correlation = correlation


@dataclass(frozen=True, slots=True)
class Call:
    """A call in request order: what each element became."""

    elements: tuple[Message | BadElement, ...]
    is_list: bool


@dataclass(frozen=True, slots=True)
class _Opened:
    """An element after the first checks: its channel and its destinations are known."""

    body: dict[str, Any]
    channel: Channel
    groups: list[Group]

    def count(self) -> int:
        """How many addresses it has."""
        return sum([len(values) for _, values, _ in self.groups])


def read_call(
    body: bytes,
    channels: Mapping[str, Channel],
    now_ms: int,
    categories: Categories = SHIPPED,
    most: int = MOST_DESTINATIONS,
) -> Call:
    """The call's messages; raises `Rejected` when it is refused as a whole. `channels` holds passports by
    every spelling of their names, in lower case, `categories` the tenant's sets of buttons by name; `most` is how
    many destinations a call may have."""
    root = _json(body)
    if isinstance(root, dict):
        opened = _open(root, channels, most)
        _limit(opened.count(), most)
        return Call((_read(opened, now_ms, categories),), False)
    if not isinstance(root, list) or set(map(type, root)) != {dict}:
        raise Rejected(keys.INVALID_JSON)
    _limit(len(root), most)  # every element counts, whatever becomes of it
    opened_elements = [_attempt_open(item, channels, most) for item in root]
    _limit(sum(1 if isinstance(item, Rejected) else item.count() for item in opened_elements), most)
    return Call(tuple(_attempt_read(item, now_ms, categories) for item in opened_elements), True)


def _json(body: bytes) -> Any:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(keys.INVALID_JSON) from error


def _limit(count: int, most: int) -> None:
    if count > most:
        raise Rejected(TOO_MANY)


def _attempt_open(item: dict[str, Any], channels: Mapping[str, Channel], most: int) -> _Opened | BadElement:
    try:
        return _open(item, channels, most)
    except Rejected as error:
        if error.key == TOO_MANY:  # a fault of the call and not of the element
            raise
        return _bad(error, item)


def _attempt_read(item: _Opened | BadElement, now_ms: int, categories: Categories) -> Message | BadElement:
    if isinstance(item, BadElement):
        return item
    try:
        return _read(item, now_ms, categories)
    except Rejected as error:
        return _bad(error, item.body)


def _bad(error: Rejected, body: dict[str, Any]) -> BadElement:
    try:
        return BadElement(error, correlation_of(body, ""))
    except Rejected:
        return BadElement(error, "")


def _open(body: dict[str, Any], channels: Mapping[str, Channel], most: int) -> _Opened:
    if "deliverychannel" not in body:
        raise Rejected(keys.DELIVERYCHANNEL_MISSING)
    name = body["deliverychannel"]
    if name is None or (isinstance(name, str) and not name.strip()):
        raise Rejected(keys.DELIVERYCHANNEL_EMPTY)
    channel = channels.get(name.strip().lower()) if isinstance(name, str) else None
    if channel is None:
        raise Rejected(keys.INVALID_DELIVERY_CHANNEL)
    groups = read_destinations(body.get("destination"), channel.addresses, channel.address_aliases, most)
    return _Opened(body, channel, groups)


def _read(opened: _Opened, now_ms: int, categories: Categories) -> Message:
    body, channel = opened.body, opened.channel
    template, parameters = _template(body)
    found = _channel_object(body, channel, templated=bool(template))
    fields = _fields(check(channel.rules, found, templated=bool(template)), channel)
    priority = _priority(body.get("priority"), fields, channel.priority_path)
    correlation = correlation_of(body, "")
    addresses = addresses_of(opened.groups, correlation)
    callback_data = text_member(body, "callbackData", CALLBACK_CHARACTERS)
    notify_url = text_member(body, "notifyurl", URL_CHARACTERS)
    appid = text_member(body, "appid", ID_CHARACTERS)
    expiry = _expiry(body.get("expiry"))
    if channel.interactive is not None:
        check_interactive(channel.interactive, fields, channel.name, categories)
    if expiry and expiry <= now_ms:
        raise Rejected(keys.REQUEST_EXPIRED_ON_ARRIVAL)
    content = Content(
        channel=channel.name, fields=fields, template=template, parameters=parameters, appid=appid,
        smartlinks=smartlinks_of(body), shorten=shorten_of(body),
    )  # fmt: skip
    return Message(
        content=content,
        addresses=addresses,
        correlation=correlation,
        notify_url=notify_url,
        callback_data=callback_data,
        expiry=expiry,
        priority=priority,
    )


def _template(body: dict[str, Any]) -> tuple[str, dict[str, object]]:
    message = object_member(body, "message")
    if message is None:
        return "", {}
    parameters = object_member(message, "parameters") or {}
    check_depth(parameters)
    return text_member(message, "template", ID_CHARACTERS), parameters


def _channel_object(body: dict[str, Any], channel: Channel, *, templated: bool) -> dict[str, Any]:
    """The channel's object, an empty one where a template stands for it; raises `Rejected` for the first step of
    the way to it that is absent."""
    value = object_member(body, "channels") or {}
    for name, missing_key in zip(channel.path, channel.missing_keys, strict=True):
        inner = object_member(value, name)
        if inner is None and name in channel.path_aliases:
            inner = object_member(value, channel.path_aliases[name])
        if inner is None:
            if templated:
                return {}
            raise Rejected(missing_key)
        value = inner
    return value


def _fields(found: dict[str, Any], channel: Channel) -> dict[str, object]:
    """The members that the channel reads: texts as texts, objects and yes or no as they are, empty ones left out."""
    fields: dict[str, object] = {}
    for name in channel.members:
        value = found.get(name)
        if value is None or value == "":
            continue
        text = as_text(value)
        if text is None and not (name in channel.objects and isinstance(value, dict | list | bool)):
            raise Rejected(keys.INVALID_JSON)
        if text is None:
            check_depth(value)
        fields[name] = value if text is None else text
    return fields


def _priority(value: Any, fields: dict[str, object], path: Path) -> int:
    """The call's priority, or the one inside the channel's object, which its rules have held against 1 to 5."""
    if value is None or value == "":
        inner = member_at(fields, path) if path else None
        return _PRIORITIES.get(str(inner), DEFAULT_PRIORITY)
    text = as_text(value)
    priority = _PRIORITIES.get(text.strip()) if text is not None else None
    if priority is None:
        raise Rejected(keys.INVALID_PRIORITY)
    return priority


def _expiry(value: Any) -> int:
    if value is None or value == "":
        return 0
    moment = expiry_ms(value) if isinstance(value, str) else None
    if moment is None:
        raise Rejected(keys.INVALID_PARAM, "expiry")
    return max(moment, 1)
