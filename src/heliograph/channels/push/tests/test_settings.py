"""What an app must have for push, and what is said when it has not."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from heliograph.channels.push import APP, sandbox, settings
from heliograph.model.channel import Peer
from heliograph.model.workspace import App, ConnectorSpec, Features

from .conftest import LANE, account, pem

PEERS = {name: Peer("127.0.0.1", 9000 + number) for number, name in enumerate(("fcm", "apns", "webpush"))}
RSA = rsa.generate_private_key(65_537, 2048)
ANDROID = {"fcm_service_account": account(RSA, "https://oauth2.googleapis.com")}
TOKEN = {"key_id": "K", "team_id": "T", "private_key": pem(ec.derive_private_key(7, ec.SECP256R1()))}
IOS = {"topic": "com.example.app", "token": TOKEN}
WEB = {"vapid_private_key": pem(ec.derive_private_key(7, ec.SECP256R1())), "subject": "mailto:a@example.com"}


def spec(**options: Any) -> ConnectorSpec:
    return ConnectorSpec(name="AP1", channel="push", kind="app", options=options)


def test_an_app_with_all_systems_has_no_fault() -> None:
    assert settings.check(spec(android=ANDROID, ios=IOS, web=WEB)) == []


def test_defaults_are_those_of_the_providers() -> None:
    found = settings.read(spec(android=ANDROID, ios=IOS, web=WEB))

    assert found.android is not None
    assert found.ios is not None
    assert (found.android.endpoint, found.android.http, found.android.style) == (
        "https://fcm.googleapis.com", "2", "notification",
    )  # fmt: skip
    assert (found.ios.endpoints, found.ios.push_type) == (("https://api.push.apple.com",), "alert")
    assert not any(found.reach_of(system).allow_private for system in found.systems())  # type: ignore[union-attr]


def test_the_environment_chooses_the_endpoint_and_the_other_may_be_tried() -> None:
    found = settings.read_ios({**IOS, "environment": "sandbox", "try_other_environment": True})

    assert found.endpoints == ("https://api.sandbox.push.apple.com", "https://api.push.apple.com")


def test_a_certificate_brings_its_topic() -> None:
    found = settings.read_ios({"certificate": {"pem": sandbox.client_certificate(LANE, "com.example.app")}})

    assert found.topic == "com.example.app"


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({}, "neither"),
    ({"android": []}, "no object"),
    ({"android": {}}, "fcm_service_account"),
    ({"android": {**ANDROID, "server_key": "x"}}, "`android.server_key` is unknown"),
    ({"android": {**ANDROID, "style": "loud"}}, "style"),
    ({"android": {**ANDROID, "http": "3"}}, "http"),
    ({"android": {**ANDROID, "endpoint": "ftp://a"}}, "endpoint"),
    ({"android": {**ANDROID, "allow_private": "yes"}}, "allow_private"),
    ({"android": {**ANDROID, "ca": "x"}}, "`ca`"),
    ({"ios": {"topic": "a"}}, "either"),
    ({"ios": {**IOS, "certificate": {"pem": sandbox.client_certificate(LANE, "a")}}}, "either"),
    ({"ios": {"token": TOKEN}}, "topic"),
    ({"ios": {**IOS, "environment": "test"}}, "environment"),
    ({"ios": {**IOS, "endpoint": "http://127.0.0.1"}}, "https"),
    ({"ios": {**IOS, "push_type": "loud"}}, "push_type"),
    ({"web": {}}, "vapid_private_key"),
    ({"web": {**WEB, "subject": ""}}, "subject"),
]


@pytest.mark.parametrize(("options", "said"), FAULTS)
def test_a_fault_is_said_in_a_sentence(options: dict[str, Any], said: str) -> None:
    [fault] = settings.check(spec(**options))

    assert said in fault
    assert "BEGIN" not in fault


def test_an_app_is_for_push_when_it_has_a_system_or_the_feature() -> None:
    assert settings.options(App(id="A")) is None
    assert settings.options(App(id="A", features=Features(push=True))) == {"features": {"push": True}}
    assert settings.options(App(id="A", ios={})) == {"ios": {}, "features": {"push": False}}


# The sandbox


def test_in_the_sandbox_credentials_may_be_left_out() -> None:
    made = APP.sandbox(spec(features={"push": True}), LANE, PEERS)

    assert settings.check(made) == []
    assert settings.read(made).systems() == ("android", "ios", "web")
    assert settings.read(made).sandbox


def test_an_app_for_one_system_is_for_that_one_in_the_sandbox() -> None:
    assert settings.read(APP.sandbox(spec(ios={}), LANE, PEERS)).systems() == ("ios",)


def test_real_credentials_and_endpoints_never_go_to_a_simulator() -> None:
    given = spec(android={**ANDROID, "receipt_secret": "mine"}, ios=IOS, web=WEB)
    made = APP.sandbox(given, LANE, PEERS).options

    assert made["android"]["fcm_service_account"]["private_key"] != ANDROID["fcm_service_account"]["private_key"]
    assert made["ios"]["token"]["private_key"] != TOKEN["private_key"]
    assert made["web"]["vapid_private_key"] != WEB["vapid_private_key"]
    assert made["ios"]["topic"] == "com.example.app"
    found = settings.read(APP.sandbox(given, LANE, PEERS))
    assert {found.android.endpoint, *found.ios.endpoints} == {  # type: ignore[union-attr]
        PEERS["fcm"].url(), PEERS["apns"].url("https"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"android": {"fcm_service_account": {"private_key": "x"}}}, "client_email"),
        ({"ios": {"token": {"key_id": "K"}}}, "team_id"),
        ({"web": {"vapid_private_key": "x", "subject": "mailto:a@b"}}, "vapid_private_key"),
        ({"android": "x"}, "no object"),
    ],
)
def test_what_is_wrong_with_credentials_is_wrong_in_the_sandbox_too(options: dict[str, Any], said: str) -> None:
    faults = settings.check(APP.sandbox(spec(**options), LANE, PEERS))

    assert any(said in fault for fault in faults)


def test_the_sandbox_makes_the_same_of_the_same() -> None:
    """A lane whose spec changed would be closed and opened again."""
    assert APP.sandbox(spec(), LANE, PEERS) == APP.sandbox(spec(), LANE, PEERS)
    assert APP.sandbox(spec(), LANE, PEERS) != APP.sandbox(spec(), "demo/other", PEERS)


@pytest.mark.parametrize(
    ("user", "system"),
    [
        ("u1", "android"),
        ("u-sim-7513", "android"),
        ("u-sim-7213", "web"),
        ("u-sim-7510", "ios"),
        ("u-seq-7517", "ios"),
    ],
)
def test_a_user_nobody_registered_has_the_device_that_can_end_so(user: str, system: str) -> None:
    device = sandbox.simulated_device(user, settings.SYSTEMS)

    assert device.system == system
    assert device.token[-4:] == (user[-4:] if user != "u1" else "u1")


def test_a_user_has_a_device_that_the_app_is_for() -> None:
    assert sandbox.simulated_device("u1", ("ios",)).system == "ios"
    assert len(sandbox.simulated_device("u1", ("ios",)).token) == 64
