"""Messages for users of apps in real time: numbered, kept until they expire; what each device has had; who is here.

A message's number (`seq`) counts up by user; numbers may be missing, but never come to light out of order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from heliograph.model.inapp import SIMULATED_DEVICE
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, bulk, do

User = tuple[str, str]
"""Lane and user id."""


class Keeping(NamedTuple):
    """A message to be kept; at most `most` may wait for its user (0 of what any device has acknowledged)."""

    lane: str
    user: str
    request: int
    ordinal: int
    at: int
    expires: int
    body: str
    most: int


class Joining(NamedTuple):
    """A device comes; with `after` it says itself what it has had. `node` "" where presence is not shared."""

    lane: str
    user: str
    device: str
    at: int
    after: int | None
    node: str


class Acked(NamedTuple):
    """A device has had everything up to a number; `handed` goes for what was only put on its wire."""

    lane: str
    user: str
    device: str
    seq: int
    at: int
    handed: bool = False


class Leaving(NamedTuple):
    """A device goes from a node."""

    lane: str
    user: str
    device: str
    node: str


class KeptMessage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A kept message of one user; times are Unix milliseconds, `body` is JSON text."""

    seq: int
    request: int
    ordinal: int
    at: int
    expires: int
    body: str


class LapsedMessage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A kept message that has expired; `missed` says that no device was ever given it."""

    lane: str
    user: str
    seq: int
    request: int
    ordinal: int
    missed: bool


class Present(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """A device that is connected: to which node, since when."""

    device: str
    node: str
    since: int


def inapp_keep(payloads: Sequence[Keeping]) -> Plan[list[int]]:
    """Messages; the number of each, 0 for one that there was no room for. One that is there keeps its number."""
    text = yield bulk("inapp_known", [(item.request, item.ordinal) for item in payloads], Answer.VALUE)
    found = {(request, ordinal): seq for request, ordinal, seq in msgspec.json.decode(text)}
    users = sorted({(item.lane, item.user) for item in payloads})
    text = yield bulk("inapp_meet", [(*user, 0, 0, 0) for user in users], Answer.VALUE)
    heads = {(lane, user): (seq, acked) for lane, user, seq, acked in msgspec.json.decode(text)}
    rows: list[tuple[str, str, int, int, int, int, int, str]] = []
    for item in payloads:
        identity, owner = (item.request, item.ordinal), (item.lane, item.user)
        seq, acked = heads[owner]
        if identity in found:
            continue
        if seq - acked >= item.most:
            found[identity] = 0
            continue
        found[identity] = seq + 1
        heads[owner] = (seq + 1, acked)
        rows.append((*owner, seq + 1, *identity, item.at, item.expires, item.body))
    yield bulk("inapp_insert", rows)
    yield bulk("inapp_number", [(*owner, seq, 0, 0) for owner, (seq, _) in sorted(heads.items())])
    return [found[item.request, item.ordinal] for item in payloads]


class Joined(NamedTuple):
    """What is known of a device that comes: the number of the last message it has had; whether it is new; the number
    of the last message there was for its user."""

    acked: int
    fresh: bool
    last: int = 0


def inapp_join(payloads: Sequence[Joining]) -> Plan[list[Joined]]:
    """Devices come; what each has had by what is known here."""
    last = {(item.lane, item.user, item.device): item for item in payloads}
    text = yield bulk("inapp_cursors", list(last), Answer.VALUE)
    known = {(lane, user, device): Joined(*rest) for lane, user, device, *rest in msgspec.json.decode(text)}
    yield bulk("inapp_seen", [(*device, known[device].acked, item.at) for device, item in sorted(last.items())])
    yield bulk("inapp_come", [(*device, item.node, item.at) for device, item in sorted(last.items()) if item.node])
    return [known[item.lane, item.user, item.device] for item in payloads]


def inapp_ack(payloads: Sequence[Sequence[Acked]]) -> Plan[list[None]]:
    """What devices have had."""
    devices: dict[tuple[str, str, str], tuple[int, int]] = {}
    users: dict[User, tuple[int, int]] = {}
    for item in chain.from_iterable(payloads):
        acked, handed = users.get((item.lane, item.user), (0, 0))
        users[item.lane, item.user] = (
            (acked, max(handed, item.seq)) if item.handed else (max(acked, item.seq), handed)
        )
        if not item.handed:
            device = (item.lane, item.user, item.device)
            devices[device] = (max(devices.get(device, (0, 0))[0], item.seq), item.at)
    yield bulk("inapp_seen", [(*device, *had) for device, had in sorted(devices.items())])
    yield bulk("inapp_number", [(*user, 0, *had) for user, had in sorted(users.items())])
    return [None] * len(payloads)


def inapp_leave(payloads: Sequence[Leaving]) -> Plan[list[None]]:
    """Devices go."""
    yield bulk("inapp_go", sorted(set(payloads)))
    return [None] * len(payloads)


def inapp_drop(payloads: Sequence[tuple[LapsedMessage, ...]]) -> Plan[list[None]]:
    """Expired messages go; nobody waits for them any more."""
    gone = [item for payload in payloads for item in payload]
    users: dict[User, int] = {}
    for item in gone:
        users[item.lane, item.user] = max(users.get((item.lane, item.user), 0), item.seq)
    yield bulk("inapp_number", [(*user, 0, seq, 0) for user, seq in sorted(users.items())])
    yield bulk("inapp_delete", [(item.lane, item.user, item.seq) for item in gone])
    return [None] * len(payloads)


def inapp_beat(payloads: Sequence[tuple[str, int, bool]]) -> Plan[list[None]]:
    """`(node, until, fresh)`: a node lives; a fresh one has no connections yet."""
    for node, until, fresh in payloads:
        if fresh:
            yield do("inapp_drop_presence", node)
        yield do("inapp_beat", node, until)
    return [None] * len(payloads)


def inapp_forget(payloads: Sequence[tuple[int, int]]) -> Plan[list[None]]:
    """Devices that were not here since a moment are forgotten, and nodes that did not live at another."""
    for before, dead in payloads:
        yield do("inapp_drop_devices", before)
        yield do("inapp_drop_strays", dead)
        yield do("inapp_drop_nodes", dead)
    return [None] * len(payloads)


def inapp_forget_users(payloads: Sequence[tuple[str, list[str]]]) -> Plan[list[None]]:
    """Devices of users on lanes that begin so, and the users themselves where no message is kept for them."""
    for payload in payloads:
        yield do("inapp_forget_users", *payload)
    return [None] * len(payloads)


class InAppArea(Area):
    """Users of apps in real time."""

    async def inapp_keep(self, item: Keeping) -> int:
        """Keep a message; its number, 0 when too many wait for its user."""
        seq: int = await self.engine.write("inapp_keep", item)
        return seq

    async def inapp_join(self, item: Joining) -> Joined:
        """A device comes."""
        joined: Joined = await self.engine.write("inapp_join", item)
        return joined

    async def inapp_ack(self, items: Sequence[Acked]) -> None:
        """Devices have had messages."""
        await self.engine.write("inapp_ack", items)

    async def inapp_leave(self, item: Leaving) -> None:
        """A device goes."""
        await self.engine.write("inapp_leave", item)

    async def inapp_drop(self, gone: Sequence[LapsedMessage]) -> None:
        """Delete messages that have expired."""
        await self.engine.write("inapp_drop", tuple(gone))

    async def inapp_beat(self, node: str, until: int, *, fresh: bool = False) -> None:
        """A node lives until that moment at least."""
        await self.engine.write("inapp_beat", (node, until, fresh))

    async def inapp_forget(self, before: int, dead: int) -> None:
        """Forget devices not seen since a moment, and nodes that do not live until another."""
        await self.engine.write("inapp_forget", (before, dead))

    async def inapp_forget_users(self, tenant: str, users: list[str]) -> None:
        """Forget the devices of a tenant's users, and the users where nothing waits for them."""
        await self.engine.write("inapp_forget_users", (f"{tenant}/", users))

    async def inapp_after(self, user: User, seq: int, now_ms: int, limit: int) -> list[KeptMessage]:
        """What is kept for a user behind a number, in order."""
        return await self._read(list[KeptMessage], "inapp_after", *user, seq, now_ms, limit)

    async def inapp_find(self, user: User, seqs: Collection[int]) -> dict[int, tuple[int, int]]:
        """Request and ordinal of a user's messages by number."""
        found = await self._read(list[tuple[int, int, int]], "inapp_find", *user, list(seqs))
        return {seq: (request, ordinal) for seq, request, ordinal in found}

    async def inapp_lapsed(self, now_ms: int, limit: int) -> list[LapsedMessage]:
        """Messages that have expired, the oldest first."""
        return await self._read(list[LapsedMessage], "inapp_lapsed", now_ms, limit)

    async def inapp_registered(self, user: User) -> bool:
        """Whether a device of the user, a simulated one left aside, was ever connected."""
        return bool(await self._read(list[int], "inapp_registered", *user, SIMULATED_DEVICE))

    async def inapp_owed(self, node: str) -> list[User]:
        """Users with a device on a node that has not acknowledged all that was kept."""
        return await self._read(list[User], "inapp_owed", node)

    async def inapp_present(self, user: User, now_ms: int) -> list[Present]:
        """The connected devices of a user on all nodes that live."""
        return await self._read(list[Present], "inapp_present", *user, now_ms)
