"""All transactions of an endpoint: finds whose a message is, and when something is due. Pure. Source: RFC 3261
17.1.3, 17.2.3."""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

from heliograph.wire.sip import transactions as tx
from heliograph.wire.sip.headers import COOKIE, PORTS, parse_address, parse_via
from heliograph.wire.sip.message import Message, Request, Response

Key = tuple[str, ...]
SERVERS_MOST = 4_096
"""Requests under way that others began: more are not taken, so that a flood costs no memory."""


class Target(NamedTuple):
    """Where a message goes to or came from: transport (udp, tcp, tls), host and port."""

    transport: str
    host: str
    port: int

    @property
    def reliable(self) -> bool:
        """Whether the transport itself repeats what is lost."""
        return self.transport != "udp"


class Put(NamedTuple):
    """Send this to there."""

    message: Message
    target: Target


class Answer(NamedTuple):
    """A response to a request of `owner`."""

    owner: Any
    request: Request
    response: Response


class Silence(NamedTuple):
    """A request of `owner` is not answered; `why` is in words."""

    owner: Any
    request: Request
    why: str


class Unacked(NamedTuple):
    """An INVITE that was answered under `key` is not acknowledged."""

    key: Key


class Asked(NamedTuple):
    """A request of the other side, to be answered under `key`; an ACK has no key and no answer."""

    key: Key | None
    request: Request
    source: Target


Out = Put | Answer | Silence | Unacked | Asked
NO_ANSWER = "no answer"


class _Client(NamedTuple):
    machine: tx.Client
    target: Target
    owner: Any


class _Server(NamedTuple):
    machine: tx.Server
    target: Target


