"""What people can tap: the sets of buttons under a notification (categories, their identifiers by position, what a
button may do), and the notification itself.

Source: messaging.md 7.1 to 7.3. A tenant adds categories of its own (`push_categories` of the workspace).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.catalogue import keys
from heliograph.model.rules import Action, Path

PUSH, RT = "push", "rt"
BOTH = (PUSH, RT)


@dataclass(frozen=True, slots=True)
class ButtonAction:
    """What a tap does: on which channels there is such an action, and what its value must be: "" (it has
    none), `url`, `link` (scheme://) or `text`."""

    channels: tuple[str, ...]
    value: str = ""


ACTIONS: Mapping[str, ButtonAction] = {
    "DISMISS": ButtonAction(BOTH),
    "OPEN_APP": ButtonAction(BOTH),
    "OPEN_URL": ButtonAction(BOTH, "url"),
    "OPENWEBVIEW": ButtonAction(BOTH, "url"),
    "DEEPLINK": ButtonAction(BOTH, "link"),
    "SHARE": ButtonAction(BOTH, "text"),
    "TRIVIAL_REPLY": ButtonAction((RT,), "text"),
    "INLINE_REPLY": ButtonAction((RT,)),
}
ALIASES: Mapping[str, str] = {
    "OPEN_WEBVIEW": "OPENWEBVIEW", "TRIVIAL_REPLIES": "TRIVIAL_REPLY", "IN_LINE_REPLY": "INLINE_REPLY",
}  # fmt: skip
"""Spellings of the published samples."""

_OPEN = ("OPEN_APP", "OPEN_URL", "OPENWEBVIEW", "DEEPLINK")
_NO = ("DISMISS", *_OPEN)
_YES = (*_OPEN, "DISMISS")

# Identifiers, and what they may do on push and on rt; the first is the default.
MATRIX: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("DISMISS", ("DISMISS",), ("DISMISS",)),
    ("CANCEL", ("DISMISS", "OPEN_APP"), ("DISMISS", "OPEN_APP")),
    ("LATER PLAY_LATER BUY_LATER NO", _NO, (*_NO, "TRIVIAL_REPLY")),
    ("OPEN", _OPEN, _OPEN),
    ("DEEPLINK", ("DEEPLINK",), ("DEEPLINK",)),
    ("SHARE", ("SHARE",), ("SHARE",)),
    ("REPLY", ("OPEN_APP", "DEEPLINK"), ("INLINE_REPLY",)),
    ("REPLY_YES REPLY_NO", (), ("TRIVIAL_REPLY",)),
    (
        "YES ACCEPT OK LEARN_MORE NOW PLAY_NOW BUY_NOW SHOPNOW SUBSCRIBE UNSUBSCRIBE LIKE",
        _YES,
        (*_YES, "TRIVIAL_REPLY"),
    ),
)
ALLOWED: Mapping[tuple[str, str], tuple[str, ...]] = {
    (identifier, channel): actions
    for names, *sets in MATRIX
    for identifier in names.split()
    for channel, actions in zip(BOTH, sets, strict=True)
}
"""What an identifier may do on a channel."""


@dataclass(frozen=True, slots=True)
class Category:
    """A set of buttons. `actions` holds, by identifier, what overrides the shipped matrix."""

    name: str
    positions: tuple[int, ...]
    identifiers: Mapping[int, str]
    channels: tuple[str, ...] = BOTH
    actions: Mapping[str, tuple[str, ...]] | None = None

    def allowed(self, identifier: str, channel: str) -> tuple[str, ...]:
        """What the identifier may do on the channel, its default first; empty when nothing is mapped."""
        own = (self.actions or {}).get(identifier)
        if own is None:
            return ALLOWED.get((identifier, channel), ())
        return tuple(action for action in own if action in ACTIONS and channel in ACTIONS[action].channels)


