"""Every setting: its name, default, check and help. Environment over `heliograph.toml` in the data folder over
defaults; checked whole at start. The only place that reads the environment."""

from __future__ import annotations

import base64
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PREFIX = "HELIOGRAPH_"
FILE = "heliograph.toml"
HIDDEN = frozenset({"ADMIN_TOKEN", "SECRET_KEY", "KEY", "DATABASE", "BUS"})  # never repeated in an error


class ConfigError(Exception):
    """A setting is unknown or bad; the text names it and the mend."""


def _text(value: str) -> str:
    return value


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError("must look like 127.0.0.1:8080")
    return value


def _url(value: str) -> str:
    if value and not value.lower().startswith(("http://", "https://")):
        raise ValueError("must be a URL such as https://go.example.com")
    return value.rstrip("/")


def _one_of(*allowed: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value.lower() not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value.lower()

    return check


def _number(least: int, most: int) -> Callable[[str], int]:
    def check(value: str) -> int:
        if not value.isdecimal() or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return check


def _secret(value: str) -> str:
    if value:
        try:
            raw = base64.urlsafe_b64decode(value)
        except ValueError:
            raw = b""
        if len(raw) != 32:
            raise ValueError("must be 32 bytes in URL-safe base64")
    return value


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for entry in filter(None, (part.strip() for part in value.split(","))):
        try:
            found.append(ip_network(entry, strict=False))
        except ValueError as error:
            raise ValueError(f"must be IPv4 or IPv6 addresses or CIDR blocks; {entry!r} is none") from error
    return tuple(found)


def _roles(value: str) -> str:
    unknown = [role for role in value.split(",") if role not in ROLES]
    if unknown:
        raise ValueError(f"has unknown roles {', '.join(unknown)}; there are {', '.join(ROLES)}")
    return value


def _hosts(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or dict(parse_qsl(parts.query)).get("host", "")


def _database(value: str) -> str:
    if value.lower() == SQLITE:
        return SQLITE
    parts = urlsplit(value)  # raises ValueError for a bracket that is none
    if parts.scheme not in ("postgresql", "postgres") or not _HOSTS.fullmatch(_hosts(value)) or len(parts.path) < 2:
        raise ValueError("must be sqlite or look like postgresql://USER:PASSWORD@HOST:5432/NAME")
    return value


def shown_database(value: str) -> str:
    """Where state is kept, for people: without user, password and options."""
    return value if value == SQLITE else f"postgresql://{_hosts(value)}{urlsplit(value).path}"


def _bus(value: str) -> str:
    if value.lower() == LOCAL:
        return LOCAL
    place, _, query = value.partition("?")
    for name, option in parse_qsl(query, strict_parsing=bool(query)):
        if name not in _BUS_OPTIONS or not re.fullmatch(_BUS_OPTIONS[name], option):
            raise ValueError(f"has the option {name}, which is unknown or bad; there are {', '.join(_BUS_OPTIONS)}")
    for url in place.split(","):
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2]
        if parts.scheme not in ("nats", "tls") or not re.fullmatch(_HOST, host) or parts.path not in ("", "/"):
            raise ValueError("must be local or look like nats://USER:PASSWORD@HOST:4222,nats://HOST:4222")
    return value


def shown_bus(value: str) -> str:
    """Where the broker is, for people: without user, password, token and options."""
    if value == LOCAL:
        return value
    parts = [urlsplit(url.strip()) for url in value.partition("?")[0].split(",")]
    return ",".join(f"{part.scheme}://{part.netloc.rpartition('@')[2]}" for part in parts)


_BUS_OPTIONS = {
    "replicas": "[135]", "ca": ".+", "space": "[a-z0-9]{1,32}", "ack_wait": "[1-9][0-9]{0,2}",
    "deliveries": "[1-9][0-9]{0,4}",
}  # fmt: skip
SQLITE = "sqlite"
LOCAL = "local"
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:@,\[\]]+)(?::[1-9][0-9]{0,4})?"  # several: the first that fits is taken
_HOSTS = re.compile(f"{_HOST}(?:,{_HOST})*")
ROLES = ("api", "worker", "console", "simulators")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; `check` gives the value or raises ValueError with the rule it breaks."""

    name: str
    default: str
    check: Callable[[str], Any]
    help: str


SETTINGS = (
    Setting("DATA", "./heliograph-data", _text, "Folder for the database, keys and settings; made 0700."),
    Setting(
        "DATABASE",
        SQLITE,
        _database,
        "Where state is kept: `sqlite` is a file in the data folder; `postgresql://USER:PASSWORD@HOST:5432/NAME` "
        "is a PostgreSQL database.",
    ),
    Setting(
        "BUS",
        LOCAL,
        _bus,
        "How the parts of the platform reach each other: `local` within one process; "
        "`nats://USER:PASSWORD@HOST:4222,nats://HOST:4222` through NATS JetStream, for many processes on a "
        "PostgreSQL database. A token stands in place of `USER:PASSWORD`; `tls://` is NATS over TLS. At the end may "
        "stand options, as in `?replicas=3&ca=FILE`: `replicas`, how many servers keep each chunk; `ca`, the "
        "certificates that theirs are signed by; `space`, what subjects and streams begin with, `hg` unless told; "
        "`ack_wait`, after how many seconds (30) the work of a process that died goes to another; `deliveries`, "
        "after how many tries (100) a chunk of messages is parked.",
    ),
    Setting("LISTEN", "127.0.0.1:8080", _listen, "Host and port of the HTTP server."),
    Setting(
        "TRUSTED_PROXIES",
        "",
        _networks,
        "Addresses and CIDR blocks of reverse proxies, separated by commas. A call from one of them comes from the "
        "right-most address in its `X-Forwarded-For` that is none of them. Empty: the header is not looked at.",
    ),
    Setting("ROLES", ",".join(ROLES), _roles, "What this process does, separated by commas."),
    Setting(
        "PROCESSES",
        "1",
        _number(1, 64),
        "How many processes serve on this machine; more than one needs PostgreSQL and NATS.",
    ),
    Setting("ADMIN_TOKEN", "", _text, "Token of the admin API; made at first start and kept in the data folder."),
    Setting(
        "SECRET_KEY",
        "",
        _secret,
        "Encrypts the workspace at rest (32 bytes, URL-safe base64); made at first start likewise.",
    ),
    Setting("KEY", "", _text, "Service key that the commands `send` and `status` use."),
    Setting("LOG", "info", _one_of("debug", "info", "warning", "error"), "How much is logged."),
    Setting("RETENTION_DAYS", "30", _number(1, 3650), "Days that messages and their stories are kept."),
    Setting(
        "LINK_URL",
        "",
        _url,
        "What short links begin with, where a domain of the tenant is not used; the server's own URL by default.",
    ),
    Setting(
        "SMSC_SIMULATOR",
        "127.0.0.1:2775",
        _listen,
        "Where the SMSC simulator listens, and where sandbox services send SMS; port 0 takes a free one.",
    ),
    Setting(
        "SIMULATOR_PORTS",
        "usual",
        _one_of("usual", "free"),
        "Ports of the other simulators on 127.0.0.1: each one's usual port, or any free one.",
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force."""

    data: Path
    database: str
    bus: str
    listen: str
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    roles: frozenset[str]
    processes: int
    admin_token: str
    secret_key: str
    key: str
    log: str
    retention_days: int
    link_url: str
    smsc_simulator: tuple[str, int]
    simulator_ports: str

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the HTTP server."""
        return split_address(self.listen)

    @property
    def url(self) -> str:
        """The base URL of the HTTP server, as one on this machine calls it."""
        host, port = self.address
        if host in ("0.0.0.0", "::"):  # noqa: S104
            host = "127.0.0.1"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def split_address(text: str) -> tuple[str, int]:
    """`host:port` as its two halves."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def load(given: Mapping[str, str | None], environment: Mapping[str, str] = os.environ) -> Config:
    """The settings, `given` (from the command line, by name without prefix) over the environment over the
    file. Raises `ConfigError`."""
    known = {setting.name: setting for setting in SETTINGS}
    values = {setting.name: setting.default for setting in SETTINGS}
    from_environment = {
        name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)
    }
    from_line = {name: value for name, value in given.items() if value is not None}
    folder = Path(from_line.get("DATA") or from_environment.get("DATA") or values["DATA"])
    layers = (
        (_file(folder / FILE), str(folder / FILE)),
        (from_environment, "the environment"),
        (from_line, "the command line"),
    )
    for layer, source in layers:
        for name, value in layer.items():
            if name not in known:
                raise ConfigError(f"{PREFIX}{name} in {source} is no setting; there are {', '.join(known)}")
            values[name] = value
    return _checked(known, values)


