"""Whether what was sent twice was under way when something struck.

A message is claimed (durably) before it is sent, and settled (durably) after its answer; in between nobody can know
whether it went out. That is the window: what is claimed and not settled when something strikes is given up by a
durable, flagged release, and may go out a second time. Nothing else may. The database notes each such step with the
instant of its commit, the SMSC each submit; both by the one clock of the machine.

- A claim is struck when it was not settled as a strike began, and had been made at most `USUAL` seconds before (so
  long may a claim be under way without one), or when it was made until `USUAL` seconds after the strike's end at the
  latest (so long may its effects last). What must leave nothing in doubt is no strike here: an accepting process that
  is killed, a worker that is told to stop, a clock that jumps.
- Only a struck claim may be given up with the mark of a duplicate, however late others learn that they may: the lease
  of a bundle moves after `ack_wait`.
- Each submit belongs to a claim of its own. It is made after that claim, and before its end; the holder of a struck
  claim may have been cut off or have stood still while its lease moved, and sends what it had claimed until the
  strike is over.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

USUAL = 1.0
QUEUED, SENDING = 10, 20
NOTHING = "nothing"

# Each move of a row into or out of a claim.
SETUP = """
CREATE TABLE moves (destination text, before smallint, after smallint, duplicate smallint);
CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO moves VALUES (NEW.destination, OLD.state, NEW.state, NEW.duplicate);
    RETURN NULL;
END $$;
CREATE TRIGGER moved AFTER UPDATE ON transactions FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND (OLD.state = 20 OR NEW.state = 20)) EXECUTE FUNCTION moved();
"""
MOVES = """SELECT destination || ' ' || before || ' ' || after || ' ' || duplicate || ' '
    || extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM moves ORDER BY pg_xact_commit_timestamp(xmin), ctid"""


class Strike(NamedTuple):
    """What struck, from when to when (Unix seconds)."""

    name: str
    begin: float
    end: float


@dataclass(slots=True)
class Claim:
    """One try: when it was made, when it ended (Unix seconds) and whether it was given up, flagged."""

    at: float
    end: float = float("inf")
    given_up: bool = False

    def struck(self, strikes: Iterable[Strike]) -> list[Strike]:
        """The strikes that it was under way at, in order."""
        return [
            strike
            for strike in strikes
            if strike.begin - USUAL <= self.at <= strike.end + USUAL and self.end >= strike.begin
        ]


@dataclass(slots=True)
class Found:
    """What was wrong, by destination; how many claims there were, how many at a strike, and how many were given up at
    which; the longest that one lasted that nothing struck (seconds)."""

    outside: list[str] = field(default_factory=list)
    claims: int = 0
    struck: int = 0
    given_up: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0


def claims_of(moves: Iterable[tuple[str, int, int, int, float]]) -> dict[str, list[Claim]]:
    """The claims of each message, in order, of moves (destination, state before and after, flag, instant)."""
    found: defaultdict[str, list[Claim]] = defaultdict(list)
    for destination, _, after, duplicate, at in moves:
        if after == SENDING:
            found[destination].append(Claim(at))
        elif found[destination]:
            found[destination][-1].end = at
            found[destination][-1].given_up = after == QUEUED and bool(duplicate)
    return found


def look(
    submits: Mapping[str, list[float]],
    moves: Iterable[tuple[str, int, int, int, float]],
    strikes: list[Strike],
) -> Found:
    """All messages against the rules above."""
    found = Found()
    claims = claims_of(moves)
    for destination, tries in claims.items():
        limits = []
        for claim in tries:
            at = claim.struck(strikes)
            found.claims += 1
            found.struck += bool(at)
            found.given_up[at[0].name if at else NOTHING] += claim.given_up
            if not at:
                found.longest = max(found.longest, claim.end - claim.at)
            if not at and claim.given_up:
                found.outside.append(f"{destination} given up, claimed at {claim.at:.3f}")
            limits.append((claim.at, max(claim.end, at[-1].end + USUAL) if at else claim.end))
        found.outside += [f"{destination} sent at {at:.3f}" for at in unmatched(submits.get(destination, []), limits)]
    found.outside += [f"{destination} never claimed" for destination in submits if destination not in claims]
    return found


def unmatched(submits: list[float], limits: list[tuple[float, float]]) -> list[float]:
    """The submits that have no span of their own."""
    left = sorted(limits, key=lambda span: span[1])
    alone = []
    for at in sorted(submits):
        span = next((span for span in left if span[0] <= at <= span[1]), None)
        if span is None:
            alone.append(at)
        else:
            left.remove(span)
    return alone
