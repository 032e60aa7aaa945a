"""Signatures and safe mode, against another implementation of both."""

from __future__ import annotations

import base64
import os

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import check_signature

from heliograph.channels.wechat import crypto, xml

TOKEN, APPID = "token", "wx1234567890abcdef"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
KEY = base64.b64decode(AES_KEY + "=")
THEIRS = WeChatCrypto(TOKEN, AES_KEY, APPID)


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_signature_is_theirs(stamp: str, nonce: str) -> None:
    check_signature(TOKEN, crypto.signature(TOKEN, stamp, nonce), stamp, nonce)


def test_another_signature_is_not_theirs() -> None:
    with pytest.raises(InvalidSignatureException):
        check_signature(TOKEN, crypto.signature("another", "1", "2"), "1", "2")


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_what_they_encrypt_we_read(text: str) -> None:
    envelope = xmltodict.parse(THEIRS.encrypt_message(text, "nonce", "1700000000"))["xml"]

    assert crypto.signed_so(envelope["MsgSignature"], TOKEN, "1700000000", "nonce", envelope["Encrypt"])
    assert crypto.decrypted(KEY, APPID, envelope["Encrypt"]) == text.encode()


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300))
def test_what_we_encrypt_they_read(text: str) -> None:
    secret = crypto.encrypted(KEY, APPID, text.encode(), os.urandom(16))
    envelope = xml.written({"ToUserName": "gh_1", "Encrypt": secret})
    signature = crypto.signature(TOKEN, "1700000000", "nonce", secret)

    assert THEIRS.decrypt_message(envelope, signature, "1700000000", "nonce") == text


@pytest.mark.parametrize("appid", ["", "wx", "wx1234567890abcdefg"])
def test_what_is_for_another_account_is_refused(appid: str) -> None:
    with pytest.raises(crypto.BadSecret):
        crypto.decrypted(KEY, APPID, crypto.encrypted(KEY, appid, b"<xml/>", bytes(16)))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(cipher: bytes) -> None:
    with pytest.raises(crypto.BadSecret):
        crypto.decrypted(KEY, APPID, base64.b64encode(cipher).decode())


@pytest.mark.parametrize("secret", ["", "!!", "AAAA", "ü"])
def test_what_is_no_base64_of_blocks_is_refused(secret: str) -> None:
    with pytest.raises(crypto.BadSecret):
        crypto.decrypted(KEY, APPID, secret)


def test_an_altered_message_is_refused() -> None:
    cipher = bytearray(base64.b64decode(crypto.encrypted(KEY, APPID, b"<xml>0</xml>", bytes(16))))
    cipher[20] ^= 1

    with pytest.raises(crypto.BadSecret):
        crypto.decrypted(KEY, APPID, base64.b64encode(bytes(cipher)).decode())
