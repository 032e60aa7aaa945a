"""An XML document as a JSON value."""

from __future__ import annotations

from typing import Any

from heliograph.wire.xml.guarded import BadXml, parse

DEEPEST = 32
TEXT = "#text"


class _Builder:
    """Builds objects from the inside out: each level has its members so far, and its text."""

    def __init__(self) -> None:
        self.levels: list[tuple[dict[str, Any], list[str]]] = [({}, [])]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.levels) > DEEPEST:
            raise BadXml("it is too deep")
        self.levels.append(({f"@{key}": value for key, value in attributes.items()}, []))

    def text(self, piece: str) -> None:
        self.levels[-1][1].append(piece)

    def end(self, name: str) -> None:
        members, pieces = self.levels.pop()
        text = "".join(pieces).strip()
        value: Any = members
        if not members:
            value = text
        elif text:
            members[TEXT] = text
        _add(self.levels[-1][0], name, value)


def _add(members: dict[str, Any], name: str, value: Any) -> None:
    """A name that comes again makes a list."""
    if name not in members:
        members[name] = value
    elif isinstance(members[name], list):
        members[name].append(value)
    else:
        members[name] = [members[name], value]


def tree(body: bytes) -> dict[str, Any]:
    """The document as an object with the outermost element as its one member. An element with neither elements nor
    attributes in it is its text; attributes are named `@name`, text beside them `#text`; elements of one name are a
    list. Blanks around texts are left out. Raises `BadXml`."""
    builder = _Builder()
    parse(body, builder)
    return builder.levels[0][0]
