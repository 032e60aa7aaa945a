"""What the parts of a rule name: fields in conditions, `${...}` in texts, the trigger; and its expressions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import re2

from heliograph.model.automation.declared import Condition, On

PLACE = re.compile(r"\$\{([^\W\d][\w.-]*)\}")
"""A placeholder of a rule: a dotted name."""

NAME = re.compile(r"[^\W\d][\w.-]{0,255}")
"""A dotted name by itself."""

OCCURRENCE, PROFILE = "occurrence", "profile"
"""The names that every scope has beside the payload's own."""

REGEX_BYTES = 1 << 20  # what RE2 may use for one expression
REGEX_STEPS = 1_300  # of its program: RE2 takes this times the length of the text at the very worst


def names_in(value: Any) -> list[str]:
    """Every name that the texts in a value ask for, in order."""
    if isinstance(value, str):
        return PLACE.findall(value)
    if isinstance(value, dict):
        return [name for inner in value.values() for name in names_in(inner)]
    return [name for inner in value for name in names_in(inner)] if isinstance(value, list | tuple) else []


def fields_of(conditions: Iterable[Condition]) -> list[str]:
    """Every name that conditions ask for, in order."""
    found: list[str] = []
    for condition in conditions:
        found += [condition.field] if condition.field else []
        found += names_in(condition.value)
        found += fields_of((*(condition.all or ()), *(condition.any or ())))
        found += fields_of([condition.negated]) if condition.negated is not None else []
    return found


def is_of_profile(name: str) -> bool:
    """Whether a name asks for the profile of a person."""
    return name == PROFILE or name.startswith(f"{PROFILE}.")


def key_of(on: On) -> tuple[str, str]:
    """The trigger of a rule, and the event or hook that it names; "" for none."""
    if on.event or on.hook:
        return ("event", on.event) if on.event else ("hook", on.hook)
    others = ("inbound", "receipt", "click", "profile")
    return next((name for name in others if getattr(on, name) is not None), ""), ""


def regex_options() -> Any:
    """How the expressions of rules are read: by RE2, in linear time; `(?i)` leaves capitals aside."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = REGEX_BYTES
    return options


def regex_fault(pattern: str) -> str:
    """Why RE2 does not take an expression; "" when it does."""
    try:
        steps = re2.compile(pattern, regex_options()).programsize
    except re2.error as error:
        [what, *_] = error.args or ("",)
        return what.decode(errors="replace") if isinstance(what, bytes) else str(what)
    return f"it would take too long: {steps} steps, {REGEX_STEPS} at most" if steps > REGEX_STEPS else ""
