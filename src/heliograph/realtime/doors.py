"""How a device comes in, whatever it is connected by: its hello is checked, it takes its place, it is welcomed."""

from __future__ import annotations

import logging
import secrets
from typing import Protocol

from heliograph.model.inapp import SIMULATED_DEVICE
from heliograph.realtime import frames
from heliograph.realtime.frames import Close, Hello
from heliograph.realtime.hub import Busy, Hub
from heliograph.realtime.rooms import Refused, Room
from heliograph.realtime.session import Line, Session

log = logging.getLogger(__name__)


class Door(Line, Protocol):
    """A connection that has no session yet; `enter` gives it one."""

    session: Session | None


async def enter(hub: Hub, room: Room, hello: Hello, door: Door, now: float, only: str = "") -> Close | None:
    """Let a device in, of the one user where there is one; `now` is Unix seconds. Why it is not let in, else None."""
    try:
        identity = hub.rooms.identify(room, hello.token, now)
    except Refused as error:
        log.debug("a device of %s is refused: %s", room.lane, error)
        return Close.BAD_TOKEN
    if only and identity.user != only:
        return Close.BAD_TOKEN
    if hello.device == SIMULATED_DEVICE or (identity.device and hello.device not in ("", identity.device)):
        return Close.BAD_TOKEN
    device = identity.device or hello.device or f"d-{secrets.token_hex(8)}"
    session = door.session = Session((room.lane, identity.user), device, identity.ends_ms, door)
    try:
        await hub.join(session, hello.after)
    except Busy as error:
        log.warning("a device cannot connect: %s", error)
        return Close.TRY_LATER
    session.say(
        frames.said("welcome", user=session.user, device=device, seq=session.acked, until=session.ends_ms)
    )  # fmt: skip
    hub.begin(session)
    return None
