"""What the acts of a rule become: the body of a Messaging call, of a call of a URL, a change of a customer. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from heliograph.contract.profiles.customers import read_customers
from heliograph.contract.profiles.stores import definitions_of
from heliograph.model.automation import CallUrl, Emit, LeaveAlone, Run, Send, SetProfile
from heliograph.model.automation.naming import PLACE, names_in
from heliograph.model.channel import Channel
from heliograph.model.duration import parse_duration
from heliograph.model.people import DndRow
from heliograph.model.profiles.records import Batch, Told
from heliograph.model.workspace import Tenant
from heliograph.policy.automation import NoValue, Scope, fill, fill_members
from heliograph.policy.automation.filling import fill_text, text_of
from heliograph.policy.objects.people import dnd_address
from heliograph.policy.telling import utc_ms

ORIGIN = "rule"  # of entries of the do-not-disturb list
URL_CHARACTERS = 2_048


def message_body(send: Send, channel: Channel, scope: Scope) -> bytes:
    """The Messaging call of a `send`, as JSON. Raises `NoValue`."""
    body: dict[str, Any] = {"deliverychannel": send.channel, "destination": [_destination(send, scope)]}
    content = fill(send.content, scope)
    for name in reversed(channel.path):
        content = {name: content}
    if send.content:
        body["channels"] = content
    message: dict[str, Any] = {"template": send.template} if send.template else {}
    if send.parameters:
        message["parameters"] = fill_members(send.parameters, scope)
    if message:
        body["message"] = message
    if send.priority:
        body["priority"] = str(send.priority)
    if send.callback_data:
        body["callbackData"] = fill_text(send.callback_data, scope)
    return msgspec.json.encode(body)


def nothing_under(act: Any, scope: Scope) -> list[str]:
    """The names in an act's texts whose values are empty, and those without a value whose parameter is left out."""
    names = names_in(msgspec.to_builtins(act)) if isinstance(act, msgspec.Struct) else []
    left_out = names_in(act.parameters) if isinstance(act, Send | Emit) else []
    found = [name for name in names if (values := scope.values(name)) and all(value == "" for value in values)]
    return list(dict.fromkeys([*found, *(name for name in left_out if not scope.values(name))]))


def _destination(send: Send, scope: Scope) -> dict[str, Any]:
    found: dict[str, Any] = {kind: _addresses(fill(value, scope)) for kind, value in send.to.items()}
    correlation = fill_text(send.correlation, scope) if send.correlation else scope.occurrence.correlation
    return {**found, "correlationid": correlation} if correlation else found


def _addresses(value: Any) -> list[str]:
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, list):
            found += _addresses(item)
        elif isinstance(item, dict | bool) or not text_of(item).strip():
            raise NoValue("an address must be a text or a number")
        else:
            found.append(text_of(item))
    return found


def filled_url(url: str, scope: Scope) -> str:
    """A URL with its placeholders filled, each as one piece of a path or a query. Raises `NoValue`."""

    def piece(match: Any) -> str:
        return quote(fill_text(match[0], scope), safe="")

    found = PLACE.sub(piece, url)
    if len(found) > URL_CHARACTERS:
        raise NoValue(f"the URL has more than {URL_CHARACTERS} characters")
    return found


def notify_body(notify: CallUrl, run: Run, place: str, scope: Scope) -> str:
    """The body of a call, as JSON: what the rule says, else what happened. Raises `NoValue`."""
    if notify.body:
        return msgspec.json.encode(fill(notify.body, scope)).decode()
    occurrence = scope.occurrence
    told = {
        "rule": run.rule, "run": str(run.id), "action": place, "trigger": occurrence.trigger,
        "name": occurrence.name, "transid": occurrence.origin, "correlationid": occurrence.correlation,
        "timeStamp": utc_ms(occurrence.at), "payload": occurrence.payload,
    }  # fmt: skip
    return msgspec.json.encode({"ruleNotification": told}).decode()


def dnd_row(entry: LeaveAlone, run: Run, scope: Scope, now_ms: int) -> DndRow:
    """The entry of a `dnd`. Raises `NoValue`."""
    address = dnd_address(fill_text(entry.address, scope))
    if not address:
        raise NoValue("the address is empty")
    reason = fill_text(entry.reason, scope) if entry.reason else f"rule {run.rule}"
    expires = now_ms + parse_duration(entry.expires) * 1_000 if entry.expires else 0
    return DndRow(address, entry.channel, entry.category, reason[:256], ORIGIN, now_ms, expires)


def customer_batch(act: SetProfile, tenant: Tenant, scope: Scope, told: Told | None) -> Batch:
    """The change of a `profile`; its only record may be refused. Raises `NoValue`."""
    assert tenant.profile_store is not None  # noqa: S101 - whoever calls has looked
    definitions = definitions_of(tenant.profile_store)
    attributes = {name: fill(value, scope) for name, value in act.attributes.items()}
    record = {"customerId": text_of(fill(act.customer, scope)), "Attributes": attributes}
    changes = read_customers([record], definitions, act.act)
    return Batch(tenant.id, act.act, changes, keyed=list(definitions.keyed), told=told)
