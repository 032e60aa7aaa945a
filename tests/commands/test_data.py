"""The data folder: private, with secrets of its own, for one process at a time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from heliograph.cli.data import DataLock, prepare, read_token
from heliograph.config import Config, ConfigError, load
from heliograph.store.vault import Vault


def settings(folder: Path, **environment: str) -> Config:
    """Settings with that data folder."""
    return load({"DATA": str(folder)}, {f"HELIOGRAPH_{name}": value for name, value in environment.items()})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_and_its_secrets_are_private(tmp_path: Path) -> None:
    prepare(settings(tmp_path / "a" / "b"))

    assert mode(tmp_path / "a" / "b") == 0o700
    assert {path.name: mode(path) for path in (tmp_path / "a" / "b").iterdir()} == {
        "admin-token": 0o600, "secret-key": 0o600,
    }  # fmt: skip


def test_secrets_are_made_once(tmp_path: Path) -> None:
    first, second = prepare(settings(tmp_path)), prepare(settings(tmp_path))

    assert (first.made, second.made) == (True, False)
    assert (first.admin_token, first.secret_key) == (second.admin_token, second.secret_key)
    Vault(first.secret_key)


def test_given_secrets_are_used_and_not_written(tmp_path: Path) -> None:
    made = prepare(settings(tmp_path, ADMIN_TOKEN="given-token"))

    assert (made.admin_token, made.made) == ("given-token", False)
    assert not (tmp_path / "admin-token").exists()


@pytest.mark.parametrize("name", ["admin-token", "secret-key"])
def test_an_empty_secret_is_refused_with_the_mend(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\n")
    with pytest.raises(ConfigError, match=f"{name} is empty; "):
        prepare(settings(tmp_path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/data cannot be used: Not a directory; give another with --data"):
        prepare(settings(tmp_path / "file" / "data"))


def test_a_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first = DataLock(tmp_path)
    with pytest.raises(ConfigError, match=r"another process serves the data folder .*; stop it, or give another"):
        DataLock(tmp_path)
    first.release()

    DataLock(tmp_path).release()


def test_a_missing_token_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"admin-token cannot be read .*; give --data or HELIOGRAPH_ADMIN_TOKEN"):
        read_token(settings(tmp_path))


def test_the_token_of_the_environment_is_over_the_folders(tmp_path: Path) -> None:
    prepare(settings(tmp_path))

    assert read_token(settings(tmp_path, ADMIN_TOKEN="mine")) == "mine"
