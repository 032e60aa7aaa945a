"""Push in the sandbox: credentials that were left out, far ends that are simulators, users that nobody registered.

What is made up carries the name of the lane, so that a simulator that sees it knows whose it is; and it follows from
that name, so that a simulator in another process can check it. It protects nothing. Pure.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from heliograph.channels.push.far_ends.credentials import base64url, from_base64url, point_of
from heliograph.channels.push.settings import SYSTEMS, check
from heliograph.model.channel import Device, Peers
from heliograph.model.workspace import ConnectorSpec

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BROWSER = "a simulated browser"
AUTHORITY = "the sandbox's authority"
TOPIC = "sandbox.app"
SANDBOX_MAIL = "sandbox.iam.gserviceaccount.com"
BEGINS = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
ENDS = datetime.datetime(2125, 1, 1, tzinfo=datetime.UTC)

# Which system's device a simulated user has, by the code that their name asks for; any other has an Android phone.
WEB_CODES = frozenset({"7212", "7213", "7214"})
IOS_CODES = frozenset({"7510", "7511", "7514", "7515", "7516", "7517"})
_WANTED = re.compile(r"(sim|seq)-(7\d{3})(-2)?\Z")


@lru_cache(maxsize=256)
def key_of(name: str) -> ec.EllipticCurvePrivateKey:
    """A key of P-256 that follows from a name."""
    number = int.from_bytes(hashlib.sha512(name.encode()).digest(), "big")
    return ec.derive_private_key(number % (P256_ORDER - 1) + 1, ec.SECP256R1())


@lru_cache(maxsize=1)
def rsa_key() -> rsa.RSAPrivateKey:
    """The key of this process's service accounts; their key id is its public half, which the simulator reads."""
    return rsa.generate_private_key(65_537, 2048)


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """A private key in PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def lane_text(lane: str) -> str:
    """A lane's name as part of a credential."""
    return base64url(lane.encode())


def lane_of(text: str) -> str:
    """The lane that `lane_text` wrote; "" where it did not."""
    try:
        return from_base64url(text).decode()
    except ValueError:
        return ""


def _android(value: Mapping[str, Any], lane: str, peers: Peers) -> dict[str, Any]:
    key, url = rsa_key(), peers["fcm"].url()
    modulus = key.public_key().public_numbers().n
    account = {
        "type": "service_account",
        "project_id": "sandbox",
        "private_key_id": base64url(modulus.to_bytes(256, "big")),
        "private_key": pem_of(key),
        "client_email": f"{lane_text(lane)}@{SANDBOX_MAIL}",
        "token_uri": f"{url}/token",
    }
    return {"fcm_service_account": account, "endpoint": url, "http": value.get("http") or "2", "ca": ""}


def _ios(value: Mapping[str, Any], lane: str, peers: Peers) -> dict[str, Any]:
    peer, topic = peers["apns"], value.get("topic") or TOPIC
    made: dict[str, Any] = {
        "topic": topic, "endpoint": peer.url("https"), "ca": peer.ca or authority(), "token": None,
        "certificate": None,
    }  # fmt: skip
    if value.get("certificate") is not None:
        made["certificate"] = {"pem": client_certificate(lane, topic)}
    else:
        private = pem_of(key_of(f"apns {lane}"))
        made["token"] = {"key_id": "SANDBOXKEY", "team_id": lane_text(lane), "private_key": private}
    return made


def _web(value: Mapping[str, Any], lane: str, peers: Peers) -> dict[str, Any]:
    number = key_of(f"vapid {lane}").private_numbers().private_value
    return {
        "vapid_private_key": base64url(number.to_bytes(32, "big")),
        "subject": f"mailto:{lane_text(lane)}@{SANDBOX_MAIL}",
        "simulated": {"endpoint": f"{peers['webpush'].url()}/push/", "keys": browser_keys()},
        "ca": "",
    }


_MADE = {"android": _android, "ios": _ios, "web": _web}
_CREDENTIALS = {
    "android": ("fcm_service_account",), "ios": ("token", "certificate"), "web": ("vapid_private_key", "subject"),
}  # fmt: skip


