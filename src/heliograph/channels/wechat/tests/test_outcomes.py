"""What WeChat's numbers and events mean: the published list one to one, everything else, and what nobody knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph import catalogue
from heliograph.channels.wechat.outcomes import TABLE, Outcome, of_errcode, of_mass, of_template
from heliograph.dispatch.retry import CLASSES

# providers 2.10a: the return codes of WeChat in their order are the published codes in theirs.
IN_ORDER = [
    40001, *range(40003, 40015), *range(40029, 40034), 40035, 40038, 40039, *range(41001, 41007), 43004, 43005,
    44003, 44004, *range(45001, 45011), 46004, 61457,
]  # fmt: skip
OTHERS = {  # providers 2.10b
    "7202": [-1, 61450], "7601": [40002, 40125, 48001, 48003, 48008, 50001], "7108": [40036, 40037, 43116],
    "7621": [40048, 40066], "7619": [40097, 47003, 61451], "7606": [40118, 40121, 46001], "7602": [40132, 41009],
    "7643": [40137], "7614": [40163, 41008, 42003], "7208": [40164], "7613": [42001, 42007], "7615": [42002],
    "7620": [43001, 43002, 43003, 44002, 47001], "7628": [43019, 48002, 43101, 50005], "7626": [44001],
    "7640": [45011, 48004, 50002], "7301": [45015], "7641": [45047], "7501": [45065], "7111": [45166, 40249],
    "7010": [12345, 99999],
}  # fmt: skip
EVENTS = [
    (of_template, "success", "7500"), (of_template, "failed:user block", "7628"),
    (of_template, "failed: system failed", "7202"), (of_template, "failed:system failed", "7202"),
    (of_template, "Success ", "7500"), (of_template, "nobody knows", "7202"),
    (of_mass, "send success", "7500"), (of_mass, "send fail", "7202"), (of_mass, "err(10001)", "7111"),
    (of_mass, "err(22000)", "7111"), (of_mass, "err(x)", "7202"), (of_mass, "", "7202"),
]  # fmt: skip


def test_the_published_list_is_wechats_own_one_to_one() -> None:
    assert [catalogue.code(of_errcode(errcode).key) for errcode in IN_ORDER] == [str(7601 + n) for n in range(43)]


@pytest.mark.parametrize(("code", "errcodes"), OTHERS.items())
def test_other_numbers_have_a_meaning(code: str, errcodes: list[int]) -> None:
    assert {catalogue.code(of_errcode(errcode).key) for errcode in errcodes} == {code}


@pytest.mark.parametrize(("read", "status", "code"), EVENTS)
def test_an_event_has_a_meaning(read: object, status: str, code: str) -> None:
    assert callable(read)
    assert catalogue.code(read(status).key) == code


@pytest.mark.parametrize(("native", "row"), TABLE.items(), ids=str)
def test_a_row_of_the_table_has_words_that_exist(native: tuple[str, str], row: Outcome) -> None:
    assert catalogue.find(row.key)
    assert row.retry in {"no", "unknown", *CLASSES}
    assert row.action in {"", "renew", "error", "quota", "minute", "upload", "down"}
    assert (row.deactivate in {"yes", "no"}, bool(row.note)) == (True, True)


@given(st.integers(), st.text(max_size=30))
def test_anything_has_some_meaning(errcode: int, status: str) -> None:
    assert catalogue.find(of_errcode(errcode).key)
    assert catalogue.find(of_template(status).key)
    assert catalogue.find(of_mass(status).key)


def test_the_page_has_every_row_with_its_code() -> None:
    page = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    missing = [
        native for (_, native), row in TABLE.items()
        if not any(f"`{native}`" in line and f"| {catalogue.code(row.key)} `" in line for line in lines)
    ]  # fmt: skip

    assert missing == []
