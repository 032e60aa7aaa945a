"""The ladder as tables: what answers mean, when the next try is due."""

from random import Random

import pytest

from heliograph.notify.ladder import (
    COMPATIBLE,
    FAST,
    LADDER,
    Meaning,
    next_due,
    of_failure,
    of_status,
    span,
    steps,
)

PARKED = [
    300,
    301,
    302,
    303,
    304,
    305,
    306,
    307,
    308,
    400,
    402,
    404,
    405,
    406,
    407,
    408,
    409,
    410,
    411,
    414,
    415,
]
PARKED += [416, 418, 505]
RETRIED = [401, 403, 412, 413, 417, 429, 500, 501, 502, 503, 504, 506, 507, 511, 599, 422, 451]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 208, 226, 299])
def test_any_2xx_is_success(status: int) -> None:
    assert of_status(status) is Meaning.DONE


@pytest.mark.parametrize("status", PARKED)
def test_the_no_retry_list_parks_at_once(status: int) -> None:
    assert of_status(status) is Meaning.PARK


@pytest.mark.parametrize("status", RETRIED)
def test_every_other_answer_is_tried_again(status: int) -> None:
    assert of_status(status) is Meaning.RETRY


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("refused_target", Meaning.PARK),
        ("bad_url", Meaning.PARK),
        ("resolve", Meaning.RETRY),
        ("connect", Meaning.RETRY),
        ("tls", Meaning.RETRY),
        ("timeout", Meaning.RETRY),
        ("closed", Meaning.RETRY),
        ("protocol", Meaning.RETRY),
    ],
)
def test_failures(kind, meaning: Meaning) -> None:
    assert of_failure(kind) is meaning


@pytest.mark.parametrize(
    ("retries", "fast", "seconds"),
    [
        ("ladder", False, (5, 30, 120, 600, 3600, 10800, 21600, 43200)),
        ("compatible", False, (60, 60, 60)),
        ("ladder", True, (0.1, 0.2, 0.4, 0.8, 1.6)),
        ("compatible", True, (0.1, 0.2, 0.4)),
    ],
)
def test_steps(retries, fast: bool, seconds: tuple[float, ...]) -> None:
    assert steps(retries, fast) == tuple(round(step * 1000) for step in seconds)


@pytest.mark.parametrize("chosen", [LADDER, FAST])
def test_every_step_is_jittered_by_a_tenth(chosen: tuple[int, ...]) -> None:
    rng = Random(1)
    for attempts, step in enumerate(chosen, 1):
        dues = [next_due(chosen, attempts, 1_000_000, rng) - 1_000_000 for _ in range(200)]
        assert step * 0.9 - 1 <= min(dues) < step < max(dues) <= step * 1.1 + 1


def test_the_compatible_schedule_has_no_jitter() -> None:
    assert [next_due(COMPATIBLE, n, 0, Random(1)) for n in (1, 2, 3)] == [60_000] * 3


@pytest.mark.parametrize("chosen", [LADDER, COMPATIBLE, FAST])
def test_behind_the_last_step_there_is_no_next(chosen: tuple[int, ...]) -> None:
    assert next_due(chosen, len(chosen), 0, Random(1)) is not None
    assert next_due(chosen, len(chosen) + 1, 0, Random(1)) is None


def test_the_whole_ladder_takes_under_a_day() -> None:
    assert span(LADDER) == (5 + 30 + 120 + 600 + 3600 * 22) * 1000


def test_the_fast_ladder_ends_within_seconds() -> None:
    assert span(FAST) * 1.1 < 4000
