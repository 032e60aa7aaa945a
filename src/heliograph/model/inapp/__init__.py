"""The seam between a channel whose far end is an app of a tenant, and the part that holds the connections of apps."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from heliograph.model.outcome import SendError


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A message for a user of an app: `lane` names the app, `expires_ms` (Unix milliseconds) ends its keeping, `body`
    is the JSON object that the app gets."""

    lane: str
    user: str
    request: int
    ordinal: int
    expires_ms: int
    body: str


class Kept(NamedTuple):
    """A message is kept: its number among its user's."""

    seq: int


class Notification(msgspec.Struct, frozen=True):
    """What is pushed to a user who is not connected: the app, and the channel object of the push."""

    app: str
    push: dict[str, object]


class InApp(Protocol):
    """Users of apps: kept messages, presence, pushes in their place. Messages that are kept reach every device of
    their user, at once or when it comes; what devices say of them comes back as receipts of the lane."""

    async def keep(self, delivery: Delivery) -> Kept | SendError:
        """Keep a message until it is acknowledged or expires. One that is kept already stays as it is."""

    async def present(self, lane: str, user: str) -> bool:
        """Whether a device of the user is connected."""

    async def registered(self, lane: str, user: str) -> bool:
        """Whether a device of the user, a simulated one left aside, was ever connected."""

    async def notify(self, delivery: Delivery, notification: Notification) -> str:
        """Send a push in the name of a message; its transid, or why there is none."""

    def ticket(self, lane: str, user: str) -> str:
        """A token of the platform's own for a user; good for some minutes."""


SIMULATED_DEVICE = "simulated"
"""The device of users of the sandbox whom nobody registered."""
