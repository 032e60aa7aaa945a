"""From what happened to what is written: the change of a transaction, and the notice that tells of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from heliograph.catalogue import keys
from heliograph.model.channel import Channel
from heliograph.model.events import Occurrence
from heliograph.model.message import Address, Request, Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Change, DeviceRow, Notice, device_notice_id
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.automation.occurring import of_change
from heliograph.policy.directory import Directory
from heliograph.policy.telling import delivery_status, target

NewId = Callable[[], int]
KEPT = 10_000  # request elements remembered


@lru_cache(maxsize=4096)
def origin_of(url: str) -> str:
    """Scheme, host and port of a URL: what is called, rests and recovers as one. A URL that cannot be read is
    its own origin, so that it is refused (and seen) by itself."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"


class Outcomes:
    """Makes changes for one request element: what is the same for its destinations is worked out once per state.

    `owner` are the tenant and its service, None when they no longer exist; then nobody is told unless the request
    names its own URL. `reserves` says that something may be set aside for its messages, `reports` that rules follow
    from what becomes of them.
    """

    __slots__ = (
        "_element",
        "_message",
        "_new_id",
        "_request",
        "_service",
        "_targets",
        "_wire_name",
        "reports",
        "reserves",
    )

    def __init__(
        self,
        request: Request,
        element: int,
        owner: tuple[Tenant, Service] | None,
        channel: Channel | None,
        new_id: NewId,
        *,
        reports: bool = False,
    ) -> None:
        tenant, service = owner or (None, None)
        self.reports = reports
        self.reserves = owner is None or bool(tenant and (tenant.billing or tenant.frequency_caps))
        self._request = request
        self._element = element
        self._message = request.messages[element]
        self._service = service
        self._wire_name = channel.name if channel else self._message.content.channel
        self._new_id = new_id
        self._targets: dict[tuple[str, State], str] = {}

    def url(self, key: str, state: State) -> str:
        """Where this outcome is told, or "" where nobody asked for it."""
        cached = self._targets.get((key, state))
        if cached is None:
            word = delivery_status(self._wire_name, key, state)
            cached = target(self._message, self._service, word)
            self._targets[(key, state)] = cached
        return cached

    def change(self, ordinal: int, state: State, key: str, at: int, detail: str = "") -> Change:
        """A change to a told state, without the particulars of a submit."""
        url = self.url(key, state)
        return Change(
            self._request.id, ordinal, state, key, at, detail,
            notice=self._new_id() if url else 0, url=url, origin=origin_of(url) if url else "",
        )  # fmt: skip

    def submitted(
        self, transaction: Transaction, at: int, connector: str, natives: tuple[str, ...], due: int
    ) -> Change:
        """The far end took it; `due` is when the wait for its receipt ends."""
        url = self.url(keys.SUBMITTED, State.SUBMITTED)
        return Change(
            self._request.id, transaction.ordinal, State.SUBMITTED, keys.SUBMITTED, at, "", transaction.attempt,
            connector, due, transaction.duplicate,
            self._new_id() if url else 0, url, origin_of(url) if url else "", natives,
        )  # fmt: skip

    def report(self, change: Change, transaction: Transaction) -> Occurrence | None:
        """What rules are told of a change; None where none of them asks, or there is nothing to tell."""
        word = delivery_status(self._wire_name, change.key, change.state) if self.reports else ""
        return of_change(self._request, change, transaction, word, self._new_id()) if word else None

    def notice(self, change: Change, transaction: Transaction) -> Notice:
        """The notice that a change wrote, as the teller takes it."""
        return Notice(
            change.notice, change.request, change.ordinal, self._element, transaction.address, change.state,
            change.key, change.detail, change.at, change.url, change.origin, self._request.tenant,
            self._request.service,
        )  # fmt: skip

    def of_device(
        self, transaction: Transaction, row: DeviceRow, state: State, key: str, at: int, detail: str
    ) -> list[Notice]:
        """What is owed for a message to a user that stands there on one of their devices: a notice, or none where
        nobody asked for it."""
        url = self.url(key, state)
        if not url:
            return []
        address = Address(row.kind, row.token, transaction.address.correlation)
        return [
            Notice(
                device_notice_id(row.part, state), row.request, row.ordinal, self._element, address, state, key,
                detail, at, url, origin_of(url), self._request.tenant, self._request.service, device=row.device,
            )
        ]  # fmt: skip


def untold(change: Change) -> Change:
    """A change that nobody is told of by itself: those of the devices are told instead."""
    return msgspec.structs.replace(change, notice=0, url="", origin="")


class Made(NamedTuple):
    """A change on its way to the store, with what is needed to tell of it; without `outcomes` nobody is told."""

    change: Change
    outcomes: Outcomes | None
    transaction: Transaction


def owed_by(made: Sequence[Made], owed: Sequence[Notice], applied: Sequence[bool]) -> list[Notice]:
    """The notices of a settlement's changes that took effect, and those of devices that were kept."""
    kept = [notice for notice, took in zip(owed, applied[len(made) :], strict=True) if took]
    return [*notices_owed(made, applied), *kept]


def notices_owed(made: Iterable[Made], applied: Iterable[bool]) -> list[Notice]:
    """The notices of the changes that took effect."""
    return [
        outcomes.notice(change, transaction)
        for (change, outcomes, transaction), took in zip(made, applied, strict=False)
        if took and change.notice and outcomes
    ]


def reports_of(made: Iterable[Made]) -> list[tuple[int, Occurrence]]:
    """What rules are told of changes, each with the place of its change."""
    return [
        (place, report)
        for place, (change, outcomes, transaction) in enumerate(made)
        if outcomes is not None and (report := outcomes.report(change, transaction)) is not None
    ]


class OutcomeBook:
    """Finds the maker of changes for a request element, as the workspace stands now."""

    def __init__(self, directory: Callable[[], Directory], new_id: NewId) -> None:
        self._directory = directory
        self._new_id = new_id
        self._version = -1
        self._made: dict[tuple[int, int], Outcomes] = {}

    def of(self, request: Request, element: int) -> Outcomes:
        """The outcomes of one element of a request."""
        directory = self._directory()
        if directory.version != self._version or len(self._made) >= KEPT:
            self._made.clear()
            self._version = directory.version
        made = self._made.get((request.id, element))
        if made is None:
            found = directory.service_of(request.tenant, request.service)
            channel = directory.channels.get(request.messages[element].content.channel)
            reports = directory.rules(request.tenant).has("receipt")
            made = Outcomes(request, element, found, channel, self._new_id, reports=reports)
            self._made[request.id, element] = made
        return made
