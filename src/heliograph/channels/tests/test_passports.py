"""What holds for the passport of every channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.channels import channels
from heliograph.model.channel import Channel
from heliograph.model.message import Content
from heliograph.model.outcome import Rejected
from heliograph.model.rules import Action, EachIn, Members, OneOf, Required, ValueIn
from heliograph.testing import message_of

FOLDER = Path(__file__).parents[1]
ALL = list({channel.name: channel for channel in channels().values()}.values())
EVERY = pytest.mark.parametrize("channel", ALL, ids=lambda channel: channel.name)


def keys_of(channel: Channel) -> list[str]:
    """The refusals of its rules in their order."""
    found: list[str] = []
    for rule in channel.rules:
        if isinstance(rule, Members):
            found.append(keys.INVALID_JSON)
        elif isinstance(rule, Required | OneOf | ValueIn | EachIn):
            found.append(rule.key)
    return found


def test_the_published_channels_are_there() -> None:
    assert {channel.name for channel in ALL} >= {"sms", "voice", "push", "rt", "fb", "twitter", "wechat"}


@EVERY
def test_every_refusal_is_a_row_of_the_catalogue(channel: Channel) -> None:
    actions = [
        key for rule in channel.rules if isinstance(rule, Action) for key in (rule.missing_key, rule.invalid_key)
    ]
    phases = {catalogue.find(key).phase for key in [*channel.missing_keys, *keys_of(channel), *actions]}

    assert phases == {"accept"}


@EVERY
def test_shape_is_looked_at_before_what_is_missing_and_that_before_values(channel: Channel) -> None:
    codes = [catalogue.code(key) for key in keys_of(channel)]

    assert codes == sorted(codes)


@EVERY
def test_every_step_to_the_object_has_its_refusal(channel: Channel) -> None:
    assert len(channel.missing_keys) == len(channel.path)
    without: list[tuple[dict[str, Any], str]] = [
        ({"channels": {}}, channel.missing_keys[0]),
        ({}, channel.missing_keys[-1]),
    ]
    for more, key in without:
        with pytest.raises(Rejected) as caught:
            message_of(channel, None, **more)
        assert caught.value.key == key


@EVERY
def test_members_are_named_once_and_objects_are_members(channel: Channel) -> None:
    assert len(set(channel.members)) == len(channel.members)
    assert set(channel.objects) <= set(channel.members)


@EVERY
def test_its_page_names_all_that_it_reads(channel: Channel) -> None:
    page = (FOLDER / channel.name / "README.md").read_text(encoding="utf-8")
    names = {*channel.members, *channel.addresses, *channel.aliases, *channel.path_aliases.values()}

    assert [name for name in sorted(names) if f"`{name}`" not in page and f".{name}`" not in page] == []


@EVERY
def test_a_template_stands_for_the_object(channel: Channel) -> None:
    message = message_of(channel, None, message={"template": "t1"})

    assert (message.content.fields, message.content.template) == ({}, "t1")


@EVERY
@pytest.mark.parametrize("value", ["", "  ", "\0", "a\nb", "x" * 5_000])
def test_what_is_no_address_is_none(channel: Channel, value: str) -> None:
    assert channel.normalise(value) is None


@EVERY
def test_an_address_loses_blanks_around_it(channel: Channel) -> None:
    assert channel.normalise(" 447700900001 ") == "447700900001"


@EVERY
@pytest.mark.parametrize("fields", [{}, {"message": "x"}, {"message": {"text": 5}}])
def test_a_text_can_be_made_and_measured_of_any_content(channel: Channel, fields: dict[str, object]) -> None:
    content = Content(channel=channel.name, fields=fields)
    parts, encoding, size = channel.measure(content, channel.compose(content, "Hi"))

    assert parts >= 1
    assert encoding
    assert size >= 1
