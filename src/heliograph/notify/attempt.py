"""One try to tell one notice: rendered, signed, posted, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from heliograph import __version__
from heliograph.model.message import Request
from heliograph.model.record import Delivery, Notice, Told
from heliograph.model.workspace import Service, Tenant
from heliograph.notify import ladder
from heliograph.notify.envelope import receipt_body
from heliograph.notify.ladder import Meaning
from heliograph.notify.seams import ClockMs, NoticeStore, Services
from heliograph.wire.http import Client, HttpError
from heliograph.wire.signing import signed_headers

REQUESTS_KEPT = 512
ID_HEADER = "x-heliograph-id"  # of the call, the same when it is made again
HEADERS = {"content-type": "application/json", "user-agent": f"heliograph/{__version__}"}


@dataclass(frozen=True, slots=True)
class Tried:
    """`told` is for the table. `answered` says whether the endpoint answered; None if it was not called."""

    told: Told
    answered: bool | None


class Attempts:
    """Makes tries; remembers the requests it rendered last."""

    def __init__(
        self, store: NoticeStore, client: Client, services: Services, clock_ms: ClockMs, rng: Random,
        timeout: float,
    ) -> None:  # fmt: skip
        self._store = store
        self._client = client
        self._services = services
        self._clock_ms = clock_ms
        self._rng = rng
        self._timeout = timeout
        self._requests: dict[int, Request] = {}

    async def tell(self, notice: Notice, following: Iterable[Notice] = ()) -> Tried:
        """Call the notice's URL once. `following` are those that come next, whose requests are read with this
        one's if it has to be read."""
        found = self._services(notice.tenant, notice.service)
        if found is None:
            return self._parked(notice, "the service no longer exists")
        body = await self._body(notice, following)
        if body is None:
            return self._parked(notice, "the request is no longer kept, so there is nothing to tell")
        tenant, service = found
        try:
            status = await self._post(notice, body, tenant, service)
        except HttpError as error:
            meaning = ladder.of_failure(error.kind)
            called = False if meaning is Meaning.RETRY else None
            return Tried(self._judged(notice, service, meaning, 0, str(error)), called)
        meaning = ladder.of_status(status)
        error_text = "" if meaning is Meaning.DONE else f"the endpoint answered {status}"
        return Tried(self._judged(notice, service, meaning, status, error_text), True)

    def broken(self, notice: Notice) -> Tried:
        """The outcome of a try that a fault of ours ended."""
        told = self._judged(notice, None, Meaning.RETRY, 0, "internal error, see the log")
        return Tried(told, None)

    def overdue(self, notice: Notice, why: str) -> Told | None:
        """The end of a notice older than its whole ladder, whose endpoint is not to be called now."""
        found = self._services(notice.tenant, notice.service)
        now = self._clock_ms()
        if found is not None and now - notice.at <= ladder.span(_steps(found[1])):
            return None
        return _told(notice, Delivery.PARKED, notice.attempts, now, error=f"given up: {why}")

    async def _post(self, notice: Notice, body: bytes, tenant: Tenant, service: Service) -> int:
        headers = HEADERS | {ID_HEADER: f"{notice.request}.{notice.ordinal}.{notice.id}"}
        if service.notify.secret:
            headers |= signed_headers(service.notify.secret, body, self._clock_ms() // 1000)
        private = tenant.allow_private_targets or service.sandbox  # decisions 7
        answer = await self._client.request("POST", notice.url, headers, body, self._timeout, private)
        return answer.status

    async def _body(self, notice: Notice, following: Iterable[Notice]) -> bytes | None:
        if notice.body:
            return notice.body.encode()
        request = self._requests.get(notice.request)
        if request is None:
            wanted = {notice.request} | {other.request for other in following if other.request}
            read = await self._store.requests(wanted - self._requests.keys())
            for key, value in read.items():
                while len(self._requests) >= REQUESTS_KEPT:
                    self._requests.pop(next(iter(self._requests)))
                self._requests[key] = value
            request = read.get(notice.request)
        return receipt_body(notice, request) if request else None

    def _judged(self, notice: Notice, service: Service | None, meaning: Meaning, status: int, error: str) -> Told:
        now = self._clock_ms()
        attempts = notice.attempts + 1
        delivery, due = Delivery.DONE, 0
        if meaning is not Meaning.DONE:
            chosen = _steps(service)
            again = ladder.next_due(chosen, attempts, now, self._rng) if meaning is Meaning.RETRY else None
            delivery, due = (Delivery.PENDING, again) if again is not None else (Delivery.PARKED, 0)
        return _told(notice, delivery, attempts, now, due, status, error)

    def _parked(self, notice: Notice, why: str) -> Tried:
        told = _told(notice, Delivery.PARKED, notice.attempts, self._clock_ms(), error=why)
        return Tried(told, None)


def _told(
    notice: Notice, delivery: Delivery, attempts: int, at: int, due: int = 0, status: int = 0, error: str = ""
) -> Told:
    return Told(notice.request, notice.ordinal, notice.id, delivery, attempts, at, due, status, error)


def _steps(service: Service | None) -> ladder.Steps:
    return ladder.steps(service.notify.retries, service.fast) if service else ladder.LADDER
