"""What happened in a call, step by step: for the story, the receipt and the status. Pure but for the clock it is
given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from heliograph.wire.sip.session import Ending

STEPS_KEPT = 200
SHOWN = 240  # characters of digits and prompts in the short form
HIDDEN = "*"


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happened: Unix milliseconds, and a sentence."""

    at: int
    what: str


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call as JSON in `raw` of its receipts: times are Unix milliseconds, 0 for what did not happen."""

    call: str
    placed: int = 0
    ringing: int = 0
    answered: int = 0
    ended: int = 0
    sip: int = 0
    reason: str = ""
    q850: int = 0
    digits: tuple[str, ...] = ()
    played: tuple[str, ...] = ()
    ended_by: str = ""
    transferred: str = ""
    audio: dict[str, float] = {}
    steps: tuple[Step, ...] = ()


class Record:
    """Written while the call goes on. `clock_ms` gives Unix milliseconds."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self.call = ""
        self.placed = 0
        self.ringing = 0
        self.answered = 0
        self.ended = 0
        self.sip = 0
        self.reason = ""
        self.q850 = 0
        self.digits: list[str] = []
        self.played: list[str] = []
        self.ended_by = ""
        self.transferred = ""
        self.audio: dict[str, float] = {}
        self.steps: list[Step] = []

    def note(self, what: str) -> int:
        """Something happened just now: when that is."""
        now = self._clock_ms()
        if len(self.steps) < STEPS_KEPT:
            self.steps.append(Step(now, what))
        return now

    def placing(self, call: str, where: str) -> None:
        """An INVITE goes out."""
        self.call = call
        self.placed = self.note(f"calling over {where}")

    def progress(self, code: int, reason: str) -> None:
        """A provisional response that is news."""
        now = self.note(f"{code} {reason}".rstrip())
        if code in (180, 183) and not self.ringing:
            self.ringing = now

    def picked_up(self, code: str) -> None:
        """The callee answered."""
        self.sip, self.reason = 200, "OK"
        self.answered = self.note(f"answered, audio as {code}")

    def gathered(self, digits: str, into: str, *, hidden: bool) -> None:
        """Digits were asked for and came."""
        shown = HIDDEN * len(digits) if hidden else digits
        self.digits.append(shown)
        self.note(f"gathered {shown} into {into}")

    def finished(self, by: str, ending: Ending) -> None:
        """The call is over."""
        if not self.answered:
            self.sip, self.reason = ending.code, ending.reason
        self.q850 = ending.cause
        self.ended_by = by
        said = f"{ending.code} {ending.reason}" if ending.code else ending.reason
        cause = f", Q.850 cause {ending.cause}" if ending.cause else ""
        self.ended = self.note(f"ended by {by}{f': {said.strip()}' if said.strip() else ''}{cause}")

    def short(self) -> str:
        """Everything in a line, for `additionalInfo`: the SIP status, then `name=value` between semicolons, times in
        UTC."""
        pairs = [
            ("", " ".join(filter(None, (str(self.sip or ""), self.reason)))),
            ("q850", str(self.q850 or "")),
            ("ringing", _utc(self.ringing)), ("answered", _utc(self.answered)), ("ended", _utc(self.ended)),
            ("ended_by", self.ended_by),
            ("digits", ",".join(self.digits)[:SHOWN]), ("played", ",".join(self.played)[:SHOWN]),
            ("transferred", self.transferred),
        ]  # fmt: skip
        return "; ".join(f"{name}={value}" if name else value for name, value in pairs if value)

    def raw(self) -> str:
        """Everything as JSON."""
        details = Details(
            call=self.call, placed=self.placed, ringing=self.ringing, answered=self.answered, ended=self.ended,
            sip=self.sip, reason=self.reason, q850=self.q850, digits=tuple(self.digits), played=tuple(self.played),
            ended_by=self.ended_by, transferred=self.transferred, audio=self.audio, steps=tuple(self.steps),
        )  # fmt: skip
        return msgspec.json.encode(details).decode()


def _utc(ms: int) -> str:
    if not ms:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
