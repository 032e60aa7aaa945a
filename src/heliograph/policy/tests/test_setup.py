"""Gates of apps, of their features and owners, of call flows' parameters, and of expiry between two attempts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heliograph.model.addresses import normalise_id
from heliograph.model.channel import AppUse, Channel, Connector, ConnectorKind, Device, Peers, Tools
from heliograph.model.message import Address, Content, Message
from heliograph.model.people import NOTHING_KNOWN, Known, Person, Profile
from heliograph.model.workspace import App, ConnectorSpec, Document
from heliograph.policy import judge_address, judge_message
from heliograph.policy.facts import facts_for

NOW = 1_700_000_000_000
USER = Address("userid", "u1")


def _build(spec: ConnectorSpec, tools: Tools) -> Connector:
    raise NotImplementedError(spec.name)


def _sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    return spec


def _check(spec: ConnectorSpec) -> list[str]:
    return [] if spec.options else ["no credentials"]


def channel(name: str, member: str) -> Channel:
    """A channel that goes out by apps with a member of its own."""

    def options(app: App) -> dict[str, Any] | None:
        found = getattr(app, member)
        return dict(found) if found is not None else None

    return Channel(
        name=name, wire_name=name, path=(name,), rules=(), members=("text",), missing_keys=("",),
        addresses=("userid", "customerid"), normalise=lambda value: normalise_id(value, 64), limit=100,
        kinds={"app": ConnectorKind("app", _check, _build, _sandbox)}, app=AppUse("app", options),
    )  # fmt: skip


CHANNELS = {
    "push": channel("push", "android"), "rt": channel("rt", "android"), "fb": channel("fb", "messenger"),
    "voice": channel("voice", "android"),
}  # fmt: skip
BOTH = {"push": True, "rtm": True}
ANDROID = {"android": {"key": "x"}, "features": BOTH}


def facts(app: dict[str, Any], **service: Any) -> Any:
    """A service whose app on every channel is A."""
    bound = {name: {"app": "A"} for name in CHANNELS}
    tenant = {"id": "demo", "apps": [{"id": "A", **app}], "services": [{"id": "s", "channels": bound, **service}]}
    [read] = msgspec.convert({"tenants": [tenant]}, Document).tenants
    return facts_for(read, read.services[0], CHANNELS)


def message(channel: str = "push", appid: str = "", expiry: int = 0, **parameters: Any) -> Message:
    content = Content(channel=channel, fields={"text": "x"}, appid=appid, parameters=parameters)
    return Message(content=content, addresses=(USER,), expiry=expiry)


# the app, the channel, the `appid` of the call, the refusal, what decided
APPS: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    "an app nobody has": (ANDROID, "push", "B", "invalid_app_id", "tenants[demo].apps[B] is not declared"),
    "an app that is inactive": ({**ANDROID, "status": "inactive"}, "push", "", "invalid_app_id",
                                "tenants[demo].apps[A].status"),
    "an app of another service": ({**ANDROID, "services": ["t"]}, "push", "A", "invalid_app_id",
                                  "tenants[demo].apps[A].services"),
    "an app of another kind": ({"messenger": {"page_id": "1"}}, "push", "A", "invalid_app_id",
                               "tenants[demo].apps[A]"),
    "an app without push": ({**ANDROID, "features": {"rtm": True}}, "push", "", "push_not_enabled",
                            "tenants[demo].apps[A].features.push"),
    "an app without real time": ({**ANDROID, "features": {"push": True}}, "rt", "", "rtm_not_enabled",
                                 "tenants[demo].apps[A].features.rtm"),
    "an app that says nothing of features": ({"android": {"key": "x"}}, "rt", "A", "rtm_not_enabled",
                                             "tenants[demo].apps[A].features.rtm"),
    "an app without credentials": ({"android": {}, "features": BOTH}, "push", "", "configuration_error",
                                   "tenants[demo].apps[A]"),
    "an account without credentials": ({"messenger": {}}, "fb", "", "configuration_error", "tenants[demo].apps[A]"),
}  # fmt: skip


@pytest.mark.parametrize(("app", "name", "appid", "key", "decided_by"), APPS.values(), ids=APPS)
def test_an_app_is_refused(app: dict[str, Any], name: str, appid: str, key: str, decided_by: str) -> None:
    refused = judge_message(message(name, appid), facts(app), NOW).refused

    assert refused is not None
    assert (refused.key, refused.gate, refused.decided_by) == (key, "channel", decided_by)


@pytest.mark.parametrize("app", [ANDROID, {**ANDROID, "services": ["s"]}])
@pytest.mark.parametrize("name", ["push", "rt"])
def test_an_app_may_be_used(app: dict[str, Any], name: str) -> None:
    assert judge_message(message(name), facts(app), NOW).refused is None


def test_an_account_needs_no_features() -> None:
    assert judge_message(message("fb"), facts({"messenger": {"page_id": "1"}}), NOW).refused is None


def known(**members: Any) -> Known:
    profile = Profile(id="u1", kind="app", **members)
    return Known(people={("userid", "u1"): Person(app=profile)})


@pytest.mark.parametrize(
    ("app", "facts_of_user", "key"),
    [
        (ANDROID, NOTHING_KNOWN, "profile_not_found"),
        (ANDROID, known(os="android", active=False), "user_not_active"),
        ({**ANDROID, "verified_only": True}, known(os="android"), "profile_not_verified"),
        (ANDROID, known(), "os_details_missing"),
        (ANDROID, known(os="android"), "invalid_push_id"),
        (ANDROID, known(os="android", gone=True), "unregistered_device"),
    ],
)
def test_a_user_of_an_app_is_refused(app: dict[str, Any], facts_of_user: Known, key: str) -> None:
    refused = judge_address(USER, judge_message(message(), facts(app), NOW), facts_of_user).refused

    assert refused is not None
    assert refused.key == key


def test_a_user_goes_with_their_devices() -> None:
    devices = (Device("android", "t"),)
    user = known(os="android", devices=devices)

    judged = judge_address(USER, judge_message(message(), facts(ANDROID), NOW), user)

    assert (judged.refused, judged.to, judged.kind, judged.devices) == (None, "u1", "userid", devices)


def test_an_address_that_is_a_device_is_only_that_device() -> None:
    profile = Profile(id="u1", kind="app", os="android", devices=(Device("android", "t"), Device("ios", "s")))
    address = Address("android_pushid", "t")
    found = Known(people={("android_pushid", "t"): Person(app=profile)})

    judged = judge_address(address, judge_message(message(), facts(ANDROID), NOW), found)

    assert (judged.refused, judged.to, judged.devices) == (None, "t", ())


def test_a_system_matters_on_push_alone() -> None:
    assert judge_address(USER, judge_message(message("rt"), facts(ANDROID), NOW), known()).refused is None


@pytest.mark.parametrize(("length", "key"), [(1_014, ""), (1_015, "voice_params_too_long")])
def test_parameters_of_a_call_have_a_limit(length: int, key: str) -> None:
    refused = judge_message(message("voice", name="x" * (length - 1)), facts(ANDROID), NOW).refused

    assert (refused.key if refused else "") == key


def test_parameters_of_others_have_none() -> None:
    assert judge_message(message("push", name="x" * 5_000), facts(ANDROID), NOW).refused is None


# channel, whether it was tried before, the refusal of a message that has expired
EXPIRED: dict[str, tuple[str, bool, str, str]] = {
    "push in the queue": ("push", False, "request_expired", "expiry"),
    "push between two attempts": ("push", True, "expired_before_attempt", "attempts"),
    "rt in the queue": ("rt", False, "request_expired", "expiry"),
    "rt between two attempts": ("rt", True, "expired_before_sending", "attempts"),
    "fb between two attempts": ("fb", True, "expired_before_sending", "attempts"),
    "voice between two attempts": ("voice", True, "request_expired", "expiry"),
}


@pytest.mark.parametrize(("name", "attempted", "key", "gate"), EXPIRED.values(), ids=EXPIRED)
def test_an_expired_message_says_when_it_expired(name: str, attempted: bool, key: str, gate: str) -> None:
    app = {**ANDROID, "messenger": {"page_id": "1"}} if name == "fb" else ANDROID
    refused = judge_message(message(name, expiry=NOW), facts(app), NOW, attempted=attempted).refused

    assert refused is not None
    assert (refused.key, refused.gate) == (key, gate)
