"""`heliograph migrate`: moves a stopped installation from SQLite to PostgreSQL."""

from __future__ import annotations

import asyncio

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from heliograph.cli import show
from heliograph.cli.data import DataLock
from heliograph.cli.parts.clock import clock_ms
from heliograph.cli.platform import DATABASE_FILE
from heliograph.config import SQLITE, Config, ConfigError, shown_database
from heliograph.store import StoreUnavailable
from heliograph.store.move import Moved, MoveRefused, move


def move_all(config: Config, source: str) -> list[Moved]:
    """Move what the data folder holds to the database that the settings name. Raises `ConfigError`."""
    if source != SQLITE:
        raise ConfigError(f"--from {source} is unknown; it must be sqlite")
    if config.database == SQLITE:
        raise ConfigError("give the target with --to postgresql://USER:PASSWORD@HOST/NAME or HELIOGRAPH_DATABASE")
    if not config.data.is_dir():
        raise ConfigError(f"the data folder {config.data} does not exist; give another with --data")
    lock = DataLock(config.data)
    try:
        with _bar() as bar:
            tasks = {}

            def progress(table: str, done: int, whole: int) -> None:
                if table not in tasks:
                    tasks[table] = bar.add_task(table, total=whole)
                bar.update(tasks[table], completed=done)

            return asyncio.run(move(config.data / DATABASE_FILE, config.database, clock_ms(), progress))
    except (MoveRefused, StoreUnavailable) as error:
        raise ConfigError(f"not moved to {shown_database(config.database)}: {error}") from error
    finally:
        lock.release()


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=show.errors,
    )  # fmt: skip
