"""What an operator's native answer or receipt means in keys of the catalogue; the table is `receipts.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple

from heliograph.wire.smpp.constants import STATUSES
from heliograph.wire.smpp.receipt import NativeReceipt

OTHER = "other"
GSM_NETWORK = 3
"""network_error_code's network type whose codes are those of MAP (SMPP 3.4, 5.3.2.31)."""

_REFINED = frozenset({"UNDELIV", "REJECTD"})  # states that do not say why
_NUMBERS = {name: number for number, name in STATUSES.items()}


class Outcome(NamedTuple):
    """A row of the table: the key, the retry class of `SendError`, what it says of the number, a note."""

    key: str
    retry: str = "no"
    deactivate: str = "no"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows by kind. `shared` holds the error codes on which all profiles that know them agree."""

    submit: dict[tuple[str, int], Outcome]
    other_submit: Outcome
    states: dict[str, Outcome]
    reasons: dict[int, Outcome]
    links: dict[str, Outcome]
    errs: dict[str, dict[str, Outcome]]
    shared: dict[str, Outcome]


def load() -> Table:
    """Read `receipts.csv`."""
    text = files("heliograph.channels.sms").joinpath("receipts.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    by_kind: dict[str, list[tuple[str, str, Outcome]]] = {}
    for row in rows:
        outcome = Outcome(row["key"], row["retry"], row["deactivate"], row["note"])
        by_kind.setdefault(row["kind"], []).append((row["profile"], row["native"], outcome))
    errs: dict[str, dict[str, Outcome]] = {}
    for profile, native, outcome in by_kind["err"]:
        errs.setdefault(profile, {})[native] = outcome
    submit = by_kind["submit"]
    return Table(
        submit={(context, int(native, 16)): one for context, native, one in submit if native != OTHER},
        other_submit=next(outcome for _, native, outcome in submit if native == OTHER),
        states={native: outcome for _, native, outcome in by_kind["state"]},
        reasons={int(native): outcome for _, native, outcome in by_kind["reason"]},
        links={native: outcome for _, native, outcome in by_kind["link"]},
        errs=errs,
        shared=_shared(errs),
    )


def _shared(errs: dict[str, dict[str, Outcome]]) -> dict[str, Outcome]:
    meanings: dict[str, list[Outcome]] = {}
    for codes in errs.values():
        for code, outcome in codes.items():
            meanings.setdefault(code, []).append(outcome)
    return {code: found[0] for code, found in meanings.items() if len({one.key for one in found}) == 1}


TABLE = load()


def status_number(native: str) -> int | None:
    """A command_status written as name, hex (0x45) or decimal; None for any other word."""
    if native.upper() in _NUMBERS:
        return _NUMBERS[native.upper()]
    try:
        return int(native, 0)
    except ValueError:
        return None


def plain_code(code: str) -> str:
    """An error code as the table writes it: capitals, no 0x, no leading zeros; empty when it means no error."""
    return code.strip().upper().removeprefix("0X").lstrip("0")


def override(value: str) -> Outcome:
    """An override of a connector: `key`, or `key:retry`."""
    key, _, retry = value.partition(":")
    return Outcome(key.strip(), retry.strip() or "no", note="set on the connector")


class Meanings:
    """The table with the overrides and the error profile of one connector."""

    def __init__(
        self,
        err_profile: str = "list",
        status_map: Mapping[str, str] | None = None,
        err_map: Mapping[str, str] | None = None,
        acceptd_final: bool = False,
    ) -> None:
        self._statuses: dict[int, Outcome] = {}
        self._states: dict[str, Outcome] = dict(TABLE.states)
        if acceptd_final:
            self._states["ACCEPTD"] = TABLE.states["DELIVRD"]
        for native, value in (status_map or {}).items():
            number = status_number(str(native))
            if number is None:
                self._states[str(native).upper()] = override(value)
            else:
                self._statuses[number] = override(value)
        self._errs = {plain_code(str(native)): override(value) for native, value in (err_map or {}).items()}
        self._profile = TABLE.errs[err_profile]

    def of_status(self, status: int, joined: bool) -> Outcome:
        """What a refusal in submit_sm_resp means; `joined` when the message has several parts or long TLVs."""
        context = "joined" if joined else "one-part"
        return (
            self._statuses.get(status)
            or TABLE.submit.get((context, status))
            or TABLE.submit.get(("", status))
            or TABLE.other_submit
        )

    def of_receipt(self, receipt: NativeReceipt) -> tuple[str, str]:
        """The key of a receipt, and its native code as people know it: `UNDELIV err:040`."""
        state = receipt.state
        network = receipt.network_error
        codes = [(str(network.code), network.network == GSM_NETWORK)] if network and network.code else []
        err = plain_code(receipt.err)
        if err:
            codes.append((err, False))
        native = f"{state} err:{receipt.err}" if receipt.err else state
        if network and network.code:
            native += f" network:{network.network}/{network.code}"
        outcome = self._states.get(state)
        if state in _REFINED or outcome is None:
            outcome = self._refined(state, codes, receipt.failure_reason) or outcome
        return (outcome or TABLE.states[OTHER]).key, native

    def _refined(self, state: str, codes: list[tuple[str, bool]], reason: int | None) -> Outcome | None:
        """The meaning of the error codes, the TLV's first (providers 2.3), then of delivery_failure_reason."""
        for code, is_map in (*codes, (state, False)):
            found = (
                self._errs.get(code)
                or self._profile.get(code)
                or (TABLE.errs["map"].get(code) if is_map else None)
                or TABLE.shared.get(code)
            )
            if found:
                return found
        return TABLE.reasons.get(reason) if reason is not None else None
