"""`heliograph serve` as a process: one per folder, drained by SIGTERM, refusals in a sentence."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest


def ended(serving: Any) -> tuple[int, str]:
    """Exit status and log of a server that ended by itself."""
    return serving.process.wait(15), serving.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_drains_and_exits_with_zero(start: Any, number: signal.Signals) -> None:
    serving = start()
    begun = time.monotonic()
    serving.process.send_signal(number)

    assert (serving.process.wait(12), time.monotonic() - begun < 10) == (0, True)


def test_the_token_is_shown_once_and_kept(start: Any) -> None:
    serving = start()
    token = (serving.data / "admin-token").read_text().strip()
    serving.stop()
    first = serving.log.read_text()
    again = start()
    again.stop()

    assert (first.count(token), again.log.read_text().count(token)) == (1, 1)


def test_the_folder_is_private(start: Any) -> None:
    serving = start()

    assert serving.data.stat().st_mode & 0o777 == 0o700


def test_a_second_process_on_the_folder_is_refused(start: Any) -> None:
    start()
    status, log = ended(start())

    assert status == 1
    assert "another process serves the data folder" in log
    assert "Traceback" not in log


def test_another_secret_key_is_refused_with_the_mend(start: Any) -> None:
    serving = start()
    serving("apply", serving.file())
    serving.stop()
    status, log = ended(start(HELIOGRAPH_SECRET_KEY="A" * 43 + "="))

    assert (status, "Traceback" in log) == (1, False)
    assert "restore the key it was sealed with" in log


def test_a_port_that_is_taken_is_named(start: Any, tmp_path: Path) -> None:
    first = start()
    status, log = ended(start("--listen", first.listen, folder=tmp_path / "two"))

    assert (status, f"cannot listen on {first.listen}: " in log, "--listen" in log) == (1, True, True)


def test_a_simulator_that_cannot_listen_is_named(start: Any) -> None:
    first = start()
    status, log = ended(start(folder=first.data.parent / "two", HELIOGRAPH_SMSC_SIMULATOR=first.listen))

    assert (status, "Traceback" in log) == (1, False)
    assert "HELIOGRAPH_SMSC_SIMULATOR" in log


def test_a_workspace_that_is_faulty_stops_the_start(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    path.write_text(json.dumps({"tenants": [{"id": "demo", "timezone": "Mars/Base"}]}))
    status, log = ended(start("--workspace", str(path)))

    assert (status, "Traceback" in log) == (1, False)
    assert "tenants[demo].timezone: 'Mars/Base' is no time zone" in log


def test_a_workspace_is_applied_at_the_start(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("tenants: [{id: demo, services: [{id: orders}]}]")
    serving = start("--workspace", str(path))

    assert serving("export").json["tenants"][0]["id"] == "demo"
    assert "service key made for demo/orders (shown once): " in serving.log.read_text()


def test_without_the_api_role_the_published_api_is_not_there(start: Any) -> None:
    serving = start("--roles", "worker,simulators")

    assert httpx.post(f"{serving.url}/resources/v1/messaging", json={}).status_code == 404
    assert httpx.get(f"{serving.url}/healthz").status_code == 200
