"""The lines of a plan."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.contract.workspace import diff
from heliograph.model.workspace import Document

BASE: dict[str, Any] = {
    "tenants": [
        {
            "id": "demo",
            "senders": [{"id": "HELIO", "channel": "sms"}, {"id": "HELIO", "channel": "voice"}],
            "connectors": [{"name": "smsc", "channel": "sms", "kind": "smpp", "password": "hunter2", "window": 10}],
            "apps": [{"id": "AP1", "android": {"fcm_service_account": {"private_key": "hunter2"}, "endpoint": "a"}}],
            "dnd": [{"address": "447700900999", "channel": "sms"}],
            "templates": [{"id": "1", "channel": "sms", "text": "a"}, {"id": "2", "channel": "sms", "text": "b"}],
            "services": [
                {
                    "id": "orders", "keys": ["hunter2-key"], "jwt": [{"id": "orders", "secret": "hunter2"}],
                    "notify": {"url": "https://me:hunter2@a.example/dr?token=hunter2", "secret": "hunter2"},
                    "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}},
                }
            ],
        }
    ]
}  # fmt: skip
D, S = "tenants[demo]", "tenants[demo].services[orders]"
HERE = "tenants/0"

LINES: dict[str, tuple[str, Any, list[str]]] = {
    "a tenant": ("tenants/1", {"id": "b"}, ["+ tenants[b]"]),
    "no tenant": ("tenants", [], [f"- {D}"]),
    "a status": (f"{HERE}/services/0/status", "suspended", [f"~ {S}.status live -> suspended"]),
    "a number": (f"{HERE}/connectors/0/window", 50, [f"~ {D}.connectors[smsc].window 10 -> 50"]),
    "a truth": (f"{HERE}/services/0/sandbox", True, [f"~ {S}.sandbox false -> true"]),
    "a first name": (f"{HERE}/name", "Demo", [f'~ {D}.name "" -> Demo']),
    "a list": (f"{HERE}/ip_allowlist", ["::1"], [f'~ {D}.ip_allowlist [] -> ["::1"]']),
    "a limit": (f"{HERE}/limits", {"event_per_second": 5}, [f"+ {D}.limits.event_per_second"]),
    "billing": (f"{HERE}/billing", {"currency": "EUR"}, [f"+ {D}.billing"]),
    "a binding": (f"{HERE}/services/0/channels/voice", {}, [f"+ {S}.channels[voice]"]),
    "a bound sender": (f"{HERE}/services/0/channels/sms/sender", "X", [f"~ {S}.channels[sms].sender HELIO -> X"]),
    "no binding": (f"{HERE}/services/0/channels", {}, [f"- {S}.channels[sms]"]),
    "a sender": (f"{HERE}/senders/2", {"id": "SHOP", "channel": "sms"}, [f"+ {D}.senders[SHOP]"]),
    "one sender of two": (f"{HERE}/senders", [{"id": "HELIO", "channel": "voice"}], [f"- {D}.senders[HELIO]"]),
    "a kept-off address": (f"{HERE}/dnd", [], [f"- {D}.dnd[447700900999]"]),
    "a loose member": (f"{HERE}/apps/0/android/endpoint", "b", [f"~ {D}.apps[AP1].android[endpoint] a -> b"]),
    "the order": (f"{HERE}/templates", list(reversed(BASE["tenants"][0]["templates"])), [f"~ {D}.templates order"]),
    "a password": (f"{HERE}/connectors/0/password", "hunter3", [f"~ {D}.connectors[smsc].password changed"]),
    "a key": (f"{HERE}/services/0/keys", ["hunter3-key"], [f"~ {S}.keys changed"]),
    "a jwt secret": (f"{HERE}/services/0/jwt", [{"id": "orders", "secret": "hunter3"}], [f"~ {S}.jwt changed"]),
    "a signing secret": (f"{HERE}/services/0/notify/secret", "hunter3", [f"~ {S}.notify.secret changed"]),
    "an account": (f"{HERE}/apps/0/android/fcm_service_account", {"private_key": "hunter3"},
                   [f"~ {D}.apps[AP1].android[fcm_service_account] changed"]),
    "a URL": (f"{HERE}/services/0/notify/url", "https://b.example/dr",
              [f"~ {S}.notify.url https://a.example/dr?... -> https://b.example/dr"]),
    "a secret in a URL": (f"{HERE}/services/0/notify/url", "https://me:hunter3@a.example/dr?token=hunter3",
                          [f"~ {S}.notify.url changed"]),
}  # fmt: skip


def changed(path: str, value: Any) -> Document:
    """The base with one member replaced or added."""
    document = copy.deepcopy(BASE)
    *way, last = path.split("/")
    holder: Any = document
    for step in way:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if isinstance(holder, list):
        holder.append(value)
    else:
        holder[last] = value
    return msgspec.convert(document, Document)


@pytest.mark.parametrize(("path", "value", "lines"), LINES.values(), ids=LINES.keys())
def test_a_change_is_told_in_a_line(path: str, value: Any, lines: list[str]) -> None:
    assert diff(changed("tenants", BASE["tenants"]), changed(path, value)) == lines


@pytest.mark.parametrize(("path", "value"), [line[:2] for line in LINES.values()], ids=LINES.keys())
def test_no_secret_is_printed(path: str, value: Any) -> None:
    old, new = changed("tenants", BASE["tenants"]), changed(path, value)

    assert "hunter" not in "".join(diff(old, new) + diff(new, old) + diff(Document(), new) + diff(new, Document()))


WORDS = st.text("ab", max_size=2)
LOOSE = st.lists(
    st.dictionaries(st.sampled_from(["id", "name", "x"]), WORDS | st.lists(WORDS, max_size=2)), max_size=3
)
DOCUMENTS = st.builds(
    lambda ids, loose, keys: msgspec.convert(
        {"tenants": [{"id": one, "prompts": loose, "services": [{"id": one, "keys": keys}]} for one in ids]}, Document
    ),
    st.lists(WORDS, max_size=3), LOOSE, st.none() | st.lists(WORDS, max_size=2),
)  # fmt: skip


@given(DOCUMENTS, DOCUMENTS)
def test_there_is_a_line_exactly_when_something_changed(old: Document, new: Document) -> None:
    assert bool(diff(old, new)) == (old != new)


def test_a_document_written_and_read_again_is_no_change() -> None:
    document = changed("tenants", BASE["tenants"])

    assert diff(document, msgspec.json.decode(msgspec.json.encode(document), type=Document)) == []
