"""One fault of a document each, and that all of them are told at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.contract.workspace import Faults, parse_duration, read_workspace
from heliograph.model.channel import Channel
from heliograph.model.workspace import Document

Channels = Mapping[str, Channel]

RULE: dict[str, Any] = {
    "name": "shipped", "on": {"event": "4451"},
    "then": [{"send": {"channel": "sms", "template": "1001", "to": {"msisdn": "${parameters.to}"}}}],
}  # fmt: skip
DEMO: dict[str, Any] = {
    "tenants": [
        {
            "id": "demo",
            "timezone": "Europe/London",
            "ip_allowlist": ["10.0.0.0/8", "::1", "192.0.2.7"],
            "limits": {"messaging_per_second": 10, "messaging_per_day": None},
            "dnd": [{"address": "447700900999", "channel": "sms"}],
            "senders": [{"id": "HELIO", "channel": "sms"}, {"id": "442079460000", "channel": "voice"}],
            "connectors": [
                {"name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 2775},
                {"name": "trunk", "channel": "voice", "kind": "sip", "host": "127.0.0.1"},
            ],
            "apps": [{"id": "AP00000001", "features": {"push": True}}],
            "templates": [{"id": "1001", "channel": "sms", "text": "Hello ${name}"}],
            "events": [{"id": "4451", "name": "order_shipped"}],
            "prompts": [{"id": "7", "file": "welcome.wav"}],
            "push_categories": [{"name": "HOLE", "identifiers": {1: "A"}}],
            "rules": [RULE],
            "services": [
                {
                    "id": "orders",
                    "receipt_window": {"sms": "72h", "default": "24h"},
                    "keys": ["11111111-1111-4111-8111-111111111111"],
                    "jwt": [{"id": "orders", "secret": "c2VjcmV0"}],
                    "notify": {"url": "http://127.0.0.1:9000/dr", "inbound_url": "https://a.example/in?x=1"},
                    "channels": {
                        "sms": {"connector": "smsc", "sender": "HELIO"},
                        "voice": {"connector": "trunk", "sender": "442079460000"},
                        "push": {"app": "AP00000001"},
                    },
                }
            ],
        }
    ]
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The demo document with the member at `a/b/0/c` replaced or added."""
    document = copy.deepcopy(DEMO)
    *way, last = path.split("/")
    holder: Any = document
    for step in way:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if isinstance(holder, list):
        holder.append(value)
    else:
        holder[last] = value
    return document


def faults(document: Any, channels: Channels) -> list[tuple[str, str]]:
    """What is wrong with a document."""
    with pytest.raises(Faults) as caught:
        read_workspace(document, channels)
    return caught.value.faults


def test_the_demo_workspace_is_read(channels: Channels) -> None:
    document = read_workspace(DEMO, channels)

    assert document.tenants[0].services[0].channels["sms"].connector == "smsc"


def test_a_workspace_may_come_as_json(channels: Channels) -> None:
    plain = {"tenants": [{"id": "demo"}]}

    assert read_workspace(json.dumps(plain).encode(), channels) == read_workspace(plain, channels)


def test_an_empty_workspace_is_one(channels: Channels) -> None:
    assert read_workspace({}, channels) == Document()


TENANT = "tenants/0"
SERVICE = f"{TENANT}/services/0"
SMSC = f"{TENANT}/connectors/0"
IN_TENANT = "tenants[demo]"
IN_SERVICE = f"{IN_TENANT}.services[orders]"
IN_SMSC = f"{IN_TENANT}.connectors[smsc]"

