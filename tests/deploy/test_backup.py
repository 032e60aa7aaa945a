"""A backup of PostgreSQL, taken while calls come in, brings back what was answered, and what waited is sent."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

from heliograph.testing import eventually, running
from heliograph.testing.postgres import PostgresServer, binaries


def program(name: str, *arguments: str | Path) -> None:
    """Run one of PostgreSQL's own programs."""
    command = [str(binaries() / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


async def test_what_was_dumped_is_sent_from_the_restored_database(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    first, second = (postgres_server.url(postgres_server.create()) for _ in range(2))
    data, dump = tmp_path / "data", tmp_path / "heliograph.dump"
    async with running(data, database=first, ROLES="api,simulators") as live:
        before = [element["transid"] for element in await live.sms(*(f"4477009001{n:02}" for n in range(50)))]
        backup = asyncio.create_task(asyncio.to_thread(program, "pg_dump", "-Fc", "-d", first, "-f", dump))
        while not backup.done():
            await live.sms("447700900999")
        await backup
    program("pg_restore", "-d", second, dump)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(data / "secret-key", other)
    async with running(other, database=second) as live:

        async def delivered() -> bool:
            found = await asyncio.gather(*(live.status(transid) for transid in before))
            return {rows[0]["code"] for rows in found} == {"7500"}

        await eventually(delivered, 30)
