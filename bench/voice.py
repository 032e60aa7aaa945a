"""Fifty calls at once out of one process on one core: how evenly their audio comes, by the kernel's own clock.

    python bench/voice.py [--calls 50] [--seconds 20]

The platform (`heliograph serve`) is held on one core and places the calls over real SIP; the far end, another
process, answers, sends audio too, and notes when each packet reached its socket (SO_TIMESTAMPNS, so that its own
delays are not counted). Jitter is how far the distance of two packets is from 20 ms. A packet is late when a
listener's buffer of 40 ms would have run dry. The reference is a bare loop that does nothing but send the same
packets, on the same core. How long the platform waited for that core tells how much of it others had.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import os
import secrets
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import wave
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from figures import Figure, conditions, show
from heliograph.wire.rtp.packet import HEAD, Packet, pack
from heliograph.wire.sip import sdp
from heliograph.wire.sip.endpoint import Endpoint
from heliograph.wire.sip.incoming import IncomingCall
from heliograph.wire.sip.layer import Key, Target
from heliograph.wire.sip.message import Request
from heliograph.wire.sip.transport import Udp
from procs import KEY, Platform, end, far_end, folder, load

TICK = 0.020
BUFFER = 0.040
TIMESTAMPS = 35  # SO_TIMESTAMPNS
SETTLING = 1.0  # seconds at both ends that are not counted: calls begin and end there
ALLOWED = sorted(os.sched_getaffinity(0))


@dataclass(slots=True)
class Line:
    """One call's packets as they came: kernel nanoseconds and sequence numbers."""

    listening: socket.socket
    towards: tuple[str, int]
    at: list[int] = field(default_factory=list)
    sequence: list[int] = field(default_factory=list)


