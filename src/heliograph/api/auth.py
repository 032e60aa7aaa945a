"""Who calls: service keys against their hashes, source addresses against allow-lists, admin tokens."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import Scope

from heliograph.catalogue import keys
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.directory import Directory
from heliograph.wire import jwt

log = logging.getLogger(__name__)

Headers = Iterable[tuple[bytes, bytes]]


def header(headers: Headers, name: bytes) -> str | None:
    """The value of a header (its name in lower case), None when it is absent."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1").strip()
    return None


def credentials(headers: Headers) -> tuple[str, str | None]:
    """The service key ("" when it is absent), and the bearer token, which wins over the key."""
    key, token = "", None
    for name, value in headers:
        if name == b"key":
            key = value.decode("latin-1").strip()
        elif name == b"authorization":
            scheme, _, given = value.decode("latin-1").strip().partition(" ")
            if scheme.lower() == "bearer":
                token = given.strip()
    return key, token


@lru_cache(maxsize=4096)
def hashed(key: str) -> str:
    """A key as it is stored."""
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def service_of(directory: Directory, key: str) -> tuple[Tenant, Service]:
    """The service that owns the key; raises `Rejected` for an absent (7002) or unknown key (7001).

    Keys are looked up by their hash, so that the time taken says nothing about a stored key.
    """
    if not key:
        raise Rejected(keys.SERVICE_KEY_MISSING)
    found = directory.service_by_key(hashed(key))
    if found is None:
        raise Rejected(keys.AUTHENTICATION_FAILED)
    return found


def service_of_token(directory: Directory, token: str, now: float) -> tuple[Tenant, Service]:
    """The service whose secret signed the token; `now` is Unix seconds. Raises `Rejected` (7001)."""

    def owners(issuer: str) -> tuple[tuple[bytes, tuple[Tenant, Service]], ...]:
        declared = ((_secret(text), found) for text, found in directory.services_by_issuer(issuer))
        return tuple((secret, found) for secret, found in declared if secret)

    try:
        return jwt.owner_of(token, owners, now)
    except jwt.BadToken as error:
        log.debug("a bearer token was refused: %s", error)
        raise Rejected(keys.AUTHENTICATION_FAILED) from error


@lru_cache(maxsize=1024)
def _secret(text: str) -> bytes:
    return jwt.secret_bytes(text)


def tenant_of(directory: Directory, key: str) -> Tenant:
    """The tenant that owns the profile key; raises `Rejected` for an absent (7002) or unknown key (7001)."""
    if not key:
        raise Rejected(keys.SERVICE_KEY_MISSING)
    found = directory.tenant_by_profile_key(hashed(key))
    if found is None:
        raise Rejected(keys.AUTHENTICATION_FAILED)
    return found


def check_tenant_source(tenant: Tenant, source: str) -> None:
    """The caller's address against the tenant's list (7010)."""
    if tenant.ip_allowlist and not _listed(tenant.ip_allowlist, source):
        raise Rejected(keys.IP_NOT_ALLOWED)


def check_source(tenant: Tenant, service: Service, source: str) -> None:
    """The caller's address against the tenant's list (7010), then the service's own (7208)."""
    check_tenant_source(tenant, source)
    if service.ip_allowlist and not _listed(service.ip_allowlist, source):
        raise Rejected(keys.SERVICE_IP_NOT_ALLOWED)


def check_active(tenant: Tenant, service: Service) -> None:
    """Both must be live to accept (7007)."""
    if tenant.status != "active" or service.status != "live":
        raise Rejected(keys.SERVICE_INACTIVE)


def sender_of(
    directory: Directory, mark: Callable[[str], None], scope: Scope, key: str, token: str | None
) -> tuple[Tenant, Service]:
    """The service that may call: whose key or token it is, from where, and that it is live. `mark` hears of a key
    that was used. Raises `Rejected` (7001, 7002, 7010, 7208, 7007)."""
    if token is None:
        tenant, service = service_of(directory, key)
        mark(hashed(key))
    else:
        tenant, service = service_of_token(directory, token, time.time())
    client = scope.get("client")
    check_source(tenant, service, client[0] if client else "")
    check_active(tenant, service)
    return tenant, service


def is_admin(headers: Headers, token: str) -> bool:
    """Whether the bearer token is the admin's, compared in constant time."""
    scheme, _, given = (header(headers, b"authorization") or "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


@lru_cache(maxsize=1024)
def _networks(entries: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(entry, strict=False) for entry in entries)


@lru_cache(maxsize=65536)
def _listed(entries: tuple[str, ...], source: str) -> bool:
    try:
        address = ip_address(source)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in _networks(entries))
