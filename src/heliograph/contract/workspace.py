"""Reads a workspace document whole: every fault with its path and a sentence, or a `Document`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heliograph.contract.crosschecks import cross_faults
from heliograph.contract.difference import diff
from heliograph.contract.shape import Fault, shape_faults
from heliograph.model.channel import Channel
from heliograph.model.duration import parse_duration
from heliograph.model.workspace import Document

__all__ = ["Fault", "Faults", "diff", "parse_duration", "read_workspace"]


class Faults(Exception):
    """A document that cannot be declared; `faults` are `(path, sentence)`."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(f"{path}: {sentence}" for path, sentence in self.faults))


def read_workspace(document: bytes | dict[str, Any], channels: Mapping[str, Channel]) -> Document:
    """The document (an object, or JSON), checked whole. Raises `Faults`: all faults of its shape or, where the
    shape is right, all others."""
    plain = _json(document) if isinstance(document, bytes) else document
    try:
        found = list(shape_faults(plain, Document))
    except RecursionError as error:
        raise Faults([("document", "is nested too deep")]) from error
    if found:
        raise Faults(found)
    try:
        read = msgspec.convert(plain, Document)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Faults([("document", str(error))]) from error
    found = list(cross_faults(read, channels))
    if found:
        raise Faults(found)
    return read


def _json(document: bytes) -> Any:
    try:
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Faults([("document", f"is no JSON: {error}")]) from error
