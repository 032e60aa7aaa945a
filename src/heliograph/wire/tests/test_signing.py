"""Signatures: known values, and what verification refuses."""

import hashlib
import hmac

import pytest

from heliograph.wire.signing import sign, signed_headers, verify

BODY = b'{"a":1}'
NOW = 1_900_000_000


def test_the_hub_signature_is_the_hmac_of_the_raw_body() -> None:
    expected = hmac.new(b"secret", BODY, hashlib.sha256).hexdigest()
    assert sign("secret", BODY) == f"sha256={expected}"


def test_our_signature_covers_timestamp_dot_body() -> None:
    headers = signed_headers("secret", BODY, NOW)
    assert headers == {
        "x-hub-signature": sign("secret", BODY),
        "x-heliograph-timestamp": str(NOW),
        "x-heliograph-signature": sign("secret", str(NOW).encode() + b"." + BODY),
    }


def test_what_was_signed_verifies() -> None:
    assert verify("secret", BODY, signed_headers("secret", BODY, NOW), NOW)


def test_the_hub_signature_alone_verifies() -> None:
    assert verify("secret", BODY, {"x-hub-signature": sign("secret", BODY)}, NOW)


@pytest.mark.parametrize(
    ("case", "changes", "now"),
    [
        ("too old", {}, NOW + 301),
        ("from the future", {}, NOW - 301),
        ("timestamp altered", {"x-heliograph-timestamp": str(NOW + 1)}, NOW),
        ("timestamp missing", {"x-heliograph-timestamp": ""}, NOW),
        ("timestamp not a number", {"x-heliograph-timestamp": "²"}, NOW),
        ("timestamp signed", {"x-heliograph-timestamp": f"-{NOW}"}, NOW),
        ("hub wrong", {"x-hub-signature": "sha256=00"}, NOW),
        ("hub not ASCII", {"x-hub-signature": "é"}, NOW),
        ("ours wrong", {"x-heliograph-signature": "sha256=00"}, NOW),
        ("none at all", {"x-hub-signature": "", "x-heliograph-signature": ""}, NOW),
    ],
)
def test_refused(case: str, changes: dict[str, str], now: int) -> None:
    assert not verify("secret", BODY, signed_headers("secret", BODY, NOW) | changes, now)


def test_another_secret_is_refused() -> None:
    assert not verify("other", BODY, signed_headers("secret", BODY, NOW), NOW)


def test_another_body_is_refused() -> None:
    assert not verify("secret", BODY + b" ", signed_headers("secret", BODY, NOW), NOW)
