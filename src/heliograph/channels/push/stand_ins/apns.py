"""A stand-in of APNs: HTTP/2 over TLS, provider tokens and client certificates checked, topics, sizes, ids."""

from __future__ import annotations

import re
import ssl
import tempfile
import time
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from heliograph.channels.push.far_ends.base import decoded
from heliograph.channels.push.payloads import OURS, encode
from heliograph.channels.push.sandbox import authority, key_of, lane_of, server_certificate
from heliograph.channels.push.settings import TOPIC_SUFFIXES
from heliograph.channels.push.stand_ins.app import AppSide
from heliograph.channels.push.stand_ins.plans import LAPSE_SECONDS, asked, sayings
from heliograph.channels.push.stand_ins.tokens import BadJwt, read_jwt
from heliograph.model.channel import Peer
from heliograph.wire.http2.server import STREAMS, Call, Reply, Server

TOKEN_SECONDS = 3_600
LONGEST_BYTES, LONGEST_VOIP = 4_096, 5_120
GONE_MS = 60_000  # how long ago a device that is gone went
_DEVICE = re.compile(r"/3/device/([0-9a-fA-F]{8,200})")


class Refusal(msgspec.Struct, frozen=True):
    """A native refusal: HTTP status and reason, seconds to wait."""

    status: int
    reason: str
    after: int = 0


REFUSALS: Mapping[str, Refusal] = {
    "7503": Refusal(429, "TooManyRequests", LAPSE_SECONDS),
    "7504": Refusal(403, "Forbidden"),
    "7507": Refusal(429, "TooManyProviderTokenUpdates"),
    "7510": Refusal(413, "PayloadTooLarge"),
    "7511": Refusal(400, "BadExpirationDate"),
    "7512": Refusal(400, "BadDeviceToken"),
    "7513": Refusal(410, "Unregistered"),
    "7514": Refusal(403, "BadCertificateEnvironment"),
    "7515": Refusal(403, "BadCertificate"),
    "7516": Refusal(429, "TooManyRequests"),
    "7517": Refusal(503, "ServiceUnavailable"),
    "7518": Refusal(400, "DuplicateHeaders"),
}
"""By published code."""


class Who(msgspec.Struct, frozen=True):
    """Who calls: their lane ("" for others than the sandbox), the topics they may send to (none: any), which key."""

    lane: str
    topics: tuple[str, ...]
    key: str


