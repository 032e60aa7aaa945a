"""`POST /events/{hook}`: others tell us of what happened, in JSON or XML of their own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from heliograph import catalogue
from heliograph.api import auth, render
from heliograph.api.body import Gone, TooLarge, read_body
from heliograph.api.key_use import KeyUse
from heliograph.catalogue import keys
from heliograph.contract.declared.happenings import ANY_ORIGIN
from heliograph.events.hooks import HookTaker, check_signature, payload_of
from heliograph.model.events.declared import Hook
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Service, Tenant
from heliograph.named import KEY_HEADER
from heliograph.policy.directory import Directory
from heliograph.store import StoreUnavailable

log = logging.getLogger(__name__)

HOOKS_PATH = "/events"
PREFLIGHT_SECONDS = "600"


class InboundHooks:
    """The inbound webhooks."""

    def __init__(self, taker: HookTaker, directory: Callable[[], Directory], ids: Ids, use: KeyUse) -> None:
        self._taker = taker
        self._directory = directory
        self._ids = ids
        self._use = use

    async def serve(self, request: Request) -> Response:
        """Take a call, or say who may make one from a page."""
        directory = self._directory()
        found = directory.hook(request.path_params["hook"])
        headers = _cors(found[1], request) if found else {}
        if request.method == "OPTIONS":
            return Response(status_code=render.NO_CONTENT, headers=headers)
        body, status = await self._answer(request, directory, found)
        return Response(body, status, headers, media_type="application/json")

    async def _answer(
        self, request: Request, directory: Directory, found: tuple[Tenant, Hook] | None
    ) -> tuple[bytes, int]:
        try:
            return await self._taken(request, directory, found), render.OK
        except Rejected as error:
            self._taker.counts["hook_rejected"] += 1
            status = render.BAD_REQUEST if error.key == keys.INVALID_SIGNATURE else render.OK
            return self._refused(error), status
        except StoreUnavailable as error:
            log.error("a call of a hook could not be kept and was refused: %s", error)
            return self._refused(Rejected(keys.EVENT_NOT_STORED)), render.OK
        except TooLarge:
            most = found[1].max_bytes if found else 0
            error_body = render.admin_error("body_too_large", f"a call of this hook may have {most} bytes at most")
            return render.ascii_json(error_body), render.HOOK_TOO_LARGE
        except Gone:
            return b"", render.BAD_REQUEST  # nobody hears it

    async def _taken(self, request: Request, directory: Directory, found: tuple[Tenant, Hook] | None) -> bytes:
        if found is None or found[1].status != "active":
            raise Rejected(keys.HOOK_UNKNOWN)
        tenant, hook = found
        service = self._service(request, directory, tenant, hook)
        body = await read_body(request.receive, hook.max_bytes)
        if hook.signature is not None:
            check_signature(hook.signature, body, request.headers.get(hook.signature.header))
        payload = payload_of(body, request.headers.get("content-type", ""))
        taken, name = (tenant, service, hook), request.headers.get(KEY_HEADER)
        if name is None:
            transid = await self._taker.take(taken, payload, directory)
        else:
            transid = await self._taker.once(taken, payload, directory, body, name)
        row = catalogue.find(keys.QUEUED, catalogue.EVENT)
        text = catalogue.text(keys.QUEUED, catalogue.EVENT)
        return render.ascii_json({"response": {"code": row.code, "description": text, "transid": transid}})

    def _service(self, request: Request, directory: Directory, tenant: Tenant, hook: Hook) -> Service:
        """The service of the hook, which the caller may call. Raises `Rejected` (7002, 7001, 7010, 7208, 7007)."""
        owner = directory.service_of(tenant.id, hook.service)
        if owner is None:
            raise Rejected(keys.HOOK_UNKNOWN)
        if hook.auth != "none" and self._caller(request, directory, hook.auth) != (tenant.id, hook.service):
            raise Rejected(keys.AUTHENTICATION_FAILED)
        auth.check_source(*owner, request.client.host if request.client else "")
        auth.check_active(*owner)
        return owner[1]

    def _caller(self, request: Request, directory: Directory, wanted: str) -> tuple[str, str]:
        key, token = auth.credentials(request.scope["headers"])
        if token is not None:
            tenant, service = auth.service_of_token(directory, token, time.time())
        elif wanted == "jwt":
            raise Rejected(keys.SERVICE_KEY_MISSING)
        else:
            tenant, service = auth.service_of(directory, key)
            self._use.mark(auth.hashed(key))
        return tenant.id, service.id

    def _refused(self, error: Rejected) -> bytes:
        return render.rejected(error, transid_of(self._ids.next(), new_nonce()), catalogue.EVENT)


def _cors(hook: Hook, request: Request) -> dict[str, str]:
    """What lets a page of another origin call the hook; nothing where none may."""
    if not hook.cors:
        return {}
    origin = request.headers.get("origin", "")
    headers = {"vary": "origin"}
    if ANY_ORIGIN not in hook.cors and origin not in hook.cors:
        return headers
    headers["access-control-allow-origin"] = ANY_ORIGIN if ANY_ORIGIN in hook.cors else origin
    if request.method == "OPTIONS":
        signed = [hook.signature.header.lower()] if hook.signature else []
        headers |= {
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": ", ".join(
                ["content-type", "key", "authorization", KEY_HEADER.lower(), *signed]
            ),
            "access-control-max-age": PREFLIGHT_SECONDS,
        }
    return headers
