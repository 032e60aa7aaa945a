"""What a process took and could not hand on is handed on by another, whatever its clock showed."""

from __future__ import annotations

import random
from pathlib import Path

import chaos
import chaos_cluster
import strikes

MESSAGES, SECONDS, ACK_WAIT = 50, 20, 3


def test_what_died_with_a_process_whose_clock_was_an_hour_ahead_goes_out_soon(tmp_path: Path) -> None:
    rng = random.Random(0)
    calls = list(chaos.calls_of(100_000_000, MESSAGES, rng))
    with strikes.world(tmp_path, rng, ACK_WAIT, with_disks=False) as there:
        there.waiting.extend(calls)
        there.orphan()
        gone, _ = chaos_cluster.wait_final(there)
        states = dict(there.ask("SELECT state || ' ' || count(*) FROM transactions GROUP BY state"))

    assert {call.fate for call in calls} == {"accepted"}
    assert states == {str(chaos.DELIVERED): str(MESSAGES)}
    assert gone < SECONDS
