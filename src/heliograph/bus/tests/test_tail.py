"""Fan-out: every listener hears everything from its start on; a slow one loses the oldest, nobody waits."""

from __future__ import annotations

from heliograph.bus.local import BACKLOG, Tail


def drained(queue: object) -> list[object]:
    """What waits in a queue."""
    found = []
    while not queue.empty():  # type: ignore[attr-defined]
        found.append(queue.get_nowait())  # type: ignore[attr-defined]
    return found


def test_all_listeners_hear_everything() -> None:
    tail = Tail()
    with tail.listen() as one, tail.listen() as two:
        for number in range(3):
            tail.publish({"n": number})

        assert [drained(queue) for queue in (one, two)] == [[{"n": 0}, {"n": 1}, {"n": 2}]] * 2


def test_who_comes_later_hears_what_comes_later() -> None:
    tail = Tail()
    tail.publish({"n": 0})
    with tail.listen() as queue:
        tail.publish({"n": 1})

        assert drained(queue) == [{"n": 1}]


def test_somebody_hears_only_while_listening() -> None:
    tail = Tail()
    before = tail.heard
    with tail.listen():
        during = tail.heard

    assert (before, during, tail.heard) == (False, True, False)


def test_a_slow_listener_loses_the_oldest_and_stays_bounded() -> None:
    tail = Tail()
    with tail.listen() as queue:
        for number in range(BACKLOG + 5):
            tail.publish({"n": number})
        found = drained(queue)

    assert (len(found), found[0], found[-1]) == (BACKLOG, {"n": 5}, {"n": BACKLOG + 4})


def test_closing_ends_every_stream_even_a_full_one() -> None:
    tail = Tail()
    with tail.listen() as slow, tail.listen() as idle:
        for number in range(BACKLOG):
            tail.publish({"n": number})
        drained(idle)
        tail.close()

        assert (drained(slow)[-1], drained(idle)) == (None, [None])
