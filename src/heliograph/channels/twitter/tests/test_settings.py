"""What an app for X must declare, and how it is pointed at the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.channels.twitter import CHANNEL
from heliograph.channels.twitter.settings import account_of, check, lane_of, made_up, sandbox
from heliograph.model.channel import Peer
from heliograph.model.workspace import App, ConnectorSpec

SIGNED = {"consumer_key": "k", "consumer_secret": "s", "access_token": "12-t", "access_token_secret": "ts"}
BEARER = {"client_id": "c", "refresh_token": "r"}
PEERS = {"x": Peer("127.0.0.1", 4000)}
LANE = "demo/a_2~sandbox"


def spec(options: dict[str, Any]) -> ConnectorSpec:
    return ConnectorSpec(name="a_2", channel="twitter", kind="x", options=options)


@pytest.mark.parametrize("options", [SIGNED, BEARER, {**BEARER, "client_secret": "x", "user_id": "5", "timeout": 3}])
def test_an_account_is_whole(options: dict[str, Any]) -> None:
    assert check(spec(options)) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "'consumer_key' is missing"),
        ({**SIGNED, "access_token": ""}, "'access_token' is missing"),
        ({"client_id": "c"}, "'refresh_token' is missing"),
        ({**SIGNED, "bearer_token": "x"}, "'bearer_token' is no setting"),
        ({**SIGNED, "consumer_key": 5}, "'consumer_key' must be text"),
        ({**SIGNED, "timeout": 0}, "'timeout' must be a number above 0"),
        ({**SIGNED, "window": 2.5}, "'window' must be a whole number above 0"),
        ({**SIGNED, "allow_private": "yes"}, "'allow_private' must be true or false"),
        ({**SIGNED, "endpoint": "ftp://x"}, "'endpoint' must be an http or https URL"),
    ],
)
def test_a_fault_is_told_in_a_sentence(options: dict[str, Any], words: str) -> None:
    assert words in "; ".join(check(spec(options)))


def test_our_own_id_stands_in_the_access_token() -> None:
    assert account_of(spec(SIGNED)).own_id == "12"
    assert account_of(spec({**BEARER, "user_id": "5"})).own_id == "5"
    assert account_of(spec({**SIGNED, "access_token": "abc-t"})).own_id == ""


@pytest.mark.parametrize("options", [{}, SIGNED, BEARER, {"client_id": ""}])
def test_in_the_sandbox_every_account_is_whole_and_no_credential_leaves(options: dict[str, Any]) -> None:
    pointed = sandbox(spec(options), LANE, PEERS)

    assert check(pointed) == []
    assert account_of(pointed).bearer == bool(options.get("client_id"))
    assert account_of(pointed).endpoint == "http://127.0.0.1:4000"
    assert set(map(str, pointed.options.values())) & set(options.values()) == set()


def test_made_up_credentials_name_the_lane() -> None:
    made = made_up(LANE)

    assert {lane_of(made["consumer_key"]), lane_of(made["client_id"])} == {LANE}
    assert made_up("demo/a_3")["access_token_secret"] != made["access_token_secret"]


@pytest.mark.parametrize("key", ["", "sim.", "real", "sim.\xff", "sim.!!", "sim.gIGA"])
def test_other_keys_name_none(key: str) -> None:
    assert lane_of(key) == ""


def test_an_app_with_a_twitter_member_is_for_the_channel() -> None:
    assert CHANNEL.app is not None
    assert CHANNEL.app.options(App(id="a", twitter={})) == {}
    assert CHANNEL.app.options(App(id="a", wechat={})) is None


@pytest.mark.parametrize("value", ["abc", "12a", "12345678901234567890", "1-2", "../5", "٣"])
def test_what_is_no_number_of_a_user_is_no_address(value: str) -> None:
    assert CHANNEL.normalise(value) is None
