"""Processes on one database go by its clock: what the machine's clock does is noticed by nobody."""

from __future__ import annotations

import logging

import pytest

from heliograph.cli.parts.clock import Clock

NOW, HOUR = 1_800_000_000_000, 3_600_000


class World:
    """A machine and its database, on which time passes when it is asked."""

    def __init__(self) -> None:
        self.wall, self.passed, self.theirs, self.answer_takes = NOW, 0.0, NOW, 0.0
        self.clock = Clock(lambda: self.wall, lambda: self.passed)

    def go_on(self, seconds: float) -> None:
        """Time passes for all."""
        self.passed += seconds
        self.wall += round(seconds * 1_000)
        self.theirs += round(seconds * 1_000)

    async def now_ms(self) -> int:
        """What the database answers."""
        self.go_on(self.answer_takes / 2)
        shown = self.theirs
        self.go_on(self.answer_takes / 2)
        return shown

    async def look(self) -> None:
        """The process looks at the database's clock."""
        await self.clock.look(self.now_ms)


def test_of_a_process_alone_the_machine_s_clock_counts() -> None:
    world = World()
    world.wall += HOUR

    assert world.clock() == NOW + HOUR


@pytest.mark.parametrize("wrong", [-HOUR, HOUR])
async def test_a_machine_whose_clock_is_wrong_goes_by_the_database_s(wrong: int) -> None:
    world = World()
    world.wall += wrong
    await world.look()
    world.go_on(10)

    assert abs(world.clock() - (NOW + 10_000)) <= 1


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
async def test_a_jump_of_the_machine_s_clock_is_not_noticed(jump: int) -> None:
    world = World()
    await world.look()
    before = world.clock()
    world.wall += jump

    assert world.clock() == before


async def test_a_jump_of_the_database_s_clock_is_followed() -> None:
    world = World()
    await world.look()
    world.theirs += HOUR
    await world.look()

    assert abs(world.clock() - world.theirs) <= 1


async def test_an_answer_that_was_long_under_way_moves_nothing() -> None:
    world = World()
    await world.look()
    world.answer_takes = 6.0
    await world.look()

    assert abs(world.clock() - world.theirs) <= 1


async def test_a_wrong_clock_is_said_once_and_once_that_it_is_right(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    world = World()
    for off in (0, HOUR, 0, 0, -HOUR, 0):
        world.wall += off
        await world.look()

    assert len(caplog.records) == 2
