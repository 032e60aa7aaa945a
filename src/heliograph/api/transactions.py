"""The Transaction Status API: what became of a transaction, or of all of a call."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from heliograph import catalogue
from heliograph.api import auth, render
from heliograph.api.key_use import KeyUse
from heliograph.catalogue import keys
from heliograph.model.channel import Channel
from heliograph.model.ids import Ids, new_nonce, parse_transid, transid_of
from heliograph.model.message import Content, Request, Transaction
from heliograph.model.outcome import Rejected, State
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.directory import Directory
from heliograph.policy.limits import Limiter
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

# Words of the published record (status API 3.3); everything else that is final has failed.
_WORDS = {
    "submitted": "sent", "delivered": "delivered", "read": "read", keys.REQUEST_EXPIRED: "expired",
    keys.EXPIRED_AT_OPERATOR: "expired", keys.EXPIRED_BEFORE_SENDING: "expired", keys.RECEIPT_EXPIRED: "expired",
    keys.EXPIRED_BEFORE_ATTEMPT: "expired", keys.CALL_NOT_ANSWERED: "no answer", keys.CALLEE_BUSY: "busy",
    keys.CALL_REJECTED: "rejected", keys.CALL_FAILED_OTHER: "others",
}  # fmt: skip
_QUEUED = "queued"
_REACHED_ON = {("voice", State.DELIVERED): "answered"}


class Transactions:
    """ASGI application for both forms of the status URL."""

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        ids: Ids,
        limits: Limiter,
        clock_ms: Callable[[], int],
        use: KeyUse,
    ) -> None:
        self._store = store
        self._directory = directory
        self._ids = ids
        self._limits = limits
        self._use = use
        self._clock_ms = clock_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one query."""
        if scope["method"] not in ("GET", "HEAD"):
            error = render.admin_error("method_not_allowed", "ask with GET")
            await render.send_json(send, render.ascii_json(error), render.NOT_ALLOWED, [(b"allow", b"GET")])
            return
        tenant: Tenant | None = None
        try:
            tenant, service = self.caller(scope)
            body = render.ascii_json(await self._records(scope["path_params"]["transid"], tenant, service))
        except Rejected as error:
            body = self._failed(error)
        except StoreUnavailable as error:
            log.error("the status of a transaction could not be read: %s", error)
            body = self._failed(Rejected(keys.INTERNAL_SERVER_ERROR))
        standing = self._limits.queries(tenant, self._clock_ms()) if tenant else None
        await render.send_json(send, body, headers=render.rate_headers(standing))

    def _failed(self, error: Rejected) -> bytes:
        return render.rejected(error, transid_of(self._ids.next(), new_nonce()), catalogue.STATUS)

    async def _records(self, transid: str, tenant: Tenant, service: Service) -> list[dict[str, Any]]:
        parsed = parse_transid(transid)
        if parsed is None:
            raise Rejected(keys.QUERY_VALIDATION_FAILED)
        await self._limits.provide_query(tenant, self._clock_ms())
        self._limits.take_query(tenant, self._clock_ms())
        number, nonce, ordinal = parsed
        request = (await self._store.requests([number])).get(number)
        if request is None or request.nonce != nonce:
            raise Rejected(keys.NO_RESULTS)
        if request.tenant != tenant.id:
            raise Rejected(keys.NO_RESULTS)  # another tenant's ids are not confirmed to exist
        if request.service != service.id:
            raise Rejected(keys.NOT_UNDER_THIS_SERVICE)
        rows = await self._store.transactions(number, ordinal)
        if not rows:
            raise Rejected(keys.NO_RESULTS)
        channels = self._directory().channels
        records = []
        for row in rows:
            channel = channels.get(channel_of(request, row))
            records.append(record(request, await self._whole(row, channel), tenant, service, channel))
        return records

    async def _whole(self, row: Transaction, channel: Channel | None) -> Transaction:
        """A transaction with what came after its last state, where the channel says that there is such."""
        if channel is None or not channel.afterwards or row.state is not State.DELIVERED:
            return row
        receipts = await self._store.receipts(row.request, row.ordinal)
        return msgspec.structs.replace(row, detail=receipts[-1].detail) if receipts else row

    def caller(self, scope: Scope) -> tuple[Tenant, Service]:
        """The service that asks, as all queries demand it. Raises `Rejected`."""
        directory, path_key = self._directory(), scope["path_params"].get("servicekey", "")
        header_key, token = auth.credentials(scope["headers"])
        try:
            if token is None:
                found = auth.service_of(directory, header_key or path_key)
                self._use.mark(auth.hashed(header_key or path_key))
            else:
                found = auth.service_of_token(directory, token, self._clock_ms() / 1_000)
            twice = path_key and (header_key or token is not None)
            if twice and auth.service_of(directory, path_key)[1] is not found[1]:
                raise Rejected(keys.QUERY_VALIDATION_FAILED)
        except Rejected as error:
            if error.key == keys.AUTHENTICATION_FAILED:
                raise Rejected(keys.NOT_UNDER_THIS_SERVICE) from error
            raise
        tenant, service = found
        if tenant.status != "active":
            raise Rejected(keys.INACTIVE_PROFILE)
        client = scope.get("client")
        try:
            auth.check_source(tenant, service, client[0] if client else "")
        except Rejected as error:
            raise Rejected(keys.IP_NOT_ALLOWED) from error  # decisions 4: a query knows one text for both lists
        if service.status != "live":
            raise Rejected(keys.SERVICE_INACTIVE)
        return tenant, service


