"""May it go now, and if not, why: pure functions over (message, facts, now), and what follows from outcomes."""

from heliograph.policy.checks import FAULT, Judged, Verdict, judge_address, judge_addresses, judge_message, story
from heliograph.policy.explaining import Explained, ExplainedTo, explain, explain_all

__all__ = [
    "FAULT",
    "Explained",
    "ExplainedTo",
    "Judged",
    "Verdict",
    "explain",
    "explain_all",
    "judge_address",
    "judge_addresses",
    "judge_message",
    "story",
]
