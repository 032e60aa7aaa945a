"""The rules of a channel in words, for the description of the API and for the channel's page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from heliograph.catalogue import keys
from heliograph.model.channel import Channel
from heliograph.model.rules import Action, Alias, EachIn, Members, OneOf, Required, Rule, ValueIn, Yields

Fault = tuple[str, str]
"""What is wrong, and the catalogue key of the refusal."""


def faults(channel: Channel) -> Iterator[Fault]:
    """What may be wrong with the channel's object, in the order of the checks; buttons are told elsewhere."""
    for depth, key in enumerate(channel.missing_keys):
        yield f"`{'.'.join(('channels', *channel.path[: depth + 1]))}` is absent", key
    for rule in channel.rules:
        yield from broken(rule)


def broken(rule: Rule) -> Iterator[Fault]:
    """How a rule is broken."""
    if isinstance(rule, Required):
        yield f"{name(rule.path)} is absent or empty{where(rule.note)}", rule.key
    elif isinstance(rule, OneOf):
        yield f"none of {names(rule.paths)} is there{where(rule.note)}", rule.key
    elif isinstance(rule, ValueIn | EachIn):
        yield f"{name(rule.path)} has another value than these: {rule.note}", rule.key
    elif isinstance(rule, Action):
        yield f"the `action` in {name(rule.path)} is none of {', '.join(rule.actions)}", rule.invalid_key
        yield f"its `value` is absent and the action is not {', '.join(rule.bare)}", rule.missing_key
    elif isinstance(rule, Members) and (rule.objects or rule.texts):
        inside = f" in {name(rule.path)}" if rule.path else ""
        if rule.objects:
            yield f"{names([(one,) for one in rule.objects])}{inside} is there and no object", keys.INVALID_JSON
        if rule.texts:
            yield f"{names([(one,) for one in rule.texts])}{inside} is there and no text", keys.INVALID_JSON


def spellings(channel: Channel) -> Iterator[str]:
    """What is read under another name, dropped, or filled in."""
    for word in channel.aliases:
        yield f"`deliverychannel` may be `{word}` as well."
    for own, other in channel.path_aliases.items():
        yield f"`channels.{other}` is read as `channels.{own}`, where that is absent."
    for other, own in channel.address_aliases.items():
        yield f"The destination key `{other}` is read and kept as `{own}`."
    for rule in channel.rules:
        if isinstance(rule, Alias):
            yield f"`{rule.other}` is read as {name(rule.path)}."
        elif isinstance(rule, Yields):
            yield f"{name(rule.path)} is dropped where {names(rule.to)} is there."
        elif isinstance(rule, Action):
            yield f"Without an `action`, {name(rule.path)} is {rule.default}."
    if channel.priority_path:
        yield f"Without a `priority` of the call, {name(channel.priority_path)} is the message's."
    yield f"Destinations: {', '.join(f'`{kind}`' for kind in channel.addresses)}; the first that an entry has counts."


def name(path: Sequence[str]) -> str:
    """A member as it is written below the channel's object."""
    return f"`{'.'.join(path)}`"


def names(paths: Iterable[Sequence[str]]) -> str:
    """Members, enumerated."""
    return ", ".join(name(path) for path in paths)


def where(note: str) -> str:
    """A note behind a sentence."""
    return f" ({note})" if note else ""
