"""How long a receipt is waited for."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from heliograph.channels.sms import CHANNEL as SMS
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.facts import HOUR_MS, SANDBOX_WINDOW_MS, facts_for
from heliograph.policy.windows import GRAIN_MS, window_end_ms

CHANNELS = {
    "sms": SMS,
    "rt": dataclasses.replace(SMS, name="rt"),
    "push": dataclasses.replace(SMS, name="push", lapses=False),
}


@pytest.mark.parametrize(
    ("service", "sms", "rt", "push"),
    [
        ({}, 72 * HOUR_MS, 24 * HOUR_MS, 0),
        ({"receipt_window": {"default": "1h"}}, HOUR_MS, HOUR_MS, 0),
        ({"receipt_window": {"push": "2h", "sms": "3h"}}, 3 * HOUR_MS, 24 * HOUR_MS, 2 * HOUR_MS),
        ({"sandbox": True}, SANDBOX_WINDOW_MS, SANDBOX_WINDOW_MS, 0),
        (
            {"sandbox": True, "receipt_window": {"push": "2h"}},
            SANDBOX_WINDOW_MS,
            SANDBOX_WINDOW_MS,
            SANDBOX_WINDOW_MS,
        ),
        ({"sandbox": True, "pace": "real"}, 72 * HOUR_MS, 24 * HOUR_MS, 0),
    ],
)
def test_a_window_is_the_channels_unless_the_service_says_otherwise(
    service: dict[str, Any], sms: int, rt: int, push: int
) -> None:
    found = facts_for(Tenant(id="t"), Service(id="s", **service), CHANNELS).windows

    assert dict(found) == {"sms": sms, "rt": rt, "push": push}


def test_a_window_ends_at_a_grain_and_none_at_no_time() -> None:
    assert window_end_ms(1_000, 1) == 1_000 + GRAIN_MS
    assert window_end_ms(0, 1) == 0
