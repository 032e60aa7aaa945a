"""Profiles by commands: files in and out, what became of each line, a person forgotten."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

APP = "AP00000001"


@pytest.fixture(scope="module")
def store(server: Any) -> Any:
    """The server with a store of profiles."""
    path = Path(server.file())
    document = json.loads(path.read_text())
    document["tenants"][0] |= {
        "profile_key": "the-profile-key",
        "profile_store": {
            "attributes": [{"name": "city"}, {"name": "age", "type": "number"}, {"name": "vip", "type": "boolean"}]
        },
        "apps": [{"id": APP, "features": {"push": True}}],
    }  # fmt: skip
    path.write_text(json.dumps(document))
    assert server("apply", str(path)).status == 0
    return server


def outcome(file: Path) -> list[dict[str, str]]:
    with file.with_name(f"{file.name}.outcome.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def exported(store: Any, *more: str) -> list[Any]:
    ended = store("profiles", "export", "-", "--tenant", "demo", *more)
    assert ended.status == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def test_a_csv_is_imported_and_told_line_by_line(store: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    rows = [f"c{number:03},44770090{number:04},London," for number in range(250)]
    file.write_text("\ufeffcustomerId,msisdn,city,vip\n" + "\n".join(rows) + "\nbad,,Paris,\nworse,12,,\n")

    ended = store("profiles", "import", str(file), "--tenant", "demo", "--json")

    assert (ended.status, {**ended.json, "outcome": ""}) == (
        1, {"rows": 252, "written": 250, "failed": 2, "outcome": ""},
    )  # fmt: skip
    told = outcome(file)
    assert len(told) == 252
    assert [(row["line"], row["customerId"], row["code"]) for row in told[-3:]] == [
        ("251", "c249", "1000"), ("252", "bad", "7003"), ("253", "worse", "7011"),
    ]  # fmt: skip
    assert {"customerId": "c000", "Attributes": {"msisdn": "447700900000", "city": "London"}} in exported(store)


def test_an_export_can_be_imported_again(store: Any, tmp_path: Path) -> None:
    for name in ("out.csv", "out.ndjson"):
        line = {
            "customerId": "round",
            "Attributes": {"msisdn": "447700900099", "age": 7, "vip": True, "city": "Åbo, é"},
        }
        (tmp_path / "in.ndjson").write_text(json.dumps(line) + "\n\n")
        assert store("profiles", "import", str(tmp_path / "in.ndjson"), "--tenant", "demo").status == 0

        assert store("profiles", "export", str(tmp_path / name), "--tenant", "demo").status == 0
        before = exported(store)
        ended = store("profiles", "import", str(tmp_path / name), "--tenant", "demo")

        assert ended.status == 0, ended.err
        assert exported(store) == before
        assert line in before


def test_profiles_of_an_app_go_both_ways(store: Any, tmp_path: Path) -> None:
    file = tmp_path / "devices.ndjson"
    device = {
        "userId": "u",
        "deviceId": "d",
        "rtmId": "u_d",
        "status": 1,
        "connectStatus": 0,
        "os": "ios",
        "pushId": "t",
    }
    file.write_text(json.dumps({"customerId": "c000", "Attributes": device}))

    ended = store("profiles", "import", str(file), "--tenant", "demo", "--app", APP)

    assert ended.status == 0, ended.err
    assert "1 of 1 profiles were written" in ended.out
    assert exported(store, "--app", APP) == [{"customerId": "c000", "Attributes": device}]
    assert store("profiles", "export", str(tmp_path / "d.csv"), "--tenant", "demo", "--app", APP).status == 0
    with (tmp_path / "d.csv").open(newline="") as stream:
        assert list(csv.DictReader(stream)) == [{"customerId": "c000", **{k: str(v) for k, v in device.items()}}]


def test_only_new_ones_are_created_when_asked(store: Any, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text("customerId,msisdn\nonce,447700900098\n")

    assert store("profiles", "import", str(file), "--tenant", "demo", "--act", "create").status == 0
    assert store("profiles", "import", str(file), "--tenant", "demo", "--act", "create").status == 1
    assert outcome(file)[0]["description"] == "Customer already exists"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "name,msisdn\nx,1\n", "customerId among them"),
        ("a.ndjson", '{"customerId": "x"}\n{', "line 2 is no JSON"),
        ("a.csv", None, "No such file"),
        ("a.ndjson", b"\xff\xfe", "codec"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(store: Any, tmp_path: Path, name: str, text: Any, said: str) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    ended = store("profiles", "import", str(file), "--tenant", "demo")

    assert ended.status == 1
    assert said in ended.err


def test_a_tenant_or_format_that_is_not_there(store: Any) -> None:
    assert "there is no tenant nobody" in store("profiles", "export", "-", "--tenant", "nobody").err
    assert "there is no format 'xml'" in store("profiles", "export", "-", "--tenant", "demo", "--format", "xml").err


def test_a_person_is_forgotten(store: Any, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("customerId,msisdn\nforget-me,447700900097\n")
    store("profiles", "import", str(file), "--tenant", "demo")
    store.final(store.sent("447700900097"))

    ended = store("profiles", "erase", "forget-me", "--tenant", "demo", "--json")

    assert (ended.status, ended.json["profiles"], ended.json["messages"]) == (0, 1, 1)
    assert "forgotten: 0 profiles" in store("profiles", "erase", "forget-me", "--tenant", "demo").out
    assert "say who is to be forgotten" in store("profiles", "erase", "--tenant", "demo").err
