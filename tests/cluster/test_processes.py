"""`serve --processes N`: children on one listening socket, kept running and stopped together."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from heliograph.testing.cluster import SERVE, Cluster, Process, until


def children(process: Process) -> set[int]:
    """The processes that it has started."""
    pid = process.process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def numbers(process: Process) -> set[str]:
    """The numbers of the processes that answer on its address."""
    return {name for _ in range(20) for name in process.ready().get("leases", ()) if name.startswith("node.")}


def test_processes_share_a_socket_and_one_that_dies_is_replaced_and_all_stop_together(shared: Cluster) -> None:
    serving = shared.process("many", "--processes", "2", roles="api,worker")
    until(lambda: len(numbers(serving)) == 2)
    before = children(serving)
    assert len(before) == 2

    victim = max(before)
    subprocess.run(["kill", "-9", str(victim)], check=True)
    until(lambda: len(children(serving)) == 2 and victim not in children(serving))
    until(lambda: len(numbers(serving)) == 2)
    log = serving.log.read_text()
    assert "ended with status -9 and is started again" in log

    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(10) == 0
    assert [pid for pid in before if Path(f"/proc/{pid}").exists()] == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{serving.url}/healthz", trust_env=False)


def test_children_drain_when_their_supervisor_is_gone(shared: Cluster) -> None:
    serving = shared.process("many", "--processes", "2", roles="worker")
    until(lambda: len(children(serving)) == 2 and serving.ready().get("ok"))
    left = children(serving)

    serving.send(signal.SIGKILL)

    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), 10)


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("--processes", "2"), "HELIOGRAPH_PROCESSES is 2, but HELIOGRAPH_BUS is local"),
        (("--processes", "99"), "HELIOGRAPH_PROCESSES='99' must be a whole number from 1 to 64"),
    ],
)
def test_processes_need_what_they_share(arguments: tuple[str, ...], refusal: str, tmp_path: Path) -> None:
    ended = subprocess.run([*SERVE, "--data", str(tmp_path), *arguments], capture_output=True, text=True)

    assert ended.returncode == 1
    assert refusal in " ".join(ended.stderr.split())


def test_the_simulators_are_not_shared(shared: Cluster) -> None:
    serving = shared.process("many", "--processes", "2", roles="api,worker,simulators")

    assert serving.process.wait(20) == 1
    assert "cannot have the role simulators" in serving.log.read_text()


def test_what_the_first_process_refuses_ends_them_all(shared: Cluster) -> None:
    bad = shared.folder / "bad.json"
    bad.write_text('{"tenants": [{"id": 7}]}')
    serving = shared.process("many", "--processes", "2", "--workspace", str(bad), roles="api,worker")

    assert serving.process.wait(20) == 1
    assert "is not applied" in serving.log.read_text()
