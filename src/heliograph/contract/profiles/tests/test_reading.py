"""Whatever a call holds, each of its records becomes a change or is told why not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heliograph.catalogue import PROFILE, find
from heliograph.contract.profiles.app_users import AppStore, read_app_users
from heliograph.contract.profiles.calls import open_write
from heliograph.contract.profiles.customers import read_customers
from heliograph.contract.profiles.stores import definitions_of, store_faults
from heliograph.contract.profiles.types import BadValue, typed
from heliograph.model.outcome import Rejected
from heliograph.model.profiles.apps import DEVICES, MESSENGER, TWITTER, WECHAT
from heliograph.model.profiles.declared import Attribute, AttributeType, ProfileStore
from heliograph.model.profiles.records import Change, changed_customer, changed_user

TYPES: tuple[AttributeType, ...] = (
    "string", "number", "boolean", "date", "datetime", "msisdn", "email", "flag", "timezone", "locale",
)  # fmt: skip
STORE = ProfileStore(attributes=tuple(Attribute(name=kind, type=kind, alias=kind == "string") for kind in TYPES[:5]))
DEFINITIONS = definitions_of(STORE)
KINDS = (DEVICES, MESSENGER, TWITTER, WECHAT)

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["0", "1", "", " ", "7"])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
names = st.text() | st.sampled_from(
    [*TYPES, "customerId", "status", "verified", "psid", "userId", "deviceId", "rtmId", "pushId", "os",
     "connectStatus", "access_token", "access_token_expiry", "access_token_secret", "screenName", "twitterid",
     "wechatid"]
)  # fmt: skip
records = st.lists(
    values
    | st.fixed_dictionaries(
        {}, optional={"customerId": values, "Attributes": st.dictionaries(names, values) | values}
    ),
    min_size=1,
    max_size=4,
)


def check(changes: list[Change], given: list[Any]) -> None:
    assert len(changes) == len(given)
    for change in changes:
        if change.refused:
            assert find(change.refused, PROFILE).code in ("7003", "7011", "7017")
        else:
            assert change.customer
        assert "\0" not in change.customer + change.user + change.device + change.handle
        assert msgspec.json.decode(msgspec.json.encode(change), type=Change) == change


@given(records, st.sampled_from(["create", "update", "put"]))
@example([{"customerId": "a", "Attributes": {"Status": "1", "status": "2", "MSISDN": "447700900001"}}], "create")
def test_records_of_customers(found: list[Any], act: Any) -> None:
    changes = read_customers(found, DEFINITIONS, act)

    check(changes, found)
    for change in changes:
        made = changed_customer(None, change, DEFINITIONS.keyed, 1)
        assert None not in made.attributes.values()
        assert changed_customer(made, change, DEFINITIONS.keyed, 2).attributes == made.attributes


@given(records, st.sampled_from(["create", "update", "put"]), st.sampled_from(KINDS))
def test_records_of_apps(found: list[Any], act: Any, kind: Any) -> None:
    changes = read_app_users(found, AppStore("AP1", kind), act)

    check(changes, found)
    for change in changes:
        if not change.refused:
            made = changed_user("AP1", None, change, 1)
            assert made.user
            assert made.active in (0, 1)


@given(st.binary() | st.text().map(str.encode) | values.map(lambda value: msgspec.json.encode(str(value))))
def test_any_body(body: bytes) -> None:
    with pytest.raises(Rejected):
        open_write(body)


@given(st.sampled_from(TYPES), values)
def test_what_was_kept_is_kept_the_same_again(kind: AttributeType, value: Any) -> None:
    attribute = Attribute(name="x", type=kind)
    try:
        kept = typed(attribute, value)
    except BadValue:
        return
    assert typed(attribute, kept) == kept


FAULTS = [
    ({"name": "1st"}, "name"),
    ({"name": "customerid"}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "status"}, "type"),
    ({"name": "Verified", "type": "string"}, "type"),
    ({"name": "age", "type": "number", "alias": True}, "alias"),
    ({"name": "x", "max_length": 0}, "max_length"),
    ({"name": "x", "max_length": 4_097}, "max_length"),
    ({"name": "x", "alias": True, "max_length": 256}, "max_length"),
]


@pytest.mark.parametrize(("attribute", "where"), FAULTS)
def test_a_store_that_cannot_be_declared(attribute: dict[str, Any], where: str) -> None:
    store = ProfileStore(attributes=(Attribute(**attribute),))

    assert [path for path, _ in store_faults(store, "p")] == [f"p.attributes[{attribute['name']}].{where}"]


def test_names_are_matched_in_any_case() -> None:
    store = ProfileStore(attributes=(Attribute(name="Age"), Attribute(name="aGE")))

    assert [path for path, _ in store_faults(store, "p")] == ["p.attributes[aGE]"]
