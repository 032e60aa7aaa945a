"""A call of the Event API: what it holds as a whole, and each event in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.contract.declared.names import is_http
from heliograph.contract.destinations import CORRELATION_BYTES
from heliograph.contract.events.definitions import Definition, kept, missing
from heliograph.contract.expiry import expiry_ms
from heliograph.contract.profiles.types import BadValue
from heliograph.contract.rules import check
from heliograph.contract.values import as_text, check_depth
from heliograph.model.outcome import Rejected
from heliograph.model.rules import Required, Rule

MOST_EVENTS = 100
URL_CHARACTERS = 2_048

CALL_RULES: tuple[Rule, ...] = (Required(("events",), keys.EVENTS_MISSING, always=True),)
EVENT_RULES: tuple[Rule, ...] = (Required(("evtid",), keys.INVALID_VALUE, always=True),)
"""What must be there."""

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Opened:
    """A call whose own members are right: when it expires (Unix milliseconds, 0: never), the URL to be told at, and
    the events as they came."""

    expiry: int
    notify_url: str
    events: list[Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """One event: its definition, and its parameters as they are kept."""

    definition: Definition
    correlation: str
    parameters: dict[str, Any]


class BadEvent(Exception):
    """One event is refused: the catalogue key, its correlation id as far as it can be read, and the parameters that
    are at fault."""

    def __init__(self, key: str, correlation: str = "", parameters: tuple[str, ...] = ()) -> None:
        super().__init__(key, parameters)
        self.key = key
        self.correlation = correlation
        self.parameters = parameters


def body_of(body: bytes) -> dict[str, Any]:
    """The body as an object; raises `Rejected` (7000)."""
    try:
        found = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(keys.INVALID_JSON) from error
    if not isinstance(found, dict):
        raise Rejected(keys.INVALID_JSON)
    return found


def open_call(body: dict[str, Any]) -> Opened:
    """The call as a whole; raises `Rejected` (7003, 7004)."""
    events = body.get("events")
    if isinstance(events, list | dict) and not events:
        raise Rejected(keys.INVALID_VALUE)
    check(CALL_RULES, body, templated=False)
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise Rejected(keys.INVALID_VALUE)
    return Opened(_expiry(body.get("expiry")), _url(body.get("notifyurl")), events)


def read_event(found: Any, definitions: Mapping[str, Definition]) -> Sent:
    """One event of a call; raises `BadEvent` (7004, 7025)."""
    if not isinstance(found, dict):
        raise BadEvent(keys.INVALID_VALUE)
    correlation = _correlation(found.get("correlationid"))
    given = found.get("parameters")
    try:
        check(EVENT_RULES, found, templated=False)
        check_depth(given)
    except Rejected as error:
        raise BadEvent(keys.INVALID_VALUE, correlation) from error
    definition = definitions.get(as_text(found["evtid"]) or "")
    if definition is None or not (given is None or isinstance(given, dict)):
        raise BadEvent(keys.INVALID_VALUE, correlation)
    return Sent(definition, correlation, _parameters(definition, given or {}, correlation))


def _parameters(definition: Definition, given: dict[str, Any], correlation: str) -> dict[str, Any]:
    """Declared parameters in their types, absent ones by their defaults; others as they came."""
    found = {name: value for name, value in given.items() if name not in definition.parameters}
    absent: list[str] = []
    bad: list[str] = []
    for name, parameter in definition.parameters.items():
        value = given.get(name)
        if missing(value):
            if name in definition.defaults:
                found[name] = definition.defaults[name]
            elif parameter.mandatory:
                absent.append(name)
            continue
        try:
            found[name] = kept(parameter, value)
        except BadValue:
            bad.append(name)
    if absent:
        raise BadEvent(keys.CUSTOM_PARAMETER_MISSING, correlation, tuple(absent))
    if bad:
        raise BadEvent(keys.INVALID_VALUE, correlation, tuple(bad))
    return found


def _correlation(value: Any) -> str:
    if value is None:
        return ""
    text = as_text(value)
    if text is None or "\0" in text or len(text.encode()) > CORRELATION_BYTES:
        raise BadEvent(keys.INVALID_VALUE)
    return text


def _expiry(value: Any) -> int:
    if value is None or value == "":
        return 0
    moment = expiry_ms(value) if isinstance(value, str) else None
    if moment is None:
        raise Rejected(keys.INVALID_VALUE)
    return max(moment, 1)


def _url(value: Any) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > URL_CHARACTERS or not is_http(value):
        raise Rejected(keys.INVALID_VALUE)
    return value
