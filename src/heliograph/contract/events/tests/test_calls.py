"""Whatever a caller sends is read or refused, and what is read can be kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.catalogue import keys
from heliograph.contract.events.calls import BadEvent, Sent, body_of, open_call, read_event
from heliograph.contract.events.definitions import definitions_of
from heliograph.model.events.declared import EventSpec, Parameter
from heliograph.model.outcome import Rejected

TYPES = ("string", "number", "boolean", "date", "datetime", "msisdn", "email", "json")
KNOWN = definitions_of(
    [
        EventSpec(id="all", parameters=tuple(Parameter(name=f"p_{kind}", type=kind) for kind in TYPES)),
        EventSpec(id="must", parameters=(Parameter(name="a", mandatory=True), Parameter(name="b", mandatory=True))),
    ]
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "evtid": st.sampled_from(["all", "must", "none"]) | ANY,
        "correlationid": ANY,
        "parameters": st.dictionaries(st.sampled_from([f"p_{kind}" for kind in TYPES] + ["a", "b", "x"]), ANY) | ANY,
    },
)


def outcome(read: Callable[[Any], Any], value: Any) -> Any:
    """What is read, or the key of the refusal."""
    try:
        return read(value)
    except (Rejected, BadEvent) as error:
        return error.key


@given(st.binary(max_size=200) | ANY.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_an_object_or_refused(body: bytes) -> None:
    found = outcome(body_of, body)

    assert found == keys.INVALID_JSON or isinstance(found, dict)


@given(st.fixed_dictionaries({}, optional={"events": ANY, "expiry": ANY, "notifyurl": ANY}))
def test_any_call_is_opened_or_refused(call: dict[str, Any]) -> None:
    found = outcome(open_call, dict(call))

    assert found in (keys.EVENTS_MISSING, keys.INVALID_VALUE) or 0 < len(found.events) <= 100


@given(EVENT | ANY)
def test_any_event_is_read_or_refused_and_can_be_kept(event: Any) -> None:
    found = outcome(lambda sent: read_event(sent, KNOWN).parameters, event)

    refused = found in (keys.INVALID_VALUE, keys.CUSTOM_PARAMETER_MISSING)
    assert refused or msgspec.json.decode(msgspec.json.encode(found)) == found


def read(**parameters: Any) -> Sent:
    """An event with these parameters."""
    return read_event({"evtid": "all", "parameters": parameters}, KNOWN)


KEPT: list[tuple[str, Any, Any]] = [
    ("string", 7, "7"), ("string", "x" * 4_096, "x" * 4_096), ("number", "4.5", 4.5), ("number", 3, 3),
    ("boolean", "false", False), ("boolean", 1, True), ("date", "2030-02-28", "2030-02-28"),
    ("datetime", "2030-02-28T10:00:00+1:00", "2030-02-28T09:00:00.000Z"),
    ("msisdn", "+44 7700 900001", "447700900001"),
    ("email", " a@example.com ", "a@example.com"), ("json", {"a": [1]}, {"a": [1]}), ("json", False, False),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "kept"), KEPT)
def test_a_value_becomes_one_of_its_type(kind: str, given: Any, kept: Any) -> None:
    assert read(**{f"p_{kind}": given}).parameters == {f"p_{kind}": kept}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("given", [None, ""])
def test_an_empty_value_is_as_good_as_none(kind: str, given: Any) -> None:
    assert read(**{f"p_{kind}": given}).parameters == {}


def test_what_is_nested_without_end_is_refused() -> None:
    value: Any = 1
    for _ in range(40):
        value = [value]

    with pytest.raises(BadEvent):
        read(p_json=value)


def test_every_parameter_that_lacks_is_named() -> None:
    with pytest.raises(BadEvent) as refused:
        read_event({"evtid": "must"}, KNOWN)

    assert refused.value.parameters == ("a", "b")
