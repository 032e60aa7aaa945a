"""What WeChat's answers and events mean in keys of the catalogue; the table is `receipts.csv`."""

from __future__ import annotations

import csv
import io
import re
from importlib.resources import files
from typing import NamedTuple

OTHER = "other"
_FOUND_WANTING = re.compile(r"err\(\d+\)")


class Outcome(NamedTuple):
    """A row of the table: the key, the retry class of `SendError`, what the connector does (`renew`: another access
    token, once; `error`: nothing goes out until WeChat takes us again; `quota`, `minute`: nothing until the quota is
    new; `upload`: media anew, once), what it says of the address."""

    key: str
    retry: str = "no"
    action: str = ""
    deactivate: str = "no"
    note: str = ""


def load() -> dict[tuple[str, str], Outcome]:
    """Read `receipts.csv`."""
    text = files("heliograph.channels.wechat").joinpath("receipts.csv").read_text(encoding="utf-8")
    return {
        (row["kind"], row["native"]): Outcome(
            row["key"], row["retry"], row["action"], row["deactivate"], row["note"]
        )
        for row in csv.DictReader(io.StringIO(text, newline=""))
    }  # fmt: skip


TABLE = load()


def of_errcode(errcode: int) -> Outcome:
    """What a number in an answer means; never asked for 0."""
    return TABLE.get(("errcode", str(errcode))) or TABLE["errcode", OTHER]


def of_template(status: str) -> Outcome:
    """What the status of TEMPLATESENDJOBFINISH means; WeChat writes some with a blank behind the colon."""
    plain = re.sub(r"\s*:\s*", ":", status.strip().lower())
    return TABLE.get(("template", plain)) or TABLE["template", OTHER]


def of_mass(status: str) -> Outcome:
    """What the status of MASSSENDJOBFINISH means."""
    plain = status.strip().lower()
    if _FOUND_WANTING.fullmatch(plain):
        return TABLE["mass", "err"]
    return TABLE.get(("mass", plain)) or TABLE["mass", OTHER]