class ApnsStandIn:
    """`keys` are provider keys by `(team id, key id)`; those of the sandbox are known by themselves. `pushes` keeps
    what was taken (headers and payload), if it is set to a list."""

    def __init__(
        self, host: str, port: int, platform: str = "",
        keys: Mapping[tuple[str, str], ec.EllipticCurvePublicKey] | None = None,
    ) -> None:  # fmt: skip
        self.pushes: list[tuple[dict[str, str], dict[str, Any]]] | None = None
        self.counts = {"taken": 0, "refused": 0}
        self.token_seconds = TOKEN_SECONDS
        self._keys = keys or {}
        self._app = AppSide(platform)
        self._known: dict[str, tuple[Who, int]] = {}
        self._shown: dict[bytes, Who] = {}
        self._links: dict[int, str] = {}  # the key that a connection showed first
        self.server = Server(self._serve, host, port, tls=_context(host), streams=1)

    async def start(self) -> Peer:
        """See `StandIn`."""
        return Peer(*await self.server.start(), authority())

    async def stop(self) -> None:
        """See `StandIn`."""
        await self.server.stop()
        await self._app.stop()

    def _serve(self, call: Call) -> Reply:
        headers = dict(call.headers)
        identity = headers.get("apns-id") or str(uuid.uuid4())
        if call.method != "POST":
            return self._refuse(Refusal(405, "MethodNotAllowed"), identity)
        match = _DEVICE.fullmatch(call.path)
        if match is None:
            return self._refuse(Refusal(404, "BadPath"), identity)
        who = self._who(call)
        if isinstance(who, Refusal):
            return self._refuse(who, identity)
        self._welcome(call.link, who)
        if self._links[call.link] != who.key:
            return self._refuse(Refusal(403, "UnrelatedKeyIdInToken"), identity)
        payload = decoded(call.body)
        if fault := _fault(headers, payload, call.body, who):
            return self._refuse(fault, identity)
        device = match[1]
        found = asked(device)
        refusal = REFUSALS.get(found.code)
        if refusal is not None and not found.later:
            return self._refuse(refusal, identity)
        self.counts["taken"] += 1
        if self.pushes is not None:
            self.pushes.append((headers, payload))
        ours = payload.get(OURS)
        receipt = ours.get("receipt") if isinstance(ours, dict) else None
        self._app.got(who.lane, receipt, sayings(found, refusal.reason if refusal else ""))
        return Reply(200, {"apns-id": identity})

    def _welcome(self, link: int, who: Who) -> None:
        """A connection may have one stream until it has shown who it is."""
        if link not in self._links:
            if len(self._links) > 1_000:
                self._links = {known: key for known, key in self._links.items() if known in self.server.links}
            self._links[link] = who.key
            self.server.allow(link, STREAMS)

    def _who(self, call: Call) -> Who | Refusal:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._by_token(token)
        if call.certificate:
            return self._by_certificate(call.certificate)
        return Refusal(403, "MissingProviderToken")

    def _by_token(self, token: str) -> Who | Refusal:
        known = self._known.get(token)
        if known is None:
            try:
                known = self._read(token)
            except BadJwt:
                return Refusal(403, "InvalidProviderToken")
            if len(self._known) > 1_000:
                self._known.clear()
            self._known[token] = known
        if not -60 <= time.time() - known[1] < self.token_seconds:
            return Refusal(403, "ExpiredProviderToken")
        return known[0]

    def _read(self, token: str) -> tuple[Who, int]:
        found = read_jwt(token)
        team, key_id = str(found.claims.get("iss")), str(found.head.get("kid"))
        key, lane = self._keys.get((team, key_id)), ""
        if key is None:
            lane = lane_of(team)
            if not lane:
                raise BadJwt("there is no such key")
            key = key_of(f"apns {lane}").public_key()
        found.verify(key)
        return Who(lane, (), f"{team}/{key_id}"), found.moment("iat")

    def _by_certificate(self, der: bytes) -> Who | Refusal:
        """The handshake has shown that the sandbox's authority signed it."""
        who = self._shown.get(der)
        if who is None:
            shown = x509.load_der_x509_certificate(der)
            topics = tuple(str(one.value) for one in shown.subject.get_attributes_for_oid(NameOID.USER_ID))
            names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            uris = names.get_values_for_type(x509.UniformResourceIdentifier)
            lane = next((lane_of(uri.removeprefix("lane:")) for uri in uris if uri.startswith("lane:")), "")
            who = self._shown[der] = Who(lane, topics, shown.subject.rfc4514_string())
        return who

    def _refuse(self, refusal: Refusal, identity: str) -> Reply:
        self.counts["refused"] += 1
        body: dict[str, object] = {"reason": refusal.reason}
        if refusal.status == 410:
            body["timestamp"] = time.time_ns() // 1_000_000 - GONE_MS
        headers = {"apns-id": identity, "content-type": "application/json"}
        if refusal.after:
            headers["retry-after"] = str(refusal.after)
        return Reply(refusal.status, headers, encode(body))


def _fault(headers: Mapping[str, str], payload: dict[str, Any], body: bytes, who: Who) -> Refusal | None:
    """What APNs would refuse of any push."""
    topic, push_type = headers.get("apns-topic", ""), headers.get("apns-push-type", "")
    checks = (
        (push_type not in TOPIC_SUFFIXES, 400, "InvalidPushType" if push_type else "MissingPushType"),
        (not topic, 400, "MissingTopic"),
        (not topic.endswith(TOPIC_SUFFIXES.get(push_type, "")), 400, "TopicDisallowed"),
        (bool(who.topics) and not topic.startswith(who.topics), 400, "TopicDisallowed"),
        (not _is_uuid(headers.get("apns-id")), 400, "BadMessageId"),
        (not headers.get("apns-expiration", "0").isdigit(), 400, "BadExpirationDate"),
        (headers.get("apns-priority", "10") not in ("1", "5", "10"), 400, "BadPriority"),
        (len(headers.get("apns-collapse-id", "").encode("latin-1")) > 64, 400, "BadCollapseId"),
        (not payload, 400, "PayloadEmpty"),
        (len(body) > (LONGEST_VOIP if push_type == "voip" else LONGEST_BYTES), 413, "PayloadTooLarge"),
    )
    return next((Refusal(status, reason) for wrong, status, reason in checks if wrong), None)


def _is_uuid(value: str | None) -> bool:
    try:
        return value is None or str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _context(host: str) -> ssl.SSLContext:
    """TLS with the sandbox's certificate; clients may show one of theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=authority())
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(server_certificate(host))
        file.flush()
        context.load_cert_chain(file.name)
    return context
