"""What a SIP connector's spec must hold, and where it points in a sandbox."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from heliograph import catalogue
from heliograph.channels.voice import CHANNEL, SIP, outcomes
from heliograph.channels.voice.settings import OPTIONS, place_of, read, simulated_password
from heliograph.model.channel import Peer
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.sip.digest import Credentials
from heliograph.wire.sip.session import Ending

FOLDER = Path(__file__).parents[1]


def spec(**settings: Any) -> ConnectorSpec:
    return ConnectorSpec(name="trunk", channel="voice", kind="sip", **({"host": "sip.example.com"} | settings))


FINE: list[dict[str, Any]] = [
    {},
    {"port": 5070, "username": "helio", "password": "secret"},
    {"host": "192.0.2.1"},
    {"host": "[2001:db8::1]"},
    {"tls": True},
    {"options": {"hosts": ["a.example", "192.0.2.1:5062", "[2001:db8::1]:5060"]}},
    {"options": {"transport": "tcp", "codecs": ["PCMU"], "rtp_ports": "16384-32767", "prefix": "+"}},
]


@pytest.mark.parametrize("settings", FINE)
def test_a_spec_can_be_used(settings: dict[str, Any]) -> None:
    assert SIP.check(spec(**settings)) == []
    assert read(spec(**settings)).name == "trunk"


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"host": ""}, "`host` is missing"),
    ({"host": "a b"}, "`host` must be"),
    ({"port": 70_000}, "`port` must be"),
    ({"username": "helio"}, "both be there"),
    ({"password": "secret"}, "both be there"),
    ({"username": "he lio", "password": "x"}, "`username` must be"),
    ({"window": 5_000}, "`window` must be"),
    ({"tls": True, "options": {"transport": "udp"}}, "left out with `tls`"),
    ({"options": {"colour": 1}}, "`options.colour` is unknown"),
    ({"options": {"transport": "sctp"}}, "`options.transport` must be one of udp, tcp"),
    ({"options": {"hosts": "a"}}, "`options.hosts` must be a list"),
    ({"options": {"hosts": ["a:b:c"]}}, "'a:b:c' is no"),
    ({"options": {"codecs": []}}, "`options.codecs` must be"),
    ({"options": {"codecs": ["PCMU", "PCMU"]}}, "`options.codecs` must be"),
    ({"options": {"ring_limit": 0}}, "`options.ring_limit` must be"),
    ({"options": {"ring_limit": True}}, "`options.ring_limit` must be"),
    ({"options": {"rtp_ports": "9-8"}}, "`options.rtp_ports` must"),
    ({"options": {"rtp_ports": "x"}}, "`options.rtp_ports` must"),
    ({"options": {"local_address": "here"}}, "`options.local_address` must be an IP address"),
    ({"options": {"tls_ca": "/nowhere.pem"}}, "`options.tls_ca` must name"),
    ({"options": {"domain": "a>b"}}, "`options.domain` must be"),
    ({"options": {"prefix": "<"}}, "`options.prefix` must be"),
    ({"options": {"language": "English"}}, "`options.language` must be"),
]


@pytest.mark.parametrize(("settings", "sentence"), FAULTS)
def test_a_fault_is_said_in_a_sentence(settings: dict[str, Any], sentence: str) -> None:
    [found] = SIP.check(spec(**settings))

    assert sentence in found


def test_hosts_have_the_usual_port_unless_they_name_one() -> None:
    settings = read(spec(tls=True, options={"hosts": ["b.example", "192.0.2.1:5070", "sip.example.com"]}))

    assert settings.places == (("sip.example.com", 5061), ("b.example", 5061), ("192.0.2.1", 5070))
    assert (settings.kind, settings.domain) == ("tls", "sip.example.com")


@pytest.mark.parametrize("text", ["", "a:0", "a:x", "a:99999", "[a]:1", "-a", "a_b"])
def test_what_is_no_host_is_none(text: str) -> None:
    assert place_of(text, 5060) is None


def test_the_password_is_in_no_representation() -> None:
    settings = read(spec(username="helio", password="secret"))

    assert settings.credentials == Credentials("helio", "secret")
    assert "secret" not in repr(settings)


def test_in_a_sandbox_it_points_at_the_simulator_with_a_password_that_is_known_there() -> None:
    declared = spec(
        username="helio", password="of the trunk", tls=True, window=7,
        options={"hosts": ["b.example"], "public_address": "192.0.2.1", "codecs": ["PCMU"]},
    )  # fmt: skip
    made = SIP.sandbox(declared, "demo/trunk~sandbox", {"sip": Peer("127.0.0.1", 5099)})
    settings = read(made)

    assert SIP.check(made) == []
    assert settings.places == (("127.0.0.1", 5099),)
    assert settings.credentials == Credentials("helio", simulated_password("helio"))
    assert (settings.kind, settings.window, settings.codecs, settings.public_address) == ("udp", 7, ("PCMU",), "")


def test_in_a_sandbox_credentials_may_be_left_out() -> None:
    made = SIP.sandbox(spec(host=""), "demo/trunk~sandbox", {"sip": Peer("127.0.0.1", 5099)})

    assert SIP.check(made) == []
    assert made.username


def test_every_option_is_in_the_page() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert [name for name in OPTIONS if f"`{name}`" not in page] == []


# Outcomes


def rows() -> list[dict[str, str]]:
    with (FOLDER / "receipts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['kind']}-{row['native']}")
def test_a_row_names_a_key_and_a_retry_class(row: dict[str, str]) -> None:
    assert catalogue.find(row["key"]).code in ("7401", "7402", "7403", "7404", "7500")
    assert row["retry"] in ("no", "soon", "late", "once")
    assert row["deactivate"] in ("no", "count")
    assert row["note"]


ENDINGS = [
    (Ending("far", 486), False, "7402"), (Ending("far", 600), True, "7402"),
    (Ending("far", 480), True, "7401"), (Ending("far", 603), False, "7403"), (Ending("far", 607), False, "7403"),
    (Ending("far", 404), False, "7404"), (Ending("far", 503), False, "7404"), (Ending("far", 487), False, "7404"),
    (Ending("far", 408), True, "7401"), (Ending("far", 408), False, "7404"),
    (Ending("far", 503, cause=17), False, "7402"), (Ending("far", 480, cause=21), False, "7403"),
    (Ending("far", 486, cause=19), False, "7401"), (Ending("far", 603, cause=1), False, "7404"),
    (Ending("far", 486, cause=16), False, "7402"), (Ending("far", 699), False, "7404"),
]  # fmt: skip


@pytest.mark.parametrize(("ending", "rang", "code"), ENDINGS)
def test_what_a_final_response_means(ending: Ending, rang: bool, code: str) -> None:
    assert catalogue.code(outcomes.of_ending(ending, rang).key) == code


@pytest.mark.parametrize(
    "word", ["ring_limit", "no_response", "no_media", "early_bye", "no_port", "stopped", "answered"]
)
def test_every_word_of_ours_has_its_row(word: str) -> None:
    assert outcomes.of_local(word).note


def test_only_trouble_of_the_trunk_is_tried_again() -> None:
    again = {native for (kind, native), row in outcomes.TABLE.items() if kind == "status" and row.retry == "soon"}

    assert again == {"408", "491", "500", "501", "502", "503", "504", "505", "513", "580"}


def test_calls_are_not_claimed_before_they_can_be_placed() -> None:
    assert not CHANNEL.kinds["sip"].ahead
