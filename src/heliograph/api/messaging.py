"""`POST /resources/v1/messaging`: authenticate, hand the body to ACCEPT, answer in the published envelope."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope, Send

from heliograph import catalogue
from heliograph.api import auth, render
from heliograph.api.body import Answered, read_body, serve_post
from heliograph.api.key_use import KeyUse
from heliograph.catalogue import keys
from heliograph.intake import ACCEPTED, Answer, Intake, Taken
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Service, Tenant
from heliograph.named import KEY_HEADER
from heliograph.policy.directory import Directory
from heliograph.store import StoreUnavailable

log = logging.getLogger(__name__)

_KEY_HEADER = KEY_HEADER.lower().encode()
_CODE, _TEXT = catalogue.code(ACCEPTED), catalogue.text(ACCEPTED)


class Messaging:
    """An ASGI application for the one route that must be fast."""

    def __init__(self, intake: Intake, directory: Callable[[], Directory], ids: Ids, use: KeyUse) -> None:
        self._intake = intake
        self._use = use
        self._directory = directory
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        await serve_post(scope, receive, send, self._answer, "send the call with POST")

    async def _answer(self, scope: Scope, receive: Any) -> Answered:
        """The answer, with headers on the caller's limits once it is known who calls."""
        caller: tuple[Tenant, Service] | None = None
        try:
            credentials = auth.credentials(scope["headers"])
            caller = tenant, service = auth.sender_of(self._directory(), self._use.mark, scope, *credentials)
            key = auth.header(scope["headers"], _KEY_HEADER)
            taken = await self._intake.accept(tenant, service, await read_body(receive), key)
            answer = render.ascii_json(render.Accepted(_elements(taken)))
        except Rejected as error:
            answer = render.rejected(error, self._fresh_transid())
        except StoreUnavailable as error:
            log.error("a call could not be kept and was refused: %s", error)
            answer = render.rejected(Rejected(keys.INTERNAL_ERROR_AT_ACCEPT), self._fresh_transid())
        return answer, render.rate_headers(self._intake.standing(*caller)) if caller else ()

    def _fresh_transid(self) -> str:
        return transid_of(self._ids.next(), new_nonce())


def _elements(taken: Taken) -> list[render.Element]:
    base = taken.transid
    return [
        render.Element(_CODE, f"{base}_{answer.ordinal}" if answer.ordinal else base, _TEXT, answer.correlation)
        if answer.key == ACCEPTED
        else _refused(base, answer)
        for answer in taken.answers
    ]


def _refused(base: str, answer: Answer) -> render.Element:
    return render.Element(
        catalogue.code(answer.key),
        f"{base}_{answer.ordinal}" if answer.ordinal else base,
        catalogue.text(answer.key, values=answer.values),
        answer.correlation,
    )
