"""A change of a rule is a change of the document, and the document says what the rule says."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import jsonschema_rs
import pytest

from heliograph import catalogue
from heliograph.api.openapi import calls, statuses
from heliograph.api.openapi.document import describe, own_of
from heliograph.api.openapi.shapes import RENDER, Demand, object_of
from heliograph.catalogue import keys
from heliograph.channels import channels
from heliograph.model.channel import Channel
from heliograph.model.rules import (
    Action,
    Alias,
    EachIn,
    Interactive,
    Members,
    OneOf,
    Required,
    Rule,
    ValueIn,
    Yields,
    given,
)

KEY = keys.SMS_TEXT_MISSING
TAP = Action(("tap",), ("OPEN_URL", "OPEN_APP"), ("OPEN_APP",), "OPEN_APP", KEY, KEY)
KIND = ValueIn(("kind",), {"1": "short", "2": "long"}, KEY, "1 short, 2 long")


def channel(*rules: Rule, **members: Any) -> Channel:
    """A channel with these rules."""
    made = Channel(
        name="pigeon", wire_name="pigeon", path=("pigeon",), rules=rules, missing_keys=(KEY,),
        members=("text", "kind", "body", "box"), objects=("box",), addresses=("loft", "customerid"),
        normalise=str.strip, limit=10,
    )  # fmt: skip
    return dataclasses.replace(made, **members)


def document(one: Channel) -> dict[str, Any]:
    """The description with this channel in it."""
    return describe([], {**channels(), one.name: one})


def takes(one: Channel, content: Any, **members: Any) -> bool:
    """Whether the description allows a call with this content; None leaves `channels` out."""
    body = {"deliverychannel": one.name, "destination": [{"loft": ["7"]}], **members}
    if content is not None:
        body["channels"] = {"pigeon": content}
    schema = {"$ref": f"{calls.SCHEMAS}Call", "components": document(one)["components"]}
    return jsonschema_rs.Draft202012Validator(schema).is_valid(body)


TEXT, BODY = Required(("text",), KEY), Required(("body",), KEY)
ASKING = (
    KIND,
    Required(("text",), KEY, lambda found: found.get("kind", "1") == "1", "short"),
    Required(("body",), KEY, lambda found: found.get("kind") == "2", "long"),
)

# Rules, contents that they allow, contents that they do not.
RULES: dict[str, tuple[tuple[Rule, ...], list[Any], list[Any]]] = {
    "no rule": (
        (),
        [{}, {"text": "x"}, {"text": 5}, {"box": [1]}, {"more": {}}],
        [{"text": {}}, {"text": True}, None],
    ),
    "required": ((TEXT,), [{"text": "x"}, {"text": 0}], [{}, {"text": ""}, {"body": "x"}, None]),
    "required inside": (
        (Members(("box",), texts=("text",)), Required(("box", "text"), KEY)),
        [{"box": {"text": "x"}}],
        [{}, {"box": {}}, {"box": {"text": ""}}, {"text": "x"}],
    ),
    "required inside what may be anything": (
        (Required(("box", "inner", "text"), KEY),),
        [{"box": {"inner": {"text": "x"}}}, {"box": {"inner": {"text": [0]}}}, {"box": {"inner": {"text": False}}}],
        [{"box": "x"}, {"box": {"inner": "x"}}, {"box": {"inner": {}}}, *(
            {"box": {"inner": {"text": empty}}} for empty in ("", [], {}, None)
        )],
    ),
    "required where its holder is": (
        (Members((), objects=("box",)), Required(("box", "text"), KEY, given("box"))),
        [{}, {"box": {"text": "x"}}],
        [{"box": {}}],
    ),
    "required where another is": (
        (Required(("text",), KEY, given("body")),),
        [{}, {"text": "x"}, {"text": "x", "body": "x"}],
        [{"body": "x"}],
    ),
    "required by a value": (
        ASKING,
        [{"text": "x"}, {"kind": 1, "text": "x"}, {"kind": "2", "body": "x"}],
        [{}, {"body": "x"}, {"kind": "1", "body": "x"}, {"kind": 2, "text": "x"}, {"kind": 3, "text": "x"}],
    ),
    "one of": (
        (Members((), objects=("box",)), OneOf((("text",), ("box",)), KEY)),
        [{"text": "x"}, {"box": {"a": 1}}, {"text": "x", "box": {"a": 1}}],
        [{}, {"box": {}}, {"text": ""}],
    ),
    "one of, be it bare": (
        (Members((), objects=("box",)), OneOf((("text",), ("box",)), KEY, bare=True)),
        [{"box": {}}, {"text": "x"}],
        [{}],
    ),
    "one of and another of": (
        (OneOf((("text",), ("body",)), KEY), OneOf((("kind",), ("box",)), KEY)),
        [{"text": "x", "kind": "x"}, {"body": "x", "box": [1]}],
        [{"text": "x"}, {"kind": "x"}],
    ),
    "members": (
        (Members(("box",), texts=("name",), objects=("inner",)),),
        [{"box": {"name": 5, "inner": {}}}, {"box": {}}],
        [{"box": {"name": {}}}, {"box": {"inner": "x"}}, {"box": []}],
    ),
    "values": ((KIND,), [{"kind": "1"}, {"kind": 2}, {}], [{"kind": "3"}, {"kind": 0}, {"kind": True}]),
    "each of": (
        (EachIn(("box",), frozenset({"a", "b"}), KEY),),
        [{"box": ["a", "b"]}, {"box": "a"}, {"box": []}],
        [{"box": ["c"]}, {"box": {}}],
    ),
    "an action": (
        (TAP,),
        [{"tap": {}}, {"tap": {"action": "OPEN_APP"}}, {"tap": {"action": "OPEN_URL", "value": "x"}}],
        [{"tap": {"action": "OPEN_URL"}}, {"tap": {"action": "JUMP", "value": "x"}}, {"tap": "OPEN_APP"}],
    ),
    "an alias": ((Alias(("text",), "txt"),), [{"txt": "x"}, {"text": "x"}], [{"txt": {}}]),
    "yields": ((Yields(("text",), (("body",),)),), [{"text": "x", "body": "x"}], [{"text": {}}]),
    "buttons": ((), [{"box": {"category": "SINGLE_OPEN", "actions": [{"pos": 1}]}}], []),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_the_document_allows_what_the_rules_allow(name: str) -> None:
    rules, allowed, refused = RULES[name]
    one = channel(*rules)

    assert [content for content in allowed if not takes(one, content)] == []
    assert [content for content in refused if takes(one, content)] == []


@pytest.mark.parametrize("name", [name for name, row in RULES.items() if row[0]])
def test_a_change_of_a_rule_changes_the_document(name: str) -> None:
    assert document(channel(*RULES[name][0])) != document(channel())


def test_every_kind_of_rule_can_be_described() -> None:
    assert {*RENDER, *get_args(Demand)} == set(get_args(Rule))


@pytest.mark.parametrize(
    ("rules", "content", "allowed"),
    [
        ((TEXT, BODY), None, True),
        ((TEXT, BODY), {}, True),
        ((Required(("text",), KEY, always=True), BODY), {}, False),
        ((Required(("text",), KEY, always=True), BODY), {"text": "x"}, True),
        ((OneOf((("text",), ("body",)), KEY),), {}, True),
        ((KIND,), {"kind": "3"}, False),
    ],
)
def test_a_template_stands_for_what_must_be_there(rules: tuple[Rule, ...], content: Any, allowed: bool) -> None:
    assert takes(channel(*rules), content, message={"template": "t"}) == allowed
    assert not takes(channel(TEXT, *rules), content, message={"parameters": {}}) or content == {"text": "x"}


@pytest.mark.parametrize(
    "members",
    [
        {"aliases": ("dove",)},
        {"addresses": ("loft", "customerid", "nest")},
        {"address_aliases": {"loft": "customerid"}},
        {"path": ("birds", "pigeon"), "missing_keys": (KEY, KEY)},
        {"path_aliases": {"pigeon": "dove"}},
        {"members": ("text", "kind", "body", "box", "colour")},
        {"objects": ()},
        {"limit": 11},
        {"missing_keys": (keys.SMS_BODY_MISSING,)},
        {"priority_path": ("box", "priority")},
        {"name": "push", "interactive": Interactive(("box",), devices=True)},
    ],
    ids=lambda members: next(iter(members)),
)
def test_a_change_of_a_passport_changes_the_document(members: dict[str, Any]) -> None:
    assert document(channel(**members)) != document(channel())


def test_a_refusal_is_told_with_the_text_of_the_catalogue() -> None:
    told = document(channel(TEXT))["components"]["schemas"]["PigeonObject"]["x-refusals"]

    assert told[-1] == {
        "when": "`text` is absent or empty",
        "code": catalogue.code(KEY),
        "description": catalogue.find(KEY).message,
        "key": KEY,
    }


def test_codes_of_answers_are_those_of_the_catalogue() -> None:
    made = statuses.schemas()
    accept = {row.code for row in catalogue.ROWS if row.api == catalogue.MESSAGING and row.phase == "accept"}

    assert set(made["Refusal"]["properties"]["response"]["properties"]["code"]["enum"]) == accept
    assert accept | {"1001"} <= set(made["Element"]["properties"]["code"]["enum"])


@pytest.mark.parametrize("name", sorted({one.name for one in channels().values()}))
def test_sentences_are_about_members_that_exist(name: str) -> None:
    for path in own_of(name)["members"]:
        first, *rest = path.split(".")
        holder = object_of(channels()[name])
        for step in [first, *rest][:-1]:
            holder = holder["properties"][step]

        assert first in channels()[name].members, path
        assert holder["type"] == "object", path


def test_what_is_described_twice_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "schemas", lambda *_: {"Error": {}})

    with pytest.raises(ValueError, match="Error of what is made from code is described twice"):
        describe([], channels())
