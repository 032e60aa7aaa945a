"""JSON Schema of the body of a Messaging call, made from the passports of the channels and the limits of the
contract. `members.yaml` and the channels' own `openapi.yaml` have the sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from heliograph import catalogue
from heliograph.api.openapi import buttons, words
from heliograph.api.openapi.shapes import TEXT, content_of, merged, object_of
from heliograph.catalogue import keys
from heliograph.contract import envelope
from heliograph.contract.destinations import CORRELATION_BYTES
from heliograph.contract.expiry import FORM
from heliograph.model.channel import NO_LIMIT, Channel
from heliograph.model.rules import PRIORITY_LEVELS, Path

Schema = dict[str, Any]
Sentences = Mapping[str, Any]

SCHEMAS = "#/components/schemas/"


def schemas(channels: Mapping[str, Channel], sentences: Sentences) -> dict[str, Schema]:
    """The components by name: `Call`, which is one of the calls of each channel, and all it is made of.
    `sentences` are those of `members.yaml`, and under `channels` those of each channel by path."""
    known = list({channel.name: channel for channel in channels.values()}.values())
    made: dict[str, Schema] = {
        "Call": {
            "description": "One message for one or many destinations. Members that are not named here are ignored, "
            "and null is as good as absent.",
            "anyOf": [{"$ref": f"{SCHEMAS}{_title(channel)}Call"} for channel in known],
        },
        "CallMembers": _common(sentences["call"]),
        "Addresses": _addresses(sentences["destination"]["addresses"]),
    }
    for channel in known:
        made |= _schemas_of(channel, sentences)
    return made


def _schemas_of(channel: Channel, sentences: Sentences) -> dict[str, Schema]:
    title = _title(channel)
    whole = object_of(channel)
    made: dict[str, Schema] = {}
    if channel.interactive is not None:
        made |= buttons.schemas(channel, title, SCHEMAS)
        whole = merged(whole, _nested(channel.interactive.path, {"$ref": f"{SCHEMAS}{title}Buttons"}))
    for path, sentence in sentences["channels"].get(channel.name, {}).items():
        whole = merged(whole, _nested(tuple(path.split(".")), _said(sentence)))
    made[f"{title}Object"] = {**whole, "description": _told(channel), "x-refusals": list(_refusals(channel))}
    made[f"{title}Content"] = content_of(channel, f"{SCHEMAS}{title}Object")
    made[f"{title}Call"] = _call(channel, title, sentences)
    return made


def _call(channel: Channel, title: str, sentences: Sentences) -> Schema:
    content = _holding(channel.path, f"{SCHEMAS}{title}Content", needed=True)
    beside = _holding(channel.path, f"{SCHEMAS}{title}Object", needed=False)
    template = {"required": ["template"], "properties": {"template": {"minLength": 1}}}
    return {
        "title": channel.name,
        "description": sentences["content"],
        "allOf": [{"$ref": f"{SCHEMAS}CallMembers"}],
        "required": ["deliverychannel", "destination"],
        "properties": {
            "deliverychannel": {
                "enum": [channel.name, *channel.aliases],
                "description": sentences["deliverychannel"],
            },
            "destination": {
                "type": "array",
                "minItems": 1,
                "maxItems": envelope.MOST_DESTINATIONS,
                "description": sentences["destination"]["list"],
                "items": _destination(channel, sentences["destination"]["entry"]),
            },
        },
        "anyOf": [
            {"required": ["channels"], "properties": {"channels": content}},
            {"required": ["message"], "properties": {"message": template, "channels": beside}},
        ],
    }


def _common(sentences: Sentences) -> Schema:
    """The members that all calls share."""
    members: dict[str, Schema] = {
        "channels": {"type": "object"},
        "message": {
            "type": "object",
            "properties": {
                "template": {**TEXT, "maxLength": envelope.ID_CHARACTERS},
                "parameters": {"type": "object"},
            },
        },
        "correlationid": _correlation(),
        "callbackData": {**TEXT, "maxLength": envelope.CALLBACK_CHARACTERS},
        "notifyurl": {**TEXT, "maxLength": envelope.URL_CHARACTERS},
        "appid": {**TEXT, "maxLength": envelope.ID_CHARACTERS},
        "expiry": {"type": "string", "pattern": f"^({FORM})?$"},
        "priority": {"enum": [*PRIORITY_LEVELS, *map(int, PRIORITY_LEVELS)]},
    }
    return {
        "type": "object",
        "properties": {name: {**member, **_said(sentences[name])} for name, member in members.items()},
    }


def _destination(channel: Channel, sentence: str) -> Schema:
    kinds: dict[str, Schema] = {
        kind: {"$ref": f"{SCHEMAS}Addresses", **({"deprecated": True} if kind in channel.address_aliases else {})}
        for kind in channel.addresses
    }
    return {
        "type": "object",
        "description": sentence,
        "properties": {**kinds, "correlationid": _correlation()},
        "anyOf": [{"required": [kind]} for kind in kinds],
    }


def _addresses(sentence: str) -> Schema:
    text: Schema = {"type": "string", "minLength": 1}
    return {
        "description": sentence,
        "anyOf": [
            {"type": "array", "items": text, "minItems": 1, "maxItems": envelope.MOST_DESTINATIONS},
            {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": envelope.MOST_DESTINATIONS},
            text,
            {"type": "integer"},
        ],
    }


def _correlation() -> Schema:
    return {**TEXT, "maxLength": CORRELATION_BYTES, "pattern": r"^[^\u0000]*$"}


def _holding(path: Path, reference: str, *, needed: bool) -> Schema:
    made: Schema = {"$ref": reference}
    for name in reversed(path):
        made = {"type": "object", "properties": {name: made}, **({"required": [name]} if needed else {})}
    return made


def _nested(path: Path, inner: Schema) -> Schema:
    for name in reversed(path):
        inner = {"properties": {name: inner}}
    return inner


def _said(sentence: Any) -> Schema:
    """A sentence, or an object of keywords."""
    return {"description": sentence} if isinstance(sentence, str) else dict(sentence)


def _told(channel: Channel) -> str:
    too_long = catalogue.code(keys.MESSAGE_TOO_LONG)
    limit = "" if channel.limit == NO_LIMIT else f" A text that measures more than {channel.limit:,} is {too_long}."
    return f"`channels.{'.'.join(channel.path)}`.{limit} {' '.join(words.spellings(channel))}"


def _refusals(channel: Channel) -> Iterator[dict[str, str]]:
    for what, key in words.faults(channel):
        row = catalogue.find(key)
        yield {"when": what, "code": row.code, "description": row.message, "key": key}


def _title(channel: Channel) -> str:
    return channel.name.capitalize()
