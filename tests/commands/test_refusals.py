"""Commands without a server, with a wrong one, or used wrongly: a sentence, a status, never a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_the_doctor_says_the_mend_and_exits_with_one(command: Any, tmp_path: Path) -> None:
    ended = command("doctor", "--listen", "127.0.0.1:1", "--data", str(tmp_path / "none"))

    assert ended.status == 1
    assert "start `heliograph serve`" in ended.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("export",), ("apply", "FILE"), ("plan", "FILE"), ("send", "447700900123", "--text", "x"), ("status", "x"),
        ("explain", "x"), ("tail",), ("replay", "parked"),
    ],
)  # fmt: skip
def test_without_a_server_every_command_says_how_to_start_one(
    command: Any, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "w.json"
    file.write_text('{"tenants": []}')
    given = [str(file) if word == "FILE" else word for word in arguments]
    settings = {"HELIOGRAPH_LISTEN": "127.0.0.1:1", "HELIOGRAPH_DATA": str(tmp_path), "HELIOGRAPH_ADMIN_TOKEN": "t"}
    ended = command(*given, **settings)

    assert (ended.status, ended.out, "Traceback" in ended.err) == (1, "", False)
    assert "127.0.0.1:1" in ended.err
    assert "heliograph serve" in ended.err


@pytest.mark.parametrize(
    "arguments", [(), ("fly",), ("send",), ("serve", "--colour"), ("simulate", "--only", "pigeon")]
)
def test_a_usage_error_is_exit_status_two(command: Any, arguments: tuple[str, ...]) -> None:
    ended = command(*arguments)

    assert (ended.status, "Traceback" in ended.err) == (2, False)


def test_a_code_of_the_catalogue_is_explained(command: Any) -> None:
    ended = command("codes", "7206", "--json")

    assert (ended.status, {row["code"] for row in ended.json}) == (0, {"7206"})


def test_a_code_that_does_not_exist_is_refused(command: Any) -> None:
    ended = command("codes", "1")

    assert (ended.status, "1 is no code of the catalogue; `heliograph codes` lists them" in ended.err) == (1, True)


def test_the_version_is_printed(command: Any) -> None:
    assert command("--version").out.startswith("heliograph ")


@pytest.mark.parametrize(
    ("name", "value"),
    [("HELIOGRAPH_COLOUR", "red"), ("HELIOGRAPH_LOG", "loud"), ("HELIOGRAPH_SECRET_KEY", "hunter2")],
)
def test_a_bad_setting_is_a_refusal_that_names_it(command: Any, tmp_path: Path, name: str, value: str) -> None:
    ended = command("export", HELIOGRAPH_DATA=str(tmp_path), **{name: value})

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"heliograph: {name}")
    assert "hunter2" not in ended.err


def test_a_server_of_another_kind_is_no_traceback(command: Any, tmp_path: Path, stranger: str) -> None:
    settings = {"HELIOGRAPH_LISTEN": stranger, "HELIOGRAPH_DATA": str(tmp_path), "HELIOGRAPH_ADMIN_TOKEN": "t"}
    for arguments in (("export",), ("send", "447700900123", "--text", "x"), ("status", "x"), ("doctor",), ("tail",)):
        ended = command(*arguments, **settings)

        assert (ended.status, "Traceback" in ended.err) == (1, False), arguments
        assert stranger in ended.err + ended.out
