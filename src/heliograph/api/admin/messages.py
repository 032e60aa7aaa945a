"""Messages for people: the list, and the whole story of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from heliograph import catalogue
from heliograph.api import render
from heliograph.api.admin.common import AdminError, numbers, page_size, reply, whole
from heliograph.api.transactions import channel_of, status_word
from heliograph.model.ids import LATEST_MS, parse_transid
from heliograph.model.message import Request, Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Delivery, Reported
from heliograph.store import Store
from heliograph.store.filters import MessageFilter


class MessageViews:
    """`GET /messages/{transid}` and `GET /tenants/{t}/messages`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def story(self, http: HttpRequest) -> Response:
        """Everything that is known of one transaction."""
        request, row = await self._find(http.path_params["transid"])
        identity = (request.id, row.ordinal)
        lines = await self._store.story(*identity)
        gates = [msgspec.json.decode(line.data) for line in lines if line.step == "gates"]
        attempts = [{"at": line.at, **msgspec.json.decode(line.data)} for line in lines if line.step == "attempt"]
        receipts = [_receipt_view(item) for item in await self._store.receipts(*identity)]
        return reply(
            {
                **summary(request, row),
                "detail": (receipts[-1]["detail"] if receipts and row.state is State.DELIVERED else "") or row.detail,
                "explanation": explanation(row),
                "request": _request_view(request, row),
                "followed": await self._followed(request.messages[row.element].content.run),
                "gates": gates[-1] if gates else [],
                "gates_note": "" if gates else _unkept(row),
                "attempts": attempts,
                "clicks": [
                    {"at": line.at, **msgspec.json.decode(line.data)} for line in lines if line.step == "click"
                ],
                "receipts": receipts,
                "steps": _steps(attempts, receipts),
                "callbacks": [callback_view(item) for item in await self._store.notices(*identity)],
            }
        )

    async def listing(self, http: HttpRequest) -> Response:
        """Messages of a tenant, newest first, with a cursor."""
        query = http.query_params
        code = query.get("code", "")
        keys = tuple({row.key for row in catalogue.with_code(code)})
        if code and not keys:
            raise AdminError(render.BAD_REQUEST, "invalid_value", f"no status has the code {code}", "code")
        limit = page_size(http)
        chosen = MessageFilter(
            tenant=http.path_params["tenant"],
            channel=query.get("channel", ""),
            service=query.get("service", ""),
            keys=keys,
            state=_state(query.get("state", "")),
            destination=query.get("destination", ""),
            correlation=query.get("correlationid", ""),
            first_ms=whole(http, "from", 0, LATEST_MS),
            last_ms=whole(http, "to", 0, LATEST_MS),
            limit=limit,
        )
        if cursor := query.get("cursor", ""):
            chosen = _after(chosen, cursor)
        rows = await self._store.recent(chosen)
        requests = await self._store.requests({row.request for row in rows})
        following = f"{rows[-1].request}.{rows[-1].ordinal}" if len(rows) == limit else ""
        return reply({"messages": [summary(requests[row.request], row) for row in rows], "cursor": following})

    async def _followed(self, number: int) -> dict[str, Any] | None:
        """The rule and the run that sent it, and what they followed from; None of a call that somebody made."""
        if not number:
            return None
        run = await self._store.run(number)
        if run is None:
            return {"run": str(number), "rule": "", "event": "", "trigger": "", "name": "", "origin": ""}
        found = await self._store.occurrences([run.occurrence])
        came = {"trigger": found[0].trigger, "name": found[0].name, "origin": found[0].origin} if found else {}
        return {
            "run": str(number), "rule": run.rule, "event": str(run.occurrence), "trigger": "", "name": "",
            "origin": "", **came,
        }  # fmt: skip

    async def _find(self, transid: str) -> tuple[Request, Transaction]:
        parsed = parse_transid(transid)
        if parsed is None:
            raise AdminError(
                render.BAD_REQUEST, "invalid_transid", f"{transid!r} is no transid; it looks like a UUID", "transid"
            )
        number, nonce, ordinal = parsed
        request = (await self._store.requests([number])).get(number)
        rows = await self._store.transactions(number, ordinal or 0)
        if request is None or request.nonce != nonce or not rows:
            raise AdminError(
                render.NOT_FOUND,
                "no_results",
                f"no message {transid}; it is unknown or past its retention",
                "transid",
            )
        return request, rows[0]


