"""SIP messages: read, refused, written, cut out of streams."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heliograph.wire.sip.message import (
    HEAD_LIMIT,
    HEADERS_MOST,
    MESSAGE_LIMIT,
    CSeq,
    Framer,
    Request,
    Response,
    SipError,
    decode,
    encode,
    replaced,
    split,
)

sipmessage = pytest.importorskip("sipmessage")

INVITE = (
    b"INVITE sip:bob@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    b"From: Alice <sip:alice@example.com>;tag=1\r\n"
    b"To: <sip:bob@example.com>\r\n"
    b"Call-ID: a@b\r\n"
    b"CSeq: 1 INVITE\r\n"
)
END = b"Content-Length: 0\r\n\r\n"
OK = b"SIP/2.0 200 OK\r\n" + INVITE.partition(b"\r\n")[2]


def test_a_request_is_read() -> None:
    message = decode(INVITE + END)

    assert isinstance(message, Request)
    assert (message.method, message.uri, message.cseq) == ("INVITE", "sip:bob@example.com", CSeq(1, "INVITE"))
    assert message.first("call-id") == "a@b"


def test_a_response_is_read() -> None:
    message = decode(OK + END)

    assert isinstance(message, Response)
    assert (message.code, message.reason) == (200, "OK")


READ_ALIKE = {
    "compact names": INVITE.replace(b"Via:", b"v:").replace(b"From:", b"f:").replace(b"Call-ID:", b"i:"),
    "blanks around the colon": INVITE.replace(b"Call-ID: a", b"Call-ID \t:   a"),
    "names in another case": INVITE.replace(b"Call-ID", b"CALL-id").replace(b"CSeq", b"cseq"),
    "a folded line": INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: 1\r\n INVITE"),
    "line breaks before it": b"\r\n\r\n" + INVITE,
}


@pytest.mark.parametrize("data", READ_ALIKE.values(), ids=READ_ALIKE.keys())
def test_spellings_that_are_allowed_mean_the_same(data: bytes) -> None:
    message, plain = decode(data + END), decode(INVITE + END)

    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        assert message.all(name) == plain.all(name)


def test_values_that_share_a_line_are_taken_apart() -> None:
    message = decode(INVITE + b'Record-Route: <sip:a;lr>, "x, y" <sip:b;lr>\r\n' + END)

    assert message.all("Record-Route") == ["<sip:a;lr>", '"x, y" <sip:b;lr>']


def test_a_body_is_cut_at_its_length() -> None:
    assert decode(INVITE + b"Content-Length: 3\r\n\r\nabcdef").body == b"abc"


def test_without_a_length_a_datagram_is_all_body() -> None:
    assert decode(INVITE + b"\r\nabc").body == b"abc"


REFUSED = {
    "nothing": b"",
    "no end": INVITE,
    "no start": b"hello\r\n\r\n",
    "another version": INVITE.replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia") + END,
    "no via": INVITE.replace(b"Via", b"X-Via") + END,
    "no call id": INVITE.replace(b"Call-ID", b"X-Call") + END,
    "two from": INVITE + b"From: <sip:c@d>\r\n" + END,
    "cseq of another method": INVITE.replace(b"1 INVITE", b"1 BYE") + END,
    "cseq too great": INVITE.replace(b"1 INVITE", b"2147483648 INVITE") + END,
    "cseq without a number": INVITE.replace(b"1 INVITE", b"x INVITE") + END,
    "status of four digits": OK.replace(b"200", b"2000") + END,
    "status of another class": OK.replace(b"200", b"799") + END,
    "a name that is none": INVITE + b"a b: c\r\n" + END,
    "a line without a colon": INVITE + b"abc\r\n" + END,
    "a lone line feed": INVITE + b"X: a\nVia: b\r\n" + END,
    "a body that is too short": INVITE + b"Content-Length: 9\r\n\r\nabc",
    "a length that is none": INVITE + b"Content-Length: -1\r\n\r\n",
    "a head that is too long": INVITE + b"X: " + b"a" * HEAD_LIMIT + b"\r\n" + END,
    "too many headers": INVITE + b"X: a\r\n" * (HEADERS_MOST + 1) + END,
    "too long": INVITE + b"\r\n" + b"a" * MESSAGE_LIMIT,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(SipError):
        decode(data)


@pytest.mark.parametrize("value", ["a\r\nVia: x", "a\nb", "a\0b"])
def test_a_line_break_in_a_header_is_never_written(value: str) -> None:
    with pytest.raises(SipError):
        encode(Request("INVITE", "sip:a@b", (("X", value),)))


def test_a_line_break_in_the_uri_is_never_written() -> None:
    with pytest.raises(SipError):
        encode(Request("INVITE", "sip:a@b SIP/2.0\r\nX: y", ()))


def test_the_length_that_is_written_is_the_body_s() -> None:
    message = Response(200, "OK", (("Content-Length", "99"), *decode(OK + END).headers), b"abc")

    assert decode(encode(message)).body == b"abc"


def test_a_header_is_replaced_in_its_place() -> None:
    assert replaced((("A", "1"), ("B", "2"), ("a", "3")), "A", "4") == (("A", "4"), ("B", "2"))
    assert replaced((("A", "1"),), "B", "2") == (("A", "1"), ("B", "2"))


TOKEN = st.text("abcXYZ019-.!%*_+'~", min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f,"), max_size=40).map(
    str.strip
)
CUSTOM = st.lists(st.tuples(TOKEN.map(lambda name: "X-" + name), VALUE), max_size=6)


@given(TOKEN, CUSTOM, st.binary(max_size=200))
def test_what_is_written_is_read_back(method: str, custom: list[tuple[str, str]], body: bytes) -> None:
    headers = [
        (name, value) for name, value in decode(INVITE + END).headers if name not in ("CSeq", "Content-Length")
    ]
    made = Request(method, "sip:a@b;x=1", (*headers, ("CSeq", f"7 {method}"), *custom), body)
    read = decode(encode(made))

    assert read._replace(headers=read.headers[:-1]) == made


@given(st.text("abc019", min_size=1, max_size=10), st.binary(max_size=50))
def test_another_parser_reads_what_we_write(user: str, body: bytes) -> None:
    made = decode(INVITE.replace(b"bob", user.encode()) + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    read = sipmessage.Message.parse(encode(made))

    assert str(read.uri) == f"sip:{user}@example.com"
    assert read.from_address.parameters["tag"] == "1"
    assert (read.cseq.sequence, read.via[0].parameters["branch"], read.body) == (1, "z9hG4bK1", body)


@given(st.binary(max_size=400))
@example(b"\r\n\r\n")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(SipError):
        decode(data)


@given(st.data())
def test_a_spoiled_message_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(INVITE + b"Content-Length: 4\r\n\r\nbody")
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(SipError):
        encode(decode(bytes(whole)))


# Streams


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5), st.data())
def test_a_stream_is_cut_into_its_messages_wherever_it_is_torn(bodies: list[bytes], data: st.DataObject) -> None:
    messages = [INVITE + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in bodies]
    stream = b"\r\n\r\n".join(messages)
    framer, found = Framer(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += framer.feed(stream[:size])
        stream = stream[size:]

    assert found == messages


def test_a_ping_between_messages_is_counted() -> None:
    framer = Framer()

    assert framer.feed(b"\r\n\r\n" + INVITE + END) == [INVITE + END]
    assert framer.pings == 1


@pytest.mark.parametrize(
    "data", [INVITE + b"\r\n", INVITE + b"Content-Length: 99999999\r\n\r\n", b"x" * (HEAD_LIMIT + 1)],
    ids=["no length", "too long", "no end"],
)  # fmt: skip
def test_a_stream_that_cannot_be_followed_is_refused(data: bytes) -> None:
    with pytest.raises(SipError):
        Framer().feed(data)


@given(st.binary(max_size=300))
def test_a_stream_of_any_bytes_is_followed_or_refused(data: bytes) -> None:
    with contextlib.suppress(SipError):
        Framer().feed(data)


SPLITS = [
    ("a, b", ["a", "b"]),
    ('"a, b", c', ['"a, b"', "c"]),
    ("<sip:a,b>, c", ["<sip:a,b>", "c"]),
    (r'"a\", b", c', [r'"a\", b"', "c"]),
    ("a", ["a"]),
    ("", [""]),
]


@pytest.mark.parametrize(("value", "parts"), SPLITS)
def test_a_list_is_split_outside_of_quotes_and_brackets(value: str, parts: list[str]) -> None:
    assert split(value) == parts
