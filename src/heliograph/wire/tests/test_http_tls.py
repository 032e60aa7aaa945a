"""HTTPS: a certificate of our own making, verified, with the server's name sent."""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from heliograph.wire.http import Client, HttpError

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def make(folder: Path, name: str, end: datetime.datetime = NOW + DAY) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), NOW - 2 * DAY, end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextlib.asynccontextmanager
async def served(pem: Path, names: list[str | None]) -> AsyncIterator[int]:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.sni_callback = lambda _, name, __: names.append(name)
    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.01)


async def loopback(_: str) -> list[str]:
    return ["127.0.0.1"]


def trusting(pem: Path) -> Client:
    return Client(tls=ssl.create_default_context(cafile=str(pem)), lookup=loopback)


async def test_a_trusted_certificate_is_accepted_and_the_name_sent(tmp_path: Path) -> None:
    pem, names = make(tmp_path, "caller.example"), []
    client = trusting(pem)
    async with served(pem, names) as port:
        for _ in range(2):
            answer = await client.request("GET", f"https://caller.example:{port}/", {}, timeout=5, allow_private=True)
            assert (answer.status, answer.body) == (200, b"hi")
        await client.close()
        await asyncio.sleep(0.02)
    assert names == ["caller.example"]


@pytest.mark.parametrize(
    ("case", "host", "end", "trusted"),
    [
        ("self-made and unknown", "caller.example", NOW + DAY, False),
        ("for another name", "other.example", NOW + DAY, True),
        ("expired", "caller.example", NOW - DAY, True),
    ],
)
async def test_a_bad_certificate_is_a_tls_error(
    tmp_path: Path, case: str, host: str, end: datetime.datetime, trusted: bool
) -> None:
    pem = make(tmp_path, "caller.example", end)
    client = trusting(pem) if trusted else Client(lookup=loopback)
    async with served(pem, []) as port:
        with pytest.raises(HttpError) as caught:
            await client.request("GET", f"https://{host}:{port}/", {}, timeout=5, allow_private=True)
        assert caught.value.kind == "tls"
        assert "certificate" in caught.value.detail
        await client.close()


async def test_an_endpoint_without_tls_is_a_tls_error() -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    client = Client(lookup=loopback)
    with pytest.raises(HttpError) as caught:
        await client.request(
            "GET", f"https://a.example:{server.sockets[0].getsockname()[1]}/", {}, allow_private=True
        )
    assert caught.value.kind == "tls"
    server.close()
    await client.close()


async def test_an_endpoint_that_never_shakes_hands_is_a_timeout() -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    client = Client(lookup=loopback, connect_timeout=0.2)
    with pytest.raises(HttpError) as caught:
        await client.request(
            "GET", f"https://a.example:{server.sockets[0].getsockname()[1]}/", {}, allow_private=True
        )
    assert caught.value.kind == "timeout"
    server.close()
    await client.close()