def summary(request: Request, row: Transaction) -> dict[str, Any]:
    """One message in a line."""
    waiting = row.state in (State.QUEUED, State.SENDING)
    key = row.key or "accepted"
    return {
        "transid": request.transid(row.ordinal),
        "tenant": request.tenant,
        "service": request.service,
        "channel": channel_of(request, row),
        "destination": row.address.value,
        "destinationType": row.address.kind,
        "correlationid": row.address.correlation,
        "state": row.state.name.lower(),
        "status": status_word(row, channel_of(request, row)),
        "key": key,
        "code": catalogue.code("accepted" if waiting else key),
        "description": catalogue.text("accepted" if waiting else key),
        "detail": row.detail,
        "attempts": row.attempt,
        "connector": row.connector,
        "native_ids": msgspec.json.decode(row.natives) if row.natives else [],
        "possible_duplicate": row.duplicate,
        "accepted_at": request.accepted,
        "updated_at": row.updated,
        "next_attempt_at": row.due if row.state is State.QUEUED and row.due else None,
    }


def explanation(row: Transaction) -> dict[str, Any]:
    """Why it stands where it stands, and what to do about it."""
    if row.state in (State.QUEUED, State.SENDING) and not row.key:
        found = catalogue.find("accepted")
    else:
        found = catalogue.find(row.key)
    return {
        "cause": found.cause,
        "fix": found.fix,
        "fixed_by": found.fixed_by,
        "retry_safe": found.retry_safe,
        "finality": found.finality,
    }


def callback_view(notice: dict[str, Any]) -> dict[str, Any]:
    """A notice with words for its numbers."""
    notice["state"] = Delivery(notice["state"]).name.lower()
    notice["code"] = catalogue.code(notice["code"]) if notice["code"] != "inbound" else "inbound"
    return notice


def _request_view(request: Request, row: Transaction) -> dict[str, Any]:
    message = request.messages[row.element]
    return {
        "accepted_at": request.accepted,
        "ordinal": row.ordinal,
        "priority": message.priority,
        "expiry": message.expiry or None,
        "notifyurl": message.notify_url,
        "callbackData": message.callback_data,
        "content": msgspec.to_builtins(msgspec.structs.replace(message.content, run=0)),
    }


def _receipt_view(item: Reported) -> dict[str, Any]:
    return {
        "at": item.at,
        "connector": item.connector,
        "native_id": item.native_id,
        "part": item.part,
        "code": catalogue.code(item.key),
        "key": item.key,
        "native_code": item.native_code,
        "detail": item.detail,
        "raw": item.raw,
    }


def _steps(attempts: list[dict[str, Any]], receipts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What happened between our attempts and the end, where a channel recorded it step by step: what each attempt and
    the last receipt say."""
    found: list[list[Any]] = []
    for attempt in attempts:
        found += [step for native in attempt["native"] for step in native.get("steps", ())]
    for receipt in reversed(receipts):
        if receipt["raw"].startswith('{"call":'):
            found += msgspec.json.decode(receipt["raw"]).get("steps", ())
            break
    return [{"at": at, "what": what} for at, what in found]


def _unkept(row: Transaction) -> str:
    if row.state in (State.QUEUED, State.SENDING):
        return "not judged for dispatch yet"
    return "every gate was passed; the story of successes is a sample under load"


def _state(word: str) -> int:
    if not word:
        return 0
    try:
        return State[word.upper()].value
    except KeyError as error:
        names = ", ".join(state.name.lower() for state in State)
        raise AdminError(render.BAD_REQUEST, "invalid_value", f"`state` must be one of {names}", "state") from error


def _after(chosen: MessageFilter, cursor: str) -> MessageFilter:
    position = numbers(cursor, 2)
    if position is None:
        raise AdminError(render.BAD_REQUEST, "invalid_value", "`cursor` is not one that we gave", "cursor")
    return replace(chosen, before=(position[0], position[1]))
