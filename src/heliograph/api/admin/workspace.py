"""The workspace over HTTP: read it, plan a change, apply it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import document_of, reply
from heliograph.contract.workspace import Faults
from heliograph.workspaces import Workspaces


class WorkspaceViews:
    """`GET` and `PUT /workspace`."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def read(self, request: Request) -> Response:
        """The workspace in force; `?secrets=true` shows what is otherwise hidden."""
        secrets = request.query_params.get("secrets") == "true"
        return reply(self._workspaces.export(secrets=secrets))

    async def write(self, request: Request) -> Response:
        """Apply a document, or with `?plan=true` only say what it would change."""
        document = await document_of(request)
        try:
            if request.query_params.get("plan") == "true":
                return reply({"changes": self._workspaces.plan(document), "applied": False})
            applied = await self._workspaces.apply(document)
        except Faults as faults:
            body = render.admin_error("invalid_workspace", str(faults))
            body["error"]["faults"] = [{"path": path, "message": text} for path, text in faults.faults]
            body["error"]["field"] = faults.faults[0][0] if faults.faults else ""
            return reply(body, render.BAD_REQUEST)
        return reply(
            {
                "changes": applied.changes,
                "applied": True,
                "version": applied.version,
                "made_keys": applied.made_keys,
            }
        )
