"""Apps in real time by the names of their lanes, and whose token lets somebody in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from heliograph.channels.rt import settings
from heliograph.channels.rt.settings import Settings
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import Peers
from heliograph.model.inapp import SIMULATED_DEVICE
from heliograph.policy.directory import Directory
from heliograph.policy.ways import ANYWHERE, ways_of
from heliograph.wire import jwt

CHANNEL = "rt"
LIFE_SECONDS = 86_400  # the longest that a user's token lives
TICKET_ISSUER = "heliograph"
TICKET_SECONDS = 600
USER_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Room:
    """An app that may be connected to: its lane, tenant and settings."""

    lane: str
    tenant: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token speaks for; `device` where the token names it, `ends_ms` when it dies (Unix milliseconds)."""

    user: str
    device: str
    ends_ms: int


class Refused(Exception):
    """Somebody is not let in; the text says why, for logs."""


class Rooms:
    """Every app in real time, worked out once per version of the workspace. `secret` is the platform's."""

    def __init__(self, directory: Callable[[], Directory], secret: bytes, peers: Peers = ANYWHERE) -> None:
        self._directory = directory
        self._peers = peers
        self._secret = secret
        self._version = -1
        self._rooms: Mapping[str, Room] = {}

    def get(self, lane: str) -> Room | None:
        """The app of a lane; None where there is none that is declared, active and without faults."""
        return self._known().get(lane)

    def all(self) -> list[Room]:
        """Every such app."""
        return list(self._known().values())

    def _known(self) -> Mapping[str, Room]:
        directory = self._directory()
        if directory.version != self._version:
            found: dict[str, Room] = {}
            for tenant, service in directory.services():
                active = {app.id for app in tenant.apps if app.status == "active" and tenant.status == "active"}
                for way in ways_of(tenant, service, directory.channels, self._peers).values():
                    if way.channel.name == CHANNEL and not way.faults and way.spec.name in active:
                        found[way.lane] = Room(way.lane, tenant.id, settings.read(way.spec))
            self._rooms, self._version = found, directory.version
        return self._rooms

    def identify(self, room: Room, token: str, now: float) -> Identity:
        """Whose token it is; `now` is Unix seconds. Raises `Refused`."""
        ours = _ticket_secret(self._secret, room.lane)

        def owners(issuer: str) -> tuple[tuple[bytes, bool], ...]:
            if issuer == TICKET_ISSUER:
                return ((ours, True),)
            return tuple((secret, False) for secret in room.settings.secrets) if issuer == room.settings.app else ()

        try:
            own, claims = jwt.read(token, owners, now, LIFE_SECONDS)
        except jwt.BadToken as error:
            raise Refused(str(error)) from error
        subject, device = claims.get("sub"), claims.get("device", "")
        user = normalise_id(subject, USER_CHARACTERS) if isinstance(subject, str) else None
        if not user:
            raise Refused("its `sub` names no user")
        if not isinstance(device, str) or len(device) > 64 or (device == SIMULATED_DEVICE and not own):
            raise Refused("its `device` is none")
        ends = min(claims.get("exp") or now + LIFE_SECONDS, claims["iat"] + LIFE_SECONDS)
        return Identity(user, device, int(ends * 1_000))

    def ticket(self, lane: str, user: str, now: float, device: str = SIMULATED_DEVICE) -> str:
        """A token of the platform's own; `now` is Unix seconds."""
        claims = {"iss": TICKET_ISSUER, "sub": user, "iat": int(now), "exp": int(now) + TICKET_SECONDS}
        if device:
            claims["device"] = device
        return jwt.sign(claims, _ticket_secret(self._secret, lane))


@lru_cache(maxsize=1024)
def _ticket_secret(secret: bytes, lane: str) -> bytes:
    """Only who knows the platform's secret can sign for a lane."""
    return hmac.digest(secret, f"tickets of {lane}".encode(), hashlib.sha256)


def admits(room: Room, origin: str, host: str) -> bool:
    """Whether a page of this origin may connect; what is no browser says no origin."""
    if not origin or "*" in room.settings.origins:
        return True
    name = origin.rstrip("/").lower()
    return name in room.settings.origins or name.partition("://")[2] == host.lower()