ONE_FAULT: dict[str, tuple[str, Any, str]] = {
    "an unknown member": ("tenant", [], "tenant"),
    "tenants is no list": ("tenants", {}, "tenants"),
    "a tenant is text": ("tenants/1", "demo", "tenants[1]"),
    "an unknown member of a tenant": (f"{TENANT}/colour", "red", f"{IN_TENANT}.colour"),
    "an unknown member of a service": (f"{SERVICE}/chanels", {}, f"{IN_SERVICE}.chanels"),
    "an unknown member of a binding": (f"{SERVICE}/channels/sms/via", "x", f"{IN_SERVICE}.channels[sms].via"),
    "a status that is none": (f"{SERVICE}/status", "asleep", f"{IN_SERVICE}.status"),
    "a number for an id": (f"{TENANT}/templates/1", {"id": 1, "channel": "sms", "text": ""},
                           f"{IN_TENANT}.templates[1].id"),
    "a template without text": (f"{TENANT}/templates/1", {"id": "2", "channel": "sms"},
                                f"{IN_TENANT}.templates[2].text"),
    "text for a port": (f"{SMSC}/port", "2775", f"{IN_SMSC}.port"),
    "a list that is text": (f"{TENANT}/ip_allowlist", "10.0.0.0/8", f"{IN_TENANT}.ip_allowlist"),
    "an entry that is a number": (f"{TENANT}/ip_allowlist", [10], f"{IN_TENANT}.ip_allowlist[0]"),
    "a number for a member's name": (f"{TENANT}/prompts/1", {7: "x"}, f"{IN_TENANT}.prompts[1][7]"),
    "an id with a blank": ("tenants/1", {"id": "a b"}, "tenants[a b]"),
    "an empty id": ("tenants/1", {"id": ""}, "tenants[]"),
    "an id of 65 letters": ("tenants/1", {"id": "a" * 65}, f"tenants[{'a' * 65}]"),
    "a tenant twice": ("tenants/1", {"id": "demo"}, "tenants[demo]"),
    "a service twice": (f"{TENANT}/services/1", {"id": "orders"}, IN_SERVICE),
    "a connector twice": (f"{TENANT}/connectors/1", {"name": "trunk", "channel": "voice", "kind": "sip"},
                          f"{IN_TENANT}.connectors[trunk]"),
    "a template twice": (f"{TENANT}/templates/1", {"id": "1001", "channel": "sms", "text": "x"},
                         f"{IN_TENANT}.templates[1001]"),
    "an app twice": (f"{TENANT}/apps/1", {"id": "AP00000001"}, f"{IN_TENANT}.apps[AP00000001]"),
    "an app without id": (f"{TENANT}/apps/1", {"features": {}}, f"{IN_TENANT}.apps[1].id"),
    "a rule twice": (f"{TENANT}/rules/1", RULE, f"{IN_TENANT}.rules[shipped]"),
    "a sender twice": (f"{TENANT}/senders/1", {"id": "HELIO", "channel": "sms"}, f"{IN_TENANT}.senders[HELIO]"),
    "a sender without id": (f"{TENANT}/senders/1", {"id": "", "channel": "sms"}, f"{IN_TENANT}.senders[].id"),
    "a sender of no channel": (f"{TENANT}/senders/1", {"id": "X", "channel": "fax"},
                               f"{IN_TENANT}.senders[X].channel"),
    "a template of no channel": (f"{TENANT}/templates/1", {"id": "2", "channel": "fax", "text": "x"},
                                 f"{IN_TENANT}.templates[2].channel"),
    "a connector of no channel": (f"{SMSC}/channel", "fax", f"{IN_SMSC}.channel"),
    "a kind that the channel has not": (f"{SMSC}/kind", "http", f"{IN_SMSC}.kind"),
    "no binds": (f"{SMSC}/binds", 0, f"{IN_SMSC}.binds"),
    "no window": (f"{SMSC}/window", 0, f"{IN_SMSC}.window"),
    "a port beyond all": (f"{SMSC}/port", 65_536, f"{IN_SMSC}.port"),
    "a throughput below nothing": (f"{SMSC}/throughput", -1, f"{IN_SMSC}.throughput"),
    "no time zone": (f"{TENANT}/timezone", "Europe/Londres", f"{IN_TENANT}.timezone"),
    "a folder of time zones": (f"{TENANT}/timezone", "Europe", f"{IN_TENANT}.timezone"),
    "an empty time zone": (f"{TENANT}/timezone", "", f"{IN_TENANT}.timezone"),
    "a path for a time zone": (f"{TENANT}/timezone", "../../etc/passwd", f"{IN_TENANT}.timezone"),
    "no network": (f"{TENANT}/ip_allowlist", ["10.0.0.0/33"], f"{IN_TENANT}.ip_allowlist"),
    "no address": (f"{SERVICE}/ip_allowlist", ["localhost"], f"{IN_SERVICE}.ip_allowlist"),
    "a limit of nothing": (f"{TENANT}/limits/event_per_second", 0, f"{IN_TENANT}.limits.event_per_second"),
    "a short profile key": (f"{TENANT}/profile_key", "short", f"{IN_TENANT}.profile_key"),
    "a binding of no channel": (f"{SERVICE}/channels/fax", {}, f"{IN_SERVICE}.channels[fax]"),
    "a binding to no connector": (f"{SERVICE}/channels/sms/connector", "x", f"{IN_SERVICE}.channels[sms].connector"),
    "a binding to no sender": (f"{SERVICE}/channels/sms/sender", "X", f"{IN_SERVICE}.channels[sms].sender"),
    "a binding to another channel's sender": (f"{SERVICE}/channels/sms/sender", "442079460000",
                                              f"{IN_SERVICE}.channels[sms].sender"),
    "a binding to no app": (f"{SERVICE}/channels/push/app", "AP2", f"{IN_SERVICE}.channels[push].app"),
    "no duration": (f"{SERVICE}/receipt_window/sms", "3 days", f"{IN_SERVICE}.receipt_window[sms]"),
    "a duration of nothing": (f"{SERVICE}/receipt_window/sms", "0h", f"{IN_SERVICE}.receipt_window[sms]"),
    "a window for no channel": (f"{SERVICE}/receipt_window/fax", "1h", f"{IN_SERVICE}.receipt_window[fax]"),
    "a relative URL": (f"{SERVICE}/notify/url", "/dr", f"{IN_SERVICE}.notify.url"),
    "a URL of another kind": (f"{SERVICE}/notify/inbound_url", "ftp://a/b", f"{IN_SERVICE}.notify.inbound_url"),
    "a URL with a port beyond all": (f"{SERVICE}/notify/url", "http://a:99999/", f"{IN_SERVICE}.notify.url"),
    "a URL that cannot be read": (f"{SERVICE}/notify/url", "http://[::1", f"{IN_SERVICE}.notify.url"),
    "a state that is none": (f"{SERVICE}/notify/states", ["Sent"], f"{IN_SERVICE}.notify.states"),
    "a short key": (f"{SERVICE}/keys", ["short"], f"{IN_SERVICE}.keys[0]"),
    "a key with a blank": (f"{SERVICE}/keys", ["key with blanks"], f"{IN_SERVICE}.keys[0]"),
    "a long key": (f"{SERVICE}/keys", ["k" * 129], f"{IN_SERVICE}.keys[0]"),
    "a key twice": (f"{SERVICE}/keys", ["12345678", "12345678"], f"{IN_SERVICE}.keys[1]"),
    "a key of another tenant": ("tenants/1", {"id": "b", "services": [
        {"id": "s", "keys": ["11111111-1111-4111-8111-111111111111"]}]}, "tenants[b].services[s].keys[0]"),
}  # fmt: skip


