"""What happened to messages, people and profiles, as rules are told of it. Pure."""

from __future__ import annotations

from typing import Any

from heliograph import catalogue
from heliograph.model.events import Occurrence
from heliograph.model.message import Address, Message, Request, Transaction
from heliograph.model.outcome import Inbound
from heliograph.model.record import Change, LinkRow

NATIVE_MEMBERS = 32


def of_inbound(item: Inbound, owner: tuple[str, str], number: int, tid: str, at: int) -> Occurrence:
    """A message from a person; `owner` are the tenant and the service it was sent to, `tid` is our id of it."""
    words = item.text.split()
    payload = {
        "channel": item.channel, "from": item.sender, "to": item.destination, "text": item.text,
        "keyword": words[0] if words else "", "tid": tid,
        "native": dict(list(item.native.items())[:NATIVE_MEMBERS]),
    }  # fmt: skip
    return Occurrence(number, owner[0], owner[1], "inbound", item.channel, payload, at, origin=tid)


def of_change(request: Request, change: Change, transaction: Transaction, word: str, number: int) -> Occurrence:
    """A message came to stand somewhere; `word` is that of the receipt."""
    message = request.messages[transaction.element]
    address = transaction.address
    payload = {
        **_message(request, message, change.ordinal, address), "state": word, "code": catalogue.code(change.key),
        "detail": change.detail,
    }  # fmt: skip
    return _happened("receipt", word, request, message, payload, number, change.at)


def of_click(
    request: Request, transaction: Transaction, link: LinkRow, system: str, number: int, at: int
) -> Occurrence:
    """Somebody followed a short link for the first time."""
    message = request.messages[transaction.element]
    payload = {
        **_message(request, message, transaction.ordinal, transaction.address), "link": link.label, "url": link.url,
        "system": system,
    }  # fmt: skip
    return _happened("click", link.label, request, message, payload, number, at)


def _message(request: Request, message: Message, ordinal: int, address: Address) -> dict[str, Any]:
    content = message.content
    return {
        "channel": content.channel, "transid": request.transid(ordinal), "destination": address.value,
        "kind": address.kind, "correlationid": address.correlation or message.correlation,
        "callbackData": message.callback_data, "template": content.template, "parameters": content.parameters,
    }  # fmt: skip


def _happened(
    trigger: Any, name: str, request: Request, message: Message, payload: dict[str, Any], number: int, at: int
) -> Occurrence:
    return Occurrence(
        number, request.tenant, request.service, trigger, name, payload, at, message.content.depth,
        payload["transid"], correlation=payload["correlationid"],
    )  # fmt: skip
