"""The routes: which path is served by what."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from heliograph.api import render
from heliograph.api.admin.callbacks import CallbackViews
from heliograph.api.admin.collections import CollectionViews
from heliograph.api.admin.common import Handler, guarded, reply
from heliograph.api.admin.explain import ExplainViews
from heliograph.api.admin.keys import KeyViews
from heliograph.api.admin.messages import MessageViews
from heliograph.api.admin.parked import ParkedViews
from heliograph.api.admin.people import PeopleViews
from heliograph.api.admin.policies.accounts import AccountViews
from heliograph.api.admin.policies.clock import ClockViews
from heliograph.api.admin.policies.dnd import DndViews
from heliograph.api.admin.policies.whatif import WhatIfViews
from heliograph.api.admin.rules.runs import RunViews
from heliograph.api.admin.views import Views
from heliograph.api.admin.workspace import WorkspaceViews
from heliograph.api.callbacks import CALLBACKS_PATH, Callbacks
from heliograph.api.events.edges import EventEdges
from heliograph.api.events.endpoints import EVENTS_PATH
from heliograph.api.events.hooks import HOOKS_PATH
from heliograph.api.inapp.pages import page_routes
from heliograph.api.inapp.views import InAppEndpoints
from heliograph.api.links import LinkViews
from heliograph.api.messaging import Messaging
from heliograph.api.metrics import Metrics
from heliograph.api.profiles.endpoints import Profiles
from heliograph.api.reference import reference_routes
from heliograph.api.source import BehindProxies, Networks
from heliograph.api.transactions import Transactions
from heliograph.catalogue import keys
from heliograph.model.channel import Channel
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.policy.objects.links import PATH

log = logging.getLogger(__name__)

MESSAGING_PATH = "/resources/v1/messaging"
_ANSWERED = "heliograph.answered"

Ready = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Everything that is served; `ready` gives the state of each part, with `ok` for the whole."""

    messaging: Messaging
    transactions: Transactions
    messages: MessageViews
    workspace: WorkspaceViews
    callbacks: CallbackViews
    parked: ParkedViews
    explain: ExplainViews
    keys: KeyViews
    views: Views
    metrics: Metrics
    ready: Ready
    ids: Ids
    channels: Mapping[str, Channel]
    admin_token: str
    hooks: Callbacks
    links: LinkViews
    dnd: DndViews
    accounts: AccountViews
    collections: CollectionViews
    clock: ClockViews
    whatif: WhatIfViews
    profiles: Profiles
    people: PeopleViews
    events: EventEdges
    inapp: InAppEndpoints
    runs: RunViews


def public_routes(endpoints: Endpoints) -> list[BaseRoute]:
    """The published API; a trailing slash is served, never redirected."""
    status = f"{MESSAGING_PATH}/status"
    routes: list[BaseRoute] = []
    for slash in ("", "/"):
        routes += [
            Route(f"{MESSAGING_PATH}{slash}", endpoints.messaging),
            Route(f"{EVENTS_PATH}{slash}", endpoints.events.api),
            Route(f"{HOOKS_PATH}/{{hook}}{slash}", endpoints.events.hooks.serve, methods=["POST", "OPTIONS"]),
            Route(f"{status}/{{transid}}{slash}", endpoints.transactions),
            Route(f"{status}/{{servicekey}}/{{transid}}{slash}", endpoints.transactions),
            Route(f"{PATH}{{code}}{slash}", endpoints.links.follow, methods=["GET", "HEAD"]),
            Route(
                f"{CALLBACKS_PATH}/{{channel}}/{{tenant}}/{{way}}{slash}",
                endpoints.hooks.serve,
                methods=["GET", "POST"],
            ),
        ]
    return [*routes, *endpoints.profiles.routes(), *endpoints.inapp.routes(MESSAGING_PATH)]


