"""The base of everything that the workspace document holds."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the document's objects: frozen, keyword-only, strict about members."""
