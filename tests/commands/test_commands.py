"""Every command against a running server: what it prints, its exit status, its sentence when it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

KEY = "11111111-1111-4111-8111-111111111111"


def test_applying_again_changes_nothing(server: Any) -> None:
    ended = server("apply", server.file(), "--json")

    assert (ended.status, ended.json["changes"]) == (0, [])


def test_a_plan_shows_the_difference_and_changes_nothing(server: Any) -> None:
    file = server.file(status="suspended")

    assert server("plan", file, "--json").json["changes"] == [
        "~ tenants[demo].services[orders].status live -> suspended"
    ]
    assert "1 change would be applied" in server("plan", file).out


def test_a_faulty_workspace_is_refused_with_every_path(server: Any) -> None:
    ended = server("apply", server.file(status="sleepy", colour="red"))

    assert (ended.status, ended.out) == (1, "")
    assert "tenants[demo].services[orders].status: " in ended.err
    assert "tenants[demo].services[orders].colour: there is no such member" in ended.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        ("a: [", "is neither YAML nor JSON"),
        ("[]", "must hold one object"),
    ],
)
def test_a_file_that_is_no_workspace_is_named(server: Any, tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "w.yaml"
    if content is not None:
        path.write_text(content)
    ended = server("apply", str(path))

    assert ended.status == 1
    assert f"{path} {said}" in ended.err.replace("\n", " ")


def test_an_export_hides_secrets_and_can_be_applied(server: Any, tmp_path: Path) -> None:
    exported = server("export")
    path = tmp_path / "export.json"
    path.write_text(exported.out)

    assert [word for word in (KEY, "signing-secret-of-orders", "s3cr3tpw") if word in exported.out] == []
    assert server("apply", str(path), "--json").json["changes"] == []


def test_an_export_shows_secrets_when_asked(server: Any) -> None:
    out = server("export", "--secrets").out

    assert [word in out for word in (KEY, "signing-secret-of-orders", "s3cr3tpw")] == [False, True, True]


def test_a_message_is_sent_and_its_status_read(server: Any) -> None:
    transid = server.sent()
    server.final(transid)
    ended = server("status", transid, "--json")

    assert (ended.status, ended.json[0]["code"]) == (0, "7500")
    assert transid in server("status", transid).out


def test_a_refused_destination_is_exit_status_one(server: Any) -> None:
    ended = server("send", "447700900123", "12", "--text", "Hello", "--json")

    assert (ended.status, [element["code"] for element in ended.json]) == (1, ["1001", "7102"])


def test_a_wrong_key_is_refused(server: Any) -> None:
    ended = server("send", "447700900123", "--text", "Hello", "--key", "wrong-key-1")

    assert (ended.status, "7001" in ended.out) == (1, True)


def test_a_key_that_no_header_can_hold_is_refused_without_repeating_it(server: Any) -> None:
    ended = server("send", "447700900123", "--text", "Hello", "--key", "clé-secrète")

    assert (ended.status, "Traceback" in ended.err, "secrète" in ended.err) == (1, False, False)


def test_a_template_can_be_sent(server: Any) -> None:
    assert server("send", "447700900123", "--template", "1001", "--json").status == 0


def test_an_explanation_tells_the_whole_story(server: Any) -> None:
    transid = server.sent("9990007206")
    server.final(transid)
    ended = server("explain", transid, "--json")

    assert (ended.status, ended.json["code"], len(ended.json["attempts"])) == (0, "7206", 1)
    out = server("explain", transid).out
    assert [said in out for said in ("attempt 1 on demo/smsc", "accepted for service", "Hello")] == [True] * 3


@pytest.mark.parametrize("name", ["explain", "status"])
@pytest.mark.parametrize("transid", ["nonsense", "0192aaaa-0000-7000-8000-000000000000"])
def test_an_unknown_transid_is_refused(server: Any, name: str, transid: str) -> None:
    ended = server(name, transid)

    assert ended.status == 1
    assert "Traceback" not in ended.err


def test_parked_callbacks_are_sent_again(server: Any) -> None:
    assert server("replay", "parked", "--json").json == {"replayed": 0}


@pytest.mark.parametrize(
    ("callback", "said"), [("1.2.3", "there is no callback 1.2.3"), ("x", "is no callback's id")]
)
def test_a_callback_that_does_not_exist_is_named(server: Any, callback: str, said: str) -> None:
    ended = server("replay", callback)

    assert (ended.status, said in ended.err) == (1, True)


def test_the_live_log_is_json_lines(server: Any) -> None:
    code = "from heliograph.cli.main import main; main()"
    arguments = [sys.executable, "-c", code, "tail", "--json", "--listen", server.listen, "--data", str(server.data)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as following:
        transid, line = "", {"transid": "-"}
        try:
            assert following.stdout is not None
            while line["transid"] != transid:
                transid = transid or _sent_once_followed(server)
                line = json.loads(following.stdout.readline())
        finally:
            following.kill()

    assert line["code"] in ("7501", "7500")


def _sent_once_followed(server: Any) -> str:
    time.sleep(1.0)  # the follower has to be there first
    return str(server.sent())


def test_the_doctor_finds_nothing_wrong(server: Any) -> None:
    server.final(server.sent())
    ended = server("doctor", "--json")

    assert {row["what"]: row["ok"] for row in ended.json if row["what"] != "disk"} == {
        "settings": True, "data folder": True, "clock": True, "server": True, "store": True,
        "connector demo/smsc~sandbox": True, "callbacks": True,
    }  # fmt: skip


def test_a_wrong_token_says_where_the_token_is(server: Any) -> None:
    ended = server("export", HELIOGRAPH_ADMIN_TOKEN="wrong")

    assert (ended.status, "HELIOGRAPH_ADMIN_TOKEN" in ended.err) == (1, True)


def test_nothing_secret_was_printed_by_any_command_but_the_export_that_was_asked(server: Any) -> None:
    token = (server.data / "admin-token").read_text().strip()
    printed = "".join(ended.err + ended.out for ended in server.ran if '"password": "s3cr3tpw"' not in ended.out)
    log = server.log.read_text().replace(f"shown once): {token}", "", 1)

    words = (KEY, "signing-secret-of-orders", "s3cr3tpw", token, (server.data / "secret-key").read_text().strip())
    assert [word for word in words if word in printed + log] == []
    assert "447700900123" not in log


def test_nothing_secret_is_in_the_database_files(server: Any) -> None:
    content = b"".join(path.read_bytes() for path in server.data.iterdir() if "sqlite" in path.name)
    token = (server.data / "admin-token").read_bytes().strip()

    words = (KEY.encode(), b"signing-secret-of-orders", b"s3cr3tpw", token)
    assert [word for word in words if word in content] == []
    assert b"447700900123" in content  # what is looked for can be found
