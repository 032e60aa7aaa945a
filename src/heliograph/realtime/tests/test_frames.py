"""Frames of apps: what is read, what is refused, and nothing else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.realtime import frames
from heliograph.realtime.frames import Ack, BadFrame, Fail, Hello, Ping, Read, Send, Typing, read_frame

TAKEN: list[tuple[dict[str, Any], Any]] = [
    ({"t": "hello", "token": "x"}, Hello("x")),
    ({"t": "hello", "token": "x", "device": "d", "after": 7, "more": 1}, Hello("x", "d", 7)),
    ({"t": "ack", "seq": 3}, Ack(3)),
    ({"t": "read", "seqs": [1, 2]}, Read([1, 2])),
    ({"t": "fail", "seq": 1, "reason": "rate"}, Fail(1, "rate")),
    ({"t": "send", "ref": "r", "text": "Hi", "thread": "t"}, Send("r", "Hi", "t")),
    ({"t": "send", "ref": "r", "attachment": {"file": "x"}}, Send("r", attachment={"file": "x"})),
    ({"t": "typing"}, Typing()),
    ({"t": "ping"}, Ping()),
]
REFUSED: list[Any] = [
    None, "", "[]", "{", "{}", '{"t":"welcome"}', '{"t":"ack"}', '{"t":"ack","seq":"3"}', '{"t":"ack","seq":1.5}',
    '{"t":"read","seqs":[]}', json.dumps({"t": "read", "seqs": [1] * 257}), '{"t":"send","ref":"r"}',
    '{"t":"send","ref":"","text":"x"}', json.dumps({"t": "send", "ref": "r" * 65, "text": "x"}),
    json.dumps({"t": "send", "ref": "r", "text": "\u00e9" * 2_049}),
    json.dumps({"t": "hello", "token": "x" * 20_000}),
    '{"t":"hello","token":"x","device":"a\\u0000"}', json.dumps({"t": "typing", "thread": "x" * 129}),
    json.dumps({"t": "fail", "seq": 1, "reason": "x" * 65}), "[" * 9_000,
]  # fmt: skip


@pytest.mark.parametrize(("found", "frame"), TAKEN)
def test_a_frame_is_read(found: dict[str, Any], frame: Any) -> None:
    assert read_frame(json.dumps(found)) == frame


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_frame_is_refused(text: Any) -> None:
    with pytest.raises(BadFrame):
        read_frame(text)


@given(
    st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
)
def test_nothing_else_is_raised(text: str | bytes) -> None:
    with contextlib.suppress(BadFrame):
        assert read_frame(text) is not None


def test_a_message_is_the_kept_object_with_its_number() -> None:
    assert json.loads(frames.message(7, '{"id":"x","text":"Hi"}')) == {
        "t": "message", "seq": 7, "id": "x", "text": "Hi",
    }  # fmt: skip
