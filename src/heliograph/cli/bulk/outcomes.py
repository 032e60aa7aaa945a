"""What became of the rows of a file that is imported: a file that says it of each, and a bar beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from heliograph.cli.remote import RemoteError
from heliograph.cli.show import errors


class Outcomes:
    """Of one import, while it runs."""

    def __init__(self, file: Path, heads: Sequence[str], target: Path, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID = bar.add_task(f"importing {file.name}", total=_count(file))
        self._stream = target.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._stream)
        self.write(*heads)

    def write(self, *cells: object) -> None:
        """A row of the file."""
        self._writer.writerow(cells)

    def reached(self, line: int) -> None:
        """Everything up to a line of the imported file is done."""
        self._bar.update(self._task, completed=line)

    def end(self) -> None:
        """All of it is done."""
        self._bar.update(self._task, completed=self._bar.tasks[self._task].total)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


@contextmanager
def outcomes(file: Path, heads: Sequence[str], target: Path) -> Iterator[Outcomes]:
    """Begin to import a file, with a file of outcomes of these columns at `target`. Raises `RemoteError` for either
    file that cannot be used."""
    try:
        with progress() as bar:
            made = Outcomes(file, heads, target, bar)
            try:
                yield made
                made.end()
            finally:
                made.close()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RemoteError(f"{file}: {error}") from error


def progress() -> Progress:
    """A bar, where errors are shown."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=errors
    )


def _count(file: Path) -> int:
    with file.open("rb") as stream:
        return sum(1 for _ in stream)
