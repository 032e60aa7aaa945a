"""The data folder: made private, with the secrets that were not given."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from heliograph.config import Config, ConfigError
from heliograph.store.vault import new_secret

TOKEN_FILE = "admin-token"  # noqa: S105 - a file's name
KEY_FILE = "secret-key"
LOCK_FILE = "lock"


class DataLock:
    """Holds the data folder for this process; the system lets go of it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Raises `ConfigError` when another process holds the folder."""
        self._descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise ConfigError(
                f"another process serves the data folder {folder}; stop it, or give another folder with --data"
            ) from error

    def release(self) -> None:
        """Let go."""
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The admin token and the key of the vault; `made` says that the token is new and is to be shown once."""

    admin_token: str
    secret_key: str
    made: bool


def prepare(config: Config) -> Secrets:
    """Make the folder and what is missing in it. Raises `ConfigError` when it cannot be used."""
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        token, made = _kept(config.data / TOKEN_FILE, config.admin_token, lambda: secrets.token_urlsafe(32))
        key, _ = _kept(config.data / KEY_FILE, config.secret_key, new_secret)
    except OSError as error:
        raise ConfigError(
            f"the data folder {config.data} cannot be used: {error.strerror}; give another with --data"
        ) from error
    return Secrets(token, key, made)


def read_token(config: Config) -> str:
    """The admin token for a command that talks to a running server."""
    if config.admin_token:
        return config.admin_token
    path = config.data / TOKEN_FILE
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"no admin token: {path} cannot be read ({error.strerror}); give --data or HELIOGRAPH_ADMIN_TOKEN"
        ) from error


def _kept(path: Path, given: str, make: Callable[[], str]) -> tuple[str, bool]:
    if given:
        return given, False
    if path.exists():
        kept = path.read_text(encoding="utf-8").strip()
        if not kept:
            raise ConfigError(f"{path} is empty; restore it, or remove it to have a new one made")
        return kept, False
    value = make()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(value + "\n")
        target.flush()
        os.fsync(target.fileno())
    return value, True
