"""JSON Schema of a channel's object, made from the channel's rules.

Two schemas say together what the contract demands. The object: what its members are and which values they take. The
content: what must be there besides, where no template stands for it. What they allow, the contract takes; the
contract takes a little more: other capitals, blanks, null for what is absent, and another spelling of a member that
must be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from heliograph.model.channel import Channel
from heliograph.model.rules import Action, Alias, EachIn, Given, Members, OneOf, Path, Required, Rule, ValueIn, Yields

Schema = dict[str, Any]
Demand = Required | OneOf

TEXT: Schema = {"type": ["string", "number"]}  # a number is its text
LOOSE: Schema = {"type": ["string", "number", "object", "array"]}
_LEAST = {"string": "minLength", "array": "minItems", "object": "minProperties"}


def object_of(channel: Channel) -> Schema:
    """What the object may hold, with or without a template."""
    made: Schema = {
        "type": "object",
        "properties": {name: dict(LOOSE if name in channel.objects else TEXT) for name in channel.members},
    }
    for rule in channel.rules:
        if not isinstance(rule, Demand):
            RENDER[type(rule)](rule, made)
    for rule in channel.rules:  # last, so that the other spelling is all that the first one is
        if isinstance(rule, Alias):
            holder = _at(made, rule.path[:-1])["properties"]
            holder[rule.other] = {**holder[rule.path[-1]], "deprecated": True}
    always = [rule for rule in channel.rules if isinstance(rule, Required) and rule.always]
    return merged(made, _demanded(always, channel.rules, made))


def content_of(channel: Channel, reference: str) -> Schema:
    """The object at `reference`, with all that must be in it when there is no template."""
    demands = [rule for rule in channel.rules if isinstance(rule, Demand)]
    return {"allOf": [{"$ref": reference}], **_demanded(demands, channel.rules, object_of(channel))}


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Schema:
    """Both schemas at once; of a keyword that is in both the second one counts, but for members."""
    made = dict(one)
    for keyword, value in other.items():
        if keyword == "required":
            made[keyword] = list(dict.fromkeys([*made.get(keyword, ()), *value]))
        elif keyword == "properties":
            present = made.get(keyword, {})
            inner = {name: merged(present.get(name, {}), member) for name, member in value.items()}
            made[keyword] = {**present, **inner}
        else:
            made[keyword] = value
    return made


# What members are


def _at(made: Schema, path: Path) -> Schema:
    """The schema of the member, made where there is none; what holds it is an object."""
    for name in path:
        made["type"] = "object"
        made = made.setdefault("properties", {}).setdefault(name, {})
    return made


def _become(made: Schema, path: Path, kind: Schema) -> None:
    holder = _at(made, path[:-1])
    holder["type"] = "object"
    holder.setdefault("properties", {})[path[-1]] = dict(kind)


def _members(rule: Members, made: Schema) -> None:
    for name in rule.texts:
        _become(made, (*rule.path, name), TEXT)
    for name in rule.objects:
        _become(made, (*rule.path, name), {"type": "object"})


def _value_in(rule: ValueIn, made: Schema) -> None:
    _become(made, rule.path, {"enum": _spelled(rule.values), "description": rule.note})


def _each_in(rule: EachIn, made: Schema) -> None:
    one = {"enum": sorted(rule.values)}
    _become(made, rule.path, {"anyOf": [{"type": "array", "items": one}, one]})


def _action(rule: Action, made: Schema) -> None:
    valued = [action for action in rule.actions if action not in rule.bare]
    branches = []
    for actions, members in ((list(rule.bare), {}), (valued, {"value": {**TEXT, "minLength": 1}})):
        named = [] if rule.default in actions else ["action"]
        required = {"required": [*named, *members]} if named or members else {}
        branches.append({**required, "properties": {"action": {"enum": actions}, **members}})
    _become(made, rule.path, {"type": "object", "anyOf": branches})


def _nothing(rule: Alias | Yields, made: Schema) -> None:
    """It changes how a call is read and forbids nothing."""


RENDER: Mapping[type, Callable[[Any, Schema], None]] = {
    Members: _members,
    ValueIn: _value_in,
    EachIn: _each_in,
    Action: _action,
    Alias: _nothing,
    Yields: _nothing,
}
"""What each kind of rule makes of a schema; what must be there (`Demand`) is apart."""


def _spelled(values: Iterable[str]) -> list[str | int]:
    """Texts, and those that are whole numbers as numbers too."""
    texts = list(values)
    return [*texts, *(int(text) for text in texts if text.isdecimal())]


# What must be there


def _demanded(demands: Sequence[Demand], rules: Sequence[Rule], known: Schema) -> Schema:
    """All demands as a schema to stand beside the object's, `known`: what there is one way to fulfil, and the
    combinations of ways where there are several."""
    made: Schema = {}
    branches: list[Schema] = []
    groups = _groups(demands, rules)
    for restriction, standing in groups:
        ways = [_ways(rule, known) for rule in standing]
        if len(groups) == 1:
            for [one] in (way for way in ways if len(way) == 1):
                made = merged(made, one)
            ways = [way for way in ways if len(way) > 1]
        for chosen in product(*ways):
            overlay = restriction
            for one in chosen:
                overlay = merged(overlay, one)
            branches.append(overlay)
    return {**made, "anyOf": branches} if any(branches) else made


def _ways(rule: Demand, known: Schema) -> list[Schema]:
    paths = rule.paths if isinstance(rule, OneOf) else (rule.path,)
    bare = isinstance(rule, OneOf) and rule.bare
    inside = rule.when.path if isinstance(rule.when, Given) else ()
    if all(path[: len(inside)] == inside for path in paths):
        return [_there(path, len(inside), known, bare) for path in paths]
    return [{"not": _there(inside, 0, known, True)}, *(_there(path, 0, known, bare) for path in paths)]


def _there(path: Path, optional: int, known: Schema, bare: bool) -> Schema:
    """The member is there and, unless `bare`, not empty; the first `optional` steps of the way to it need not be."""
    members = [known]
    for name in path:
        members.append(members[-1].get("properties", {}).get(name, {}))
    made: Schema = {} if bare else _not_empty(members[-1])
    for depth in reversed(range(len(path))):
        made = {"properties": {path[depth]: made}} if made else {}
        if depth >= optional:
            made["required"] = [path[depth]]
        if depth and members[depth].get("type") != "object":
            made["type"] = "object"
    return made


def _not_empty(member: Schema) -> Schema:
    """What keeps a member that is there from being empty; one of which nothing is known must not be null either."""
    kinds = member.get("type", ())
    named = [kinds] if isinstance(kinds, str) else [*kinds, *(one.get("type", "") for one in member.get("anyOf", ()))]
    if not member:
        return {"type": [*_LEAST, "number", "boolean"], **dict.fromkeys(_LEAST.values(), 1)}
    return {_LEAST[kind]: 1 for kind in named if kind in _LEAST}


def _groups(demands: Sequence[Demand], rules: Sequence[Rule]) -> list[tuple[Schema, list[Demand]]]:
    """The demands that stand together, by the values of the member that their conditions look at. A condition is
    code, so it is asked of every value that the member may have, and of its absence."""
    asking = [rule for rule in demands if rule.when is not None and not isinstance(rule.when, Given)]
    always = [rule for rule in demands if rule not in asking]
    looked = [rule for rule in rules if isinstance(rule, ValueIn) and len(_answers(rule, asking)) > 1]
    if len(looked) != 1:  # a condition on anything else is left to the words
        return [({}, always)]
    return [
        (_valued(looked[0].path, values), [*(asking[index] for index in chosen), *always])
        for chosen, values in _answers(looked[0], asking).items()
    ]


def _answers(rule: ValueIn, asking: Sequence[Demand]) -> dict[tuple[int, ...], list[str | None]]:
    """The values of the member by the demands that stand with them; None is its absence."""
    found: dict[tuple[int, ...], list[str | None]] = {}
    for value in (None, *rule.values):
        holder: Any = {} if value is None else value
        for name in reversed(rule.path if holder else ()):
            holder = {name: holder}
        standing = tuple(index for index, one in enumerate(asking) if one.when and one.when(holder))
        found.setdefault(standing, []).append(value)
    return found


def _valued(path: Path, values: Sequence[str | None]) -> Schema:
    made: Schema = {"enum": _spelled(value for value in values if value is not None)}
    for name in reversed(path):
        made = {"properties": {name: made}} if None in values else {"properties": {name: made}, "required": [name]}
    return made