class Layer:
    """The transactions under way."""

    def __init__(self, timers: tx.Timers | None = None) -> None:
        self._timers = timers or tx.Timers()
        self._clients: dict[Key, _Client] = {}
        self._servers: dict[Key, _Server] = {}
        self._accepted: dict[tuple[str, str, int], Key] = {}  # INVITEs of others by what their ACK will say
        self._acks: dict[Key, tuple[str, str, int]] = {}
        self._alarms: list[tuple[float, Key]] = []

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    def ask(self, request: Request, target: Target, owner: Any, now: float) -> list[Out]:
        """Begin a transaction with a request, whose top Via has a branch of its own; its answers come with
        `owner`."""
        key = ("client", parse_via(request.first("Via")).branch, request.method)
        made = tx.ClientInvite if request.method == "INVITE" else tx.ClientOther
        machine = made(request, self._timers, target.reliable)
        self._clients[key] = found = _Client(machine, target, owner)
        return self._done(key, found, machine.start(now))

    def respond(self, key: Key, response: Response, now: float) -> list[Out]:
        """Answer a request of the other side."""
        if key not in self._servers:
            return []
        found = self._servers[key]
        machine = found.machine
        if isinstance(machine, tx.ServerInvite) and 200 <= response.code < 300:
            self._acks[key] = _acked_by(machine.request, response)
            self._accepted[self._acks[key]] = key
        return self._done(key, found, machine.respond(response, now))

    def receive(self, message: Message, source: Target, now: float) -> list[Out]:
        """A message came. Raises SipError when its Via or tags cannot be read."""
        if isinstance(message, Response):
            return self._response(message, now)
        return self._request(message, source, now)

    def tick(self, now: float) -> list[Out]:
        """Everything that is due by now."""
        out: list[Out] = []
        while self._alarms and self._alarms[0][0] <= now:
            _, key = heapq.heappop(self._alarms)
            found = self._clients.get(key) or self._servers.get(key)
            if found is not None and (due := found.machine.due) is not None and due <= now:
                out += self._done(key, found, found.machine.tick(now))
        return out

    def due(self) -> float | None:
        """When `tick` is to be called next; None when nothing waits."""
        while self._alarms:
            at, key = self._alarms[0]
            found = self._clients.get(key) or self._servers.get(key)
            if found is not None and found.machine.due == at:
                return at
            heapq.heappop(self._alarms)
        return None

    def drop(self, key: Key) -> None:
        """Forget a transaction: what still comes for it belongs to nobody."""
        self._clients.pop(key, None)
        self._servers.pop(key, None)
        if (ack := self._acks.pop(key, None)) is not None:
            self._accepted.pop(ack, None)

    def forget(self, owner: Any) -> None:
        """Drop INVITEs of an owner that were given up and that nobody answers for good."""
        for key in [key for key, one in self._clients.items() if one.owner is owner and one.machine.due is None]:
            self.drop(key)

    def unreachable(self, target: Target, why: str) -> list[Out]:
        """The transport says that nothing can be sent there (17.1.4, 18.4): what waits for an answer from there
        gets none."""
        gone = [
            key for key, client in self._clients.items()
            if client.target == target and client.machine.state in ("trying", "proceeding")
        ]  # fmt: skip
        lost = [self._clients.pop(key) for key in gone]
        return [Silence(client.owner, client.machine.request, why) for client in lost]

    def _response(self, response: Response, now: float) -> list[Out]:
        key = ("client", parse_via(response.first("Via")).branch, response.cseq.method)
        found = self._clients.get(key)
        return self._done(key, found, found.machine.receive(response, now)) if found else []

    def _request(self, request: Request, source: Target, now: float) -> list[Out]:
        key = _server_key(request)
        found = self._servers.get(key)
        if request.method == "ACK":
            return self._ack(request, found, key, source, now)
        if found is not None:
            return self._done(key, found, found.machine.repeated(now))
        if len(self._servers) >= SERVERS_MOST:
            return []
        made = tx.ServerInvite if request.method == "INVITE" else tx.ServerOther
        machine = made(request, self._timers, source.reliable)
        self._servers[key] = _Server(machine, reply_to(request, source))
        return [Asked(key, request, source)]

    def _ack(self, request: Request, found: _Server | None, key: Key, source: Target, now: float) -> list[Out]:
        """Of a refusal it belongs to the transaction; of a 2xx it stands alone and is the dialog's."""
        if found is None:
            tag = parse_address(request.first("To")).tag
            key = self._accepted.get((request.first("Call-ID"), tag, request.cseq.number), key)
            found = self._servers.get(key)
            if found is None:
                return []
        machine = found.machine
        if not isinstance(machine, tx.ServerInvite) or not machine.acked(now):
            return []
        accepted = machine.state == "accepted"
        self._done(key, found, [])
        return [Asked(None, request, source)] if accepted else []

    def _done(self, key: Key, found: _Client | _Server, outs: list[tx.Out]) -> list[Out]:
        """What a machine gave, addressed; then its alarm is set, or it is forgotten."""
        out: list[Out] = []
        machine = found.machine
        for one in outs:
            if isinstance(one, tx.Send):
                out.append(Put(one.message, found.target))
            elif isinstance(found, _Server):
                out.append(Unacked(key))
            elif isinstance(one, tx.Heard):
                out.append(Answer(found.owner, found.machine.request, one.response))
            else:
                out.append(Silence(found.owner, found.machine.request, NO_ANSWER))
        if machine.state == "over":
            self.drop(key)
        elif machine.due is not None:
            heapq.heappush(self._alarms, (machine.due, key))
        return out


def _server_key(request: Request) -> Key:
    via = parse_via(request.first("Via"))
    method = "INVITE" if request.method == "ACK" else request.method
    if via.branch.startswith(COOKIE):
        return ("server", via.branch, via.host, str(via.port), method)
    sender = parse_address(request.first("From")).tag  # 17.2.3: a far end of RFC 2543
    return ("server", request.uri, request.first("Call-ID"), sender, str(request.cseq.number), str(via), method)


def _acked_by(request: Request, response: Response) -> tuple[str, str, int]:
    return request.first("Call-ID"), parse_address(response.first("To")).tag, request.cseq.number


def reply_to(request: Request, source: Target) -> Target:
    """Where the responses to a request go: over the connection it came by; of a datagram to the port it came from
    where the asker wants that (RFC 3581), else to the one its Via names (RFC 3261 18.2.2)."""
    via = parse_via(request.first("Via"))
    if source.reliable or via.parameter("rport") is not None:
        return source
    return Target(source.transport, source.host, via.port or PORTS[source.transport])
