"""What is wrong with a spec, in sentences; what the sandbox makes of one; that the README names every option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from heliograph.channels import channels
from heliograph.channels.sms import CHANNEL, SMPP
from heliograph.channels.sms.settings import OPTIONS, read
from heliograph.channels.sms.simulated import BAD_DAYS
from heliograph.model.channel import Peer
from heliograph.model.workspace import ConnectorSpec

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
GOOD = ConnectorSpec(
    name="smsc", channel="sms", kind="smpp", host="smsc.example", port=2775, system_id="helio", password="secret"
)


def changed(**settings: Any) -> ConnectorSpec:
    return msgspec.structs.replace(GOOD, **settings)


def test_a_complete_spec_has_no_faults() -> None:
    assert SMPP.check(GOOD) == []


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"system_id": ""}, "system_id"),
        ({"system_id": "x" * 16}, "system_id"),
        ({"password": "x" * 9}, "password"),
        ({"password": "pä"}, "password"),
        ({"system_type": "x" * 13}, "system_type"),
        ({"binds": 0}, "binds"),
        ({"window": 0}, "window"),
    ],
)
def test_a_fault_names_its_setting_and_never_the_password(settings: dict[str, Any], named: str) -> None:
    (fault,) = SMPP.check(changed(**settings))

    assert f"`{named}`" in fault
    assert settings.get("password", "#") not in fault


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("colour", "red"), ("service_type", "toolong"), ("source_ton", 9), ("source_ton", True), ("dest_npi", None),
        ("default_alphabet", "utf8"), ("segmentation", "cut"), ("id_format", "octal"), ("err_profile", "mine"),
        ("status_map", {"0x45": "no_such_key"}), ("status_map", {"0x45": "user_in_dnd:never"}), ("err_map", []),
        ("acceptd_final", "yes"), ("registered_delivery", "1"), ("unanswered", "maybe"), ("enquire_link", 0),
        ("response_timeout", "10"), ("reconnect_after", -1), ("tls_ca", "/no/such/file"), ("tls_verify", 1),
        ("inbound_parts", "never"), ("refused_wait", True), ("reconnect_at_most", "x"), ("source_npi", 99),
        ("dest_ton", -1),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(option: str, value: Any) -> None:
    (fault,) = SMPP.check(changed(options={option: value}))

    assert f"`options.{option}`" in fault


def test_every_option_is_in_the_readme() -> None:
    assert [name for name in OPTIONS if f"`{name}`" not in README] == []


def test_every_special_number_is_in_the_readme() -> None:
    assert [digits for digits in BAD_DAYS if f"`99901{digits}`" not in README] == []


def test_the_sandbox_goes_to_the_simulator_with_short_waits_and_without_a_carriers_dialect() -> None:
    spec = changed(
        system_id="", password="", tls=True, window=7,
        options={"err_profile": "8x8", "err_map": {"1": "sim_full"}, "segmentation": "sar", "response_timeout": 99},
    )  # fmt: skip

    made = SMPP.sandbox(spec, "demo/smsc~sandbox", {"smsc": Peer("127.0.0.1", 4000)})

    assert SMPP.check(made) == []
    settings = read(made)
    assert (settings.host, settings.port, settings.tls, settings.window) == ("127.0.0.1", 4000, False, 7)
    assert (settings.err_profile, settings.err_map, settings.segmentation) == ("list", {}, "sar")
    assert (settings.response_timeout, settings.reconnect_after) == (10, 0.1)


def test_the_channel_is_found_by_its_folder() -> None:
    assert channels()["sms"] is CHANNEL
