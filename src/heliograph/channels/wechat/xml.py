"""The XML of WeChat's calls: one element with flat members. Nothing else of XML is let in: no DTD, no entity."""

from __future__ import annotations

from heliograph.wire.xml import BadXml, parse

__all__ = ["BadXml", "read", "written"]

MEMBERS = 200
DEPTH = 10


class _Reader:
    """Collects the text of the members of the outermost element; what is nested deeper is left out."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._depth = 0
        self._pieces: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH or len(self.found) > MEMBERS:
            raise BadXml("it is too deep or has too many members")
        self._pieces = []

    def text(self, piece: str) -> None:
        if self._depth == 2:
            self._pieces.append(piece)

    def end(self, name: str) -> None:
        if self._depth == 2:
            self.found[name] = "".join(self._pieces).strip()
        self._depth -= 1
        self._pieces = []


def read(body: bytes) -> dict[str, str]:
    """The members of the element, as text. Raises `BadXml`."""
    reader = _Reader()
    parse(body, reader)
    return reader.found


def written(members: dict[str, str | int]) -> bytes:
    """An element as WeChat writes it."""
    inside = "".join(
        f"<{name}>{value}</{name}>" if isinstance(value, int) else f"<{name}>{_cdata(value)}</{name}>"
        for name, value in members.items()
    )
    return f"<xml>{inside}</xml>".encode()


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
