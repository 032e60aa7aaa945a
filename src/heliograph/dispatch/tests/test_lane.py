"""How much a lane claims ahead."""

from __future__ import annotations

import pytest

from heliograph.dispatch.lane import Lane
from heliograph.model.workspace import ConnectorSpec

from .conftest import FarEnd

SPEC = ConnectorSpec(name="far", channel="sms", kind="fake", window=10)


@pytest.mark.parametrize(("ahead", "wanted"), [(True, 10), (False, 3)])
def test_no_more_is_claimed_than_can_go_out_at_once_where_that_is_asked_for(ahead: bool, wanted: int) -> None:
    far = FarEnd(SPEC)
    far.window = 3
    lane = Lane("demo/far", SPEC, far, fast=False, clock=lambda: 0.0)
    lane.ahead = ahead

    assert lane.want() == wanted
    far.up = False
    assert lane.want() == 0
