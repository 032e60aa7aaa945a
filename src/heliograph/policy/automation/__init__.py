"""Which rules follow from what happened, and what they then do: pure functions over an occurrence and a profile."""

from heliograph.policy.automation.book import Compiled, RuleBook, compiled, digest_of
from heliograph.policy.automation.filling import NoValue, fill, fill_members
from heliograph.policy.automation.program import Await, Step, Wait
from heliograph.policy.automation.scope import Scope

__all__ = [
    "Await",
    "Compiled",
    "NoValue",
    "RuleBook",
    "Scope",
    "Step",
    "Wait",
    "compiled",
    "digest_of",
    "fill",
    "fill_members",
]
