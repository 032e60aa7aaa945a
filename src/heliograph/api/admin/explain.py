"""What would become of a call, for people: every fault of every destination, and what would be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from heliograph import catalogue
from heliograph.api import render
from heliograph.api.admin.common import AdminError, reply
from heliograph.api.body import LIMIT
from heliograph.contract.envelope import BadElement
from heliograph.intake import Intake, Preview
from heliograph.model.message import Address, Message
from heliograph.model.outcome import Refused
from heliograph.model.workspace import Service, Tenant
from heliograph.policy import Explained, ExplainedTo
from heliograph.policy.directory import Directory
from heliograph.policy.explaining import TIMED


class ExplainViews:
    """`POST /tenants/{t}/explain`."""

    def __init__(self, intake: Intake, directory: Callable[[], Directory]) -> None:
        self._intake = intake
        self._directory = directory

    async def explain(self, request: Request) -> Response:
        """What would become of a Messaging call, which is the body; nothing is kept or sent."""
        tenant, service = self._service(request.path_params["tenant"], request.query_params.get("service", ""))
        body = await request.body()
        if len(body) > LIMIT:
            raise AdminError(render.TOO_LARGE, "body_too_large", "a call may have 4 MiB at most; split it")
        preview = await self._intake.preview(tenant, service, body)
        destinations = list(_destinations(preview))
        against = [_status(error.key, error.values) for error in preview.against]
        return reply(
            {
                "tenant": tenant.id,
                "service": service.id,
                "at": preview.now_ms,
                "accepted": not against and any(not item["faults"] for item in destinations),
                "faults": against,
                "destinations": destinations,
            }
        )

    def _service(self, tenant: str, service: str) -> tuple[Tenant, Service]:
        directory = self._directory()
        if tenant not in directory.tenants:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {tenant}", "tenant")
        if not service:
            raise AdminError(render.BAD_REQUEST, "invalid_value", "say with `?service=` who would send it", "service")
        found = directory.service_of(tenant, service)
        if found is None:
            raise AdminError(render.NOT_FOUND, "not_found", f"{tenant} has no service {service}", "service")
        return found


def _destinations(preview: Preview) -> Iterator[dict[str, Any]]:
    ordinal = 0
    for element in preview.elements:
        if isinstance(element, BadElement):
            yield _bad(ordinal, element)
            ordinal += 1
            continue
        message, explained = element
        for index, address in enumerate(message.addresses):
            shown = _destination(ordinal, message, address, explained, index)
            yield {**shown, "earliest": _earliest(explained.to[index], preview)}
            ordinal += 1


def _destination(
    ordinal: int, message: Message, address: Address, explained: Explained, index: int
) -> dict[str, Any]:
    to = explained.to[index]
    return {
        "ordinal": ordinal,
        "channel": message.content.channel,
        "destination": address.value,
        "destinationType": address.kind,
        "normalised": to.normalised,
        "correlationid": address.correlation,
        "faults": [_policy(refused) for refused in to.against],
        "sender": explained.sender,
        "connector": explained.connector,
        "text": to.text,
        "parts": to.parts,
        "encoding": to.encoding,
        "price": {"amount": to.price, "currency": explained.currency} if to.price else None,
    }


def _earliest(to: ExplainedTo, preview: Preview) -> int | None:
    """The first moment at which it may be sent, in Unix milliseconds, now where nothing is against it. None where
    something is that no waiting helps against."""
    hopeless = preview.against or any(refused.gate not in TIMED for refused in to.against)
    return None if hopeless else to.permitted


def _bad(ordinal: int, element: BadElement) -> dict[str, Any]:
    nothing = dict.fromkeys(("channel", "destination", "destinationType", "normalised"), "")
    unknown = {"sender": "", "connector": "", "text": "", "parts": 0, "encoding": ""}
    fault = {**_status(element.key, element.values), "gate": "contract", "value": "", "decided_by": "the request"}
    return {
        "ordinal": ordinal,
        **nothing,
        "correlationid": element.correlation,
        "faults": [fault],
        **unknown,
        "price": None,
        "earliest": None,
    }


def _policy(refused: Refused) -> dict[str, Any]:
    looked = {"gate": refused.gate, "value": refused.value, "decided_by": refused.decided_by}
    return {**_status(refused.key), **looked}


def _status(key: str, values: tuple[object, ...] = ()) -> dict[str, Any]:
    row = catalogue.find(key)
    return {
        "code": row.code,
        "key": key,
        "description": catalogue.text(key, values=values),
        "cause": row.cause,
        "fix": row.fix,
        "fixed_by": row.fixed_by,
    }
