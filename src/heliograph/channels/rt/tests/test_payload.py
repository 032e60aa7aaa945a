"""What an app gets of a message, what is pushed in its place, and what its reasons mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.channels.push import CHANNEL as PUSH
from heliograph.channels.rt import CHANNEL
from heliograph.channels.rt.outcomes import TABLE, key_of
from heliograph.channels.rt.payload import KEPT, Payloads, native_id, notification_of
from heliograph.channels.rt.simulator import REASONS
from heliograph.model.channel import Body
from heliograph.testing import message_of


def body(**members: Any) -> Body:
    """A message ready for the wire."""
    content = message_of(CHANNEL, {"message": {"text": "Hi"}, **members}).content
    return Body(content=content, text=CHANNEL.compose(content, ""))


def test_an_app_gets_what_the_message_holds() -> None:
    found = Payloads().of(body(message={"text": "Hi \u00e9", "extras": {"k": 1}}, thread_id="t1"), "a-0", 7)

    assert json.loads(found) == {"id": "a-0", "at": 7, "text": "Hi \u00e9", "extras": {"k": 1}, "thread": "t1"}


def test_an_attachment_needs_no_text() -> None:
    found = Payloads().of(body(message={"attachment": {"file": "f"}}), "a-0", 7)

    assert json.loads(found) == {"id": "a-0", "at": 7, "attachment": {"file": "f"}}


def test_what_was_made_of_a_body_is_kept_for_a_while() -> None:
    payloads = Payloads()
    bodies = [body() for _ in range(KEPT + 2)]
    for one in bodies:
        payloads.of(one, "a-0", 7)

    assert len(payloads._kept) == KEPT


def test_messages_have_names_of_their_own() -> None:
    assert len({native_id(request, ordinal) for request in range(300) for ordinal in range(20)}) == 6_000


NOTIFICATION = {
    "title": "News", "text": "You have mail", "android_extras": {"collapse_key": "k"},
    "web_extras": {"url": "https://example.com"},
    "interactive": {"category": "DOUBLE_YES_NO", "actions": [{"pos": 1}, {"pos": 2}]},
}  # fmt: skip


@pytest.mark.parametrize("given", [{"title": "News", "text": "x"}, NOTIFICATION])
def test_a_notification_is_a_push_that_the_contract_takes(given: dict[str, Any]) -> None:
    found = notification_of("AP1", {"notification": given})

    assert found is not None
    fields = message_of(PUSH, found.push).content.fields
    assert all(fields[system]["text"] == given["text"] for system in ("android", "ios", "web"))


@pytest.mark.parametrize("fields", [{}, {"notification": None}, {"notification": {"title": "News"}}])
def test_without_a_text_nothing_is_pushed(fields: dict[str, Any]) -> None:
    assert notification_of("AP1", fields) is None


def test_every_reason_has_its_row() -> None:
    assert {catalogue.find(row.key).key for row in TABLE.values()} == {row.key for row in TABLE.values()}
    assert key_of("a word of nobody's") == keys.UNKNOWN_EXCEPTION


def test_the_stand_in_says_the_reason_of_each_code() -> None:
    assert {code: catalogue.code(key_of(reason)) for code, reason in REASONS.items()} == {
        code: code for code in REASONS
    }  # fmt: skip
