"""The prepaid account of a tenant: how it stands, what was booked, and booking."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, reply, whole
from heliograph.model.money import Account, Entry
from heliograph.model.policies import Billing
from heliograph.model.policies.texts import amount_of, amount_text
from heliograph.policy.directory import Directory
from heliograph.store import Store

audit = logging.getLogger("heliograph.audit")

TOP_UP, CORRECTION = "top-up", "correction"
PAGE, MOST_SHOWN = 50, 500
LAST = 2**63 - 1
NOTE_CHARACTERS = 256


class AccountViews:
    """`GET /tenants/{t}/account`, `POST /tenants/{t}/account/entries`."""

    def __init__(self, store: Store, directory: Callable[[], Directory], clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._directory = directory
        self._clock_ms = clock_ms

    async def read(self, request: Request) -> Response:
        """How an account stands, and what was booked to it, newest first; page with `limit` and `before`."""
        tenant, billing = self._billing(request)
        account = await self._store.account(tenant) or Account(0, 0, 0, 0)
        before, limit = whole(request, "before", LAST, LAST), whole(request, "limit", PAGE, MOST_SHOWN)
        entries = await self._store.entries(tenant, before, limit)
        return reply({**_view(account, billing), "entries": [_entry(item) for item in entries]})

    async def book(self, request: Request) -> Response:
        """Book an amount: a top-up or, with a sign, a correction; it never takes more than there is."""
        tenant, billing = self._billing(request)
        document = await document_of(request)
        amount, note = _amount(document.get("amount")), document.get("note", "")
        if not isinstance(note, str) or len(note) > NOTE_CHARACTERS:
            message = f"must be text of {NOTE_CHARACTERS} characters at most"
            raise AdminError(render.BAD_REQUEST, "invalid_value", f"`note` {message}", "note")
        entry = Entry(self._clock_ms(), TOP_UP if amount > 0 else CORRECTION, amount, note, "admin")
        account = await self._store.enter(tenant, entry)
        if account is None:
            message = f"the account of {tenant} does not hold {amount_text(-amount)}"
            raise AdminError(render.CONFLICT, "not_enough_credits", message, "amount")
        audit.info("%s %s was booked to the account of %s: %s", amount_text(amount), billing.currency, tenant, note)
        return reply(_view(account, billing))

    def _billing(self, request: Request) -> tuple[str, Billing]:
        name = request.path_params["tenant"]
        tenant = self._directory().tenants.get(name)
        if tenant is None:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {name}", "tenant")
        if tenant.billing is None:
            message = f"{name} has no account; declare `billing:` in the workspace"
            raise AdminError(render.NOT_FOUND, "no_account", message, "tenant")
        return name, tenant.billing


def _amount(given: Any) -> int:
    """Decimal text with or without a sign, in millionths."""
    text = given if isinstance(given, str) else ""
    amount = amount_of(text.removeprefix("-").removeprefix("+"))
    if not amount:
        message = '`amount` must be decimal text, "50.00", or "-50.00" to take it back'
        raise AdminError(render.BAD_REQUEST, "invalid_value", message, "amount")
    return -amount if text.startswith("-") else amount


def _view(account: Account, billing: Billing) -> dict[str, Any]:
    return {
        "currency": billing.currency,
        "opening": amount_text(account.opening),
        "balance": amount_text(account.balance),
        "reserved": amount_text(account.reserved),
        "spent": amount_text(account.spent),
    }


def _entry(item: Entry) -> dict[str, Any]:
    return {
        "id": item.id,
        "at": item.at,
        "kind": item.kind,
        "amount": amount_text(item.amount),
        "note": item.note,
        "by": item.actor,
    }
