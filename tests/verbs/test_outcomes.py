"""From an outcome to whom is told, as the workspace stands by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from heliograph.model.ids import Ids
from heliograph.model.message import Content, Message, Request
from heliograph.model.outcome import State
from heliograph.policy import outcomes
from heliograph.policy.outcomes import OutcomeBook, origin_of
from heliograph.workspaces import Workspaces

Make = Callable[..., dict[str, Any]]


def request_of(number: int = 1, notify_url: str = "") -> Request:
    """A request of the service `orders`."""
    message = Message(content=Content(channel="sms"), addresses=(), notify_url=notify_url)
    return Request(id=number, nonce=1, tenant="demo", service="orders", accepted=0, messages=(message,))


def told(book: OutcomeBook, request: Request, key: str = "delivered", state: State = State.DELIVERED) -> str:
    """Where the outcome is told."""
    return book.of(request, 0).change(0, state, key, 0).url


async def test_the_book_follows_the_workspace(workspaces: Workspaces, document: Make, ids: Ids) -> None:
    book, request = OutcomeBook(workspaces.directory, ids.next), request_of()
    seen = []
    for url in ("http://one/dr", "http://two/dr"):
        await workspaces.apply(document(notify={"url": url}))
        seen.append(told(book, request))
    await workspaces.apply({"tenants": []})

    assert [*seen, told(book, request)] == ["http://one/dr", "http://two/dr", ""]


@pytest.mark.parametrize("present", [True, False])
async def test_a_requests_own_url_is_over_the_services_and_outlives_it(
    workspaces: Workspaces, document: Make, ids: Ids, present: bool
) -> None:
    await workspaces.apply(document() if present else {"tenants": []})
    book = OutcomeBook(workspaces.directory, ids.next)

    assert told(book, request_of(notify_url="http://own/dr")) == "http://own/dr"


@pytest.mark.parametrize(
    ("states", "key", "state", "wanted"),
    [
        (["Delivered"], "delivered", State.DELIVERED, True),
        (["Delivered"], "submitted", State.SUBMITTED, False),
        (["Un-Delivered"], "sim_full", State.FAILED, True),
        (["Failed"], "sim_full", State.FAILED, False),
        (["Failed"], "invalid_address", State.FAILED, True),
        ([], "delivered", State.DELIVERED, False),
    ],
)
async def test_only_the_states_that_are_asked_for_are_told(
    workspaces: Workspaces, document: Make, ids: Ids, states: list[str], key: str, state: State, wanted: bool
) -> None:
    await workspaces.apply(document(notify={"url": "http://caller/dr", "states": states}))
    change = OutcomeBook(workspaces.directory, ids.next).of(request_of(), 0).change(0, state, key, 0)

    assert (bool(change.url), bool(change.notice), bool(change.origin)) == (wanted, wanted, wanted)


async def test_the_book_is_bounded(workspaces: Workspaces, ids: Ids, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "KEPT", 5)
    book = OutcomeBook(workspaces.directory, ids.next)
    for number in range(100):
        book.of(request_of(number), 0)

    assert len(book._made) <= 5


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://caller/dr?a=1", "http://caller:80"),
        ("https://caller/dr", "https://caller:443"),
        ("https://user:pw@caller:8443/dr", "https://caller:8443"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin
