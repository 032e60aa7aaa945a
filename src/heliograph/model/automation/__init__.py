"""What a tenant has done by itself: rules as they are declared, and their runs."""

from heliograph.model.automation.declared import (
    Action,
    CallUrl,
    Condition,
    Emit,
    LeaveAlone,
    On,
    OnClick,
    OnInbound,
    OnProfile,
    OnReceipt,
    Rule,
    Send,
    SetProfile,
)
from heliograph.model.automation.runs import DEEPEST, Entry, Run, RunState

__all__ = [
    "DEEPEST",
    "Action",
    "CallUrl",
    "Condition",
    "Emit",
    "Entry",
    "LeaveAlone",
    "On",
    "OnClick",
    "OnInbound",
    "OnProfile",
    "OnReceipt",
    "Rule",
    "Run",
    "RunState",
    "Send",
    "SetProfile",
]
