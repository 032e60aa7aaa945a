"""What goes into the submit_sm: alphabets, parts, senders, validity; encoded once for many destinations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels.sms import CHANNEL
from heliograph.channels.sms.encoding import Encoder, Unsendable, bucket, relative_time, sender_type
from heliograph.channels.sms.settings import read
from heliograph.model.workspace import ConnectorSpec, Sender
from heliograph.wire.smpp.pdus import ShortMessage

from .conftest import body


def encoder(**options: object) -> Encoder:
    spec = ConnectorSpec(name="smsc", channel="sms", kind="smpp", host="h", port=1, options=dict(options))
    return Encoder(read(spec))


def messages(sent: object, validity: int = 0, **options: object) -> list[ShortMessage]:
    return [template.message for template in encoder(**options).templates(sent, validity)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "coding"),
    [
        ({"type": "text"}, 0x00),
        ({"type": "flash"}, 0x10),
        ({"type": "unicode"}, 0x08),
        ({"type": "binary", "body": "00ff"}, 0x04),
    ],
)
def test_the_type_chooses_the_data_coding(fields: dict[str, str], coding: int) -> None:
    (message,) = messages(body("Hello", **fields))

    assert message.data_coding == coding


def test_text_outside_the_default_alphabet_goes_as_ucs2() -> None:
    (message,) = messages(body("привет"))

    assert (message.data_coding, message.short_message) == (8, "привет".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["udh", "udh16", "sar", "payload"])
def test_long_text_is_cut_as_the_connector_says(mode: str) -> None:
    made = messages(body("x" * 400), segmentation=mode)

    assert len(made) == (1 if mode == "payload" else 3)
    assert {bool(message.esm_class & 0x40) for message in made} == {mode in ("udh", "udh16")}
    assert {bool(message.tlvs) for message in made} == {mode in ("sar", "payload")}


def test_hexadecimal_that_is_none_is_7205() -> None:
    with pytest.raises(Unsendable) as caught:
        messages(body("", type="binary", body="abc"))

    assert caught.value.error.key == "binary_message_error"


def test_a_sender_too_long_for_its_field_is_7101() -> None:
    with pytest.raises(Unsendable) as caught:
        messages(body("Hello", sender="x" * 21))

    assert caught.value.error.key == "invalid_sender_id"


@pytest.mark.parametrize(
    ("sender", "told"),
    [("HELIO", (5, 0)), ("60300", (3, 0)), ("442079460000", (1, 1)), ("+442079460000", (1, 1)), ("", (5, 0))],
)
def test_the_sender_says_what_it_is(sender: str, told: tuple[int, int]) -> None:
    assert sender_type(sender) == told


def test_ton_and_npi_may_be_set() -> None:
    (message,) = messages(body(), source_ton=2, source_npi=8, dest_ton=0, dest_npi=0, service_type="PREM")

    assert (message.source_addr_ton, message.source_addr_npi, message.dest_addr_ton) == (2, 8, 0)
    assert message.service_type == "PREM"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, ""), (1, "000000000001000R"), (90_061, "000001010101000R"), (10**9, "000031000000000R")],
)
def test_validity_is_a_relative_time(seconds: int, told: str) -> None:
    assert relative_time(seconds) == told


@given(st.integers(0, 10**8))
def test_a_bucket_is_a_little_shorter_and_never_longer(seconds: int) -> None:
    assert seconds * 15 / 16 <= bucket(seconds) <= seconds


def test_one_body_is_encoded_once_for_all_destinations_and_close_validities() -> None:
    made, sent = encoder(), body()

    assert made.templates(sent, 3601) is made.templates(sent, 3600)
    assert made.templates(sent, 60) is not made.templates(sent, 3600)
    assert made.templates(body(), 3600) is not made.templates(sent, 3600)


def test_two_long_messages_have_two_references() -> None:
    made = encoder()
    first, second = (made.templates(body("x" * 200), 0)[0].message.short_message[:6] for _ in range(2))

    assert first != second


@pytest.mark.parametrize(
    ("fields", "text", "told"),
    [
        ({"type": "text"}, "Hello", "Hello"),
        ({"type": "text", "media-path": "https://x.y/z"}, "Hello", "Hello https://x.y/z"),
        ({"type": "binary", "body": "00ff"}, "Hello", "00ff"),
        ({"type": "unicode", "body": "привет"}, "", "привет"),
    ],
)
def test_the_text_is_composed(fields: dict[str, str], text: str, told: str) -> None:
    assert CHANNEL.compose(body("", **fields).content, text) == told


@pytest.mark.parametrize(
    ("fields", "text", "told"),
    [
        ({}, "x" * 160, (1, "gsm", 160)),
        ({}, "x" * 161, (2, "gsm", 161)),
        ({}, "€" * 80, (1, "gsm", 80)),
        ({}, "ж" * 71, (2, "ucs2", 71)),
        ({"type": "unicode"}, "Hello", (1, "ucs2", 5)),
        ({"type": "binary"}, "00ff" * 80, (2, "binary", 160)),
        ({"type": "binary"}, "0", (1, "binary", 0)),
    ],
)
def test_text_is_measured(fields: dict[str, str], text: str, told: tuple[int, str, int]) -> None:
    assert CHANNEL.measure(body("", **fields).content, text) == told


def test_a_sender_that_may_not_send_a_type_says_so() -> None:
    sender = Sender(id="HELIO", channel="sms", types=("text",))

    assert CHANNEL.allows(body().content, sender) is None
    assert CHANNEL.allows(body("", type="binary", body="00").content, sender) == "sender HELIO sends text, not binary"
