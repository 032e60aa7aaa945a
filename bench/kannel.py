"""Kannel beside us: the same calls, the same SMSC, the same callback endpoint, one after the other in one run.

    python bench/kannel.py [--messages 10000] [--window 50]

Kannel listens on all addresses, so everything of this run happens in a network namespace of its own, which has
nothing but a loopback. Where Kannel is not installed, or no namespace can be made, it says so and ends.
Both get single calls, 64 at once; the clock stops when the last callback has come.
"""

from __future__ import annotations

import argparse
import array
import contextlib
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import uvloop

import load
import procs
from figures import Figure, conditions, show

INSIDE = "--inside"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # linux/sockios.h, linux/if.h
CONNECTIONS = 64
FINISH_SECONDS = 120.0
BOUND_SECONDS = 15.0
MARK = b"0: Accepted for delivery"
CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = bench
status-password = bench
smsbox-port = {box}
box-allow-ip = 127.0.0.1
store-type = spool
store-location = {folder}
dlr-storage = internal
log-level = 3
log-file = {folder}/bearerbox.log

group = smsc
smsc = smpp
smsc-id = smsc
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = bench
smsc-password = secret
system-type = ""
max-pending-submits = {window}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
log-level = 3
log-file = {folder}/smsbox.log

group = sendsms-user
username = bench
password = bench
"""


def programs() -> tuple[str, str] | None:
    """Kannel's two daemons, where they are installed."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = [shutil.which(name, path=path) for name in ("bearerbox", "smsbox")]
    return (found[0], found[1]) if found[0] and found[1] else None


def loopback_up() -> None:
    """Switch on the only interface of the new namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = array.array("B", struct.pack("16sH14x", b"lo", 0))
        fcntl.ioctl(control, SIOCGIFFLAGS, request)
        flags = struct.unpack_from("16sH", request)[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


@contextlib.contextmanager
def kannel(folder: Path, smsc: int, window: int) -> Iterator[int]:
    """Kannel's two processes; the port that takes calls."""
    bearerbox, smsbox = programs() or ("", "")
    ports = {name: procs.free_port() for name in ("admin", "box", "http")}
    file = folder / "kannel.conf"
    file.write_text(CONFIGURATION.format(smsc=smsc, window=window, folder=folder, **ports), encoding="utf-8")
    with (folder / "out.log").open("w", encoding="utf-8") as log, contextlib.ExitStack() as stack:
        for program, port in ((bearerbox, ports["box"]), (smsbox, ports["http"])):
            process = subprocess.Popen([program, str(file)], stdout=log, stderr=log, text=True)
            stack.callback(procs.end, process)
            procs.wait_listening(port)
        yield ports["http"]


def kannel_call(number: int, sink: int) -> bytes:
    """One of Kannel's calls: the text of ours, a receipt wanted."""
    text = load.TEXT.replace(" ", "+")
    url = f"http%3A%2F%2F127.0.0.1%3A{sink}%2Fdr%3Ftype%3D%25d"
    query = f"username=bench&password=bench&from=HELIO&to=447{number:09d}&text={text}&dlr-mask=3&dlr-url={url}"
    return f"GET /cgi-bin/sendsms?{query} HTTP/1.1\r\nhost: bench\r\n\r\n".encode()


def through(far: procs.FarEnd, port: int, calls: list[bytes], mark: bytes) -> float:
    """Messages per second from the first call to the last callback."""
    before = far.counts()["calls"]
    began = time.perf_counter()
    tally = uvloop.run(load.run(port, ((call, 1) for call in calls), CONNECTIONS, mark))
    if tally.refused or len(tally.latencies) < len(calls):
        raise RuntimeError(f"{len(tally.latencies)} answers to {len(calls)} calls: {tally.first_refusal}")
    while (done := far.counts()["calls"] - before) < len(calls):
        if time.perf_counter() - began > FINISH_SECONDS:
            raise RuntimeError(f"only {done} of {len(calls)} callbacks came: {far.counts()}")
        time.sleep(0.01)
    return len(calls) / (time.perf_counter() - began)


def wait_bound(far: procs.FarEnd) -> None:
    """Return once somebody has bound to the SMSC."""
    deadline = time.perf_counter() + BOUND_SECONDS
    while not far.counts()["binds"]:
        if time.perf_counter() > deadline:
            raise RuntimeError("nobody bound to the SMSC")
        time.sleep(0.05)


def measure(messages: int, window: int) -> list[Figure]:
    """Kannel first, then ours, in the namespace."""
    numbers = range(100_000_000, 100_000_000 + messages)
    with procs.folder() as folder, procs.far_end() as far, kannel(folder, far.smsc, window) as port:
        wait_bound(far)
        theirs = through(far, port, [kannel_call(number, far.sink) for number in numbers], MARK)
    with (
        procs.folder() as folder,
        procs.far_end() as far,
        procs.Platform(folder, procs.document(far.smsc, far.sink, window=window)) as served,
    ):
        served.start()
        wait_bound(far)
        calls = [load.call(procs.KEY, load.body(number, 1)) for number in numbers]
        ours = through(far, served.port, calls, load.ACCEPTED)
        served.stop()
    what = f"single calls to callbacks, beside Kannel (window {window})"
    note = f"{messages:,} calls, 64 at once; ours synced before each answer, Kannel as its `store-type = spool` does"
    return [Figure(what, ours, "messages/s", theirs, note=note)]


def why_not() -> str:
    """A sentence when this cannot run here, else nothing."""
    if programs() is None:
        return "Kannel is not installed here (Debian: apt install kannel), so there is no comparison with it."
    if (
        shutil.which("unshare") is None
        or subprocess.run(_unshare("true"), capture_output=True, check=False).returncode
    ):
        return (
            "No network namespace can be made here, and Kannel would listen on all addresses, so it is not started."
        )
    return ""


def _unshare(*command: str) -> list[str]:
    more = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--net", *more, *command]


def compare(messages: int, window: int) -> list[Figure]:
    """The figures, measured in a namespace of its own. Raises RuntimeError with the end of what went wrong."""
    command = [sys.executable, __file__, INSIDE, "--messages", str(messages), "--window", str(window)]
    done = subprocess.run(_unshare(*command), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError("the run in the network namespace failed, see above")
    return [Figure(**found) for found in json.loads(done.stdout)]


def main() -> None:
    """Measure and print, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        loopback_up()
        print(json.dumps([asdict(figure) for figure in measure(options.messages, options.window)]))
    elif sentence := why_not():
        print(sentence)
    else:
        print(conditions())
        show(compare(options.messages, options.window))


if __name__ == "__main__":
    main()
