"""An exchange as it is kept for a message's story."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.http_connection import Answer
from heliograph.wire.natives import answered, asked, described


def test_a_call_is_kept_without_its_query() -> None:
    native = asked("POST", "https://user@far/path?access_token=secret#x", b'{"a":1}')

    assert described(native) == {"http": "POST /path", "body": {"a": 1}}
    assert b"secret" not in native


def test_an_answer_is_kept_with_its_status() -> None:
    assert described(answered(Answer(201, {"set-cookie": "secret"}, "é".encode()))) == {
        "http": "HTTP 201",
        "body": "é",
    }


@pytest.mark.parametrize("native", [b"", b"\n", b"\xff\xfe\n\xff"])
def test_odd_bytes_are_shown_as_they_can_be(native: bytes) -> None:
    assert set(described(native)) == {"http", "body"}


@given(st.binary(max_size=100))
def test_any_bytes_are_shown(native: bytes) -> None:
    described(native)
