"""Nothing is skipped in silence: a test that is skipped for want of a server, or for any reason of its own, fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REASONS = {
    "server": "PostgreSQL is not here",
    "peer": "needs the program sipp: apt install sip-tester",
    "machine": "helm has no package for this machine",
}
SKIPPING = """
import pytest

def test_in_the_body():
    pytest.skip({reason!r})

@pytest.fixture
def server():
    pytest.skip({reason!r})

def test_in_a_fixture(server):
    pass

@pytest.mark.skip(reason={reason!r})
def test_by_a_mark():
    pass
"""
WHOLE = "import pytest; pytest.skip('NATS is not here', allow_module_level=True)"


@pytest.mark.parametrize(
    ("peers", "end"),
    [("", "1 failed, 6 skipped, 3 errors"), ("required", "2 failed, 3 skipped, 5 errors")],
    ids=["peers may be missing", "peers must be there"],
)
def test_who_is_skipped_for_no_good_reason_fails(tmp_path: Path, peers: str, end: str) -> None:
    """A skip outside of the test's body, and that of a whole module, count as errors."""
    for name, reason in REASONS.items():
        (tmp_path / f"test_{name}.py").write_text(SKIPPING.format(reason=reason), encoding="utf-8")
    (tmp_path / "test_whole.py").write_text(WHOLE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PEERS": peers, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "--continue-on-collection-errors", "."]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60)

    assert done.stdout.splitlines()[-1].partition(" in ")[0] == end, done.stdout
