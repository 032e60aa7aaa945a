"""The tables of native codes of the channels on Graph, and what their stand-ins answer."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from heliograph import catalogue
from heliograph.dispatch.retry import CLASSES
from heliograph.wire.graph.meanings import DOWN, HOLDS, OTHER, Fault, load

CHANNELS = ("fb", "whatsapp")
ROWS = [(channel, row) for channel in CHANNELS for row in load(f"heliograph.channels.{channel}").rows.values()]
RETRIES = {*CLASSES, "no", "free"}


@pytest.mark.parametrize(("channel", "row"), ROWS, ids=lambda item: item if isinstance(item, str) else item.native)
def test_a_row_says_what_can_be_acted_on(channel: str, row: Any) -> None:
    assert catalogue.find(row.key)
    assert row.retry in RETRIES
    assert row.holds in HOLDS
    assert row.deactivate in ("yes", "no")
    assert row.note


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_unknown_code_is_a_provider_exception_and_keeps_its_words(channel: str) -> None:
    meanings = load(f"heliograph.channels.{channel}")
    error, _ = meanings.error(Fault(4_711, 12, "never heard of"))

    assert catalogue.code(error.key) == "7010"
    assert (error.native_code, error.detail) == ("4711/12", "never heard of")
    assert {OTHER, DOWN} <= meanings.rows.keys()


@pytest.mark.parametrize(
    ("channel", "code", "fault"),
    [
        (channel, code, fault)
        for channel in CHANNELS
        for table in ("FAULTS", "FAULTS_LATER")
        for code, (_, fault) in getattr(import_module(f"heliograph.channels.{channel}.simulator"), table, {}).items()
    ],
)
def test_a_fault_of_the_stand_in_means_the_code_that_was_asked_for(channel: str, code: str, fault: Fault) -> None:
    assert catalogue.code(load(f"heliograph.channels.{channel}").of(fault).key) == code


def test_the_window_of_24_hours_is_7301_on_both() -> None:
    found = [load(f"heliograph.channels.{channel}").of(fault).key for channel, fault in (
        ("fb", Fault(10, 2018278)), ("whatsapp", Fault(131047))
    )]  # fmt: skip

    assert [catalogue.code(key) for key in found] == ["7301", "7301"]
