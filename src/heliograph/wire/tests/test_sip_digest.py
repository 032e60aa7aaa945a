"""Digest authentication, against the samples of its specifications."""

from __future__ import annotations

import pytest

from heliograph.wire.sip.digest import Challenge, Credentials, answer, challenge_of, proof_of

# RFC 7616 3.9.1
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
REALM = "http-auth@example.org"
SAMPLES = [
    ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
]


def field(value: str, name: str) -> str:
    return value.partition(f"{name}=")[2].partition(",")[0].strip('"')


@pytest.mark.parametrize(("algorithm", "response"), SAMPLES)
def test_the_answer_is_that_of_the_specification(algorithm: str, response: str) -> None:
    challenge = Challenge(REALM, NONCE, OPAQUE, algorithm, True)
    made = answer(challenge, Credentials("Mufasa", "Circle of Life"), "GET", "/dir/index.html", CNONCE)

    assert field(made, "response") == response
    assert (field(made, "nc"), field(made, "opaque")) == ("00000001", OPAQUE)


def test_without_qop_it_is_that_of_rfc_2069() -> None:
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    made = answer(challenge, Credentials("Mufasa", "Circle Of Life"), "GET", "/dir/index.html", "x")

    assert field(made, "response") == "670fd8c2df070c60b045671b8b24ff02"
    assert "cnonce" not in made


ALGORITHMS = ["", "MD5", "SHA-256", "MD5-sess", "SHA-256-sess"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("qop", [True, False])
@pytest.mark.parametrize("password", ["secret", 'quoted "and" \\ all', "Grüße"])
def test_an_answer_holds_for_its_password_and_for_no_other(algorithm: str, qop: bool, password: str) -> None:
    challenge = Challenge("a realm, with a comma", "nonce", "", algorithm, qop)
    made = answer(challenge, Credentials('us"er', password), "INVITE", "sip:a@b", "cnonce")
    proof = proof_of((("Authorization", made),), "Authorization", challenge.realm)

    assert proof is not None
    assert (proof.username, proof.nonce) == ('us"er', "nonce")
    assert proof.holds(password, "INVITE")
    assert not proof.holds(password + "x", "INVITE")
    assert not proof.holds(password, "BYE")


def test_the_best_algorithm_that_is_known_is_answered() -> None:
    values = [
        'Digest realm="r", nonce="1", algorithm=MD5',
        'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth,auth-int"',
    ]
    found = challenge_of([("WWW-Authenticate", value) for value in values], "WWW-Authenticate")

    assert found is not None
    assert (found.nonce, found.auth) == ("2", True)


@pytest.mark.parametrize(
    "value", ['Basic realm="r"', 'Digest realm="r"', 'Digest realm="r", nonce="1", algorithm=SHA-512-256', ""]
)
def test_a_challenge_that_cannot_be_answered_is_none(value: str) -> None:
    assert challenge_of([("WWW-Authenticate", value)], "WWW-Authenticate") is None


def test_an_unknown_algorithm_proves_nothing() -> None:
    value = 'Digest username="u", realm="r", nonce="n", uri="sip:a", response="x", algorithm=CRC32'
    proof = proof_of((("Authorization", value),), "Authorization", "r")

    assert proof is not None
    assert not proof.holds("secret", "INVITE")


def test_a_password_is_in_no_representation() -> None:
    assert "secret" not in repr(Credentials("user", "secret"))
