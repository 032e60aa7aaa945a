"""A bounded memory: what was used lately is there, never more than twice its size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from heliograph.store.cache import Recent


def test_the_last_entries_are_there() -> None:
    recent: Recent[int, int] = Recent(10)
    for number in range(1_000):
        recent.put(number, number)

    assert [recent.get(number) for number in range(990, 1_000)] == list(range(990, 1_000))


def test_what_is_not_used_is_forgotten() -> None:
    recent: Recent[int, int] = Recent(10)
    for number in range(100):
        recent.put(number, number)

    assert recent.get(0) is None


def test_what_is_used_stays() -> None:
    recent: Recent[int, int] = Recent(10)
    recent.put(-1, 7)
    for number in range(1_000):
        recent.put(number, number)
        assert recent.get(-1) == 7


def test_what_was_taken_out_is_gone_from_both_generations() -> None:
    recent: Recent[int, str] = Recent(2)
    for number, value in ((1, "old"), (2, "x"), (1, "new")):
        recent.put(number, value)

    assert (recent.pop(1), recent.pop(1), recent.get(1)) == ("new", None, None)


@given(st.integers(1, 8), st.lists(st.tuples(st.sampled_from("pgx"), st.integers(0, 20)), max_size=200))
def test_it_is_bounded_and_never_tells_an_older_value(size: int, steps: list[tuple[str, int]]) -> None:
    recent: Recent[int, int] = Recent(size)
    last: dict[int, int] = {}
    for moment, (word, key) in enumerate(steps):
        if word == "p":
            recent.put(key, moment)
            last[key] = moment
        elif word == "g":
            assert recent.get(key) in (None, last.get(key))
        else:
            assert recent.pop(key) in (None, last.pop(key, None))
        assert len(recent) <= 2 * size
