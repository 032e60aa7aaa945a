"""Limits of tenants: all of a call or nothing, a day to the destination."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.catalogue import keys
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Limits, Tenant
from heliograph.policy.limits import DAY_MS, Limiter, Standing, day_of

NOW = 20_000 * DAY_MS + 3_600_000


def tenant(**limits: int) -> Tenant:
    """A tenant with limits."""
    return Tenant(id="demo", limits=Limits(**limits))


def took(limiter: Limiter, one: Tenant, count: int, now_ms: int = NOW) -> bool:
    """Whether the limiter let it through."""
    try:
        limiter.take_messages(one, count, now_ms)
    except Rejected as error:
        return error.key != keys.TRANSACTION_LIMIT
    return True


def test_a_tenant_without_limits_keeps_no_state() -> None:
    limiter = Limiter()

    assert all(took(limiter, Tenant(id="free"), 1_000) for _ in range(1_000))
    assert limiter.messages(Tenant(id="free"), NOW) is None
    assert limiter.queries(Tenant(id="free"), NOW) is None


@given(st.integers(1, 500), st.lists(st.integers(0, 100), max_size=50))
def test_a_day_is_used_to_the_destination(most: int, counts: list[int]) -> None:
    limiter, one, used = Limiter(), tenant(messaging_per_day=most), 0
    for count in counts:
        fits = used + count <= most
        assert took(limiter, one, count) == fits
        used += count if fits else 0
        standing = limiter.messages(one, NOW)
        assert standing == Standing(most, most - used, (day_of(NOW) + 1) * 86_400)


def test_a_new_day_begins_at_nothing() -> None:
    limiter, one = Limiter(), tenant(messaging_per_day=3)

    assert took(limiter, one, 3)
    assert not took(limiter, one, 1)
    assert took(limiter, one, 3, NOW + DAY_MS)
    assert not took(limiter, one, 1, NOW)  # a clock that goes back over midnight gives nothing twice


def test_what_the_store_has_counts() -> None:
    limiter = Limiter([("demo", day_of(NOW), 2), ("demo", day_of(NOW) - 1, 100), ("another", day_of(NOW), 100)])

    assert not took(limiter, tenant(messaging_per_day=3), 2)
    assert took(limiter, tenant(messaging_per_day=3), 1)


def test_what_was_not_kept_is_given_back() -> None:
    limiter, one = Limiter(), tenant(messaging_per_day=3)
    limiter.give_back(one, limiter.take_messages(one, 3, NOW), 3)

    assert took(limiter, one, 3)


def test_a_call_over_the_day_takes_nothing_from_the_second() -> None:
    limiter, one = Limiter(), tenant(messaging_per_day=5, messaging_per_second=10)

    assert not took(limiter, one, 6)
    assert took(limiter, one, 5)


def test_a_call_over_the_second_takes_nothing_from_the_day() -> None:
    limiter, one = Limiter(), tenant(messaging_per_day=5, messaging_per_second=3)

    assert not took(limiter, one, 4)
    assert took(limiter, one, 3)
    assert took(limiter, one, 2, NOW + 1_000)


def test_the_limit_that_is_met_first_is_told() -> None:
    limiter, one = Limiter(), tenant(messaging_per_day=5, messaging_per_second=3)

    assert limiter.messages(one, NOW) == Standing(3, 3, NOW // 1_000)
    assert took(limiter, one, 3)
    assert limiter.messages(one, NOW) == Standing(3, 0, NOW // 1_000 + 1)
    assert limiter.messages(one, NOW + 1_000) == Standing(5, 2, (day_of(NOW) + 1) * 86_400)


def test_queries_have_a_bucket_of_their_own() -> None:
    limiter, one = Limiter(), tenant(status_per_second=1, messaging_per_second=1)
    limiter.take_query(one, NOW)

    with pytest.raises(Rejected):
        limiter.take_query(one, NOW + 999)
    assert took(limiter, one, 1)
    limiter.take_query(one, NOW + 1_000)


def test_tenants_do_not_share() -> None:
    limiter, one = Limiter(), tenant(messaging_per_second=1)

    assert took(limiter, one, 1)
    assert took(limiter, msgspec.structs.replace(one, id="two"), 1)
