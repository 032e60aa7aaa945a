"""May it go now, and if not, why: pure functions over (message, facts, now), and what follows from outcomes."""

from heliograph.policy.checks import (
    Explained,
    Verdict,
    explain,
    explain_all,
    judge_address,
    judge_addresses,
    judge_message,
    story,
)

__all__ = [
    "Explained",
    "Verdict",
    "explain",
    "explain_all",
    "judge_address",
    "judge_addresses",
    "judge_message",
    "story",
]
