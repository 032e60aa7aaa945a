"""Reads a Messaging call: the envelope that all channels share, in the published order of checks.

deliverychannel (7003, 7004) -> destination (7003) -> number of destinations (7009) -> channel object (7003) ->
values (7004) -> expiry (7005). First failure wins; a body that is a list fails element by element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from heliograph.contract.destinations import as_text, correlation_of, read_destinations
from heliograph.contract.expiry import expiry_ms
from heliograph.contract.rules import check
from heliograph.model.channel import Channel
from heliograph.model.message import DEFAULT_PRIORITY, Address, Content, Message
from heliograph.model.outcome import Rejected

MOST_DESTINATIONS = 1_000
CALLBACK_CHARACTERS = 2_000

_decode = msgspec.json.Decoder().decode
_PRIORITIES = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}


@dataclass(frozen=True, slots=True)
class Call:
    """A call in request order: what each element became."""

    elements: tuple[Message | Rejected, ...]
    is_list: bool


@dataclass(frozen=True, slots=True)
class _Opened:
    """An element after the first checks: its channel and its addresses are known."""

    body: dict[str, Any]
    channel: Channel
    correlation: str
    addresses: tuple[Address, ...]


def read_call(body: bytes, channels: Mapping[str, Channel], now_ms: int) -> Call:
    """The call's messages; raises `Rejected` when it is refused as a whole. `channels` holds passports by
    every spelling of their names."""
    root = _json(body)
    if isinstance(root, dict):
        opened = _open(root, channels)
        _limit(len(opened.addresses))
        return Call((_read(opened, now_ms),), False)
    if not isinstance(root, list) or not root or not all(isinstance(item, dict) for item in root):
        raise Rejected("invalid_json")
    opened_elements = [_attempt_open(item, channels) for item in root]
    _limit(sum(1 if isinstance(item, Rejected) else len(item.addresses) for item in opened_elements))
    return Call(tuple(_attempt_read(item, now_ms) for item in opened_elements), True)


def _json(body: bytes) -> Any:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("invalid_json") from error


def _limit(count: int) -> None:
    if count > MOST_DESTINATIONS:
        raise Rejected("too_many_destinations")


def _attempt_open(item: dict[str, Any], channels: Mapping[str, Channel]) -> _Opened | Rejected:
    try:
        return _open(item, channels)
    except Rejected as error:
        return error


def _attempt_read(item: _Opened | Rejected, now_ms: int) -> Message | Rejected:
    if isinstance(item, Rejected):
        return item
    try:
        return _read(item, now_ms)
    except Rejected as error:
        return error


def _open(body: dict[str, Any], channels: Mapping[str, Channel]) -> _Opened:
    if "deliverychannel" not in body:
        raise Rejected("deliverychannel_missing")
    name = body["deliverychannel"]
    if name is None or name == "":
        raise Rejected("deliverychannel_empty")
    channel = channels.get(name.strip().lower()) if isinstance(name, str) else None
    if channel is None:
        raise Rejected("invalid_delivery_channel")
    # An ill-formed correlation id is a value fault (7004): it is reported after the destinations.
    try:
        correlation = correlation_of(body, "")
    except Rejected:
        correlation = ""
    return _Opened(body, channel, correlation, read_destinations(body.get("destination"), channel, correlation))


def _read(opened: _Opened, now_ms: int) -> Message:
    body, channel = opened.body, opened.channel
    template, parameters = _template(body)
    found = _channel_object(body, channel)
    if found is None:
        if not template:
            raise Rejected(channel.missing_key)
        found = {}
    fields = _fields(check(channel.rules, found, templated=bool(template)), channel)
    correlation_of(body, "")
    priority = _priority(body.get("priority"))
    expiry = _expiry(body.get("expiry"))
    callback_data = _plain(body, "callbackData", CALLBACK_CHARACTERS)
    if expiry and expiry <= now_ms:
        raise Rejected("request_expired_on_arrival")
    return Message(
        content=Content(
            channel=channel.name,
            fields=fields,
            template=template,
            parameters=parameters,
            appid=as_text(body.get("appid")) or "",
        ),
        addresses=opened.addresses,
        correlation=opened.correlation,
        notify_url=_plain(body, "notifyurl", CALLBACK_CHARACTERS),
        callback_data=callback_data,
        expiry=expiry,
        priority=priority,
    )


def _template(body: dict[str, Any]) -> tuple[str, dict[str, object]]:
    message = body.get("message")
    if message is None:
        return "", {}
    if not isinstance(message, dict):
        raise Rejected("invalid_json")
    parameters = message.get("parameters")
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, dict):
        raise Rejected("invalid_json")
    return as_text(message.get("template")) or "", parameters


def _channel_object(body: dict[str, Any], channel: Channel) -> dict[str, Any] | None:
    value: Any = body.get("channels")
    for name in channel.path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Rejected("invalid_json")
        value = value.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise Rejected("invalid_json")


def _fields(found: dict[str, Any], channel: Channel) -> dict[str, object]:
    """The members that the channel reads: texts as texts, objects as they are, empty ones left out."""
    fields: dict[str, object] = {}
    for name in channel.members:
        value = found.get(name)
        if value is None or value == "":
            continue
        text = as_text(value)
        if text is None and not (name in channel.objects and isinstance(value, dict | list)):
            raise Rejected("invalid_json")
        fields[name] = value if text is None else text
    return fields


def _priority(value: Any) -> int:
    if value is None or value == "":
        return DEFAULT_PRIORITY
    text = as_text(value)
    priority = _PRIORITIES.get(text.strip()) if text is not None else None
    if priority is None:
        raise Rejected("invalid_priority")
    return priority


def _expiry(value: Any) -> int:
    if value is None or value == "":
        return 0
    moment = expiry_ms(value) if isinstance(value, str) else None
    if moment is None:
        raise Rejected("invalid_param", "expiry")
    return max(moment, 1)


def _plain(body: dict[str, Any], name: str, most: int) -> str:
    value = body.get(name)
    if value is None:
        return ""
    text = as_text(value)
    if text is None or len(text) > most:
        raise Rejected("invalid_param", name)
    return text
