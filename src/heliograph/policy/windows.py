"""How long a receipt is waited for. Pure."""

from __future__ import annotations

from heliograph.model.message import Message
from heliograph.policy.facts import Facts

HOUR_MS = 3_600_000
DEFAULT_MS = {"sms": 72 * HOUR_MS}  # decisions 8: validity or 72 h on SMS, 24 h elsewhere
OTHERWISE_MS = 24 * HOUR_MS
SANDBOX_MS = 5_000
GRAIN_MS = 250  # ends are rounded up to this, so that many share one row


def receipt_window_ms(facts: Facts | None, message: Message, now_ms: int) -> int:
    """The Unix milliseconds at which the wait for a receipt of a message submitted now ends."""
    channel = message.content.channel
    if facts is not None and facts.service.fast:
        window = SANDBOX_MS
    elif facts is not None and (declared := facts.window_ms(channel)):
        window = declared
    else:
        window = DEFAULT_MS.get(channel, OTHERWISE_MS)
    return -(-(now_ms + window) // GRAIN_MS) * GRAIN_MS
