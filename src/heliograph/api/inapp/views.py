"""Who is connected, somebody is typing, and tokens to try an app with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from heliograph import catalogue
from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, reply
from heliograph.api.body import Gone, TooLarge, read_body
from heliograph.api.inapp.socket import RT_PATH, Socket
from heliograph.api.transactions import Transactions
from heliograph.catalogue import keys
from heliograph.model.addresses import normalise_id
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.directory import Directory
from heliograph.policy.limits import Limiter
from heliograph.policy.ways import lane_name
from heliograph.realtime import frames
from heliograph.realtime.frames import THREAD_CHARACTERS
from heliograph.realtime.hub import Hub
from heliograph.realtime.rooms import TICKET_SECONDS, USER_CHARACTERS
from heliograph.store import StoreUnavailable

log = logging.getLogger(__name__)

BODY_BYTES = 4_096


class Typed(msgspec.Struct, frozen=True):
    """The body of a call that says that somebody is typing."""

    thread: str = ""
    on: bool = True


class UserQueries:
    """ASGI application: whether a user of an app is connected (GET), and that somebody types to them (POST)."""

    def __init__(
        self, hub: Hub, transactions: Transactions, limits: Limiter, ids: Ids, clock_ms: Callable[[], int]
    ) -> None:
        self._hub = hub
        self._transactions = transactions
        self._limits = limits
        self._ids = ids
        self._clock_ms = clock_ms

    async def presence(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The user's connections; 7602 where there is none."""
        await self._serve(scope, receive, send, "GET", self._present)

    async def typing(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The user's apps show that somebody types; 7602 where none is connected."""
        await self._serve(scope, receive, send, "POST", self._type)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, method: str, answer: Any) -> None:
        if scope["method"] != method:
            error = render.admin_error("method_not_allowed", f"ask with {method}")
            await render.send_json(send, render.ascii_json(error), render.NOT_ALLOWED, [(b"allow", method.encode())])
            return
        tenant: Tenant | None = None
        try:
            tenant, service = self._transactions.caller(scope)
            self._limits.take_query(tenant, self._clock_ms())
            body = render.ascii_json(await answer(scope, receive, self._whom(scope, tenant, service)))
        except Rejected as error:
            body = self._failed(error)
        except StoreUnavailable as error:
            log.error("it could not be read who is connected: %s", error)
            body = self._failed(Rejected(keys.INTERNAL_SERVER_ERROR))
        except Gone:
            return
        standing = self._limits.queries(tenant, self._clock_ms()) if tenant else None
        await render.send_json(send, body, headers=render.rate_headers(standing))

    def _failed(self, error: Rejected) -> bytes:
        return render.rejected(error, transid_of(self._ids.next(), new_nonce()), catalogue.STATUS)

    def _whom(self, scope: Scope, tenant: Tenant, service: Service) -> tuple[str, str]:
        app = scope["path_params"]["appid"]
        user = normalise_id(scope["path_params"]["userid"], USER_CHARACTERS)
        lane = lane_name(tenant, service, app)
        room = self._hub.rooms.get(lane)
        if room is None or user is None:
            raise Rejected(keys.NO_RESULTS)
        return lane, user

    async def _present(self, scope: Scope, receive: Receive, whom: tuple[str, str]) -> dict[str, Any]:
        devices = await self._hub.devices(*whom)
        if not devices:
            raise Rejected(keys.USER_PRESENCE_FAILURE)
        shown = scope["path_params"]
        return {
            "appid": shown["appid"], "userid": whom[1], "connected": True,
            "devices": [one.device for one in devices],
        }  # fmt: skip

    async def _type(self, scope: Scope, receive: Receive, whom: tuple[str, str]) -> dict[str, Any]:
        try:
            given = msgspec.json.decode(await read_body(receive, BODY_BYTES) or b"{}", type=Typed)
        except (TooLarge, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Rejected(keys.QUERY_VALIDATION_FAILED) from error
        if len(given.thread) > THREAD_CHARACTERS:
            raise Rejected(keys.QUERY_VALIDATION_FAILED)
        shown = await self._present(scope, receive, whom)
        self._hub.hint(whom, frames.said("typing", thread=given.thread, on=given.on, by=""))
        return shown


class TokenViews:
    """`POST /admin/v1/tenants/{tenant}/rt-tokens`."""

    def __init__(self, hub: Hub, directory: Callable[[], Directory], clock_ms: Callable[[], int], url: str) -> None:
        self._hub = hub
        self._directory = directory
        self._clock_ms = clock_ms
        self._url = url

    async def make(self, request: Request) -> Response:
        """A token for a user of an app, good for ten minutes, to try real time with: `service`, `app` and `user`."""
        document = await document_of(request)
        given = {name: document.get(name) for name in ("service", "app", "user")}
        for name, value in given.items():
            if not isinstance(value, str) or not value:
                raise AdminError(render.BAD_REQUEST, "invalid_value", f"`{name}` must be text", name)
        found = self._directory().service_of(request.path_params["tenant"], str(given["service"]))
        lane = lane_name(*found, str(given["app"])) if found else ""
        user = normalise_id(str(given["user"]), USER_CHARACTERS)
        if found is None or user is None or self._hub.rooms.get(lane) is None:
            message = "there is no such service, its app is not for real time, or the user id cannot be one"
            raise AdminError(render.NOT_FOUND, "not_found", message)
        now = self._clock_ms() / 1_000
        return reply(
            {
                "token": self._hub.rooms.ticket(lane, user, now, ""),
                "path": f"{RT_PATH}/{lane}",
                "url": f"{self._url.replace('http', 'ws', 1)}{RT_PATH}/{lane}",
                "expires": int(now + TICKET_SECONDS) * 1_000,
            }
        )


class _Served:
    """A method as an ASGI application."""

    def __init__(self, serve: ASGIApp) -> None:
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._serve(scope, receive, send)


@dataclass(frozen=True, slots=True)
class InAppEndpoints:
    """Everything that is served of apps in real time."""

    socket: Socket
    queries: UserQueries
    tokens: TokenViews

    def routes(self, messaging: str) -> list[BaseRoute]:
        """Where apps connect, and what stands under the path of the Messaging API."""
        found: list[BaseRoute] = [WebSocketRoute(f"{RT_PATH}/{{tenant}}/{{way}}", self.socket)]
        for slash in ("", "/"):
            for name, serve in (("presence", self.queries.presence), ("typing", self.queries.typing)):
                found.append(Route(f"{messaging}/{name}/{{appid}}/{{userid}}{slash}", _Served(serve)))
        return found