# Category, identifiers from position 1 on, channels.
_SHIPPED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("SINGLE_DISMISS", ("DISMISS",), BOTH),
    ("SINGLE_OPEN", ("OPEN",), BOTH),
    ("SINGLE_SUBSCRIBE", ("SUBSCRIBE",), BOTH),
    ("SINGLE_UNSUBSCRIBE", ("UNSUBSCRIBE",), BOTH),
    ("SINGLE_SHARE", ("SHARE",), BOTH),
    ("SINGLE_DEEPLINK", ("DEEPLINK",), BOTH),
    ("SINGLE_REPLY", ("REPLY",), BOTH),
    ("DOUBLE_YES_NO", ("YES", "NO"), BOTH),
    ("DOUBLE_ACCEPT_CANCEL", ("ACCEPT", "CANCEL"), BOTH),
    ("DOUBLE_SHARE_CANCEL", ("SHARE", "CANCEL"), BOTH),
    ("DOUBLE_SHOPNOW_CANCEL", ("SHOPNOW", "CANCEL"), BOTH),
    ("DOUBLE_LATER_NOW", ("LATER", "NOW"), BOTH),
    ("DOUBLE_PLAY_NOW_PLAY_LATER", ("PLAY_NOW", "PLAY_LATER"), BOTH),
    ("DOUBLE_OK_LEARN_MORE", ("OK", "LEARN_MORE"), BOTH),
    ("DOUBLE_SUBSCRIBE_UNSUBSCRIBE", ("SUBSCRIBE", "UNSUBSCRIBE"), BOTH),
    ("DOUBLE_BUY_NOW_BUY_LATER", ("BUY_NOW", "BUY_LATER"), BOTH),
    ("DOUBLE_LIKE_SHARE", ("LIKE", "SHARE"), BOTH),
    ("DOUBLE_REPLY_DISMISS", ("REPLY", "DISMISS"), (RT,)),
    ("DOUBLE_REPLY_NO_DISMISS", ("REPLY_NO", "DISMISS"), (RT,)),
    ("DOUBLE_REPLY_YES_DISMISS", ("REPLY_YES", "DISMISS"), (RT,)),
    ("DOUBLE_REPLY_YES_NO", ("REPLY_YES", "REPLY_NO"), (RT,)),
)
SHIPPED: Mapping[str, Category] = {
    name: Category(name, tuple(range(1, len(held) + 1)), dict(enumerate(held, 1)), channels)
    for name, held, channels in _SHIPPED
}
"""The categories that every tenant has."""


def notification_action(extras: Path) -> Action:
    """The rule of `notificationaction`, what a tap on the notification itself does, inside an `extras` object."""
    return Action(
        path=(*extras, "notificationaction"),
        actions=("OPEN_URL", "OPENWEBVIEW", "DEEPLINK", "OPEN_HTML", "OPEN_APP"),
        bare=("OPEN_APP",),
        default="OPEN_APP",
        missing_key=keys.ACTION_VALUE_MISSING,
        invalid_key=keys.INVALID_ACTION,
    )


def categories_of(declared: tuple[Mapping[str, Any], ...]) -> Mapping[str, Category]:
    """The shipped categories and a tenant's own, which may replace shipped ones of the same name. What is
    declared wrongly (`category_faults`) is left out."""
    if not declared:
        return SHIPPED
    own = [_category(item) for item in declared if not any(category_faults(item))]
    return {**SHIPPED, **{category.name: category for category in own}}


def category_faults(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The members of a declared category that cannot be used, each with a sentence."""
    for name in item:
        if name not in ("name", "positions", "identifiers", "actions"):
            yield name, "there is no such member; there are name, positions, identifiers, actions"
    positions, identifiers, actions = item.get("positions", []), item.get("identifiers", {}), item.get("actions", {})
    if not isinstance(positions, list | tuple) or not all(type(one) is int and one > 0 for one in positions):
        yield "positions", "must be a list of whole numbers from 1"
    elif len(set(positions)) < len(positions):
        yield "positions", "must not name a position twice"
    if not _is_texts(identifiers) or not all(_position(name) for name in identifiers):
        yield "identifiers", "must be an object with a text for each position"
    if not isinstance(actions, dict) or not all(isinstance(names, list | tuple) for names in actions.values()):
        yield "actions", "must be an object with a list of actions for each identifier"
        return
    for names in actions.values():
        for name in names:
            if not isinstance(name, str) or ALIASES.get(name, name) not in ACTIONS:
                yield "actions", f"{name!r} is no action; there are {', '.join(ACTIONS)}"


def _category(item: Mapping[str, Any]) -> Category:
    identifiers = {_position(name): value for name, value in item.get("identifiers", {}).items()}
    return Category(
        name=str(item.get("name")),
        positions=tuple(sorted(item.get("positions") or identifiers)),
        identifiers=identifiers,
        actions={
            identifier: tuple(ALIASES.get(name, name) for name in names)
            for identifier, names in item.get("actions", {}).items()
        },
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(inner, str) and inner for inner in value.values())


def _position(name: Any) -> int:
    """A position as it is written as a member's name; 0 when it is none."""
    text = str(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
