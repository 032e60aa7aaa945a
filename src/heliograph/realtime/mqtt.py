"""Apps that speak MQTT, by way of a broker that is there already: the same frames, over topics.

A device subscribes to `PREFIX/USER/DEVICE/down` and publishes its frames to `PREFIX/USER/DEVICE/up`, a hello with its
token first; `PREFIX` is `app/` and the way's name. Its will is a `bye` on `up`. What is kept, in which order it is
given and what still needs an answer is decided here and not by the broker, as for a WebSocket.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from urllib.parse import quote, unquote

import aiomqtt

from heliograph.bus.tasks import lasting
from heliograph.channels.rt.settings import Broker
from heliograph.duties.leases import always
from heliograph.realtime import frames
from heliograph.realtime.doors import enter
from heliograph.realtime.frames import CLOSED, BadFrame, Bye, Close, Hello, read_frame
from heliograph.realtime.hub import Hub
from heliograph.realtime.rooms import Room
from heliograph.realtime.saying import Sayings
from heliograph.realtime.session import Session

log = logging.getLogger(__name__)

SLOW_SECONDS = 15.0  # for the broker to take a frame
PAUSE_SECONDS, LONGEST_SECONDS = 0.5, 30.0  # before the broker is connected to again, doubling
UNWRITTEN = 1_000  # frames of devices that wait to be read
_VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}


def prefix_of(room: Room) -> str:
    """Where the topics of an app begin."""
    return f"app/{room.lane.partition('/')[2]}"


class Device:
    """A device behind the broker: a `Door`."""

    def __init__(self, client: aiomqtt.Client, topic: str, gone: Callable[[Device], None]) -> None:
        self.session: Session | None = None
        self.topic = topic
        self._client = client
        self._gone = gone
        self._writing: asyncio.Task[None] | None = None

    def flush(self) -> None:
        """See `Line`."""
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        session = self.session
        try:
            while session is not None and session.out:
                await self._publish(session.out.popleft())
        except aiomqtt.MqttError as error:
            log.debug("the broker does not take a frame: %s", error)
            self._gone(self)
        finally:
            self._writing = None

    async def _publish(self, text: str) -> None:
        await self._client.publish(f"{self.topic}/down", text, qos=1, timeout=SLOW_SECONDS)

    async def refuse(self, why: Close) -> None:
        """Say why there is no session."""
        try:
            await self._publish(frames.said("bye", code=int(why), why=CLOSED[why]))
        except aiomqtt.MqttError as error:
            log.debug("the broker does not take a frame: %s", error)

    def end(self, why: Close) -> None:
        """See `Line`."""
        self._gone(self)
        if self.session is not None:
            self.session.out.clear()
            self.session.out.append(frames.said("bye", code=int(why), why=CLOSED[why]))
            self.flush()


class Bridge:
    """One app on its broker."""

    def __init__(self, room: Room, broker: Broker, hub: Hub, sayings: Sayings) -> None:
        self.room = room
        self.broker = broker
        self.connected = False
        self._hub = hub
        self._sayings = sayings
        self._devices: dict[str, Device] = {}

    async def run(self) -> None:
        """Stay connected, for ever; ends by cancellation."""
        pause = PAUSE_SECONDS
        while True:
            try:
                async with self._client() as client:
                    pause = PAUSE_SECONDS
                    await self._serve(client)
            except aiomqtt.MqttError as error:
                log.warning("the broker of %s cannot be used, trying again: %s", self.room.lane, error)
            finally:
                self.connected = False
                for device in list(self._devices.values()):
                    self._gone(device)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_SECONDS)

    def _client(self) -> aiomqtt.Client:
        broker = self.broker
        context = ssl.create_default_context(cadata=broker.ca or None) if broker.tls else None
        return aiomqtt.Client(
            broker.host, broker.port, username=broker.username or None, password=broker.password or None,
            protocol=_VERSIONS[broker.version], tls_context=context, timeout=SLOW_SECONDS, keepalive=30,
            max_queued_incoming_messages=UNWRITTEN, max_concurrent_outgoing_calls=UNWRITTEN,
        )  # fmt: skip

    async def _serve(self, client: aiomqtt.Client) -> None:
        prefix = prefix_of(self.room)
        await client.subscribe(f"{prefix}/+/+/up", qos=1)
        self.connected = True
        log.info("connected to the broker of %s", self.room.lane)
        # Whoever said hello to another connection of ours is to say it again.
        await client.publish(f"{prefix}/down", frames.said("again"), qos=1)
        async for message in client.messages:
            topic, payload = str(message.topic).removesuffix("/up"), message.payload
            if isinstance(payload, bytes):
                await self._heard(client, topic, payload)

    async def _heard(self, client: aiomqtt.Client, topic: str, payload: bytes) -> None:
        device = self._devices.get(topic)
        try:
            frame = read_frame(payload)
        except BadFrame:
            if device is not None and device.session is not None:
                device.session.end(Close.BAD_FRAME)
            return
        if isinstance(frame, Hello):
            await self._hello(client, topic, frame)
        elif device is None or device.session is None:
            stranger = Device(client, topic, self._gone)
            await stranger.refuse(Close.SILENT)
        elif isinstance(frame, Bye):
            self._gone(device)
        else:
            await self._sayings.heard(device.session, frame)

    async def _hello(self, client: aiomqtt.Client, topic: str, hello: Hello) -> None:
        """Who says hello must be whom the topic names: the broker keeps users apart by their topics."""
        *_, user, name = topic.split("/")
        device = Device(client, topic, self._gone)
        if hello.device not in ("", unquote(name)):
            await device.refuse(Close.BAD_TOKEN)
            return
        if (former := self._devices.get(topic)) is not None:
            self._gone(former)
        named = Hello(hello.token, unquote(name), hello.after)
        self._devices[topic] = device
        refused = await enter(self._hub, self.room, named, device, time.time(), only=unquote(user))
        if refused is not None:
            self._gone(device)
            await device.refuse(refused)

    def _gone(self, device: Device) -> None:
        if self._devices.get(device.topic) is device:
            del self._devices[device.topic]
        if device.session is not None:
            device.session.closed = True
            self._hub.leave(device.session)


def topic_of(room: Room, user: str, device: str) -> str:
    """Where a device's topics begin."""
    return f"{prefix_of(room)}/{quote(user, safe='')}/{quote(device, safe='')}"


