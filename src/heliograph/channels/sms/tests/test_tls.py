"""SMPP inside TLS, with a certificate of our own making."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from heliograph.model.outcome import Submitted

from .conftest import Another, Connect, until


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of 127.0.0.1 and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smsc")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "smsc.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    """What the simulator listens with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_message_goes_through_tls(
    connect: Connect, another: Another, server_side: ssl.SSLContext, certificate: Path
) -> None:
    line = await connect(await another(tls=server_side), tls=True, options={"tls_ca": str(certificate)})

    assert isinstance(await line.send_and_wait("447700900001"), Submitted)
    await until(lambda: line.recorder.receipts)


async def test_a_certificate_nobody_vouches_for_is_refused(
    connect: Connect, another: Another, server_side: ssl.SSLContext
) -> None:
    line = await connect(await another(tls=server_side), tls=True, wait=False)

    await until(lambda: line.connector.status()["last_errors"])
    assert "certificate" in line.connector.status()["last_errors"][0]["error"]
    assert line.connector.capacity() == 0


async def test_verification_can_be_switched_off(
    connect: Connect, another: Another, server_side: ssl.SSLContext
) -> None:
    line = await connect(await another(tls=server_side), tls=True, options={"tls_verify": False})

    assert isinstance(await line.send_and_wait("447700900001"), Submitted)
