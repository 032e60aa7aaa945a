"""Frames are found whatever pieces they come in, and GOAWAY is taken out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.http2.frames import GOAWAY, HEAD, LONGEST, FrameTooLong, Goaway, Splitter, goaway


def frame(kind: int, payload: bytes, stream: int = 1) -> bytes:
    return HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, kind, 0, stream) + payload


FRAMES = st.one_of(
    st.builds(frame, st.integers(0, 6), st.binary(max_size=40), st.integers(0, 2**31 - 1)),
    st.builds(goaway, st.integers(0, 2**31 - 1), st.integers(0, 13), st.binary(max_size=40)),
)


@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_pieces_make_no_difference(frames: list[bytes], sizes: list[int]) -> None:
    splitter, data = Splitter(), b"".join(frames)
    passed, found = b"", []
    for size in (size for _ in range(len(data)) for size in sizes):
        piece, data = data[:size], data[size:]
        frames_of_piece, goodbyes = splitter.feed(piece)
        passed += frames_of_piece
        found += goodbyes
        if not data:
            break

    assert passed == b"".join(one for one in frames if one[3] != GOAWAY)
    assert len(found) == sum(one[3] == GOAWAY for one in frames)


def test_a_goodbye_says_which_streams_were_looked_at_and_why() -> None:
    rest, found = Splitter().feed(frame(0, b"x") + goaway(7, 2, b"bye") + frame(0, b"y"))

    assert found == [Goaway(7, 2, b"bye")]
    assert rest == frame(0, b"x") + frame(0, b"y")


def test_a_frame_that_is_longer_than_allowed_is_refused_at_its_head() -> None:
    with pytest.raises(FrameTooLong):
        Splitter().feed(HEAD.pack((LONGEST + 1) >> 8, (LONGEST + 1) & 0xFF, 0, 0, 1))


@given(st.binary(max_size=200))
def test_garbage_ends_in_frames_or_a_refusal(data: bytes) -> None:
    try:
        Splitter().feed(data)
    except FrameTooLong:
        return
