"""Work over JetStream: bundles of chunks wait in a stream, and each is one worker's until it is done with.

A lane and a priority have a subject, and a durable pull consumer over it that all workers share. A worker asks for a
few bundles at a time (one inbox for everything it asks for), says of those it holds that it is alive, and in the end
that it is done. Whatever it does not speak of for `ack_wait` seconds goes to another.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    Header,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from heliograph.bus.nats.connection import BusAway, Connection
from heliograph.model.record import Chunk

log = logging.getLogger(__name__)

PUBLISH_SECONDS = 5.0
API_SECONDS = 2.0  # a question that nobody led by then is asked again
TWICE_SECONDS = 120.0  # how long the stream knows the names of what it was given
ASKED_SECONDS = 30.0  # how long the stream keeps a request for bundles open
HELD_MOST = 50_000  # bundles of one lane and priority that all workers hold at most
TOKEN_BYTES = 8
ACK, ALIVE, END = b"+ACK", b"+WPI", b"+TERM"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Chunk]).decode

Way = tuple[str, int]
"""The token of a lane, and a priority."""


def token_of(channel: str, lane: str) -> str:
    """A lane's name as a subject can have it."""
    return hashlib.blake2s(f"{channel}/{lane}".encode(), digest_size=TOKEN_BYTES).hexdigest()


@dataclass(eq=False, slots=True)
class Bundle:
    """Chunks that came together. `number` is their place in the stream; `reply` is where what becomes of them is
    said; `deliveries` counts from 1."""

    way: Way
    chunks: list[Chunk]
    number: int
    deliveries: int
    reply: str


