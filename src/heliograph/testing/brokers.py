"""One NATS server, or three that keep everything together, over TLS with an authority of their own and a password."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import shutil
import ssl
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from nats.aio.client import Client
from nats.errors import Error

from heliograph.testing.nats import NatsServer, free_port

THREE = 3
LED_SECONDS = 30.0
USER, PASSWORD = "platform", "only-for-tests"
LOOPBACK = ipaddress.ip_address("127.0.0.1")
SYNCED = "sync_interval: always"  # what a broker says it has is on its disk
_CONFIG = """
server_name: n{number}
authorization {{ user: {user}, password: "{password}" }}
tls {{ cert_file: "{folder}/server.pem", key_file: "{folder}/server.key", ca_file: "{folder}/ca.pem" }}
cluster {{
  name: together
  listen: "127.0.0.1:{listen}"
  no_advertise: true
  authorization {{ user: route, password: "{password}" }}
  tls {{ cert_file: "{folder}/server.pem", key_file: "{folder}/server.key", ca_file: "{folder}/ca.pem" }}
  routes: [{routes}]
}}
jetstream {{ {options} }}
"""


@dataclass(frozen=True, slots=True)
class Brokers:
    """The servers; `authority` is the file with the certificate of theirs, where they use TLS."""

    servers: list[NatsServer]
    authority: Path | None = None

    def space(self, **options: object) -> str:
        """The setting `HELIOGRAPH_BUS` for them, with a space of its own for one platform."""
        first, *others = self.servers
        if self.authority is None:
            return first.space(**options)
        _, _, query = first.space(replicas=len(self.servers), ca=self.authority, **options).partition("?")
        places = [f"tls://{USER}:{PASSWORD}@127.0.0.1:{first.port}"]
        places += [f"tls://127.0.0.1:{other.port}" for other in others]
        return f"{','.join(places)}?{query}"

    def leader(self, space: str) -> NatsServer:
        """Who leads the stream of a space (a setting), once somebody does. Raises TimeoutError."""
        end = time.monotonic() + LED_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(Error, OSError, TimeoutError):
                if name := asyncio.run(self._leader(space)):
                    return self.servers[int(name.removeprefix("n")) - 1]
            time.sleep(0.1)
        raise TimeoutError("nobody leads the stream")

    async def _leader(self, space: str) -> str:
        client = Client()
        secured = None if self.authority is None else ssl.create_default_context(cafile=self.authority)
        await client.connect(
            [f"tls://127.0.0.1:{server.port}" for server in self.servers], user=USER, password=PASSWORD,
            tls=secured, max_reconnect_attempts=1,
        )  # fmt: skip
        try:
            name = space.partition("space=")[2].partition("&")[0]
            found = await client.jetstream(timeout=2).stream_info(f"{name.upper()}_SEND")
            return (found.cluster and found.cluster.leader) or ""
        finally:
            await client.close()


@contextlib.contextmanager
def brokers(count: int = 1, *, places: Sequence[Path] = (), synced: bool = False) -> Iterator[Brokers]:
    """So many that serve, one or three; each keeps its data in its folder of `places`. With `synced` they sync every
    message to their disk."""
    options = SYNCED if synced else ""
    where = [*places, *[None] * (count - len(places))]
    folder = Path(tempfile.mkdtemp(prefix="heliograph-brokers-"))
    servers: list[NatsServer] = []
    try:
        if count == 1:
            servers.append(NatsServer(place=where[0], config=f"jetstream {{ {options} }}\n"))
            authority = None
        else:
            authority = certify(folder)
            listens = [free_port() for _ in range(count)]
            routes = ", ".join(f'"nats-route://route:{PASSWORD}@127.0.0.1:{port}"' for port in listens)
            servers += [
                NatsServer(
                    place=place,
                    config=_CONFIG.format(
                        number=number, user=USER, password=PASSWORD, folder=folder, listen=listen, routes=routes,
                        options=options,
                    ),
                )
                for number, (place, listen) in enumerate(zip(where, listens, strict=True), 1)
            ]  # fmt: skip
        for server in servers:
            server.start()
        yield Brokers(servers, authority)
    finally:
        for server in servers:
            server.close()
        shutil.rmtree(folder, ignore_errors=True)


def certify(folder: Path) -> Path:
    """An authority, and a certificate of loopback that it signed, in `ca.pem`, `server.pem` and `server.key`."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now, day = datetime.now(UTC), timedelta(days=1)
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    root = (
        x509.CertificateBuilder(issuer, issuer, authority.public_key(), 1, now - day, now + day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority, hashes.SHA256())
    )
    made = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), 2, now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)]), critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").write_bytes(made.public_bytes(pem))
    (folder / "server.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "ca.pem"
