"""Encryption for browsers, against the example of the standard and against another implementation."""

from __future__ import annotations

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.channels.push.far_ends.credentials import base64url, from_base64url, point_of
from heliograph.channels.push.far_ends.encryption import (
    BadSubscription,
    Keys,
    Subscription,
    Undecryptable,
    checked,
    decrypt,
    encrypt,
    read_subscription,
)

KEY = ec.derive_private_key(4711, ec.SECP256R1())
SECRET = bytes(range(16))
POINT = base64url(point_of(KEY.public_key()))
JSON = f'{{"endpoint":"https://push.example/1","keys":{{"p256dh":"{POINT}","auth":"{base64url(SECRET)}"}}}}'


def test_the_example_of_rfc_8291_is_read() -> None:
    secret = from_base64url("BTBZMqHH6r4Tts7J_aSIgg")
    number = int.from_bytes(from_base64url("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big")
    body = from_base64url(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru"
        "3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )

    assert decrypt(body, ec.derive_private_key(number, ec.SECP256R1()), secret) == (
        b"When I grow up, I want to be a watermelon"
    )


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=3_993))
def test_another_implementation_reads_what_we_write(plain: bytes) -> None:
    body = encrypt(plain, KEY.public_key(), SECRET)

    assert http_ece.decrypt(body, private_key=KEY, auth_secret=SECRET, version="aes128gcm") == plain
    assert len(body) == len(plain) + 103 <= 4_096


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=1, max_size=3_900))  # of nothing it makes no record at all
def test_we_read_what_another_implementation_writes(plain: bytes) -> None:
    ours = ec.generate_private_key(ec.SECP256R1())
    body = http_ece.encrypt(
        plain, private_key=ours, dh=point_of(KEY.public_key()), auth_secret=SECRET, version="aes128gcm"
    )

    assert decrypt(body, KEY, SECRET) == plain


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_garbage_is_no_message(body: bytes) -> None:
    with pytest.raises(Undecryptable):
        decrypt(body, KEY, SECRET)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 140), st.integers(1, 255))
def test_one_bit_less_is_no_message(place: int, change: int) -> None:
    body = bytearray(encrypt(b"a" * 40, KEY.public_key(), SECRET))
    if 16 <= place < 20:
        place = 20  # the record size alone is not signed
    body[place] ^= change

    with pytest.raises(Undecryptable):
        decrypt(bytes(body), KEY, SECRET)


@pytest.mark.parametrize("token", [JSON, base64url(JSON.encode()), f" {JSON} "])
def test_a_subscription_is_json_or_base64url_of_it(token: str) -> None:
    assert read_subscription(token) == Subscription("https://push.example/1", Keys(POINT, base64url(SECRET)))


@pytest.mark.parametrize("token", ["", "abc", "{}", '{"endpoint":1}', "tok-sim-7213", "{" * 5_000])
def test_anything_else_is_none(token: str) -> None:
    assert read_subscription(token) is None


@pytest.mark.parametrize(
    "keys",
    [
        Keys("AAAA", base64url(SECRET)), Keys(base64url(b"\x04" + b"\1" * 64), base64url(SECRET)),
        Keys(POINT, "AAAA"),
        Keys(POINT, "!"), Keys(base64url(point_of(KEY.public_key())[:33]), base64url(SECRET)), Keys("", ""),
    ],
)  # fmt: skip
def test_keys_that_are_none_are_refused(keys: Keys) -> None:
    with pytest.raises(BadSubscription):
        checked(Subscription("https://push.example/1", keys))
