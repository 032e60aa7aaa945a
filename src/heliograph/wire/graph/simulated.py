"""What an address of the sandbox asks a stand-in for: the conventions that all simulators share. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

LATER_SECONDS = 1.0

_DIGITS = re.compile(r"99900([012])([0-9]{4})")
_TEXT = re.compile(r".*?(sim|seq)-([0-9]{4})(?:-2)?", re.DOTALL)


class Asked(NamedTuple):
    """The published code a message is to end as ("" for none), and whether it is to be submitted first."""

    code: str = ""
    later: bool = False


_NOTHING = Asked()


@lru_cache(maxsize=4096)
def asked(address: str) -> Asked:
    """What this address asks for."""
    if match := _DIGITS.fullmatch(address):
        return Asked(match[2], match[1] == "1")
    if match := _TEXT.fullmatch(address):
        return Asked(match[2], match[1] == "seq")
    return _NOTHING