class Work:
    """What waits for workers. `came` is given each bundle; `emptied` is called when the stream was not there, or not
    there any more, and has been made anew: whatever it held is lost."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.came: Callable[[Bundle], None] = lambda bundle: None
        self.emptied: Callable[[], None] = lambda: None
        self.wait = connection.servers.ack_wait
        """Seconds after which work that nobody speaks of goes to another."""
        self.most = connection.servers.deliveries
        """How often a bundle is given at most."""
        self.back = asyncio.Event()
        """Set when the broker is there again."""
        self._space = connection.servers.space
        self._stream = f"{self._space.upper()}_SEND"
        self._inbox = ""
        self._asked: dict[Way, tuple[int, float]] = {}  # bundles that may still come, and until when
        self._ready: set[Way] = set()  # consumers that are there
        self._there = False
        self._making = asyncio.Lock()
        connection.came.append(self._forget)

    def _forget(self) -> None:
        """Another connection: the stream knows nothing of what was asked, and may be another."""
        self._asked.clear()
        self._ready.clear()
        self._there = False
        self.back.set()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._connection.connected

    # Publishing

    async def publish(self, way: Way, chunks: list[Chunk], name: str) -> None:
        """Keep a bundle under a name; the same name within two minutes is kept once. Raises `BusAway`."""
        await self.ensure()
        subject = f"{self._space}.send.{way[0]}.{way[1]}"
        headers = {Header.MSG_ID.value: name}
        try:
            await self._context().publish(subject, _encode(chunks), PUBLISH_SECONDS, self._stream, headers)
        except (Error, OSError, TimeoutError) as error:
            self._there = False
            self._connection.kept(well=False)
            raise BusAway(str(error) or type(error).__name__) from error
        self._connection.kept(well=True)

    def _context(self) -> JetStreamContext:
        return self._connection.client.jetstream(timeout=API_SECONDS)

    async def ensure(self) -> None:
        """Have the stream there. Raises `BusAway`."""
        if not self.connected:
            raise BusAway("the broker is away")
        if self._there:
            return
        async with self._making:
            if self._there:
                return
            try:
                await self._make_stream()
            except (Error, OSError, TimeoutError) as error:
                self._connection.kept(well=False)
                raise BusAway(str(error) or type(error).__name__) from error
            self._there = True

    async def _make_stream(self) -> None:
        context = self._context()
        try:
            await context.stream_info(self._stream)
        except NotFoundError:
            await context.add_stream(
                StreamConfig(
                    name=self._stream, subjects=[f"{self._space}.send.>"], retention=RetentionPolicy.WORK_QUEUE,
                    storage=StorageType.FILE, num_replicas=self._connection.servers.replicas,
                    duplicate_window=TWICE_SECONDS, discard=DiscardPolicy.NEW,
                )
            )  # fmt: skip
            log.warning("the stream %s was not there; it is now", self._stream)
            self._ready.clear()
            self.emptied()

    # Taking

    async def open(self) -> None:
        """Begin to take."""
        self._inbox = f"{self._space}.inbox.{self._connection.client.new_inbox().rpartition('.')[2]}"
        await self._connection.subscribe(f"{self._inbox}.>", self._hear)

    async def close(self) -> None:
        """Take no more; what was asked for goes to others."""
        await self._connection.unsubscribe(f"{self._inbox}.>")

    def asked(self, way: Way) -> int:
        """How many bundles may still come of what was asked for."""
        count, until = self._asked.get(way, (0, 0.0))
        return count if time.monotonic() < until else 0

    async def ask(self, way: Way, count: int) -> None:
        """Ask for so many bundles; they come one by one, when there are any. Raises `BusAway`."""
        self._asked[way] = (self.asked(way) + count, time.monotonic() + ASKED_SECONDS + 1.0)
        try:
            if way not in self._ready:
                await self.ensure()
                await self._make_consumer(way)
                self._ready.add(way)
            subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{_consumer(way)}"
            request = _encode({"batch": count, "expires": int(ASKED_SECONDS * 1e9)})
            await self._connection.publish(subject, request, f"{self._inbox}.{way[0]}.{way[1]}")
        except BusAway:
            self._asked.pop(way, None)
            raise

    async def _make_consumer(self, way: Way) -> None:
        servers = self._connection.servers
        try:
            await self._context().add_consumer(
                self._stream,
                ConsumerConfig(
                    durable_name=_consumer(way), filter_subject=f"{self._space}.send.{way[0]}.{way[1]}",
                    ack_policy=AckPolicy.EXPLICIT, ack_wait=servers.ack_wait, max_deliver=-1,
                    max_ack_pending=HELD_MOST,
                ),
            )  # fmt: skip
        except (Error, OSError, TimeoutError) as error:
            self._there = False
            raise BusAway(str(error) or type(error).__name__) from error

    async def waiting(self) -> set[Way]:
        """The ways on which something waits or is held. Raises `BusAway`."""
        await self.ensure()
        try:
            info = await self._context().stream_info(self._stream, subjects_filter=f"{self._space}.send.>")
        except (Error, OSError, TimeoutError) as error:
            raise BusAway(str(error) or type(error).__name__) from error
        return {_way(subject) for subject in info.state.subjects or {}}

    async def _hear(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status") if not message.data else None
        if status is not None:
            self._told(message, status)
            return
        way = _way(message.subject)
        count, until = self._asked.get(way, (0, 0.0))
        if count > 0:
            self._asked[way] = (count - 1, until)
        data = message.metadata
        try:
            chunks = _decode(message.data)
        except msgspec.DecodeError:
            log.error("bundle %d of %s cannot be read; it is dropped", data.sequence.stream, self._stream)
            await self._say([message.reply], END)
            return
        self.came(Bundle(way, chunks, data.sequence.stream, data.num_delivered, message.reply))

    def _told(self, message: Msg, status: str) -> None:
        """The end of a request: its time is over (408), or the consumer is not there (503, 409) any more."""
        way = _way(message.subject)
        self._asked.pop(way, None)
        if status in ("503", "409"):
            self._ready.discard(way)
            self._there = False

    # What becomes of bundles

    async def done(self, bundles: Iterable[Bundle]) -> None:
        """They are never given again. Without a broker they are, and are found done with then."""
        await self._say([bundle.reply for bundle in bundles], ACK)

    async def alive(self, bundles: Collection[Bundle]) -> None:
        """They are held still."""
        await self._say([bundle.reply for bundle in bundles], ALIVE)

    async def later(self, bundles: Iterable[Bundle], seconds: float = 0.0) -> None:
        """They are for whoever asks, from then on."""
        word = b"-NAK " + _encode({"delay": int(seconds * 1e9)}) if seconds else b"-NAK"
        await self._say([bundle.reply for bundle in bundles], word)

    async def end(self, bundle: Bundle) -> None:
        """It is given to nobody any more."""
        await self._say([bundle.reply], END)

    async def _say(self, replies: list[str], word: bytes) -> None:
        try:
            for reply in replies:
                await self._connection.publish(reply, word)
        except BusAway as error:
            log.debug("the broker did not hear %s: %s", word, error)


def _consumer(way: Way) -> str:
    return f"{way[0]}_{way[1]}"


def _way(subject: str) -> Way:
    *_, token, priority = subject.split(".")
    return token, int(priority)