class Ear(threading.Thread):
    """Receives and sends the audio of all calls, in a thread with nothing else to do."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.lines: dict[int, Line] = {}
        self.running = True
        self._poll = select.epoll()

    def open(self, towards: tuple[str, int]) -> int:
        """A port for one call, whose audio goes there."""
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)
        made.setblocking(False)
        self.lines[made.fileno()] = Line(made, towards)
        self._poll.register(made.fileno(), select.EPOLLIN)
        return int(made.getsockname()[1])

    def run(self) -> None:
        """Until `running` is unset."""
        next_tick, sequence = time.perf_counter(), 0
        while self.running:
            for number, _ in self._poll.poll(max(0.0, next_tick - time.perf_counter())):
                self._read(self.lines[number])
            if time.perf_counter() >= next_tick:
                next_tick, sequence = next_tick + TICK, sequence + 1
                payload = pack(Packet(8, sequence, sequence * 160, 1, b"\xd5" * 160))
                for line in list(self.lines.values()):
                    line.listening.sendto(payload, line.towards)

    @staticmethod
    def _read(line: Line) -> None:
        while True:
            try:
                data, extra, _, _ = line.listening.recvmsg(2048, 64)
            except OSError:
                return
            for level, kind, value in extra:
                if (level, kind) == (socket.SOL_SOCKET, TIMESTAMPS):
                    seconds, nanoseconds = struct.unpack("qq", value[:16])
                    line.at.append(seconds * 1_000_000_000 + nanoseconds)
                    line.sequence.append(HEAD.unpack_from(data)[2])


class Callee:
    """Answers every call at once."""

    def __init__(self, ear: Ear) -> None:
        self.port = 0
        self.answered = 0
        self._ear = ear
        self._udp = Udp("127.0.0.1", 0)
        self._endpoint: Endpoint

    async def start(self) -> None:
        """Listen."""
        self._endpoint = Endpoint({"udp": self._udp}, invited=self._invited)
        await self._endpoint.start()
        self.port = self._udp.local(Target("udp", "127.0.0.1", 9))[1]

    def _invited(self, key: Key, request: Request, source: Target) -> None:
        own = self._endpoint.own(source, "bench")
        call = IncomingCall(key, request, own.contact, own.hop, lambda: secrets.token_hex(8))
        self._endpoint.hold(call, source, lambda fact: None, lambda way, message: None)
        theirs = sdp.parse(request.body)
        port = self._ear.open((theirs.host, theirs.port))
        answer = sdp.answer_to(theirs, sdp.Media("127.0.0.1", port, ((8, "PCMA"),), None))
        self._endpoint.do(call, call.ring())
        self._endpoint.do(call, call.pick_up(sdp.written(answer, 1, 1)))
        self.answered += 1


@dataclass(frozen=True, slots=True)
class Jitter:
    """What was found: milliseconds, and packets."""

    p50: float
    p99: float
    most: float
    late: int
    lost: int
    packets: int


def jitter(lines: list[Line]) -> Jitter:
    """The figures of all calls together."""
    distances: list[float] = []
    late = lost = packets = 0
    for line in lines:
        keep = int(SETTLING / TICK)
        at, sequence = line.at[keep:-keep], line.sequence[keep:-keep]
        if len(at) < 2:
            continue
        packets += len(at)
        steps = [(after - before) & 0xFFFF for before, after in itertools.pairwise(sequence)]
        lost += sum(step - 1 for step in steps if step < 0x8000)
        distances += [
            abs((after - before) / 1e6 - 20.0 * step) for before, after, step in zip(at, at[1:], steps, strict=False)
        ]
        delays = [
            (moment - at[0]) / 1e9 - TICK * ((number - sequence[0]) & 0xFFFF)
            for moment, number in zip(at, sequence, strict=True)
        ]
        usual = sorted(delays)[len(delays) // 2]
        late += sum(delay > usual + BUFFER for delay in delays)
    distances.sort()
    if not distances:
        return Jitter(math.nan, math.nan, math.nan, 0, 0, 0)
    return Jitter(
        distances[len(distances) // 2], distances[int(len(distances) * 0.99)], distances[-1], late, lost, packets
    )


def workspace(sip: int, prompt: Path, smsc: int, sink: int, calls: int) -> dict[str, Any]:
    """A service on the trunk and on an SMSC."""
    channels = {
        "voice": {"connector": "trunk", "sender": "442079460000"},
        "sms": {"connector": "smsc", "sender": "HELIO"},
    }
    return {
        "tenants": [
            {
                "id": "bench", "allow_private_targets": True,
                "senders": [{"id": "442079460000", "channel": "voice"}, {"id": "HELIO", "channel": "sms"}],
                "connectors": [
                    {"name": "trunk", "channel": "voice", "kind": "sip", "host": "127.0.0.1", "port": sip,
                     "window": calls, "options": {"local_address": "127.0.0.1"}},
                    {"name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": smsc,
                     "system_id": "bench", "password": "secret", "window": 50},
                ],
                "prompts": [{"id": "1", "file": str(prompt)}],
                "services": [
                    {"id": "bench", "keys": [KEY], "channels": channels,
                     "notify": {"url": f"http://127.0.0.1:{sink}/dr", "states": ["Delivered", "Answered", "Failed"]}}
                ],
            }
        ]
    }  # fmt: skip


def tone(path: Path, seconds: float) -> None:
    """A prompt of so many seconds."""
    samples = array("h", (int(8_000 * math.sin(number / 3)) for number in range(int(8_000 * seconds))))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(samples.tobytes())


def place(port: int, calls: int) -> None:
    """One Messaging call to so many numbers."""
    numbers = [f"4477009{number:05d}" for number in range(calls)]
    body = {
        "deliverychannel": "voice",
        "channels": {"voice": {"promptid": "1"}},
        "destination": [{"msisdn": numbers}],
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/resources/v1/messaging", json.dumps(body).encode(), {"key": KEY}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        json.load(answer)


async def talk(
    platform: Platform, calls: int, seconds: float, sip: Callee, ear: Ear, busy: bool
) -> tuple[Jitter, float, float]:
    """So many calls for so long; with `busy` messages are accepted and sent all the while. Also gives the core's
    share in use."""
    ear.lines.clear()
    began, used, waiting = time.perf_counter(), platform.seconds_of_cpu(), waited(platform)
    await asyncio.to_thread(place, platform.port, calls)
    if busy:
        await asyncio.to_thread(load, platform.port, connections=16, size=1, seconds=seconds - 1)
    await asyncio.sleep(max(0.0, seconds + 2 - (time.perf_counter() - began)))
    passed = time.perf_counter() - began
    share, waits = (platform.seconds_of_cpu() - used) / passed, (waited(platform) - waiting) / passed
    return jitter(list(ear.lines.values())), share, waits


async def measure(calls: int, seconds: float) -> list[Figure]:
    """Everything, as lines of the table."""
    ear = Ear()
    sip = Callee(ear)
    await sip.start()
    ear.start()
    with folder() as data, far_end() as smsc:
        bare = await reference(calls, seconds, ear)
        prompt = data / "prompt.wav"
        tone(prompt, seconds)
        document = workspace(sip.port, prompt, smsc.smsc, smsc.sink, calls)
        with Platform(data / "data", document, "api,worker") as platform:
            platform.start()
            assert platform.process is not None
            os.sched_setaffinity(platform.process.pid, {ALLOWED[0]})
            alone, *quiet = await talk(platform, calls, seconds, sip, ear, busy=False)
            beside, *full = await talk(platform, calls, seconds, sip, ear, busy=True)
            platform.stop()
    ear.running = False
    what, more = f"{calls} calls", f"{calls} calls, SMS accepted meanwhile"
    return [*figures(what, alone, bare, *quiet), *figures(more, beside, bare, *full)]


def figures(what: str, found: Jitter, bare: Jitter, share: float, waits: float) -> list[Figure]:
    """A phase as lines of the table."""
    packets = f"{found.packets:,} packets, {found.lost} lost"
    note = f"and waited for it {waits * 100:.0f} % of the time"
    return [
        Figure(f"{what}: jitter p50", found.p50, "ms", bare.p50, note=packets),
        Figure(f"{what}: jitter p99", found.p99, "ms", bare.p99, wanted="below 20 ms"),
        Figure(f"{what}: jitter max", found.most, "ms", bare.most),
        Figure(f"{what}: late packets", found.late, "packets", bare.late, wanted="none that is heard"),
        Figure(f"{what}: of one core", share * 100, "%", note=note),
    ]


def waited(platform: Platform) -> float:
    """Seconds for which the main thread of the platform could have run and had no core (proc(5), schedstat)."""
    assert platform.process is not None
    return int(Path(f"/proc/{platform.process.pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9


async def reference(calls: int, seconds: float, ear: Ear) -> Jitter:
    """The bare loop's figures."""
    ear.lines.clear()
    ports = [ear.open(("127.0.0.1", 9)) for _ in range(calls)]
    await asyncio.to_thread(send_bare, seconds, ports)
    return jitter(list(ear.lines.values()))


def send_bare(seconds: float, ports: list[int]) -> None:
    """The bare loop, in a process of its own on the platform's core."""
    process = subprocess.Popen([sys.executable, __file__, "--bare", str(seconds), *map(str, ports)])
    os.sched_setaffinity(process.pid, {ALLOWED[0]})
    try:
        process.wait(seconds + 10)
    finally:
        end(process)


def bare(seconds: float, ports: list[int]) -> None:
    """Nothing but the packets."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
    began = time.perf_counter()
    for number in range(int(seconds / TICK)):
        time.sleep(max(0.0, began + number * TICK - time.perf_counter()))
        payload = pack(Packet(8, number, number * 160, 1, b"\xd5" * 160))
        for one, port in zip(sockets, ports, strict=True):
            one.sendto(payload, ("127.0.0.1", port))


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--bare", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        bare(float(options.bare[0]), [int(port) for port in options.bare[1:]])
        return
    if len(ALLOWED) > 1:
        os.sched_setaffinity(0, set(ALLOWED[1:]))
    print(conditions())
    show(asyncio.run(measure(options.calls, options.seconds)))


if __name__ == "__main__":
    main()
