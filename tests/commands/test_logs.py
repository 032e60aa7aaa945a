"""Nothing private in a log line: numbers are masked, keys in paths are hidden."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from heliograph.cli.logs import JsonLines, masked

TRANSID = "0192aaaa-0000-7000-8000-123456789012"


@pytest.mark.parametrize(
    "text",
    [
        "to 447700900123", "to 447700900123.", "to 447700900123, later", "(447700900123)", "'447700900123'",
        "447700900123: refused", "to=447700900123;", "+447700900123", "00447700900123", "to 447700900123\nnext",
        "447700900123 447700900123", "to 447700900123. Then", "00447700900123456",
    ],
)  # fmt: skip
def test_a_number_is_masked_but_for_its_ends(text: str) -> None:
    assert "7700900" not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "listens on 127.0.0.1:2775",
        f"transid {TRANSID}",
        "took 0.12345678 s",
        "request 913125978824245248",
        "code 7207",
    ],
)
def test_what_is_no_number_of_a_person_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("transid", [TRANSID, TRANSID.upper(), f"{TRANSID}_7", "nonsense"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_key_in_a_path_is_hidden(transid: str, slash: str) -> None:
    text = masked(f"error while serving /resources/v1/messaging/status/my-service-key/{transid}{slash}")

    assert "my-service-key" not in text
    assert transid in text


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_transid_in_a_path_stays(slash: str) -> None:
    path = f"/resources/v1/messaging/status/{TRANSID}{slash}"

    assert masked(path) == path


def test_a_line_is_one_json_object_even_with_a_traceback() -> None:
    try:
        raise ValueError("no way to 447700900123.")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "to %s\nnext", ("447700900123",), sys.exc_info())
    text = JsonLines().format(record)
    line = json.loads(text)

    assert "\n" not in text
    assert (line["level"], line["message"]) == ("error", "to 447***23\nnext")
    assert "447700900123" not in text