@pytest.mark.parametrize(("where", "value", "path"), ONE_FAULT.values(), ids=ONE_FAULT.keys())
def test_a_fault_is_told_with_its_path(where: str, value: Any, path: str, channels: Channels) -> None:
    found = faults(changed(where, value), channels)

    assert [name for name, _ in found] == [path]
    assert all(sentence for _, sentence in found)


NO_FAULT: dict[str, tuple[str, Any]] = {
    "a setting that is missing": (f"{SMSC}/host", ""),
    "an option that the kind refuses": (f"{SMSC}/options", {"encoding": 7}),
    "a kind of a channel that is not here": (f"{TENANT}/connectors/1/kind", "h323"),
    "the same sender on two channels": (f"{TENANT}/senders/2", {"id": "HELIO", "channel": "voice"}),
    "a sender with a blank and a plus": (f"{TENANT}/senders/2", {"id": "+44 My Shop", "channel": "sms"}),
    "the same service id in another tenant": ("tenants/1", {"id": "b", "services": [{"id": "orders"}]}),
    "no keys": (f"{SERVICE}/keys", []),
    "a network written with its host bits": (f"{TENANT}/ip_allowlist", ["10.1.2.3/8"]),
}


@pytest.mark.parametrize(("where", "value"), NO_FAULT.values(), ids=NO_FAULT.keys())
def test_what_is_no_fault(where: str, value: Any, channels: Channels) -> None:
    assert isinstance(read_workspace(changed(where, value), channels), Document)


def test_all_faults_of_the_shape_are_told_at_once(channels: Channels) -> None:
    document = changed(f"{SERVICE}/status", "asleep")
    document["tenants"][0]["colour"] = "red"
    document["tenants"].append({"name": 7})

    assert sorted(path for path, _ in faults(document, channels)) == [
        "tenants[1].id", "tenants[1].name", "tenants[demo].colour", "tenants[demo].services[orders].status",
    ]  # fmt: skip


def test_all_other_faults_are_told_at_once(channels: Channels) -> None:
    document = changed(f"{TENANT}/timezone", "Mars")
    document["tenants"][0]["services"][0]["channels"]["sms"] = {"connector": "x", "sender": "y"}

    assert len(faults(document, channels)) == 3


def test_a_fault_never_repeats_a_key(channels: Channels) -> None:
    secret = "a secret key"

    assert secret not in str(faults(changed(f"{SERVICE}/keys", [secret, secret]), channels))


@pytest.mark.parametrize("document", [b"", b"[", b"\xff", b"[" * 100_000, b"[]", b"null", [], None, "x", 7])
def test_what_is_no_document_is_a_fault(document: Any, channels: Channels) -> None:
    assert [path for path, _ in faults(document, channels)] == ["document"]


def test_a_number_where_text_belongs_asks_for_quotes(channels: Channels) -> None:
    [(_, sentence)] = faults(changed("tenants/1", {"id": 7}), channels)

    assert "quotes" in sentence


@pytest.mark.parametrize(
    ("text", "seconds"), [("72h", 259_200), ("30m", 1_800), ("5s", 5), ("2d", 172_800), ("1s", 1)]
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "72", "72 h", "-5s", "1.5h", "0s", "72H", "1h30m", "9999999s", "\u0665s"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
PLACES = [
    "tenants", TENANT + "/id", TENANT + "/senders", TENANT + "/connectors", TENANT + "/apps", TENANT + "/limits",
    TENANT + "/timezone", TENANT + "/ip_allowlist", SERVICE + "/channels", SERVICE + "/keys", SERVICE + "/notify",
    SERVICE + "/receipt_window", SERVICE + "/jwt", SMSC + "/options", SMSC + "/port",
]  # fmt: skip


@given(st.sampled_from(PLACES), JSON)
def test_no_value_is_too_odd_to_be_judged(channels: Channels, where: str, value: Any) -> None:
    try:
        assert isinstance(read_workspace(changed(where, value), channels), Document)
    except Faults as error:
        assert error.faults  # noqa: PT017
