"""Settings: the line over the environment over the file over defaults, checked whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.config import ROLES, SETTINGS, ConfigError, load, shown_bus, shown_database

ENV = {"HELIOGRAPH_LOG": "warning"}


def folder(path: Path, text: str) -> dict[str, str | None]:
    """A data folder with a settings file, as the line gives it."""
    (path / "heliograph.toml").write_text(text)
    return {"DATA": str(path)}


def test_defaults_are_in_force(tmp_path: Path) -> None:
    settings = load({"DATA": str(tmp_path)}, {})

    assert (settings.listen, settings.database, settings.bus, settings.retention_days) == (
        "127.0.0.1:8080", "sqlite", "local", 30,
    )  # fmt: skip
    assert settings.roles == frozenset(ROLES)


@pytest.mark.parametrize(
    ("line", "environment", "file", "expected"),
    [
        (None, {}, "", "info"),
        (None, {}, 'log = "error"', "error"),
        (None, {}, 'HELIOGRAPH_LOG = "error"', "error"),
        (None, ENV, 'log = "error"', "warning"),
        ("debug", ENV, 'log = "error"', "debug"),
        ("debug", {}, 'log = "error"', "debug"),
    ],
)
def test_the_line_is_over_the_environment_over_the_file(
    tmp_path: Path, line: str | None, environment: dict[str, str], file: str, expected: str
) -> None:
    assert load({**folder(tmp_path, file), "LOG": line}, environment).log == expected


def test_the_file_is_that_of_the_folder_in_the_environment(tmp_path: Path) -> None:
    folder(tmp_path, "retention_days = 7")

    assert load({}, {"HELIOGRAPH_DATA": str(tmp_path)}).retention_days == 7


@pytest.mark.parametrize(
    ("given", "environment", "said"),
    [
        ({}, {"HELIOGRAPH_COLOUR": "red"}, "HELIOGRAPH_COLOUR in the environment is no setting; there are DATA, "),
        ({"COLOUR": "red"}, {}, "HELIOGRAPH_COLOUR in the command line is no setting"),
        ({"LISTEN": "8080"}, {}, "HELIOGRAPH_LISTEN='8080' must look like 127.0.0.1:8080"),
        ({"LISTEN": "127.0.0.1:99999"}, {}, "must look like"),
        ({"BUS": "kafka://secret@h"}, {}, "HELIOGRAPH_BUS=*** must be local or look like nats://"),
        ({"BUS": "nats://u:p@h:4222?a=1", "DATABASE": "postgresql://h/n"}, {}, "HELIOGRAPH_BUS=*** has the option a"),
        ({"BUS": "nats://u:p@h:4222"}, {}, "HELIOGRAPH_BUS names a broker, but HELIOGRAPH_DATABASE is sqlite"),
        ({"ROLES": "api,cook"}, {}, "HELIOGRAPH_ROLES='api,cook' has unknown roles cook; there are api, worker"),
        (
            {"TRUSTED_PROXIES": "10.0.0.1, proxy"},
            {},
            "must be IPv4 or IPv6 addresses or CIDR blocks; 'proxy' is none",
        ),
        ({"LOG": "loud"}, {}, "HELIOGRAPH_LOG='loud' must be one of debug, info"),
        ({}, {"HELIOGRAPH_RETENTION_DAYS": "0"}, "must be a whole number from 1 to 3650"),
        ({}, {"HELIOGRAPH_RETENTION_DAYS": "-1"}, "must be a whole number"),
        ({}, {"HELIOGRAPH_DATABASE": "oracle"}, "HELIOGRAPH_DATABASE=*** must be sqlite or look like postgresql://"),
        ({}, {"HELIOGRAPH_DATABASE": "mysql://user:hunter2@host/x"}, "must be sqlite or look like"),
        ({}, {"HELIOGRAPH_DATABASE": "postgresql://user:hunter2@host"}, "must be sqlite or look like"),
        ({}, {"HELIOGRAPH_DATABASE": "postgresql:///x"}, "must be sqlite or look like"),
        ({}, {"HELIOGRAPH_DATABASE": "postgresql://user:hunter2@host:port/x"}, "HELIOGRAPH_DATABASE=***"),
        ({}, {"HELIOGRAPH_SMSC_SIMULATOR": "here"}, "must look like"),
    ],
)
def test_a_bad_setting_stops_with_a_sentence(
    tmp_path: Path, given: dict[str, str | None], environment: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load({"DATA": str(tmp_path), **given}, environment)

    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("database", "shown"),
    [
        ("sqlite", "sqlite"),
        ("postgresql://user:hunter2@db.example:5433/x?sslmode=require", "postgresql://db.example:5433/x"),
        ("postgres://user@host/x", "postgresql://host/x"),
        ("postgresql://user:hunter2@/x?host=/run/postgresql&password=hunter2", "postgresql:///run/postgresql/x"),
        ("postgresql://u:p@[::1]:5432/x", "postgresql://[::1]:5432/x"),
        ("postgresql://u:hunter2@a:5432,b/x?target_session_attrs=read-write", "postgresql://a:5432,b/x"),
    ],
)
def test_a_database_is_shown_without_its_password(tmp_path: Path, database: str, shown: str) -> None:
    settings = load({"DATA": str(tmp_path), "DATABASE": database}, {})

    assert settings.database == database
    assert shown_database(settings.database) == shown


@pytest.mark.parametrize("text", ["colour = 1", "[section]\na = 1"])
def test_an_unknown_setting_of_the_file_names_the_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"heliograph\.toml is no setting"):
        load(folder(tmp_path, text), {})


@pytest.mark.parametrize("content", [b"log = ", b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "heliograph.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"heliograph\.toml cannot be read"):
        load({"DATA": str(tmp_path)}, {})


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load({"DATA": str(tmp_path)}, {"HELIOGRAPH_SECRET_KEY": "hunter2"})

    assert "HELIOGRAPH_SECRET_KEY=***" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_the_url_is_one_that_this_machine_can_call(tmp_path: Path, listen: str, url: str) -> None:
    assert load({"DATA": str(tmp_path), "LISTEN": listen}, {}).url == url


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_default_is_good(setting: object) -> None:
    setting.check(setting.default)  # type: ignore[attr-defined]


def test_the_bus_is_shown_without_its_secrets() -> None:
    assert shown_bus("nats://u:p@a:4222,nats://b:4222?ca=/x") == "nats://a:4222,nats://b:4222"
    assert shown_bus("local") == "local"
