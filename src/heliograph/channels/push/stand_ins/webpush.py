"""A stand-in of a browser and its push service: checks VAPID, and reads what comes as the browser would."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from heliograph.channels.push.far_ends.base import decoded
from heliograph.channels.push.far_ends.credentials import base64url, from_base64url, point_of
from heliograph.channels.push.far_ends.encryption import Keys, Subscription, Undecryptable, decrypt
from heliograph.channels.push.payloads import OURS
from heliograph.channels.push.sandbox import BROWSER, browser_secret, key_of, lane_of
from heliograph.channels.push.stand_ins.app import AppSide
from heliograph.channels.push.stand_ins.plans import asked, sayings
from heliograph.channels.push.stand_ins.tokens import BadJwt, read_jwt
from heliograph.model.channel import Peer
from heliograph.wire.http2.server import Call, Reply, Server

LONGEST_BYTES = 4_096
DAY = 86_400
_PATH = "/push/"


class Refusal(msgspec.Struct, frozen=True):
    """A native refusal: HTTP status and words, seconds to wait."""

    status: int
    words: str = ""
    after: int = 0


REFUSALS: Mapping[str, Refusal] = {
    "7212": Refusal(400, "invalid subscription"),
    "7213": Refusal(410, "push subscription has unsubscribed or expired"),
    "7214": Refusal(503, "try again later"),
    "7504": Refusal(403, "the VAPID credentials do not correspond to those used to create the subscription"),
    "7505": Refusal(413, "payload too large"),
    "7506": Refusal(400, "the TTL value is invalid"),
    "7507": Refusal(429, "too many requests", 1),
    "7518": Refusal(422, "unprocessable"),
}
"""By published code."""

_REASONS = {"7506": "400/ttl", "7214": "5xx", "7518": "4xx"}


class Browser(msgspec.Struct, frozen=True):
    """A subscribed browser: its keys, and which key of the site it is bound to ("" for any)."""

    key: Any
    secret: bytes
    server_key: str = ""


class WebPushStandIn:
    """Listens on plain HTTP. Everyone is a simulated browser, but for those who `subscribe`. `pushes` keeps what was
    taken (headers and what the browser reads), if it is set to a list."""

    def __init__(self, host: str, port: int, platform: str = "") -> None:
        self.pushes: list[tuple[dict[str, str], bytes]] | None = None
        self.counts = {"taken": 0, "refused": 0}
        self._app = AppSide(platform)
        self._browsers: dict[str, Browser] = {}
        self._simulated = Browser(key_of(BROWSER), browser_secret())
        self._proofs: dict[str, tuple[str, float]] = {}
        self.server = Server(self._serve, host, port)
        self.url = ""

    async def start(self) -> Peer:
        """See `StandIn`."""
        peer = Peer(*await self.server.start())
        self.url = peer.url()
        return peer

    async def stop(self) -> None:
        """See `StandIn`."""
        await self.server.stop()
        await self._app.stop()

    def subscribe(self, name: str, server_key: str = "") -> Subscription:
        """A browser with keys of its own; a name that ends in `sim-CODE` chooses its outcome."""
        browser = Browser(ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16), server_key)
        self._browsers[name] = browser
        keys = Keys(base64url(point_of(browser.key.public_key())), base64url(browser.secret))
        return Subscription(f"{self.url}{_PATH}{name}", keys)

    def _serve(self, call: Call) -> Reply:
        path = call.path.partition("?")[0]
        if call.method != "POST" or not path.startswith(_PATH):
            return Reply(404)
        name = unquote(path.removeprefix(_PATH))
        browser = self._browsers.get(name, self._simulated)
        try:
            lane = self._site(call.headers, browser)
        except BadJwt as error:
            return self._refuse(Refusal(401, f"VAPID: {error}"))
        if fault := _fault(call):
            return self._refuse(fault)
        try:
            plain = decrypt(call.body, browser.key, browser.secret)
        except Undecryptable as error:
            return self._refuse(Refusal(400, str(error)))
        found = asked(name)
        refusal = REFUSALS.get(found.code)
        if refusal is not None and not found.later:
            return self._refuse(refusal)
        self.counts["taken"] += 1
        if self.pushes is not None:
            self.pushes.append((dict(call.headers), plain))
        ours = decoded(plain).get(OURS)
        receipt = ours.get("receipt") if isinstance(ours, dict) else None
        reason = _REASONS.get(found.code) or (str(refusal.status) if refusal else "")
        self._app.got(lane, receipt, sayings(found, reason))
        return Reply(201, {"location": f"{self.url}/message/{secrets.token_urlsafe(12)}"})

    def _site(self, headers: Mapping[str, str], browser: Browser) -> str:
        """The lane whose site sends ("" for others than the sandbox); raises `BadJwt`. RFC 8292, 3 and 4."""
        shown = headers.get("authorization", "")
        kept = self._proofs.get(shown)
        if kept is None or kept[1] <= time.time():
            kept = self._read(shown)
            if len(self._proofs) > 1_000:
                self._proofs.clear()
            self._proofs[shown] = kept
        if browser.server_key and f"k={browser.server_key}" not in shown.replace(" ", "").split(",")[-1]:
            raise BadJwt("the key is not the one that the browser subscribed with")
        return kept[0]

    def _read(self, shown: str) -> tuple[str, float]:
        scheme, _, rest = shown.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme.lower() != "vapid" or not {"t", "k"} <= parts.keys():
            raise BadJwt("there is no vapid authorization")
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(parts["k"]))
        except ValueError:
            raise BadJwt("`k` is no point of P-256") from None
        token = read_jwt(parts["t"])
        token.verify(key)
        ends = token.moment("exp")
        if not time.time() < ends <= time.time() + DAY:
            raise BadJwt("it has ended, or lives longer than a day")
        if token.claims.get("aud") != self.url:
            raise BadJwt("it is for another push service")
        subject = str(token.claims.get("sub"))
        if not subject.startswith(("mailto:", "https://")):
            raise BadJwt("there is no contact")
        return lane_of(subject.removeprefix("mailto:").partition("@")[0]), float(ends)

    def _refuse(self, refusal: Refusal) -> Reply:
        self.counts["refused"] += 1
        headers = {"content-type": "text/plain"}
        if refusal.after:
            headers["retry-after"] = str(refusal.after)
        return Reply(refusal.status, headers, refusal.words.encode())


def _fault(call: Call) -> Refusal | None:
    """What a push service would refuse of any push."""
    if not call.headers.get("ttl", "").isdigit():
        return Refusal(400, "the TTL header is missing or invalid")
    if call.headers.get("content-encoding") != "aes128gcm":
        return Refusal(415, "the content encoding is not aes128gcm")
    if len(call.headers.get("topic", "")) > 32:
        return Refusal(400, "the topic is too long")
    return Refusal(413, "payload too large") if len(call.body) > LONGEST_BYTES else None