def sandbox(spec: ConnectorSpec, lane: str, peers: Peers) -> ConnectorSpec:
    """The same app against the simulators, with made-up credentials. What is wrong with those that were given stays
    wrong; an app that names no system is for all of them."""
    given = {name: value for name, value in spec.options.items() if name in SYSTEMS}
    options: dict[str, Any] = {**spec.options, "sandbox": True}
    for system, value in (given or {system: {} for system in SYSTEMS}).items():
        if not isinstance(value, dict) or not _is_sound(spec, system, value):
            options[system] = value
            continue
        kept = {name: inner for name, inner in value.items() if name != "try_other_environment"}
        made = _MADE[system](value, lane, peers)
        options[system] = {"receipt_secret": f"sandbox {lane}", **kept, **made, "allow_private": True}
    return msgspec.structs.replace(spec, options=options)


def _is_sound(spec: ConnectorSpec, system: str, value: Mapping[str, Any]) -> bool:
    """Whether a system's object can be used once it has credentials."""
    if any(value.get(name) is not None for name in _CREDENTIALS[system]):
        return not check(msgspec.structs.replace(spec, options={system: value}))
    return True


def browser_keys() -> dict[str, str]:
    """The keys of every simulated browser's subscription."""
    return {"p256dh": base64url(point_of(key_of(BROWSER).public_key())), "auth": base64url(browser_secret())}


def browser_secret() -> bytes:
    """Its shared secret."""
    return hashlib.sha256(BROWSER.encode()).digest()[:16]


def wanted(name: str) -> tuple[str, str, bool]:
    """What the end of a name asks for: `sim` or `seq`, the code, whether the second row of that code; empty words
    where it asks for nothing."""
    found = _WANTED.search(name)
    return (found[1], found[2], bool(found[3])) if found else ("", "", False)


def simulated_device(user: str, systems: tuple[str, ...]) -> Device:
    """The one device of a user of the app whom nobody registered."""
    how, code, _ = wanted(user)
    fitting = "web" if code in WEB_CODES else "ios" if code in IOS_CODES else "android"
    system = fitting if fitting in systems else systems[0]
    if system != "ios":
        return Device(system, user)
    beginning = "999001" if how == "seq" else "51a0ed"
    middle = hashlib.sha256(user.encode()).hexdigest()[:54]
    return Device("ios", f"{beginning}{middle}{code or '51a0'}")


# Certificates


def _named(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


_AUTHORITY = _named((NameOID.COMMON_NAME, "Heliograph sandbox"))


def _certified(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, *extensions: tuple[x509.ExtensionType, bool]
) -> str:
    builder = (
        x509.CertificateBuilder(_AUTHORITY, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key_of(AUTHORITY).public_key()), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    made = builder.sign(key_of(AUTHORITY), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


@lru_cache(maxsize=1)
def authority() -> str:
    """The certificate (PEM) that all certificates of the sandbox are signed with: each process makes its own, with
    the same name and key."""
    usage = x509.KeyUsage(
        key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    return _certified(key_of(AUTHORITY), _AUTHORITY, (x509.BasicConstraints(True, None), True), (usage, True))


@lru_cache(maxsize=64)
def client_certificate(lane: str, topic: str) -> str:
    """A certificate of APNs for an app with its key (PEM)."""
    key = key_of(f"apns {lane}")
    subject = _named(
        (NameOID.USER_ID, topic), (NameOID.COMMON_NAME, f"Apple Push Services: {topic}"[:64]),
        (NameOID.ORGANIZATION_NAME, lane_text(lane)[:64]),
    )  # fmt: skip
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"lane:{lane_text(lane)}")])
    return _certified(key, subject, (usage, False), (names, False)) + pem_of(key)


def server_certificate(host: str) -> str:
    """The certificate of a simulator at an address of this machine, with its key (PEM)."""
    key = key_of("the simulator of APNs")
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(host))])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return _certified(key, _named((NameOID.COMMON_NAME, "localhost")), (names, False), (usage, False)) + pem_of(key)
