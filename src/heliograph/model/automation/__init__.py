"""What a tenant has done by itself: rules as they are declared, and their runs."""

from heliograph.model.automation.declared import (
    Action,
    Condition,
    Emit,
    LeaveAlone,
    Notify,
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
    "Condition",
    "Emit",
    "Entry",
    "LeaveAlone",
    "Notify",
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
