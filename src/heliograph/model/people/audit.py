"""What people and programs did that somebody may ask about later."""

from __future__ import annotations

from typing import Any

import msgspec


class Deed(msgspec.Struct, frozen=True, array_like=True):
    """One deed: who (`actor`) did what (`action`) to which `object`, when (Unix milliseconds). `detail` says more,
    without what the deed was to hide; a deed that is no tenant's has the `tenant` ""."""

    id: int
    at: int
    tenant: str
    actor: str
    action: str
    object: str
    detail: dict[str, Any] = {}
