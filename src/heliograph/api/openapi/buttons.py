"""JSON Schema of interactive objects, made from the shipped categories and from what their buttons may do."""

from __future__ import annotations

from typing import Any

from heliograph.model.categories import ACTIONS, ALIASES, ALLOWED, SHIPPED, Category
from heliograph.model.channel import Channel

Schema = dict[str, Any]

DEVICES: Schema = {
    "type": "array", "minItems": 1, "uniqueItems": True, "items": {"enum": ["ios", "android"]},
}  # fmt: skip
_BLANK = r"\s\u0000-\u001f\u007f-\u009f"  # languages differ in which controls are blank, so all of them
_HOST = r"[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)*"
VALUES: dict[str, Schema] = {
    "url": {
        "type": "string",
        "pattern": rf"^(https?://{_HOST}|www\.{_HOST})(:[1-9][0-9]{{0,3}})?(/[!-~]*)?$",
        "description": "An http or https URL, or a host that begins `www.`.",
    },
    "link": {
        "type": "string",
        "pattern": rf"^[^{_BLANK}:/?#]+://[^{_BLANK}]+$",
        "description": "A page of the app, `scheme://...`.",
    },
    "text": {"type": "string", "pattern": r"\S", "description": "A text, not blank."},
}
"""What the value of an action must be, by the kind of its value."""


def schemas(channel: Channel, prefix: str, reference: str) -> dict[str, Schema]:
    """The components of a channel's interactive object by name: `{prefix}Buttons`, and one for each identifier."""
    offered = [one for one in SHIPPED.values() if channel.name in one.channels]
    identifiers = sorted({identifier for one in offered for identifier in one.identifiers.values()})
    made = {f"{prefix}Button.{name}": _button(name, channel.name) for name in identifiers}
    members: Schema = {
        "category": {"enum": [one.name for one in offered]},
        "pushref": {"type": ["string", "number"], "description": "Given back in the receipt of a tap."},
        "actions": {"type": "array"},
    }
    devices = channel.interactive is not None and channel.interactive.devices
    if devices:
        members["device_types"] = DEVICES
    made[f"{prefix}Buttons"] = {
        "type": "object",
        "description": "Buttons under the notification: one action for each position of the category, in any order. "
        "The tenant may have categories of its own besides.",
        "required": ["category", "actions", *(["device_types"] if devices else [])],
        "properties": members,
        "anyOf": [_category(one, f"{reference}{prefix}Button.") for one in offered],
    }
    return made


def _category(category: Category, reference: str) -> Schema:
    actions = [
        {
            "allOf": [{"$ref": f"{reference}{category.identifiers[pos]}"}],
            "required": ["pos"],
            "properties": {"pos": {"enum": [pos, str(pos)]}},
        }
        for pos in category.positions
    ]
    return {
        "properties": {
            "category": {"const": category.name},
            "actions": {"prefixItems": actions, "minItems": len(actions), "maxItems": len(actions)},
        }
    }


def _button(identifier: str, channel: str) -> Schema:
    allowed = ALLOWED[identifier, channel]
    branches = []
    for kind in dict.fromkeys(ACTIONS[action].value for action in allowed):
        actions = [action for action in allowed if ACTIONS[action].value == kind]
        spelled = [*actions, *(other for other, action in ALIASES.items() if action in actions)]
        members = {"action": {"enum": spelled}, **({"value": VALUES[kind]} if kind else {})}
        required = [*([] if allowed[0] in actions else ["action"]), *(["value"] if kind else [])]
        branches.append({"required": required, "properties": members} if required else {"properties": members})
    return {"type": "object", "properties": {"identifier": {"const": identifier}}, "anyOf": branches}
