"""Reads the records of customers, each in the published order of checks; the first failure of a record is its own.

customerId (7003) -> Attributes is an object (7011) -> msisdn of a new customer (7003) -> status (7003, 7011) ->
other mandatory attributes (7003) -> names (7017) -> values (7011). Whether the customer is there is seen where it is
written.
"""

from __future__ import annotations

from typing import Any

from heliograph.catalogue import keys
from heliograph.contract.profiles.calls import id_of, member
from heliograph.contract.profiles.stores import Definitions
from heliograph.contract.profiles.types import BadValue, flag_of, typed
from heliograph.model.outcome import Rejected
from heliograph.model.profiles.apps import Scalar
from heliograph.model.profiles.declared import MSISDN, STATUS
from heliograph.model.profiles.records import Act, Change

CUSTOMER_ID = "customerid"


def read_customers(records: list[Any], definitions: Definitions, act: Act) -> list[Change]:
    """The changes in the order of the records."""
    return [_read(record, definitions, whole=act != "update") for record in records]


def opened_record(record: Any) -> tuple[str, dict[str, Any]]:
    """The customer's id and the attributes as given. Raises `Rejected` (7003, 7011)."""
    customer = id_of(member(record, CUSTOMER_ID)) if isinstance(record, dict) else ""
    if customer is None:
        raise Rejected(keys.INVALID_ATTRIBUTE_VALUE)
    if not customer:
        raise Rejected(keys.CUSTOMER_ID_MISSING)
    attributes = member(record, "attributes")
    if attributes is None:
        attributes = {}
    if not isinstance(attributes, dict):
        raise Rejected(keys.INVALID_ATTRIBUTE_VALUE)
    return customer, attributes


def refused(record: Any, error: Rejected) -> Change:
    """A record that is told its failure."""
    customer = id_of(member(record, CUSTOMER_ID)) if isinstance(record, dict) else ""
    return Change(customer=customer or "", refused=error.key, values=tuple(map(str, error.values)))


def is_empty(value: Any) -> bool:
    """Whether it is no value: null, or a text of nothing but blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def _read(record: Any, definitions: Definitions, *, whole: bool) -> Change:
    try:
        customer, given = opened_record(record)
        given = {name: value for name, value in given.items() if name.lower() != CUSTOMER_ID}
        _check_mandatory({name.lower(): value for name, value in given.items()}, definitions, whole)
        return Change(customer=customer, patch=_patch(given, definitions))
    except Rejected as error:
        return refused(record, error)


def _check_mandatory(folded: dict[str, Any], definitions: Definitions, whole: bool) -> None:
    def absent(name: str) -> bool:
        return name in definitions.mandatory and (is_empty(folded.get(name)) if whole or name in folded else False)

    if absent(MSISDN):
        raise Rejected(keys.MSISDN_MISSING)
    if absent(STATUS):
        raise Rejected(keys.STATUS_MISSING)
    status = folded.get(STATUS)
    if not is_empty(status):
        try:
            flag_of(status)
        except BadValue as error:
            raise Rejected(keys.CUSTOMER_STATUS_OUT_OF_RANGE) from error
    for name in definitions.mandatory:
        if absent(name):
            raise Rejected(keys.ATTRIBUTE_MISSING, definitions.attributes[name].name)


def _patch(given: dict[str, Any], definitions: Definitions) -> dict[str, Scalar | None]:
    found = {name: definitions.attributes.get(name.lower()) for name in given}
    if None in found.values():
        raise Rejected(keys.ATTRIBUTE_NOT_DEFINED)
    patch: dict[str, Scalar | None] = {}
    for name, value in given.items():
        attribute = found[name]
        if attribute is None:
            continue
        try:
            patch[attribute.name] = None if is_empty(value) else typed(attribute, value)
        except BadValue as error:
            raise Rejected(keys.INVALID_ATTRIBUTE_VALUE) from error
    return patch