def _checked(known: Mapping[str, Setting], values: Mapping[str, str]) -> Config:
    checked: dict[str, Any] = {}
    for name, setting in known.items():
        try:
            checked[name] = setting.check(values[name])
        except ValueError as error:
            shown = "***" if name in HIDDEN else repr(values[name])
            raise ConfigError(f"{PREFIX}{name}={shown} {error}") from error
    if checked["BUS"] != LOCAL and checked["DATABASE"] == SQLITE:
        raise ConfigError(
            f"{PREFIX}BUS names a broker, but {PREFIX}DATABASE is {SQLITE}, a file of one process; give a "
            f"postgresql:// database that all processes share"
        )
    if checked["PROCESSES"] > 1 and checked["BUS"] == LOCAL:
        raise ConfigError(
            f"{PREFIX}PROCESSES is {checked['PROCESSES']}, but {PREFIX}BUS is {LOCAL}, which reaches one process; "
            f"give the nats:// URL of a broker, and a postgresql:// database"
        )
    return Config(
        data=Path(checked["DATA"]),
        database=checked["DATABASE"],
        bus=checked["BUS"],
        listen=checked["LISTEN"],
        trusted_proxies=checked["TRUSTED_PROXIES"],
        roles=frozenset(checked["ROLES"].split(",")),
        processes=checked["PROCESSES"],
        admin_token=checked["ADMIN_TOKEN"],
        secret_key=checked["SECRET_KEY"],
        key=checked["KEY"],
        log=checked["LOG"],
        retention_days=checked["RETENTION_DAYS"],
        link_url=checked["LINK_URL"],
        smsc_simulator=split_address(checked["SMSC_SIMULATOR"]),
        simulator_ports=checked["SIMULATOR_PORTS"],
    )


def _file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    return {name.upper().removeprefix(PREFIX): str(value) for name, value in content.items()}
