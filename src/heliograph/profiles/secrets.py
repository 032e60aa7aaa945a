"""Tokens of users that a profile may hold: sealed where they are kept, never shown."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from msgspec.structs import replace

from heliograph.model.profiles.apps import SECRETS, Scalar
from heliograph.model.profiles.records import Change
from heliograph.store.vault import Vault

HIDDEN = "***"
"""What is shown of a secret; given back, it means "as it is"."""
_SEALED = "sealed:"


def sealed(change: Change, vault: Vault) -> Change:
    """The change with its secrets sealed."""
    if not SECRETS & change.patch.keys():
        return change
    patch = {
        name: _seal(value, vault) if name in SECRETS else value
        for name, value in change.patch.items()
        if not (name in SECRETS and value == HIDDEN)
    }
    return replace(change, patch=patch)


def _seal(value: Scalar | None, vault: Vault) -> Scalar | None:
    if value is None:
        return None
    return _SEALED + base64.b64encode(vault.seal(str(value).encode())).decode()


def shown(attributes: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The attributes without secrets."""
    return {name: HIDDEN if name in SECRETS else value for name, value in attributes.items()}
