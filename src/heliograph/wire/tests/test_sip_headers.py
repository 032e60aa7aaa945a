"""URIs, addresses, Vias and reasons."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.sip.headers import Address, Uri, Via, parse_address, parse_uri, parse_via, q850
from heliograph.wire.sip.message import SipError

URIS = [
    ("sip:alice@example.com", Uri("sip", "alice", "example.com", 0), ("udp", "example.com", 5060)),
    ("sips:example.com", Uri("sips", "", "example.com", 0), ("tls", "example.com", 5061)),
    ("sip:+44@192.0.2.1:5070;transport=TCP;lr",
     Uri("sip", "+44", "192.0.2.1", 5070, (("transport", "TCP"), ("lr", ""))), ("tcp", "192.0.2.1", 5070)),
    ("SIP:a@[2001:db8::1]:5060", Uri("sip", "a", "2001:db8::1", 5060), ("udp", "2001:db8::1", 5060)),
    ("sip:a:secret@host", Uri("sip", "a:secret", "host", 0), ("udp", "host", 5060)),
    ("sip:host;transport=UDP?Subject=x", Uri("sip", "", "host", 0, (("transport", "UDP"),)), ("udp", "host", 5060)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "uri", "place"), URIS)
def test_a_uri_is_read_and_says_where_it_is(text: str, uri: Uri, place: tuple[str, str, int]) -> None:
    assert parse_uri(text) == uri
    assert uri.place == place


@pytest.mark.parametrize(
    "text", ["", "tel:+44", "http://a", "sip:", "sip:a@", "sip:a@b:99999", "sip:a b@c", "sip:a@<b>"]
)
def test_what_is_no_sip_uri_is_refused(text: str) -> None:
    with pytest.raises(SipError):
        parse_uri(text)


ADDRESSES = [
    ("<sip:a@b>;tag=1", Address("", "sip:a@b", (("tag", "1"),))),
    ('"Bob, \\"B\\"" <sip:a@b;x=1>;tag=2;y', Address('Bob, "B"', "sip:a@b;x=1", (("tag", "2"), ("y", "")))),
    ("Bob <sip:a@b>", Address("Bob", "sip:a@b")),
    ("sip:a@b;tag=3", Address("", "sip:a@b", (("tag", "3"),))),
    ('"<sip:fake@x>" <sip:a@b>', Address("<sip:fake@x>", "sip:a@b")),
]


@pytest.mark.parametrize(("value", "address"), ADDRESSES)
def test_an_address_is_read(value: str, address: Address) -> None:
    assert parse_address(value) == address


@pytest.mark.parametrize("value", ["", "<>", "<sip:a", '"a <sip:b>', "sip:a>b", ";tag=1"])
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(SipError):
        parse_address(value)


VIAS = [
    ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport",
     Via("udp", "192.0.2.1", 5060, (("branch", "z9hG4bK1"), ("rport", "")))),
    ("SIP / 2.0 / TCP host ;branch=x", Via("tcp", "host", 0, (("branch", "x"),))),
    ("SIP/2.0/TLS [2001:db8::1]:5061;branch=y", Via("tls", "2001:db8::1", 5061, (("branch", "y"),))),
]  # fmt: skip


@pytest.mark.parametrize(("value", "via"), VIAS)
def test_a_via_is_read_and_written_as_it_was_meant(value: str, via: Via) -> None:
    assert parse_via(value) == via
    assert parse_via(str(via)) == via


@pytest.mark.parametrize("value", ["", "SIP/2.0/UDP", "HTTP/1.1 a", "SIP/2.0/UDP a:99999"])
def test_what_is_no_via_is_refused(value: str) -> None:
    with pytest.raises(SipError):
        parse_via(value)


REASONS = [
    (('Q.850;cause=17;text="User busy"',), 17),
    (('SIP;cause=200;text="x"', "Q.850 ; cause=21"), 21),
    (('SIP;cause=480, Q.850;text="no";cause=19',), 19),
    (("SIP;cause=600",), 0),
    ((), 0),
]


@pytest.mark.parametrize(("values", "cause"), REASONS)
def test_the_cause_of_q850_is_found(values: tuple[str, ...], cause: int) -> None:
    assert q850(tuple(("Reason", value) for value in values)) == cause


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_uri, parse_address, parse_via):
        with contextlib.suppress(SipError):
            parse(text)
    q850((("Reason", text),))
