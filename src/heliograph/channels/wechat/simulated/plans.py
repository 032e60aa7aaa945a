"""What the simulator of WeChat does with a message, chosen by the end of its OpenID. The README has them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

EVENT_SECONDS = 0.05
LATER_SECONDS = 1.0


class Plan(NamedTuple):
    """What becomes of one message: the `errcode` it is answered with, the first `fail_first` times only (0: always);
    `answer` how it is given; for a template the `status` of its event after `after` seconds ("": there is none)."""

    errcode: int = 0
    answer: str = "plain"
    status: str = "success"
    after: float = EVENT_SECONDS
    fail_first: int = 0


# WeChat's own number for each published code, in the order of its list of return codes.
ERRCODES: dict[str, int] = {
    "7601": 40001, "7602": 40003, "7603": 40004, "7604": 40005, "7605": 40006, "7606": 40007, "7607": 40008,
    "7608": 40009, "7609": 40010, "7610": 40011, "7611": 40012, "7612": 40013, "7613": 40014, "7614": 40029,
    "7615": 40030, "7616": 40031, "7617": 40032, "7618": 40033, "7619": 40035, "7620": 40038, "7621": 40039,
    "7622": 41001, "7623": 41002, "7624": 41003, "7625": 41004, "7626": 41005, "7627": 41006, "7628": 43004,
    "7629": 43005, "7630": 44003, "7631": 44004, "7632": 45001, "7633": 45002, "7634": 45003, "7635": 45004,
    "7636": 45005, "7637": 45006, "7638": 45007, "7639": 45008, "7640": 45009, "7641": 45010, "7642": 46004,
    "7643": 61457,
    "7010": 99999, "7108": 40037, "7111": 45166, "7202": -1, "7208": 40164, "7301": 45015,
}  # fmt: skip
EVENTS: dict[str, str] = {
    "7202": "failed: system failed",
    "7500": "success",
    "7501": "",
    "7628": "failed:user block",
}
"""The status of a template's event by published code."""

BAD_DAYS: dict[str, Plan] = {
    "0101": Plan(answer="never", status=""),
    "0102": Plan(answer="cut", status=""),
    "0103": Plan(answer="garbage", status=""),
    "0104": Plan(answer="503", status=""),
    "0107": Plan(-1, fail_first=2),
    "0108": Plan(42001, fail_first=1),
    "0109": Plan(40001, fail_first=1),
    "0116": Plan(98765),
}
"""Behaviour by the four digits behind `sim-`."""

# errmsg of some numbers; the others say their number.
TEXTS: dict[int, str] = {
    -1: "system error", 40001: "invalid credential, access_token is invalid or not latest", 40003: "invalid openid",
    40007: "invalid media_id", 40013: "invalid appid", 40014: "invalid access_token", 40125: "invalid appsecret",
    41001: "access_token missing", 42001: "access_token expired", 43004: "require subscribe",
    45009: "reach max api daily quota limit", 45015: "response out of time limit or subscription is canceled",
    46004: "user not exist",
}  # fmt: skip

_END = re.compile(r"(sim|seq)-(\d{4})(?:-2)?\Z")
_NUMBER = re.compile(r"err-(-?\d{1,6})\Z")
_PLAIN = Plan()


@lru_cache(maxsize=4096)
def plan_of(openid: str) -> Plan:
    """What the simulator does with a message to this user."""
    if number := _NUMBER.search(openid):
        return Plan(int(number[1]))
    match = _END.search(openid)
    if match is None:
        return _PLAIN
    when, code = match.groups()
    if code in BAD_DAYS:
        return BAD_DAYS[code]
    if when == "seq":
        return Plan(status=EVENTS.get(code, "success"), after=LATER_SECONDS)
    if code in ERRCODES:
        return Plan(ERRCODES[code])
    return Plan(status=EVENTS.get(code, "success"))
