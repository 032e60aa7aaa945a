"""Takes calls of inbound webhooks: whatever was posted becomes an occurrence, unless the filter of the hook leaves it
out."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.contract.values import check_depth
from heliograph.events.taking import NO_RULE, Means
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.events.declared import Hook, Signature
from heliograph.model.ids import new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Service, Tenant
from heliograph.named import Caller, Name, Named, kept_answer
from heliograph.policy.directory import Directory
from heliograph.store.areas.automation.events import Happened
from heliograph.wire.xml import BadXml, tree

FILTERED = "the filter of its hook left it out"
BODY = "body"
_decode = msgspec.json.Decoder().decode


class HookTaker:
    """Takes calls of hooks."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._named = Named(means.store)
        self.counts = dict.fromkeys(("hook_calls", "hook_ignored", "hook_rejected", "hook_unresolved"), 0)

    async def take(self, found: tuple[Tenant, Service, Hook], payload: dict[str, Any], directory: Directory) -> str:
        """Take a call whose body was read; its transid. Raises `Rejected` (7020) and `StoreUnavailable`."""
        return await self._take(found, payload, directory, None)

    async def once(
        self,
        found: tuple[Tenant, Service, Hook],
        payload: dict[str, Any],
        directory: Directory,
        body: bytes,
        key: str,
    ) -> str:
        """The same for a call that its caller names: it is taken once. Raises `Rejected` (7004) for a name that was
        given to another body."""
        taken: list[str] = []

        async def take(name: Name) -> None:
            taken.append(await self._take(found, payload, directory, name))

        kept = await self._named.once(_caller(*found), key, body, self._means.clock_ms(), take)
        return taken[0] if kept is None else msgspec.json.decode(kept, type=str)

    async def _take(
        self,
        found: tuple[Tenant, Service, Hook],
        payload: dict[str, Any],
        directory: Directory,
        name: Name | None,
    ) -> str:
        tenant, service, hook = found
        now_ms, means = self._means.clock_ms(), self._means
        await means.limits.provide_events(tenant, 1, now_ms)
        means.limits.take_events(tenant, 1, now_ms)
        number = means.ids.next()
        transid = transid_of(number, new_nonce())
        occurrence = Occurrence(
            number, tenant.id, service.id, "hook", hook.id, payload, now_ms, origin=transid,
            notify=service.notify.event_url,
        )  # fmt: skip
        occurrence = self._placed(occurrence, hook, directory)
        answer = msgspec.json.encode(transid).decode()
        kept = kept_answer(number, _caller(*found), name, answer) if name else None
        await means.store.accept_events(Happened([occurrence], kept))
        self.counts["hook_calls"] += 1
        if occurrence.state is OccurrenceState.NEW:
            means.happened([occurrence])
        return transid

    def _placed(self, occurrence: Occurrence, hook: Hook, directory: Directory) -> Occurrence:
        if not directory.passes(hook, occurrence):
            self.counts["hook_ignored"] += 1
            return msgspec.structs.replace(occurrence, state=OccurrenceState.IGNORED, note=FILTERED)
        if not self._means.has_rule(occurrence.tenant, "hook", hook.id):
            self.counts["hook_unresolved"] += 1
            return msgspec.structs.replace(occurrence, state=OccurrenceState.UNRESOLVED, note=NO_RULE)
        return occurrence


def _caller(tenant: Tenant, service: Service, hook: Hook) -> Caller:
    return Caller(tenant.id, f"{service.id}/hooks/{hook.id}")


def payload_of(body: bytes, content_type: str) -> dict[str, Any]:
    """What was posted as an object: JSON or, where the type says so or the body looks like it, XML. A JSON value that
    is no object stands under `body`. Raises `Rejected` (7000, 7027)."""
    kind = content_type.partition(";")[0].strip().lower()
    if "xml" in kind or ("json" not in kind and body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")):
        try:
            return tree(body)
        except BadXml as error:
            raise Rejected(keys.INVALID_XML) from error
    try:
        found = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(keys.INVALID_JSON) from error
    check_depth(found)
    return found if isinstance(found, dict) else {BODY: found}


def check_signature(signature: Signature, body: bytes, given: str | None) -> None:
    """Hold the header of a call against its body. Raises `Rejected` (7029, 7028)."""
    if not given:
        raise Rejected(keys.SIGNATURE_MISSING)
    named, _, digest = given.rpartition("=")
    ours = hmac.new(signature.secret.encode(), body, getattr(hashlib, signature.algorithm)).hexdigest()
    right = hmac.compare_digest(ours.encode(), digest.strip().lower().encode())
    if not right or named.strip().lower() not in ("", signature.algorithm):
        raise Rejected(keys.INVALID_SIGNATURE)
