"""Named SQL: statements are read from `.sql` files, where they can be seen whole, and used by name."""

from __future__ import annotations

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def read(name: str) -> str:
    """The text of a file of this package."""
    return files("heliograph.store").joinpath(name).read_text(encoding="utf-8")


def load(name: str) -> dict[str, str]:
    """Statements by name."""
    pieces = _NAME.split(read(name))[1:]
    return {key: sql.strip().rstrip(";") for key, sql in zip(pieces[::2], pieces[1::2], strict=True)}


def migrations() -> list[tuple[str, str]]:
    """`(name, script)` of every migration in order."""
    folder = files("heliograph.store").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name.removesuffix(".sql"), folder.joinpath(name).read_text(encoding="utf-8")) for name in names]
