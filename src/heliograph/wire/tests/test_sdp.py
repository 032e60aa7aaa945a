"""Session descriptions: our offer, their answer, their offer, and what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.sip.sdp import LIMIT, Media, SdpError, answer_to, chosen, parse, written

OURS = Media("192.0.2.1", 4000, ((8, "PCMA"), (0, "PCMU")), 101)


def offer(*lines: str, media: str = "m=audio 5000 RTP/AVP 0 8 101", host: str = "192.0.2.2") -> bytes:
    return "\r\n".join(["v=0", "o=- 1 1 IN IP4 x", "s=-", f"c=IN IP4 {host}", "t=0 0", media, *lines, ""]).encode()


@pytest.mark.parametrize("media", [OURS, Media("2001:db8::1", 4000, ((0, "PCMU"),), None, "sendonly")])
def test_what_is_written_is_read_back(media: Media) -> None:
    assert parse(written(media, 1, 1)) == media


def test_our_offer_is_what_the_specification_of_the_trunk_wants() -> None:
    lines = written(OURS, 7, 2).decode().split("\r\n")

    assert "o=heliograph 7 2 IN IP4 192.0.2.1" in lines
    assert "m=audio 4000 RTP/AVP 8 0 101" in lines
    assert "a=rtpmap:101 telephone-event/8000" in lines
    assert "a=fmtp:101 0-15" in lines
    assert "a=ptime:20" in lines


READ = [
    ("static types need no name", offer(), Media("192.0.2.2", 5000, ((0, "PCMU"), (8, "PCMA")), None)),
    ("a name of another number", offer("a=rtpmap:96 PCMA/8000/1", media="m=audio 5000 RTP/AVP 96"),
     Media("192.0.2.2", 5000, ((96, "PCMA"),), None)),
    ("events of another number", offer("a=rtpmap:100 telephone-event/8000", media="m=audio 5000 RTP/AVP 0 100"),
     Media("192.0.2.2", 5000, ((0, "PCMU"),), 100)),
    ("other codecs are passed over",
     offer("a=rtpmap:9 G722/8000", "a=rtpmap:18 G729/8000", media="m=audio 5000 RTP/AVP 9 18 8"),
     Media("192.0.2.2", 5000, ((8, "PCMA"),), None)),
    ("an address of the stream", offer("c=IN IP4 192.0.2.9", media="m=audio 5000 RTP/AVP 0"),
     Media("192.0.2.9", 5000, ((0, "PCMU"),), None)),
    ("on hold", offer("a=sendonly", media="m=audio 5000 RTP/AVP 0"),
     Media("192.0.2.2", 5000, ((0, "PCMU"),), None, "sendonly")),
    ("on hold as it was said before", offer(media="m=audio 5000 RTP/AVP 0", host="0.0.0.0"),
     Media("0.0.0.0", 5000, ((0, "PCMU"),), None, "inactive")),
    ("video beside it", offer(media="m=video 6000 RTP/AVP 31\r\nm=audio 5000 RTP/AVP 0\r\nm=text 1 RTP/AVP 98"),
     Media("192.0.2.2", 5000, ((0, "PCMU"),), None)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "media"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_a_description_is_read(body: bytes, media: Media) -> None:
    assert parse(body) == media


REFUSED = {
    "nothing": b"",
    "no audio": offer(media="m=video 6000 RTP/AVP 31"),
    "encrypted": offer(media="m=audio 5000 RTP/SAVP 0"),
    "no port": offer(media="m=audio x RTP/AVP 0"),
    "a port that is none": offer(media="m=audio 70000 RTP/AVP 0"),
    "no types": offer(media="m=audio 5000 RTP/AVP"),
    "a name for an address": offer(host="media.example.com"),
    "too long": b"x" * (LIMIT + 1),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_a_description_that_cannot_be_used_is_refused(body: bytes) -> None:
    with pytest.raises(SdpError):
        parse(body)


def test_an_answer_has_the_first_codec_that_both_have_with_their_numbers() -> None:
    theirs = Media("192.0.2.2", 5000, ((97, "PCMU"), (8, "PCMA")), 99)

    assert answer_to(theirs, OURS) == Media("192.0.2.1", 4000, ((97, "PCMU"),), 99)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_the_direction_of_an_answer_fits(theirs: str, ours: str) -> None:
    assert answer_to(Media("192.0.2.2", 5000, ((0, "PCMU"),), None, theirs), OURS).direction == ours


@pytest.mark.parametrize(
    ("direction", "port", "listens"),
    [
        ("sendrecv", 1, True),
        ("recvonly", 1, True),
        ("sendonly", 1, False),
        ("inactive", 1, False),
        ("sendrecv", 0, False),
    ],
)
def test_only_who_listens_is_sent_to(direction: str, port: int, listens: bool) -> None:
    assert Media("192.0.2.2", port, (), None, direction).listens is listens


def test_without_a_shared_codec_there_is_no_answer() -> None:
    theirs = Media("192.0.2.2", 5000, (), None)

    with pytest.raises(SdpError):
        answer_to(theirs, OURS)
    with pytest.raises(SdpError):
        chosen(theirs, OURS)


def test_their_preference_decides() -> None:
    assert chosen(Media("192.0.2.2", 5000, ((0, "PCMU"), (8, "PCMA")), None), OURS) == (0, "PCMU")


@given(
    st.one_of(
        st.binary(max_size=300), st.lists(st.sampled_from(offer().split(b"\r\n")), max_size=12).map(b"\r\n".join)
    )
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(SdpError):
        parse(body)
