"""Credentials as they are entered, and the proofs that are made of them, checked by other people's code."""

from __future__ import annotations

import base64
import json
import ssl
import time
from typing import Any

import py_vapid
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google.auth import crypt
from google.auth import jwt as google_jwt

from heliograph.channels.push import sandbox
from heliograph.channels.push.far_ends.credentials import (
    BadCredential,
    base64url,
    certificate,
    provider_key,
    service_account,
    vapid,
)

from .conftest import account, pem

NOW = 1_900_000_000


def test_an_assertion_is_what_google_reads(rsa_key: rsa.RSAPrivateKey) -> None:
    found = service_account(account(rsa_key, "https://oauth2.example"))
    form = dict(part.split("=", 1) for part in found.assertion(NOW).decode().split("&"))
    token = form["assertion"]
    verifier = crypt.RSAVerifier(rsa_key.public_key())
    signed, _, signature = token.rpartition(".")
    padded = signature + "=" * (-len(signature) % 4)

    assert verifier.verify(signed, base64.urlsafe_b64decode(padded))
    header, claims, _, _ = google_jwt._unverified_decode(token)
    assert (header["alg"], header["kid"]) == ("RS256", "k1")
    assert claims == {
        "iss": "me@example.com", "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "aud": "https://oauth2.googleapis.com/token", "iat": NOW, "exp": NOW + 3600,
    }  # fmt: skip
    assert form["grant_type"] == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"


def test_a_provider_token_is_an_es256_token_of_its_key(ec_key: ec.EllipticCurvePrivateKey) -> None:
    key = provider_key({"key_id": "KEY", "team_id": "TEAM", "private_key": pem(ec_key)})
    token = key.token(NOW)
    header, claims, signed, signature = google_jwt._unverified_decode(token)

    assert crypt.ES256Verifier(ec_key.public_key()).verify(signed, signature)
    assert (header["alg"], header["kid"], claims) == ("ES256", "KEY", {"iss": "TEAM", "iat": NOW})


def test_a_vapid_header_is_taken_by_another_implementation(ec_key: ec.EllipticCurvePrivateKey) -> None:
    key = vapid(base64url(ec_key.private_numbers().private_value.to_bytes(32, "big")), "mailto:a@example.com")

    assert py_vapid.Vapid02.verify(key.header("https://push.example", time.time()))


def test_a_vapid_key_may_be_pem_as_well(ec_key: ec.EllipticCurvePrivateKey) -> None:
    raw = base64url(ec_key.private_numbers().private_value.to_bytes(32, "big"))

    assert vapid(pem(ec_key), "https://example.com").public == vapid(raw, "https://example.com").public


def test_a_service_account_may_be_the_text_of_its_file(rsa_key: rsa.RSAPrivateKey) -> None:
    found = account(rsa_key, "https://oauth2.example")

    assert service_account(json.dumps(found)) == service_account(found)


def test_tokens_of_a_key_are_nobodys_who_has_not_the_same_key(rsa_key: rsa.RSAPrivateKey) -> None:
    """Otherwise one tenant could have another's by naming the same account."""
    found = account(rsa_key, "https://oauth2.example")
    other = {**found, "private_key": pem(rsa.generate_private_key(65_537, 2048))}

    assert service_account(found).identity != service_account(other).identity


def test_a_certificate_says_its_topic_and_when_it_ends() -> None:
    found = certificate({"pem": sandbox.client_certificate("demo/AP1", "com.example.app")})

    assert found.topic == "com.example.app"
    assert found.ends == int(sandbox.ENDS.timestamp())


def test_a_certificate_may_come_with_an_encrypted_key() -> None:
    whole = sandbox.client_certificate("demo/AP1", "a")
    shown, _, rest = whole.partition("-----BEGIN PRIVATE")
    key = serialization.load_pem_private_key(("-----BEGIN PRIVATE" + rest).encode(), None)
    hidden = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"hunter3"),
    ).decode()
    found = certificate({"pem": shown + hidden, "password": "hunter3"})

    found.show(ssl.create_default_context())
    with pytest.raises(BadCredential, match="encrypted"):
        certificate({"pem": shown + hidden, "password": "wrong"})


def test_no_secret_is_in_a_representation(rsa_key: rsa.RSAPrivateKey, ec_key: ec.EllipticCurvePrivateKey) -> None:
    shown = [
        service_account(account(rsa_key, "https://a.example")),
        provider_key({"key_id": "K", "team_id": "T", "private_key": pem(ec_key)}),
        certificate({"pem": sandbox.client_certificate("demo/AP1", "a"), "password": "hunter3"}),
        vapid(pem(ec_key), "mailto:a@example.com"),
    ]  # fmt: skip

    for one in shown:
        assert "PRIVATE" not in repr(one)
        assert "hunter3" not in repr(one)
        assert "Key object" not in repr(one)


EC = pem(ec.derive_private_key(7, ec.SECP256R1()))
OTHER_CURVE = pem(ec.derive_private_key(7, ec.SECP384R1()))
CERTIFICATE = sandbox.client_certificate("demo/AP1", "a")
BAD: list[tuple[Any, Any, str]] = [
    (service_account, None, "no object"),
    (service_account, "{", "no JSON"),
    (service_account, [], "no object"),
    (service_account, {}, "private_key"),
    (
        service_account,
        {"private_key": "x", "client_email": "a", "project_id": "p"},
        "`private_key` is no private key",
    ),
    (service_account, {"private_key": EC, "client_email": "a", "project_id": "p"}, "no RSA key"),
    (provider_key, "x", "no object"),
    (provider_key, {"key_id": "K"}, "team_id"),
    (provider_key, {"key_id": "K", "team_id": "T", "private_key": "x"}, "`private_key` is no private key"),
    (provider_key, {"key_id": "K", "team_id": "T", "private_key": OTHER_CURVE}, "P-256"),
    (certificate, {}, "pem"),
    (certificate, {"pem": EC}, "no certificate"),
    (certificate, {"pem": CERTIFICATE.partition("-----BEGIN PRIVATE")[0]}, "no private key"),
    (certificate, {"pem": CERTIFICATE.partition("-----BEGIN PRIVATE")[0] + EC}, "not the certificate's"),
    (lambda value: vapid(*value), (None, "mailto:a@b"), "missing"),
    (lambda value: vapid(*value), ("AAAA", "mailto:a@b"), "neither"),
    (lambda value: vapid(*value), (base64url(bytes(32)), "mailto:a@b"), "neither"),
    (lambda value: vapid(*value), (EC, "me"), "subject"),
]


@pytest.mark.parametrize(("reading", "value", "said"), BAD)
def test_what_is_wrong_is_said_in_a_sentence(reading: Any, value: Any, said: str) -> None:
    with pytest.raises(BadCredential, match=said) as refused:
        reading(value)

    assert "BEGIN" not in str(refused.value)
