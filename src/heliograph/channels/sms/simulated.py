"""What the SMSC simulator does with a message, chosen by its destination number. The README has the numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.codec import make_tlvs
from heliograph.wire.smpp.pdus import ShortMessage

NOW, LATER, SECOND, ODD = "999000", "999001", "999002", "99901"
"""Beginnings of numbers: ends as the code; submitted and then the code; the second row of a code; bad days."""

LATER_SECONDS = 1.0
NO_ERROR = "000"


class Report(NamedTuple):
    """One receipt: its state and error code, seconds after the answer (None: the usual), how it is written."""

    state: str = "DELIVRD"
    err: str = NO_ERROR
    after: float | None = None
    style: str = "text"


class Plan(NamedTuple):
    """What becomes of one submit: the status it is answered with, `answer` how, and the receipts that follow.
    The first `fail_first` submits get the status, later ones are accepted; 0: every one gets it."""

    status: int = c.ESME_ROK
    reports: tuple[Report, ...] = (Report(),)
    answer: str = "plain"
    answer_after: float = 0.0
    fail_first: int = 0


# Refusals at submit, by published code: the operator's own words for it.
REFUSALS: dict[str, int] = {
    "7101": 0x0A, "7102": 0x50, "7103": 0x67, "7107": 0x01, "7109": 0x40A, "7111": 0x432,
    "7202": 0x03, "7209": 0x43, "7210": 0x15,
}  # fmt: skip

# Receipts by published code; those of refusals serve the numbers that are submitted first.
RECEIPTS: dict[str, tuple[str, str]] = {
    "7101": ("REJECTD", "019"),
    "7103": ("UNDELIV", "042"),
    "7109": ("REJECTD", "40A"),
    "7111": ("REJECTD", "432"),
    "7200": ("UNKNOWN", NO_ERROR),
    "7201": ("UNDELIV", "034"),
    "7202": ("REJECTD", "403"),
    "7203": ("UNDELIV", "001"),
    "7204": ("UNDELIV", "393"),
    "7205": ("UNDELIV", "043"),
    "7206": ("UNDELIV", "040"),
    "7207": ("UNDELIV", "060"),
    "7208": ("EXPIRED", NO_ERROR),
    "7209": ("UNDELIV", "430"),
    "7210": ("UNDELIV", "313"),
    "7211": ("UNDELIV", "394"),
    "7214": ("UNDELIV", "014"),
    "7500": ("DELIVRD", NO_ERROR),
}

SILENT_CODE = "7501"  # accepted, and no receipt ever: it stays submitted until the receipt window ends as 7200

_DELIVERED = (Report(),)
BAD_DAYS: dict[str, Plan] = {
    "01": Plan(answer="never", reports=()),
    "02": Plan(answer="cut", reports=()),
    "03": Plan(answer="garbage", reports=()),
    "04": Plan(answer_after=0.5, reports=(Report(after=0.0),)),
    "05": Plan(reports=(Report(), Report())),
    "06": Plan(0x58, ()),
    "07": Plan(0x58, fail_first=2),
    "08": Plan(0x14, fail_first=1),
    "09": Plan(0x08, fail_first=1),
    "10": Plan(reports=(Report(style="decimal"),)),
    "11": Plan(reports=(Report(style="odd"),)),
    "12": Plan(reports=(Report(style="tlv"),)),
    "13": Plan(reports=(Report(style="unreadable"),)),
    "14": Plan(answer="nack", reports=()),
    "15": Plan(answer_after=3.0),
    "16": Plan(0x4AA, ()),
    "17": Plan(reports=(Report("UNDELIV", "977"),)),
    "18": Plan(answer="drop"),
    "19": Plan(reports=(Report("ENROUTE", after=0.1), Report(after=0.5))),
    "20": Plan(reports=()),
    "21": Plan(0xFF, fail_first=1),
    "22": Plan(reports=(Report("EXPLODED", NO_ERROR),)),
    "23": Plan(reports=(Report("ACCEPTD", NO_ERROR),)),
    "24": Plan(0x04, fail_first=1),
}
"""Behaviour by the two digits behind 99901."""

_PLAIN = Plan()


@lru_cache(maxsize=4096)
def _special(destination: str) -> Plan:
    beginning, code = destination[:6], destination[6:10]
    if destination.startswith(ODD):
        return BAD_DAYS.get(destination[5:7], _PLAIN)
    if code == SILENT_CODE:
        return Plan(reports=())
    if beginning != LATER and code in REFUSALS:
        return Plan(REFUSALS[code], ())
    if code in RECEIPTS:
        state, err = RECEIPTS[code]
        return Plan(reports=(Report(state, err, LATER_SECONDS if beginning == LATER else None),))
    return _PLAIN


def plan_of(destination: str) -> Plan:
    """What the simulator does with a submit to this number."""
    return _special(destination) if destination.startswith("9990") else _PLAIN


def receipt(submit: ShortMessage, native_id: str, report: Report, date: str) -> ShortMessage:
    """The deliver_sm that reports on an accepted submit; `date` is YYMMDDhhmm."""
    text, tlvs = _text(native_id, report, date), {}
    if report.style == "tlv":
        number = next(number for number, word in c.MESSAGE_STATES.items() if word == report.state)
        text, tlvs = "", make_tlvs(receipted_message_id=native_id, message_state=number)
    return ShortMessage(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=submit.destination_addr,
        dest_addr_ton=submit.source_addr_ton,
        dest_addr_npi=submit.source_addr_npi,
        destination_addr=submit.source_addr,
        esm_class=0x20 if report.state == "ENROUTE" else 0x04,
        short_message=text.encode("latin-1"),
        tlvs=tlvs,
    )


def _text(native_id: str, report: Report, date: str) -> str:
    """SMPP 3.4, Appendix B, or what carriers make of it."""
    if report.style == "unreadable":
        return "your message has been dealt with"
    if report.style == "odd":
        return f"ID:{native_id} Sub:1 Submit Date:{date}00 mcc:234 Done Date: Stat:{report.state} Err:0 Text:"
    if report.style == "decimal":
        native_id = str(int(native_id, 16))
    delivered = "001" if report.state == "DELIVRD" else "000"
    return (
        f"id:{native_id} sub:001 dlvrd:{delivered} submit date:{date} done date:{date}"
        f" stat:{report.state} err:{report.err} text:"
    )
