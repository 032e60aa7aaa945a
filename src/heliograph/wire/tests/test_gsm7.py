"""GSM 03.38: what it holds, what it costs, and that nothing changes on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire import gsm7

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
gsm_text = st.text(alphabet=BASIC + EXTENSION)


@given(gsm_text)
def test_text_comes_back_as_it_was(text: str) -> None:
    assert gsm7.decode(gsm7.encode(text)) == text


@given(gsm_text)
def test_septets_is_the_length_of_the_encoding(text: str) -> None:
    assert gsm7.septets(text) == len(gsm7.encode(text))


@given(st.text())
def test_is_gsm_agrees_with_the_tables(text: str) -> None:
    assert gsm7.is_gsm(text) == all(character in BASIC + EXTENSION for character in text)


@given(st.binary())
def test_any_bytes_decode(octets: bytes) -> None:
    assert isinstance(gsm7.decode(octets), str)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("@", b"\x00"),
        ("$", b"\x02"),
        ("_", b"\x11"),
        ("Hi", b"Hi"),
        ("à", b"\x7f"),
        ("€", b"\x1be"),
        ("[a]", b"\x1b<a\x1b>"),
        ("\f", b"\x1b\n"),
        ("", b""),
    ],
)
def test_encodes(text: str, octets: bytes) -> None:
    assert gsm7.encode(text) == octets


@pytest.mark.parametrize("character", ["`", "ç", "\x1b", "\t", "\0", "я", "\U0001f600", "\ufffe"])
def test_refuses_what_the_alphabet_lacks(character: str) -> None:
    assert not gsm7.is_gsm(f"a{character}€")
    with pytest.raises(UnicodeEncodeError):
        gsm7.encode(f"a{character}")


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"\x1b\x1ba", " a"), (b"a\x1b", "a "), (b"\x1bA", "A"), (b"\xe9", "\ufffd")],
)
def test_decodes_what_nobody_should_send(octets: bytes, text: str) -> None:
    assert gsm7.decode(octets) == text
