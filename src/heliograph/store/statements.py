"""Named SQL: statements are read from `.sql` files, where they can be seen whole, and used by name.

`sql/AREA.sql` holds what both engines say alike, `sql/AREA.ENGINE.sql` what they do not. Parameters are `$1`, `$2`.
"""

from __future__ import annotations

import re
from importlib.resources import files

_ABOUT_THE_NEXT = re.compile(r"(\n--[^\n]*)+\s*\Z")
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_SCHEMA = "schema."


def read(name: str) -> str:
    """The text of a file of this package."""
    return files("heliograph.store").joinpath(name).read_text(encoding="utf-8")


def schema(engine: str) -> str:
    """All tables of an engine as they stand now."""
    return read(f"sql/{_SCHEMA}{engine}.sql")


def load(engine: str) -> dict[str, str]:
    """All statements of an engine by name."""
    found: dict[str, str] = {}
    for name in sorted(entry.name for entry in files("heliograph.store").joinpath("sql").iterdir()):
        _, *dialect, _ = name.split(".")
        if name.startswith(_SCHEMA) or dialect not in ([], [engine]):
            continue
        pieces = _NAME.split(read(f"sql/{name}"))[1:]
        for key, sql in zip(pieces[::2], pieces[1::2], strict=True):
            if key in found:
                raise ValueError(f"the statement {key} of {name} stands twice")
            found[key] = _ABOUT_THE_NEXT.sub("", sql).strip().rstrip(";")
    return found


def migrations(engine: str) -> list[tuple[str, str]]:
    """`(name, script)` of every migration of an engine in order."""
    folder = files("heliograph.store").joinpath("migrations").joinpath(engine)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name.removesuffix(".sql"), folder.joinpath(name).read_text(encoding="utf-8")) for name in names]
