"""Digest authentication (RFC 3261 22, RFC 8760, RFC 7616): answering a challenge, and checking an answer. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import NamedTuple

from heliograph.wire.sip.headers import unquoted
from heliograph.wire.sip.message import Header, every, split

ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
"""By preference; both also with `-sess`."""

CHALLENGES = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
"""The headers of a challenge and of its answer, by status."""


class Challenge(NamedTuple):
    """What a far end wants proved. `algorithm` is as it was written; `auth` whether qop=auth is offered."""

    realm: str
    nonce: str
    opaque: str = ""
    algorithm: str = ""
    auth: bool = False
    stale: bool = False

    @property
    def known(self) -> str:
        """The hash behind the algorithm, "" when we have none of that name."""
        name = (self.algorithm or "MD5").upper().removesuffix("-SESS")
        return name if name in ALGORITHMS else ""


class Credentials(NamedTuple):
    """Who we are at a far end."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r})"


def challenge_of(headers: Iterable[Header], name: str) -> Challenge | None:
    """The challenge to answer among those of a header: the best algorithm that we have (RFC 8760 2.4: the topmost
    of those)."""
    found = [made for value in every(headers, name) if (made := _challenge(value))]
    for algorithm in ALGORITHMS:
        for one in found:
            if one.known == algorithm:
                return one
    return None


def _challenge(value: str) -> Challenge | None:
    scheme, _, rest = value.strip().partition(" ")
    fields = _fields(rest)
    if scheme.lower() != "digest" or "nonce" not in fields or "realm" not in fields:
        return None
    offered = [one.strip().lower() for one in fields.get("qop", "").split(",")]
    return Challenge(
        fields["realm"], fields["nonce"], fields.get("opaque", ""), fields.get("algorithm", ""), "auth" in offered,
        fields.get("stale", "").lower() == "true",
    )  # fmt: skip


def _fields(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in split(text))
    return {name.strip().lower(): unquoted(value) for name, _, value in pairs if name.strip()}


def answer(challenge: Challenge, credentials: Credentials, method: str, uri: str, cnonce: str, count: int = 1) -> str:
    """The value of the header that answers a challenge; `cnonce` must be new, `count` how often the nonce was used,
    this time included."""
    parts = [
        ("username", _quoted(credentials.username)), ("realm", _quoted(challenge.realm)),
        ("nonce", _quoted(challenge.nonce)), ("uri", _quoted(uri)),
    ]  # fmt: skip
    fields = {"nonce": challenge.nonce, "cnonce": cnonce, "nc": f"{count:08x}", "algorithm": challenge.algorithm}
    if challenge.auth:
        fields["qop"] = "auth"
    secret = _secret(fields, credentials.username, challenge.realm, credentials.password)
    parts.append(("response", _quoted(_response(fields, secret, method, uri))))
    if challenge.algorithm:
        parts.append(("algorithm", challenge.algorithm))
    if challenge.opaque:
        parts.append(("opaque", _quoted(challenge.opaque)))
    if challenge.auth:
        parts += [("qop", "auth"), ("nc", fields["nc"]), ("cnonce", _quoted(cnonce))]
    elif fields["algorithm"].upper().endswith("-SESS"):
        parts.append(("cnonce", _quoted(cnonce)))
    return "Digest " + ", ".join(f"{name}={value}" for name, value in parts)


class Proof(NamedTuple):
    """An answer to a challenge as a server reads it."""

    username: str
    realm: str
    nonce: str
    fields: dict[str, str]

    def holds(self, password: str, method: str) -> bool:
        """Whether it was made with that password for a request of that method, to the URI that it names."""
        if (self.fields.get("algorithm") or "MD5").upper().removesuffix("-SESS") not in ALGORITHMS:
            return False
        secret = _secret(self.fields, self.username, self.realm, password)
        wanted = _response(self.fields, secret, method, self.fields.get("uri", ""))
        return hmac.compare_digest(wanted.encode(), self.fields.get("response", "").encode())


def proof_of(headers: Iterable[Header], name: str, realm: str) -> Proof | None:
    """The answer for a realm among those of a header."""
    for value in every(headers, name):
        scheme, _, rest = value.strip().partition(" ")
        fields = _fields(rest)
        if scheme.lower() == "digest" and fields.get("realm") == realm:
            return Proof(fields.get("username", ""), realm, fields.get("nonce", ""), fields)
    return None


def _hash(fields: dict[str, str]) -> Callable[[bytes], str]:
    return ALGORITHMS[(fields.get("algorithm") or "MD5").upper().removesuffix("-SESS")]


def _secret(fields: dict[str, str], username: str, realm: str, password: str) -> str:
    """RFC 7616 3.4.2: A1, hashed."""
    made = _hash(fields)(f"{username}:{realm}:{password}".encode())
    if fields.get("algorithm", "").upper().endswith("-SESS"):
        made = _hash(fields)(f"{made}:{fields.get('nonce', '')}:{fields.get('cnonce', '')}".encode())
    return made


def _response(fields: dict[str, str], secret: str, method: str, uri: str) -> str:
    """RFC 7616 3.4.1; without qop as RFC 2069 had it."""
    asked = _hash(fields)(f"{method}:{uri}".encode())
    middle = [fields.get("nonce", "")]
    if qop := fields.get("qop"):
        middle += [fields.get("nc", ""), fields.get("cnonce", ""), qop]
    return _hash(fields)(":".join([secret, *middle, asked]).encode())


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'