def channel_of(request: Request, row: Transaction) -> str:
    """The channel a transaction goes by."""
    return request.messages[row.element].content.channel


def status_word(row: Transaction, channel: str) -> str:
    """The published word of where a transaction of a channel stands."""
    if row.state in (State.QUEUED, State.SENDING):
        return _QUEUED
    return _REACHED_ON.get((channel, row.state)) or _WORDS.get(row.key, "failed")


def record(
    request: Request, row: Transaction, tenant: Tenant, service: Service, channel: Channel | None
) -> dict[str, Any]:
    """One transaction as the status API shows it (status API 3.2), with our additive members."""
    message = request.messages[row.element]
    waiting = row.state in (State.QUEUED, State.SENDING)
    failed = row.state in (State.FAILED, State.LAPSED)
    code = catalogue.code("accepted") if waiting else catalogue.find(row.key, catalogue.STATUS).code
    text = catalogue.text("accepted") if waiting else catalogue.text(row.key, catalogue.STATUS)
    binding = service.channels.get(message.content.channel)
    given = message.content.fields.get(channel.sender_field) if channel else None
    return {
        "transactionid": request.transid(row.ordinal),
        "clientid": tenant.id,
        "api_version": "v1",
        "type": "outbound-api",
        "from": str(given or (binding.sender if binding else "")),
        "to": row.address.value,
        "body": _body(message.content),
        "channel": channel.wire_name if channel else message.content.channel,
        "status": status_word(row, message.content.channel),
        "date_created": _date(request.accepted),
        "last_updated": _date(row.updated),
        "error_code": code if failed else None,
        "error_message": text if failed else None,
        "code": code,
        "description": text,
        "correlationid": row.address.correlation,
        "callbackData": message.callback_data,
        "additionalInfo": row.detail,
    }


def _body(content: Content) -> str:
    """The text as it was submitted; for a template, the template and its parameters as JSON; for a content without
    a text of its own, the channel's object as JSON."""
    text = content.fields.get("text") or content.fields.get("body")
    if text:
        return str(text)
    if not content.template:
        return msgspec.json.encode(content.fields).decode()
    return msgspec.json.encode({"template": content.template, "parameters": content.parameters}).decode()


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S UTC")
