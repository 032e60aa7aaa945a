"""The part of a channel's page that is printed from its rules, between two marks in its README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from heliograph import catalogue
from heliograph.api.openapi import words
from heliograph.catalogue import keys
from heliograph.channels import channels
from heliograph.model.categories import ACTIONS, ALIASES, BOTH, MATRIX, SHIPPED
from heliograph.model.channel import Channel

PACKAGE = Path(__file__).parents[1] / "src" / "heliograph" / "channels"
START = "<!-- Written by docs/generate.py from the channel's rules; change them, not this part. -->"
END = "<!-- End of the written part. -->"

# messaging.md 7.4, in its order
BUTTON_ERRORS: tuple[tuple[str, str], ...] = (
    ("`category` is absent", keys.CATEGORY_MISSING),
    ("the category is unknown, not offered on this channel, or empty", keys.INVALID_CATEGORY),
    ("`device_types` is absent or no list (push only)", keys.DEVICE_TYPES_MISSING),
    ("a device type is neither ios nor android", keys.INVALID_DEVICE_TYPE),
    ("a device type stands twice", keys.DUPLICATE_DEVICE_TYPE),
    ("`actions` is absent or no list", keys.ACTIONS_MISSING),
    ("there is not one action for each position", keys.INVALID_NUMBER_OF_ACTIONS),
    ("an action has no `pos`", keys.ACTION_POS_MISSING),
    ("its `pos` is none of the category", keys.INVALID_POS),
    ("its `pos` stands twice", keys.DUPLICATE_POS),
    ("the category has no identifier there (own categories only)", keys.NO_IDENTIFIER_AT_POSITION),
    ("its `identifier` is another one, or may do nothing on this channel", keys.INVALID_IDENTIFIER),
    ("its `action` is unknown, or not offered on this channel", keys.INVALID_ACTION),
    ("the identifier may not do this", keys.ACTION_NOT_ALLOWED_FOR_IDENTIFIER),
    ("the action needs a `value`", keys.ACTION_VALUE_MISSING),
    ("the `value` does not fit the action", keys.INVALID_ACTION_VALUE),
)
VALUES = {
    "": "none",
    "url": "an http or https URL, or a host that begins `www.`",
    "link": "a page of the app, `scheme://...`",
    "text": "text, not blank",
}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join('---' for _ in heads)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def part(channel: Channel) -> str:
    """What the contract demands of the channel's object, and of its buttons where they are explained."""
    shown = [(what, catalogue.code(key), f"`{catalogue.find(key).message}`") for what, key in words.faults(channel)]
    notes = [f"- {line}" for line in words.spellings(channel)]
    pieces = [table(("what is wrong", "code", "text"), shown), "\n".join([*notes, ""])]
    if channel.interactive is not None and channel.interactive.devices:
        pieces.append(buttons())
    return "\n".join(pieces)


def buttons() -> str:
    """The categories, what identifiers may do, what actions need, and the order of checks."""
    own = [
        (f"`{one.name}`", *(f"`{one.identifiers[pos]}`" if pos in one.identifiers else "" for pos in (1, 2)),
         " and ".join(one.channels))
        for one in SHIPPED.values()
    ]  # fmt: skip
    may = [
        (", ".join(f"`{one}`" for one in names_.split()), *(", ".join(sets[index]) or "none" for index in range(2)))
        for names_, *sets in MATRIX
    ]
    does = [
        (f"`{key}`", ", ".join(f"`{alias}`" for alias, one in ALIASES.items() if one == key),
         " and ".join(action.channels), VALUES[action.value])
        for key, action in ACTIONS.items()
    ]  # fmt: skip
    errors = [(what, catalogue.code(key), f"`{catalogue.find(key).message}`") for what, key in BUTTON_ERRORS]
    return "\n".join(
        [
            "### Categories of buttons\n",
            table(("category", "position 1", "position 2", "channels"), own),
            "### What an identifier may do\n\nThe first is what it does when no `action` is given.\n",
            table(("identifiers", *(f"on {channel}" for channel in BOTH)), may),
            "### Actions\n",
            table(("action", "also spelled", "channels", "`value`"), does),
            "### Faults of an interactive object, in the order of checks\n",
            table(("what is wrong", "code", "text"), errors),
        ]
    )


def pages() -> dict[Path, Channel]:
    """The README of every channel."""
    return {PACKAGE / channel.name / "README.md": channel for channel in channels().values()}


def renewed(path: Path, channel: Channel) -> str:
    """The README as it should stand; stops when it has no marks."""
    text = path.read_text(encoding="utf-8")
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"{path} has no place for the written part: {START} ... {END}")
    return f"{before}{START}\n\n{part(channel).rstrip()}\n\n{END}{after}"
