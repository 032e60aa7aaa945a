"""How an SMPP connector is set up: every setting and option, its default, and what is wrong with a spec."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from heliograph import catalogue
from heliograph.channels.sms.outcomes import TABLE
from heliograph.model.channel import Peers
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.smpp.receipt import IdFormat
from heliograph.wire.smpp.segment import Alphabet, Mode

ID_FORMATS: dict[str, tuple[IdFormat, IdFormat]] = {
    "plain": ("as_is", "as_is"),
    "hex": ("hex", "hex"),
    "decimal": ("decimal", "decimal"),
    "hex-decimal": ("hex", "decimal"),
    "decimal-hex": ("decimal", "hex"),
}
"""id_format to how ids are written in submit_sm_resp and in receipts."""

RETRIES = ("no", "soon", "late", "once", "free")
MAX_WINDOW = 10_000
MAX_BINDS = 64

Check = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Option:
    """One member of `options`: its default, and a check that gives what the value must be, or ""."""

    default: Any
    check: Check


def _choice(*values: str) -> Check:
    sentence = f"must be one of {', '.join(values)}"
    return lambda value: "" if value in values else sentence


def _number(low: float, high: float) -> Check:
    sentence = f"must be a number from {low:g} to {high:g}"

    def check(value: Any) -> str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if is_number and low <= value <= high else sentence

    return check


def _whole(low: int, high: int) -> Check:
    sentence = f"must be a whole number from {low} to {high}"
    return lambda value: "" if type(value) is int and low <= value <= high else sentence


def _ton(value: Any) -> str:
    return "" if value is None else _whole(0, 7)(value)


def _npi(value: Any) -> str:
    return "" if value is None else _whole(0, 18)(value)


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _ascii(longest: int) -> Check:
    sentence = f"must be ASCII text of at most {longest} characters"
    return lambda value: "" if isinstance(value, str) and value.isascii() and len(value) <= longest else sentence


def _file(value: Any) -> str:
    return "" if value == "" or (isinstance(value, str) and Path(value).is_file()) else "must name a readable file"


def _meanings(value: Any) -> str:
    if not isinstance(value, dict):
        return "must map native codes to catalogue keys"
    for native, meaning in value.items():
        key, _, retry = str(meaning).partition(":")
        if (retry or "no").strip() not in RETRIES:
            return f"{native}: the retry class must be one of {', '.join(RETRIES)}"
        try:
            catalogue.find(key.strip())
        except KeyError:
            return f"{native}: there is no catalogue key {key!r}"
    return ""


OPTIONS: dict[str, Option] = {
    "service_type": Option("", _ascii(5)),
    "source_ton": Option(None, _ton),
    "source_npi": Option(None, _npi),
    "dest_ton": Option(1, _whole(0, 7)),
    "dest_npi": Option(1, _whole(0, 18)),
    "default_alphabet": Option("gsm", _choice("gsm", "latin1")),
    "segmentation": Option("udh", _choice("udh", "udh16", "sar", "payload")),
    "id_format": Option("plain", _choice(*ID_FORMATS)),
    "err_profile": Option("list", _choice(*sorted(TABLE.errs))),
    "status_map": Option({}, _meanings),
    "err_map": Option({}, _meanings),
    "acceptd_final": Option(False, _flag),
    "registered_delivery": Option(1, _whole(0, 31)),
    "unanswered": Option("fail", _choice("fail", "resend")),
    "inbound_parts": Option("hold", _choice("hold", "at_once")),
    "enquire_link": Option(30, _number(0.1, 3600)),
    "response_timeout": Option(30, _number(0.1, 3600)),
    "reconnect_after": Option(1, _number(0.01, 60)),
    "reconnect_at_most": Option(60, _number(0.01, 3600)),
    "refused_wait": Option(60, _number(0.01, 86_400)),
    "tls_ca": Option("", _file),
    "tls_verify": Option(True, _flag),
}
"""Every member of `options`, in the order of the README."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked spec. Times are seconds; the password is in no representation."""

    name: str
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str
    bind: str
    binds: int
    window: int
    tls: bool
    service_type: str
    source_ton: int | None
    source_npi: int | None
    dest_ton: int
    dest_npi: int
    default_alphabet: Alphabet
    segmentation: Mode
    id_format: str
    err_profile: str
    status_map: dict[str, str]
    err_map: dict[str, str]
    acceptd_final: bool
    registered_delivery: int
    unanswered: str
    inbound_parts: str
    enquire_link: float
    response_timeout: float
    reconnect_after: float
    reconnect_at_most: float
    refused_wait: float
    tls_ca: str
    tls_verify: bool

    def context(self) -> ssl.SSLContext | None:
        """The TLS context, None for plain TCP. Raises OSError where `tls_ca` cannot be read."""
        if not self.tls:
            return None
        made = ssl.create_default_context(cafile=self.tls_ca or None)
        if not self.tls_verify:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made


def check(spec: ConnectorSpec) -> list[str]:
    """What is wrong or missing in a spec, in sentences; empty when it can be used."""
    faults = []
    if not spec.host:
        faults.append("`host` is missing")
    if not 1 <= spec.port <= 65535:
        faults.append("`port` must be 1 to 65535; 2775 is usual, 3550 with TLS")
    # SMPP 3.4, 4.1: sizes of the bind's fields
    for name, value, longest in (("system_id", spec.system_id, 15), ("password", spec.password, 8)):
        if not value:
            faults.append(f"`{name}` is missing")
        elif not value.isascii() or len(value) > longest:
            faults.append(f"`{name}` must be ASCII text of at most {longest} characters (SMPP 3.4)")
    if sentence := _ascii(12)(spec.system_type):
        faults.append(f"`system_type` {sentence}")
    if sentence := _whole(1, MAX_BINDS)(spec.binds):
        faults.append(f"`binds` {sentence}")
    if sentence := _whole(1, MAX_WINDOW)(spec.window):
        faults.append(f"`window` {sentence}")
    for name, value in spec.options.items():
        option = OPTIONS.get(name)
        sentence = option.check(value) if option else f"is unknown; there are {', '.join(OPTIONS)}"
        if sentence:
            faults.append(f"`options.{name}` {sentence}")
    return faults


def read(spec: ConnectorSpec) -> Settings:
    """The settings of a spec that `check` found nothing wrong with."""
    declared = {item.name: getattr(spec, item.name) for item in fields(Settings) if hasattr(spec, item.name)}
    chosen = {name: spec.options.get(name, option.default) for name, option in OPTIONS.items()}
    return Settings(**declared, **chosen)


SANDBOX_OPTIONS: dict[str, Any] = {
    "response_timeout": 10,
    "reconnect_after": 0.1,
    "reconnect_at_most": 2,
    "refused_wait": 6,
}
_ROUTE_OPTIONS = frozenset({"id_format", "err_profile", "status_map", "err_map", "acceptd_final"})


def sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    """The same connector against the simulator: its address and credentials, short waits, no carrier's dialect."""
    kept = {name: value for name, value in spec.options.items() if name not in _ROUTE_OPTIONS}
    peer = peers["smsc"]
    return msgspec.structs.replace(
        spec,
        host=peer.host,
        port=peer.port,
        system_id=spec.system_id or "sandbox",
        password=spec.password or "sandbox",
        tls=False,
        options=kept | SANDBOX_OPTIONS,
    )
