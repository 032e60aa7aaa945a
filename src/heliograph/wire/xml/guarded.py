"""The parser that lets nothing in but elements, attributes and text."""

from __future__ import annotations

from typing import Protocol
from xml.parsers import expat


class BadXml(Exception):
    """It is no XML, or more of it than is let in; the text says why."""


class Handler(Protocol):
    """Takes what the parser finds, in its order. It may raise `BadXml`."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def text(self, piece: str) -> None:
        """Text, in pieces."""

    def end(self, name: str) -> None:
        """An element ends."""


def parse(body: bytes, handler: Handler) -> None:
    """Have a whole document read. Raises `BadXml`: what is not well-formed, of an unknown encoding, or has a document
    type or an entity of its own, is not let in."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler, parser.EndElementHandler = handler.start, handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _no_dtd
    parser.EntityDeclHandler = _no_dtd
    parser.ExternalEntityRefHandler = _no_dtd
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise BadXml(f"it cannot be read: {error}") from None
    except (ValueError, LookupError):  # an encoding that Python does not have
        raise BadXml("its encoding is not known") from None


def _no_dtd(*_: object) -> int:
    raise BadXml("it has a document type or an entity of its own")
