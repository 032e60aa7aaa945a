"""What an app declares for real time, and what is wrong with it."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from heliograph.channels.rt import APP, settings
from heliograph.channels.rt.settings import Broker
from heliograph.model.channel import Peer
from heliograph.model.workspace import App, ConnectorSpec, Features

SECRET = "not to be seen in any sentence 0123456789"
TOKEN = {"id": "k", "secret": base64.b64encode(SECRET.encode()).decode()}
PEERS = {"app_users": Peer("127.0.0.1", 4000)}
LANE = "demo/AP1~sandbox"


def spec(**rtm: Any) -> ConnectorSpec:
    """An app as a connector."""
    return ConnectorSpec(name="AP1", channel="rt", kind="app", options={"rtm": rtm, "push": False})


FAULTY: list[tuple[Any, str]] = [
    ({}, "`rtm.tokens` is missing"),
    ({"tokens": "x"}, "`rtm.tokens` is no list"),
    ({"tokens": [TOKEN] * 6}, "`rtm.tokens` is no list of up to 5"),
    ({"tokens": [{"id": "k"}]}, "`rtm.tokens[0]` has not"),
    (
        {"tokens": [{"id": "k", "secret": base64.b64encode(b"x" * 31).decode()}]},
        "`rtm.tokens[0].secret` is no base64",
    ),
    ({"tokens": [{"id": "k", "secret": SECRET[:31] + "?"}]}, "`rtm.tokens[0].secret` is no base64"),
    ({"tokens": [TOKEN], "keep": "forever"}, "`rtm.keep` is no time"),
    ({"tokens": [TOKEN], "keep": "721h"}, "`rtm.keep` is no time"),
    ({"tokens": [TOKEN], "keep": 5}, "`rtm.keep` is no time"),
    ({"tokens": [TOKEN], "store": "no"}, "`rtm.store` is neither"),
    ({"tokens": [TOKEN], "origins": "https://a.example"}, "`rtm.origins` is no list"),
    ({"tokens": [TOKEN], "origins": ["a.example"]}, "`rtm.origins` is no list"),
    ({"tokens": [TOKEN], "wake": "http://x"}, "`rtm.wake` is unknown"),
    ({"tokens": [TOKEN], "mqtt": {}}, "`rtm.mqtt` cannot be used"),
    ({"tokens": [TOKEN], "mqtt": {"host": ""}}, "`rtm.mqtt` has no `host`"),
    ({"tokens": [TOKEN], "mqtt": {"host": "b", "port": 70_000}}, "`rtm.mqtt` has no `host`, or a `port`"),
    ({"tokens": [TOKEN], "mqtt": {"host": "b", "version": "4"}}, "`rtm.mqtt` cannot be used"),
    ({"tokens": [TOKEN], "mqtt": {"host": "b", "ca": "x"}}, "`rtm.mqtt.ca` is no certificate"),
    ({"tokens": [TOKEN], "mqtt": {"host": "b", "password": SECRET, "x": 1}}, "`rtm.mqtt.x` is unknown"),
]


@pytest.mark.parametrize(("rtm", "sentence"), FAULTY)
def test_what_is_wrong_is_said_without_secrets(rtm: Any, sentence: str) -> None:
    faults = settings.check(spec(**rtm))

    assert any(fault.startswith(sentence) for fault in faults)
    assert not any(SECRET in fault or TOKEN["secret"] in fault for fault in faults)


def test_settings_are_read() -> None:
    given = spec(
        tokens=[TOKEN], keep="72h", store=False, origins=["https://A.example/"],
        mqtt={"host": "b", "port": 8883, "tls": True},
    )  # fmt: skip
    read = settings.read(given)

    assert settings.check(given) == []
    assert (read.secrets, read.keep_ms, read.store) == ((SECRET.encode(),), 72 * 3_600_000, False)
    assert (read.origins, read.mqtt) == (("https://a.example",), Broker("b", 8883, tls=True))


def test_an_app_without_the_feature_is_not_for_real_time() -> None:
    assert settings.options(App(id="AP1", rtm={"tokens": [TOKEN]})) is None
    assert settings.options(App(id="AP1", features=Features(rtm=True, push=True))) == {"rtm": {}, "push": True}


def test_the_sandbox_needs_no_secret_and_mends_none() -> None:
    bare, broken = APP.sandbox(spec(), LANE, PEERS), APP.sandbox(spec(tokens=[{}]), LANE, PEERS)

    assert (settings.check(bare), settings.read(bare).wake) == ([], "http://127.0.0.1:4000")
    assert settings.check(broken) != []


def test_nobody_but_the_sandbox_points_at_a_stand_in() -> None:
    app = msgspec.convert({"id": "AP1", "features": {"rtm": True}, "rtm": {"wake": "http://x"}}, App)
    options = settings.options(app)
    found = ConnectorSpec(name="AP1", channel="rt", kind="app", options=options or {})

    assert any("`rtm.wake` is unknown" in fault for fault in settings.check(found))