class Bridges:
    """The bridges of all apps that have a broker, in step with the workspace; none while another process has them."""

    def __init__(self, hub: Hub, sayings: Sayings, on_duty: Callable[[], bool] = always) -> None:
        self._hub = hub
        self._sayings = sayings
        self._on_duty = on_duty
        self._changing = asyncio.Lock()
        self._running: dict[str, tuple[Bridge, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._running)

    @property
    def connected(self) -> int:
        """How many are connected."""
        return sum(bridge.connected for bridge, _ in self._running.values())

    async def reconfigure(self) -> None:
        """Follow the workspace and our duties."""
        async with self._changing:
            await self._follow()

    async def _follow(self) -> None:
        rooms = self._hub.rooms.all() if self._on_duty() else ()
        wanted = {room.lane: room for room in rooms if room.settings.mqtt is not None}
        for lane, (bridge, task) in list(self._running.items()):
            room = wanted.get(lane)
            if room is None or room.settings != bridge.room.settings:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._running[lane]
        for lane, room in wanted.items():
            broker = room.settings.mqtt
            if lane not in self._running and broker is not None:
                bridge = Bridge(room, broker, self._hub, self._sayings)
                self._running[lane] = (bridge, lasting(bridge.run(), f"mqtt {lane}"))

    async def stop(self) -> None:
        """Leave every broker."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()
