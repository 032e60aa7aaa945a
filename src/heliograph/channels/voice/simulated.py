"""What the SIP user-agent simulator does with a call, chosen by the number that is called. The README has the
numbers."""

from __future__ import annotations

from typing import NamedTuple

NOW, LATER, SECOND = "999000", "999001", "999002"
"""Beginnings of numbers: ends as the code; rings and then the code; the second row of a code."""
NATIVE, KEYS, KEYS_POUND, TALKS, CAUSE, ODD = "99901", "99902", "99903", "99904", "99905", "99906"
"""Beginnings of numbers: a SIP status; digits to press, the second with # behind them; seconds to talk; a Q.850
cause; bad days."""

NEVER = 0
LATER_SECONDS = 1.0
RING_SECONDS = 0.2
PRESS_SECONDS = 0.5  # after the answer


class Plan(NamedTuple):
    """What becomes of one call: the provisional response (0: none) and, so many seconds after it, the final one.
    `keys` are pressed once it is answered, `talks` is how many seconds later the callee hangs up (None: never);
    `cause` of Q.850 goes with a refusal. `odd` is a bad day of its own."""

    final: int = 200
    provisional: int = 180
    after: float = RING_SECONDS
    keys: str = ""
    talks: float | None = None
    cause: int = 0
    odd: str = ""


# By published code: the network's own words for it.
CODES: dict[str, Plan] = {
    "7401": Plan(NEVER),  # rings until the caller gives up
    "7402": Plan(486, 0, 0.0),
    "7403": Plan(603, 0, 0.0),
    "7404": Plan(404, 0, 0.0),
    "7500": Plan(200, 0, 0.0),
    "7501": Plan(NEVER, 182),  # queued, and never rings
}
LATER_CODES: dict[str, Plan] = {
    "7401": Plan(480, 180, LATER_SECONDS),
    "7402": Plan(486, 180, LATER_SECONDS),
    "7403": Plan(603, 180, LATER_SECONDS),
    "7404": Plan(500, 180, LATER_SECONDS),
    "7500": Plan(200, 180, LATER_SECONDS),
    "7501": Plan(NEVER, 182),
}

SILENT, NO_CODEC, LOSSY, HOLDS, PROBES, INFO, REFRESHES, NO_ACK = (
    "silent", "no codec", "lossy", "holds", "probes", "info", "refreshes", "no ack",
)  # fmt: skip
BAD_DAYS: dict[str, Plan] = {
    "0": Plan(NEVER, 0, odd=SILENT),
    "1": Plan(odd=NO_CODEC),
    "2": Plan(odd=LOSSY),
    "3": Plan(odd=HOLDS),
    "4": Plan(odd=PROBES),
    "5": Plan(odd=INFO),
    "6": Plan(odd=REFRESHES),
}
"""Behaviour by the digit behind 99906."""

REASONS = {
    182: "Queued", 183: "Session Progress", 180: "Ringing", 302: "Moved Temporarily", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 410: "Gone",
    422: "Session Interval Too Small", 480: "Temporarily Unavailable", 484: "Address Incomplete", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 500: "Server Internal Error",
    503: "Service Unavailable", 504: "Server Time-out", 600: "Busy Everywhere", 603: "Decline",
    604: "Does Not Exist Anywhere", 606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
}  # fmt: skip


def plan_of(number: str) -> Plan:
    """What the simulator does with a call to this number."""
    head, rest = number[:5], number[5:]
    if head == NATIVE and len(rest) == 3 and 300 <= int(rest) <= 699:
        return Plan(int(rest), 0, 0.0)
    if head in (KEYS, KEYS_POUND) and rest:
        return Plan(keys=rest + ("#" if head == KEYS_POUND else ""))
    if head == TALKS and rest:
        return Plan(talks=float(rest[:3]))
    if head == CAUSE and len(rest) >= 3:
        return Plan(503, 0, 0.0, cause=int(rest[:3]))
    if head == ODD and rest[:1] in BAD_DAYS:
        return BAD_DAYS[rest[:1]]
    codes = LATER_CODES if number[:6] == LATER else CODES if number[:6] in (NOW, SECOND) else {}
    return codes.get(number[6:10], Plan())


def reason_of(code: int) -> str:
    """The phrase of a status."""
    return REASONS.get(code, "Simulated")
