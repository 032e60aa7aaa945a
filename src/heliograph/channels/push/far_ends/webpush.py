"""Browsers: web push (RFC 8030) with VAPID (RFC 8292), encrypted for the subscription (RFC 8291)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from heliograph.channels.push.far_ends.base import (
    Push,
    Result,
    answer_shown,
    failed,
    request_shown,
    retry_after,
)
from heliograph.channels.push.far_ends.credentials import VAPID_SECONDS
from heliograph.channels.push.far_ends.encryption import (
    BadSubscription,
    Keys,
    Subscription,
    checked,
    encrypt,
    read_subscription,
)
from heliograph.channels.push.outcomes import by_status
from heliograph.channels.push.payloads import OURS, encode
from heliograph.channels.push.settings import Web
from heliograph.model.channel import Tools
from heliograph.wire.addresses import HttpError, parse_url
from heliograph.wire.http import Client

ORIGINS = 256  # push services whose VAPID header is at hand
BROWSERS = {
    "fcm.googleapis.com": "chrome",
    "updates.push.services.mozilla.com": "firefox",
    "web.push.apple.com": "safari",
}
"""Push services by host; others (Edge has its own) are nobody's."""

_REGISTRATION = "registration"


class WebPush:
    """Sends to the push services that subscriptions name. `timeout` is in seconds."""

    def __init__(self, settings: Web, tools: Tools, *, window: int, timeout: float) -> None:
        self._settings = settings
        self._clock_ms = tools.clock_ms
        self._timeout = timeout
        self._client = Client(max_connections_per_origin=window, tls=settings.reach.context())
        self._proofs: dict[str, tuple[int, str]] = {}

    async def send(self, push: Push) -> Result:
        """See `Sender`."""
        subscription = self.subscription_of(push.token)
        if subscription is None:
            return Result((_REGISTRATION,), "the token is no subscription, neither JSON nor base64url of it")
        try:
            origin = self._origin(subscription.endpoint)
            browser, secret = checked(subscription)
        except (BadSubscription, HttpError) as error:
            detail = error.detail if isinstance(error, HttpError) else str(error)
            return Result((_REGISTRATION,), detail)
        plain = encode({**push.payload.fields, OURS: push.ours()})
        headers = {
            "ttl": str(push.ttl),
            "urgency": "normal",
            **push.payload.headers,
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
        }
        request = request_shown("POST", subscription.endpoint, headers, plain)
        headers["authorization"] = self._proof(origin)
        try:
            answer = await self._client.request(
                "POST", subscription.endpoint, headers, encrypt(plain, browser, secret), self._timeout,
                self._settings.reach.allow_private,
            )  # fmt: skip
        except HttpError as error:
            return msgspec.structs.replace(failed(error), native=(request,))
        native = (request, answer_shown(answer))
        if answer.status in (200, 201, 202):
            return Result(native=native)
        words = answer.body[:256].decode(errors="replace")
        finer = ("400/ttl",) if answer.status == 400 and "ttl" in words.lower() else ()
        after = retry_after(answer.headers, self._clock_ms() / 1000)
        return Result(
            (*finer, *by_status(answer.status)), f"HTTP {answer.status} {words}".strip(), after, native=native
        )

    async def close(self) -> None:
        """See `Sender`."""
        await self._client.close()

    def health(self) -> dict[str, Any]:
        """See `Sender`."""
        key = self._settings.vapid
        return {"kind": "vapid", "application_server_key": key.public, "subject": key.subject}

    def subscription_of(self, token: str) -> Subscription | None:
        """The subscription of a token. In the sandbox everyone is a simulated browser, except for those who
        subscribed at the simulator themselves."""
        found = read_subscription(token)
        simulated = self._settings.simulated
        if not simulated or (found is not None and found.endpoint.startswith(simulated["endpoint"])):
            return found
        if found is not None:
            token = found.endpoint
        return Subscription(simulated["endpoint"] + quote(token[-512:], safe=""), Keys(**simulated["keys"]))

    def service_of(self, token: str) -> str:
        """The origin of the push service of a token, "" where there is none."""
        found = self.subscription_of(token)
        try:
            return parse_url(found.endpoint).origin if found else ""
        except HttpError:
            return ""

    def _origin(self, endpoint: str) -> str:
        target = parse_url(endpoint)
        if not target.secure and not self._settings.simulated:
            raise BadSubscription("the endpoint is not https")
        usual = target.port == (443 if target.secure else 80)
        return target.origin.rpartition(":")[0] if usual else target.origin  # RFC 6454, 6.2

    def _proof(self, origin: str) -> str:
        """The VAPID header for an origin, made anew after half its life."""
        now = self._clock_ms() // 1000
        kept = self._proofs.get(origin)
        if kept is not None and kept[0] <= now < kept[0] + VAPID_SECONDS // 2:
            return kept[1]
        if len(self._proofs) >= ORIGINS:
            del self._proofs[next(iter(self._proofs))]
        made = self._settings.vapid.header(origin, now)
        self._proofs[origin] = (now, made)
        return made


def browser_of(token: str) -> str:
    """Whose push service a subscription names: chrome, firefox, safari, or "" for none of them."""
    found = read_subscription(token)
    try:
        host = parse_url(found.endpoint).host if found else ""
    except HttpError:
        return ""
    return next((browser for known, browser in BROWSERS.items() if host == known or host.endswith("." + known)), "")
