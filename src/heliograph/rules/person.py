"""The profile that the conditions and texts of a rule mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heliograph.model.automation import Rule
from heliograph.model.events import Occurrence
from heliograph.model.message import Address
from heliograph.policy.automation import NoValue, Scope, fill
from heliograph.rules.seams import WhoIs

CUSTOMER = "customerid"
_BY_CHANNEL = {"sms": "msisdn", "voice": "msisdn", "whatsapp": "waid"}  # whose customers are found by number


def person_of(rule: Rule, scope: Scope) -> Address | None:
    """Whose profile a rule means: whom it names, else whom the occurrence is about; None for nobody."""
    for kind, text in rule.person.items():
        try:
            value = fill(text, scope)
        except NoValue:
            return None
        return Address(kind, str(value)) if isinstance(value, str | int) and str(value) else None
    return _subject(scope.occurrence)


def _subject(occurrence: Occurrence) -> Address | None:
    payload = occurrence.payload
    if occurrence.trigger == "inbound":
        kind = _BY_CHANNEL.get(occurrence.name)
        return Address(kind, str(payload.get("from", ""))) if kind else None
    if occurrence.trigger in ("receipt", "click"):
        return Address(str(payload.get("kind", "")), str(payload.get("destination", "")))
    if occurrence.trigger == "profile":
        return Address(CUSTOMER, str(payload.get(CUSTOMER, "")))
    return None


async def with_profile(rule: Rule, scope: Scope, people: WhoIs) -> Scope:
    """The scope with the profile of the person that a rule means, as it is now."""
    address = person_of(rule, scope)
    if address is None or not address.value:
        return scope
    found = await people.people(scope.occurrence.tenant, "", [address])
    person = found.get((address.kind, address.value))
    customer = person.customer if person is not None else None
    if customer is None:
        return scope
    attributes: Mapping[str, Any] = {**customer.attributes, CUSTOMER: customer.id}
    return Scope(scope.occurrence, attributes)
