"""Limits: all of a call or nothing, a span of the calendar to the destination."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.catalogue import keys
from heliograph.model.outcome import Rejected
from heliograph.model.record import Counted
from heliograph.model.workspace import Tenant
from heliograph.policy.limits import Limiter, Meters, Standing
from heliograph.policy.meters import DAY_MS, PERIODS, day, meters_of, month, week

NOW = 20_000 * DAY_MS + 3_600_000  # Friday, 2024-10-04


def meters(tenant: dict[str, Any] | None = None, service: dict[str, Any] | None = None, **limits: int) -> Meters:
    """What the messages of a service of a tenant with these limits count towards."""
    plain = {"id": "demo", "limits": {**limits, **(tenant or {})}, "services": [{"id": "orders", **(service or {})}]}
    read = msgspec.convert(plain, Tenant)
    return meters_of(read, read.services[0])


def took(limiter: Limiter, chosen: Meters, count: int, now_ms: int = NOW, channel: str = "sms") -> bool:
    """Whether the limiter let it through."""
    try:
        limiter.take_messages(chosen, {channel: count}, now_ms)
    except Rejected as error:
        return error.key != keys.TRANSACTION_LIMIT
    return True


def test_without_limits_there_is_nothing_to_count_towards() -> None:
    limiter = Limiter()

    assert meters() == ()
    assert limiter.take_messages((), {"sms": 1_000}, NOW) == ()
    assert limiter.messages((), NOW) is None
    assert limiter.queries(Tenant(id="free"), NOW) is None


ENDS = {
    "messaging_per_day": datetime(2024, 10, 5, tzinfo=UTC),
    "messaging_per_week": datetime(2024, 10, 7, tzinfo=UTC),
    "messaging_per_month": datetime(2024, 11, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("name", PERIODS)
@given(most=st.integers(1, 500), counts=st.lists(st.integers(0, 100), max_size=50))
def test_a_span_is_used_to_the_destination(name: str, most: int, counts: list[int]) -> None:
    limiter, one, used = Limiter(), meters(**{name: most}), 0
    for count in counts:
        fits = used + count <= most
        assert took(limiter, one, count) == (fits or not count)
        used += count if fits else 0
        assert limiter.messages(one, NOW) == Standing(most, most - used, int(ENDS[name].timestamp()))


@pytest.mark.parametrize("name", PERIODS)
def test_a_new_span_begins_at_nothing(name: str) -> None:
    limiter, one = Limiter(), meters(**{name: 3})
    end = int(ENDS[name].timestamp() * 1_000)

    assert took(limiter, one, 3)
    assert not took(limiter, one, 1, end - 1)
    assert took(limiter, one, 3, end)
    assert not took(limiter, one, 1, end - 1)  # a clock that goes back gives nothing twice


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)))
def test_spans_follow_the_calendar(at: datetime) -> None:
    now_ms = int(at.timestamp() * 1_000)
    ends = [datetime.fromtimestamp(span(now_ms).until_ms / 1_000, UTC) for span in (day, week, month)]

    assert all(end > at for end in ends)
    assert (ends[0] - at).total_seconds() <= 86_400
    assert (ends[1].weekday(), ends[1].hour, (ends[1] - at).total_seconds() <= 7 * 86_400) == (0, 0, True)
    assert (ends[2].day, ends[2].month) == (1, at.month % 12 + 1)


def test_spans_of_two_kinds_have_names_of_their_own() -> None:
    assert len({span(NOW).name for span in PERIODS.values()}) == 3


SCOPES: list[tuple[str, dict[str, Any], list[bool]]] = [
    ("the tenant", {"tenant": {"messaging_per_day": 3}}, [True, False, False]),
    ("the tenant on sms", {"tenant": {"channels": {"sms": {"messaging_per_day": 3}}}}, [True, False, True]),
    ("the service", {"service": {"limits": {"messaging_per_day": 3}}}, [True, False, False]),
    (
        "the service on sms",
        {"service": {"channels": {"sms": {"limits": {"messaging_per_day": 3}}}}},
        [True, False, True],
    ),
    (
        "the smallest counts",
        {"tenant": {"messaging_per_day": 100}, "service": {"limits": {"messaging_per_second": 3}}},
        [True, False, False],
    ),
]


@pytest.mark.parametrize("case", SCOPES, ids=[case[0] for case in SCOPES])
def test_a_limit_holds_for_its_scope(case: tuple[str, dict[str, Any], list[bool]]) -> None:
    _, declared, expected = case
    limiter, one = Limiter(), meters(**declared)

    assert [
        took(limiter, one, 2), took(limiter, one, 2), took(limiter, one, 2, channel="rt")
    ] == expected  # fmt: skip


def test_services_of_a_tenant_share_its_limit_and_not_their_own() -> None:
    plain = {
        "id": "demo", "limits": {"messaging_per_day": 5},
        "services": [{"id": name, "limits": {"messaging_per_day": 3}} for name in ("one", "two")],
    }  # fmt: skip
    tenant, limiter = msgspec.convert(plain, Tenant), Limiter()
    one, two = (meters_of(tenant, service) for service in tenant.services)

    assert took(limiter, one, 3)
    assert not took(limiter, one, 1)
    assert took(limiter, two, 2)
    assert not took(limiter, two, 1)


def test_what_the_store_has_counts() -> None:
    limiter, today = Limiter(), day(NOW)
    limiter.recall([Counted("demo", today.name, today.until_ms, 2), Counted("other", today.name, today.until_ms, 9)])

    assert not took(limiter, meters(messaging_per_day=3), 2)
    assert took(limiter, meters(messaging_per_day=3), 1)


def test_what_was_not_kept_is_given_back() -> None:
    limiter, one = Limiter(), meters(messaging_per_day=3, messaging_per_month=3)
    limiter.give_back(limiter.take_messages(one, {"sms": 3}, NOW))

    assert took(limiter, one, 3)


@pytest.mark.parametrize(
    ("limits", "too_many"), [({"messaging_per_day": 5, "messaging_per_second": 10}, 6),
                             ({"messaging_per_day": 6, "messaging_per_second": 5}, 6)],
)  # fmt: skip
def test_a_call_over_one_limit_takes_nothing_from_the_other(limits: dict[str, int], too_many: int) -> None:
    limiter, one = Limiter(), meters(**limits)

    assert not took(limiter, one, too_many)
    assert took(limiter, one, 5)


def test_the_limit_that_is_met_first_is_told() -> None:
    limiter, one = Limiter(), meters(messaging_per_day=5, messaging_per_second=3)

    assert limiter.messages(one, NOW) == Standing(3, 3, NOW // 1_000)
    assert took(limiter, one, 3)
    assert limiter.messages(one, NOW) == Standing(3, 0, NOW // 1_000 + 1)
    assert limiter.messages(one, NOW + 1_000) == Standing(5, 2, day(NOW).until_ms // 1_000)


def test_asking_for_room_takes_nothing() -> None:
    limiter, one = (
        Limiter(),
        meters(messaging_per_day=5, service={"channels": {"rt": {"limits": {"messaging_per_day": 1}}}}),
    )

    assert limiter.room(one, {"sms": 5}, NOW)
    assert not limiter.room(one, {"sms": 2, "rt": 2}, NOW)
    assert took(limiter, one, 5)


def test_queries_have_a_bucket_of_their_own() -> None:
    limiter = Limiter()
    tenant = msgspec.convert({"id": "demo", "limits": {"status_per_second": 1}}, Tenant)
    limiter.take_query(tenant, NOW)

    with pytest.raises(Rejected):
        limiter.take_query(tenant, NOW + 999)
    assert took(limiter, meters(messaging_per_second=1), 1)
    limiter.take_query(tenant, NOW + 1_000)
