"""What a destination asks for, the same at all far ends of push. Pure."""

from __future__ import annotations

import re

import msgspec

from heliograph.channels.push.sandbox import wanted

DELIVERED, READ, SILENT = "7500", "7502", "7501"
LAPSING = "7503"
LAPSE_SECONDS = 3  # that such a message is asked to wait before it is tried again
LATER_SECONDS = 1.0
DELIVERED_SECONDS, READ_SECONDS = 0.1, 0.3
_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


class Asked(msgspec.Struct, frozen=True):
    """The code that a device is to end as ("" for none), and whether its push is taken first."""

    code: str
    later: bool


class Saying(msgspec.Struct, frozen=True):
    """What the app says so many seconds after its push was taken; `reason` goes with `failed`."""

    after: float
    event: str
    reason: str = ""


def asked(token: str) -> Asked:
    """What a device's token asks for: a text by its end, 64 hexadecimal digits by the last four and the first six."""
    if _HEX.fullmatch(token):
        code = token[-4:]
        return Asked(code if code.isdigit() and code.startswith("7") else "", token.startswith("999001"))
    how, code, _ = wanted(token)
    return Asked(code, how == "seq")


def sayings(found: Asked, reason: str) -> tuple[Saying, ...]:
    """What the app of such a device says of a push that was taken; `reason` is the native word of the code."""
    if found.code == SILENT:
        return ()
    after = LATER_SECONDS if found.later else DELIVERED_SECONDS
    if found.code == DELIVERED:
        return (Saying(after, "delivered"),)
    if found.later and reason:
        return (Saying(after, "failed", reason),)
    if found.code == READ and found.later:
        return (Saying(after, "read"),)
    return (Saying(DELIVERED_SECONDS, "delivered"), Saying(READ_SECONDS, "read"))
