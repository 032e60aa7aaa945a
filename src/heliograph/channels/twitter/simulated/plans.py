"""What the simulator of X does with a message, chosen by its destination number. The README has the numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

NOW, LATER, SECOND, ODD = "999000", "999001", "999002", "99901"
"""Beginnings of numbers: ends as the code; submitted and then the code; the second row of a code; bad days."""

EVENT_SECONDS = 0.05
READ_SECONDS = 0.1  # after it was stored
LATER_SECONDS = 1.0
PROBLEM = "https://api.x.com/2/problems/"


class Plan(NamedTuple):
    """What becomes of one message: an answer of this `status` and `body` (201: it is taken), the first `fail_first`
    times only (0: always); `answer` how it is given; the events that follow: `stored` and `read` after so many
    seconds, None for never; `waits` says that the window of the account is used up."""

    status: int = 201
    body: Any = None
    answer: str = "plain"
    stored: float | None = EVENT_SECONDS
    read: float | None = READ_SECONDS
    waits: bool = False
    fail_first: int = 0


def old(status: int, code: int, message: str) -> Plan:
    """A refusal in the shape of version 1.1."""
    return Plan(status, {"errors": [{"code": code, "message": message}]})


def problem(status: int, title: str, detail: str, kind: str = "") -> Plan:
    """A refusal in the shape of version 2 (RFC 7807)."""
    return Plan(
        status,
        {"title": title, "detail": detail, "type": f"{PROBLEM}{kind}" if kind else "about:blank", "status": status},
    )


RATE_LIMITED = problem(429, "Too Many Requests", "Too Many Requests", "rate-limit-exceeded")._replace(waits=True)
SILENT = Plan(stored=None, read=None)

# By published code: X's own words for it.
REFUSALS: dict[str, Plan] = {
    "7010": old(400, 999, "Something that X has never said before."),
    "7011": Plan(status=201, body={"data": {}}, stored=None, read=None),
    "7103": problem(402, "CreditsDepleted", "Your enrolled account has no credits left.", "credits"),
    "7107": old(403, 354, "The text of your direct message is over the max character limit."),
    "7202": old(400, 324, "Media ID is not valid."),
    "7203": problem(404, "Not Found Error", "Could not find user with id.", "resource-not-found"),
    "7207": problem(403, "Forbidden", "You do not have permission to DM one or more participants."),
    "7301": RATE_LIMITED,
    "7302": RATE_LIMITED,
    "7304": old(401, 32, "Could not authenticate you."),
    "7305": old(401, 89, "Invalid or expired token."),
    "7306": problem(403, "Forbidden", "You are not allowed to create a DM with duplicate content."),
    "7307": old(503, 130, "Over capacity"),
}
ACCEPTED: dict[str, Plan] = {
    "7303": SILENT,
    "7501": SILENT,
    "7500": Plan(read=None),
    "7502": Plan(),
}
BAD_DAYS: dict[str, Plan] = {
    "01": Plan(answer="never", stored=None, read=None),
    "02": Plan(answer="cut", stored=None, read=None),
    "04": Plan(answer="slow", stored=0.0),
    "05": Plan(answer="twice"),
    "06": RATE_LIMITED,
    "07": RATE_LIMITED._replace(fail_first=2),
    "08": old(503, 130, "Over capacity")._replace(fail_first=1),
    "14": Plan(504, {"title": "Gateway Timeout"}, stored=None, read=None),
    "16": old(403, 998, "A number that nobody knows."),
    "18": Plan(answer="cut", stored=0.5),
    "19": Plan(answer="never", stored=0.1),
}
"""Behaviour by the two digits behind 99901."""

_PLAIN = Plan()


@lru_cache(maxsize=4096)
def _special(destination: str) -> Plan:
    beginning, code = destination[:6], destination[6:10]
    if destination.startswith(ODD):
        return BAD_DAYS.get(destination[5:7], _PLAIN)
    if beginning == LATER:
        plan = ACCEPTED.get(code, _PLAIN)
        return plan if plan.stored is None else plan._replace(stored=LATER_SECONDS)
    return REFUSALS.get(code) or ACCEPTED.get(code, _PLAIN)


def plan_of(destination: str) -> Plan:
    """What the simulator does with a message to this user."""
    return _special(destination) if destination.startswith("9990") else _PLAIN
