"""`POST /resources/v1/events/externalevent`: authenticate, hand the events to their verb, answer in the published
envelope."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from heliograph import catalogue
from heliograph.api import auth, render
from heliograph.api.body import Answered, read_body, serve_post
from heliograph.api.key_use import KeyUse
from heliograph.catalogue import keys
from heliograph.contract.events.calls import body_of
from heliograph.events.taking import Answer, Taken, Taker, ordinal_of
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Service, Tenant
from heliograph.named import KEY_HEADER
from heliograph.policy.directory import Directory
from heliograph.store import StoreUnavailable

log = logging.getLogger(__name__)

EVENTS_PATH = "/resources/v1/events/externalevent"
_KEY_HEADER = KEY_HEADER.lower().encode()


class Lacking(msgspec.Struct):
    """The element of an event that lacks mandatory parameters, which it names."""

    code: str
    transid: str
    description: str
    correlationid: str
    parameters: Sequence[str]


class Events:
    """An ASGI application for the one route of the Event API."""

    def __init__(self, taker: Taker, directory: Callable[[], Directory], ids: Ids, use: KeyUse) -> None:
        self._taker = taker
        self._directory = directory
        self._ids = ids
        self._use = use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        await serve_post(scope, receive, send, self._answer, "send events with POST")

    async def _answer(self, scope: Scope, receive: Any) -> Answered:
        tenant: Tenant | None = None
        try:
            tenant, taken = await self._taken(scope, receive)
            answer = render.ascii_json({"response": elements(taken)})
        except Rejected as error:
            answer = self._refused(error)
        except StoreUnavailable as error:
            log.error("events could not be kept and were refused: %s", error)
            answer = self._refused(Rejected(keys.EVENT_NOT_STORED))
        return answer, render.rate_headers(self._taker.standing(tenant)) if tenant else ()

    async def _taken(self, scope: Scope, receive: Any) -> tuple[Tenant, Taken]:
        """Who calls is known from the head or, where it has no credential, from the member `key` of the body."""
        headers = scope["headers"]
        key, token = auth.credentials(headers)
        if key or token is not None:
            tenant, service = self._caller(scope, key, token)
            body = await read_body(receive)
        else:
            body = await read_body(receive)
            tenant, service = self._caller(scope, _key_in(body), None)
        name = auth.header(headers, _KEY_HEADER)
        return tenant, await self._taker.take(tenant, service, body_of(body), body, name)

    def _caller(self, scope: Scope, key: str, token: str | None) -> tuple[Tenant, Service]:
        return auth.sender_of(self._directory(), self._use.mark, scope, key, token)

    def _refused(self, error: Rejected) -> bytes:
        return render.rejected(error, transid_of(self._ids.next(), new_nonce()), catalogue.EVENT)


def elements(taken: Taken) -> list[render.Element | Lacking]:
    """What became of each event, in their order."""
    return [_element(taken.transid, answer) for answer in taken.answers]


def _element(base: str, answer: Answer) -> render.Element | Lacking:
    row, text = catalogue.find(answer.key, catalogue.EVENT), catalogue.text(answer.key, catalogue.EVENT)
    transid = ordinal_of(base, answer.ordinal)
    if answer.key == keys.CUSTOM_PARAMETER_MISSING:
        return Lacking(row.code, transid, text, answer.correlation, answer.parameters)
    return render.Element(row.code, transid, text, answer.correlation)


def _key_in(body: bytes) -> str:
    """The member `key` of a body that is an object, "" where there is none."""
    try:
        key = body_of(body).get("key")
    except Rejected:
        return ""
    return key.strip() if isinstance(key, str) else ""
