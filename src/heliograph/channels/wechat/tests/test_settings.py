"""What an app for WeChat must declare, and how it is pointed at the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.channels.wechat import CHANNEL
from heliograph.channels.wechat.settings import account_of, check, lane_of, made_up, sandbox
from heliograph.model.channel import Peer
from heliograph.model.workspace import App, ConnectorSpec

WHOLE = {"appid": "wx1", "secret": "s3cret"}
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PEERS = {"wechat": Peer("127.0.0.1", 4000)}
LANE = "demo/a_3~sandbox"


def spec(options: dict[str, Any]) -> ConnectorSpec:
    return ConnectorSpec(name="a_3", channel="wechat", kind="wechat", options=options)


@pytest.mark.parametrize("more", [{}, {"token": "t", "encoding_aes_key": AES_KEY}, {"image_limit": 131_072}])
def test_an_account_is_whole(more: dict[str, Any]) -> None:
    assert check(spec(WHOLE | more)) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "'appid' is missing; 'secret' is missing"),
        ({**WHOLE, "app_secret": "x"}, "'app_secret' is no setting"),
        ({**WHOLE, "token": 5}, "'token' must be text"),
        ({**WHOLE, "image_limit": 0}, "'image_limit' must be a whole number above 0"),
        ({**WHOLE, "encoding_aes_key": "short"}, "'encoding_aes_key' must be 43"),
        ({**WHOLE, "encoding_aes_key": AES_KEY[:-1] + "="}, "'encoding_aes_key' must be 43"),
        ({**WHOLE, "callbacks": "safe"}, "'encoding_aes_key' is missing"),
        ({**WHOLE, "callbacks": "both"}, "'callbacks' must be safe or plain"),
        ({**WHOLE, "endpoint": "api.weixin.qq.com"}, "is no http or https URL"),
    ],
)
def test_a_fault_is_told_in_a_sentence(options: dict[str, Any], words: str) -> None:
    assert words in "; ".join(check(spec(options)))


def test_the_usual_endpoint_has_a_second_one() -> None:
    assert account_of(spec(WHOLE)).endpoints == ("https://api.weixin.qq.com", "https://api2.weixin.qq.com")
    assert account_of(spec({**WHOLE, "endpoint": "https://proxy/"})).endpoints == ("https://proxy",)


@pytest.mark.parametrize("options", [{}, {**WHOLE, "token": "realtoken", "encoding_aes_key": AES_KEY}])
def test_in_the_sandbox_every_account_is_whole_and_no_credential_leaves(options: dict[str, Any]) -> None:
    pointed = sandbox(spec(options), LANE, PEERS)

    assert check(pointed) == []
    assert account_of(pointed).endpoints == ("http://127.0.0.1:4000",)
    assert account_of(pointed).safe
    assert set(map(str, pointed.options.values())) & set(options.values()) == set()


def test_plain_mode_and_limits_are_kept_in_the_sandbox() -> None:
    pointed = sandbox(spec({"callbacks": "plain", "image_limit": 9}), LANE, PEERS)

    assert (account_of(pointed).safe, account_of(pointed).image_limit) == (False, 9)
    assert lane_of(account_of(pointed).appid) == (LANE, True)


def test_made_up_credentials_name_the_lane() -> None:
    assert lane_of(made_up(LANE)["appid"]) == (LANE, False)
    assert made_up("demo/a_4")["secret"] != made_up(LANE)["secret"]


@pytest.mark.parametrize("appid", ["", "wx1", "sim.!!", "sim.gIGA"])
def test_other_appids_name_none(appid: str) -> None:
    assert lane_of(appid) == ("", False)


def test_an_app_with_a_wechat_member_is_for_the_channel() -> None:
    assert CHANNEL.app is not None
    assert CHANNEL.app.options(App(id="a", wechat={})) == {}
    assert CHANNEL.app.options(App(id="a", twitter={})) is None
