"""Holds an interactive object (the buttons under a notification) against the categories of the tenant.

The order of checks is messaging.md 7.4; what goes on has every identifier, action and position filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.catalogue import keys
from heliograph.contract.declared.names import is_http
from heliograph.contract.values import as_text, member_at
from heliograph.model.categories import ACTIONS, ALIASES, Category
from heliograph.model.outcome import Rejected
from heliograph.model.rules import Interactive

DEVICES = ("ios", "android")
_LINK = re.compile(r"[^\s:/?#]+://\S+")


@dataclass(frozen=True, slots=True)
class _Buttons:
    """Where buttons are looked up: their category, on a channel."""

    category: Category
    channel: str


def check_interactive(
    rule: Interactive, found: dict[str, object], channel: str, categories: Mapping[str, Category]
) -> None:
    """Put the canonical object in the place of the one in `found`, if there is one; raises `Rejected`."""
    holder = member_at(found, rule.path[:-1])
    value = holder.get(rule.path[-1]) if isinstance(holder, dict) else None
    if value is None or value == "":
        return
    if not isinstance(value, dict):
        raise Rejected(keys.INVALID_JSON)
    name = value.get("category")
    if _empty(name):
        raise Rejected(keys.CATEGORY_MISSING)
    category = categories.get(name) if isinstance(name, str) else None
    if category is None or channel not in category.channels or not category.identifiers:
        raise Rejected(keys.INVALID_CATEGORY)
    if rule.devices:
        _check_devices(value.get("device_types"))
    actions = _check_actions(value.get("actions"), _Buttons(category, channel))
    reference = value.get("pushref")
    pushref = "" if reference is None else as_text(reference)
    if pushref is None:
        raise Rejected(keys.INVALID_PARAM, "pushref")
    holder[rule.path[-1]] = {**value, "actions": actions, "pushref": pushref}


def _check_devices(value: Any) -> None:
    if not isinstance(value, list) or not value:
        raise Rejected(keys.DEVICE_TYPES_MISSING)
    seen: list[str] = []
    for device in value:
        if device not in DEVICES:
            raise Rejected(keys.INVALID_DEVICE_TYPE, device)
        if device in seen:
            raise Rejected(keys.DUPLICATE_DEVICE_TYPE, device)
        seen.append(device)


def _check_actions(value: Any, buttons: _Buttons) -> list[dict[str, object]]:
    if not isinstance(value, list) or not value:
        raise Rejected(keys.ACTIONS_MISSING)
    expected = len(buttons.category.positions)
    if len(value) != expected:
        raise Rejected(keys.INVALID_NUMBER_OF_ACTIONS, expected, len(value))
    found: dict[int, dict[str, object]] = {}
    for item in value:
        if not isinstance(item, dict):
            raise Rejected(keys.INVALID_JSON)
        pos = _position(item.get("pos"), buttons.category)
        if pos in found:
            raise Rejected(keys.DUPLICATE_POS)
        found[pos] = _button(item, pos, buttons)
    return list(found.values())


def _position(value: Any, category: Category) -> int:
    if _empty(value):
        raise Rejected(keys.ACTION_POS_MISSING)
    text = (as_text(value) or "").strip()
    pos = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if pos not in category.positions:
        raise Rejected(keys.INVALID_POS, ",".join(map(str, category.positions)))
    return pos


def _button(item: dict[str, Any], pos: int, buttons: _Buttons) -> dict[str, object]:
    identifier = buttons.category.identifiers.get(pos)
    if identifier is None:
        raise Rejected(keys.NO_IDENTIFIER_AT_POSITION)
    own = item.get("identifier")
    allowed = buttons.category.allowed(identifier, buttons.channel)
    if not (_empty(own) or own == identifier) or not allowed:
        raise Rejected(keys.INVALID_IDENTIFIER)
    name = item.get("action")
    if _empty(name):
        name = allowed[0]
    if not isinstance(name, str):
        raise Rejected(keys.INVALID_ACTION)
    known = ALIASES.get(name, name)
    action = ACTIONS.get(known)
    if action is None or buttons.channel not in action.channels:
        raise Rejected(keys.INVALID_ACTION)
    if known not in allowed:
        raise Rejected(keys.ACTION_NOT_ALLOWED_FOR_IDENTIFIER, identifier)
    button: dict[str, object] = {"pos": pos, "identifier": identifier, "action": known}
    if action.value:
        button["value"] = _value(item.get("value"), action.value, name)
    return button


def _value(value: Any, kind: str, name: str) -> str:
    """The value of an action, which is named as the caller named it; 7003 without one, 7004 when it is unfit."""
    if _empty(value):
        raise Rejected(keys.ACTION_VALUE_MISSING, name)
    if not isinstance(value, str) or not value.strip() or not _FITS[kind](value):
        raise Rejected(keys.INVALID_ACTION_VALUE, name)
    return value


def _is_url(value: str) -> bool:
    """An absolute http or https URL, or a bare host that begins `www.`, as the published samples have it."""
    return is_http(f"http://{value}" if value.lower().startswith("www.") else value) and not re.search(r"\s", value)


def _is_link(value: str) -> bool:
    return _LINK.fullmatch(value) is not None


_FITS: Mapping[str, Callable[[str], bool]] = {"url": _is_url, "link": _is_link, "text": bool}


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