def admin_routes(endpoints: Endpoints) -> list[BaseRoute]:
    """The admin API, every route behind the token."""
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/codes", endpoints.views.codes),
        ("GET", "/workspace", endpoints.workspace.read),
        ("PUT", "/workspace", endpoints.workspace.write),
        ("GET", "/tenants/{tenant}/messages", endpoints.messages.listing),
        ("POST", "/tenants/{tenant}/explain", endpoints.explain.explain),
        ("GET", "/tenants/{tenant}/profiles", endpoints.people.listing),
        ("POST", "/tenants/{tenant}/profiles", endpoints.people.take),
        ("POST", "/tenants/{tenant}/erasures", endpoints.people.erase),
        ("GET", "/audit", endpoints.people.audit),
        ("GET", "/tenants/{tenant}/runs", endpoints.runs.listing),
        ("GET", "/runs/{id}", endpoints.runs.read),
        ("GET", "/tenants/{tenant}/dnd", endpoints.dnd.listing),
        ("POST", "/tenants/{tenant}/dnd", endpoints.dnd.add),
        ("DELETE", "/tenants/{tenant}/dnd", endpoints.dnd.remove),
        ("DELETE", "/tenants/{tenant}/dnd/{address}", endpoints.dnd.remove),
        ("GET", "/tenants/{tenant}/account", endpoints.accounts.read),
        ("POST", "/tenants/{tenant}/account/entries", endpoints.accounts.book),
        ("GET", "/tenants/{tenant}/clock", endpoints.clock.read),
        ("PUT", "/tenants/{tenant}/clock", endpoints.clock.put),
        ("DELETE", "/tenants/{tenant}/clock", endpoints.clock.remove),
        ("POST", "/tenants/{tenant}/whatif", endpoints.whatif.replay),
        ("POST", "/tenants/{tenant}/rt-tokens", endpoints.inapp.tokens.make),
        ("GET", "/tenants/{tenant}/{collection}", endpoints.collections.listing),
        ("POST", "/tenants/{tenant}/{collection}", endpoints.collections.add),
        ("GET", "/tenants/{tenant}/{collection}/{id:path}", endpoints.collections.read),
        ("PUT", "/tenants/{tenant}/{collection}/{id:path}", endpoints.collections.put),
        ("DELETE", "/tenants/{tenant}/{collection}/{id:path}", endpoints.collections.remove),
        ("GET", "/messages/{transid}", endpoints.messages.story),
        ("GET", "/services/{service}/keys", endpoints.keys.listing),
        ("POST", "/services/{service}/keys", endpoints.keys.make),
        ("DELETE", "/services/{service}/keys/{key}", endpoints.keys.revoke),
        ("GET", "/callbacks", endpoints.callbacks.listing),
        ("POST", "/callbacks/replay", endpoints.callbacks.replay_many),
        ("POST", "/callbacks/{id}/replay", endpoints.callbacks.replay),
        ("GET", "/parked", endpoints.parked.listing),
        ("POST", "/parked/{id}/retry", endpoints.parked.retry),
        ("GET", "/events", endpoints.events.views.listing),
        ("POST", "/events/rerun", endpoints.events.views.rerun_many),
        ("GET", "/events/{id}", endpoints.events.views.read),
        ("POST", "/events/{id}/rerun", endpoints.events.views.rerun),
        ("GET", "/connectors", endpoints.views.connectors),
        ("GET", "/connectors/{name:path}", endpoints.views.connector),
        ("GET", "/receipts/unmatched", endpoints.views.unmatched),
        ("GET", "/stats", endpoints.views.stats),
        ("GET", "/tail", endpoints.views.tail),
    ]
    return [
        Route(f"/admin/v1{path}", guarded(endpoints.admin_token, handler), methods=[method])
        for method, path, handler in table
    ]


def operation_routes(endpoints: Endpoints) -> list[BaseRoute]:
    """For those who watch the process."""

    async def healthz(_: Request) -> Response:
        return reply({"ok": True})

    async def readyz(_: Request) -> Response:
        state = await endpoints.ready()
        return reply(state, render.OK if state["ok"] else render.UNAVAILABLE)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", endpoints.metrics.serve),
        *reference_routes(admin_routes(endpoints), endpoints.channels),
        *page_routes(),
    ]


async def _not_found(request: Request, _: Exception) -> Response:
    error = render.admin_error("not_found", f"there is nothing at {request.url.path}")
    return reply(error, render.NOT_FOUND)


async def _not_allowed(request: Request, _: Exception) -> Response:
    error = render.admin_error("method_not_allowed", f"{request.method} is not served at {request.url.path}")
    return reply(error, render.NOT_ALLOWED)


class App:
    """The HTTP surface. An exception that nobody expected is logged once and answered: 7006 to callers of the
    published API, the error shape to operators."""

    def __init__(self, routes: Sequence[BaseRoute], hot: Mapping[str, ASGIApp], ids: Ids) -> None:
        """`hot` are applications that are reached by their exact path, past the router and its middleware."""
        self._ids = ids
        self._hot = hot
        handlers: Any = {
            render.NOT_FOUND: _not_found,
            render.NOT_ALLOWED: _not_allowed,
            Exception: self._broken,
        }
        self._app = Starlette(routes=routes, exception_handlers=handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, whatever happens."""
        try:
            hot = self._hot.get(scope["path"]) if scope["type"] == "http" else None
            await (hot or self._app)(scope, receive, send)
        except Exception:  # the outermost loop: Starlette raises again what it has answered
            if scope.get(_ANSWERED):
                return
            if scope["path"] in self._hot:
                log.exception("an unexpected error while serving %s", scope["path"])
                await render.send_json(send, self._internal_error())
                return
            log.exception("an answer broke off: %s", scope.get("path"))
            raise

    async def _broken(self, request: Request, error: Exception) -> Response:
        request.scope[_ANSWERED] = True
        log.error("an unexpected error while serving %s", request.url.path, exc_info=error)
        if request.url.path.startswith(("/resources/", f"{HOOKS_PATH}/")):
            return Response(self._internal_error(), media_type="application/json")
        shape = render.admin_error("internal_error", "the platform failed to answer; its log says why")
        return reply(shape, render.INTERNAL_ERROR)

    def _internal_error(self) -> bytes:
        transid = transid_of(self._ids.next(), new_nonce())
        return render.rejected(Rejected(keys.INTERNAL_ERROR_AT_ACCEPT), transid)


def build_app(
    endpoints: Endpoints, more: Sequence[BaseRoute] = (), *, public: bool = True, proxies: Networks = ()
) -> ASGIApp:
    """The HTTP surface: what is for operators always, the published API where `public`; `more` are routes of
    other roles, such as the webhook bin; `proxies` may say whom they were called by."""
    routes = [*admin_routes(endpoints), *operation_routes(endpoints), *more]
    hot: dict[str, ASGIApp] = {}
    if public:
        routes = [*public_routes(endpoints), *routes]
        for path, served in ((MESSAGING_PATH, endpoints.messaging), (EVENTS_PATH, endpoints.events.api)):
            hot |= {path: served, f"{path}/": served}
    app = App(routes, hot, endpoints.ids)
    return BehindProxies(app, proxies) if proxies else app
