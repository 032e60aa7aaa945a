"""Our calls against programs of others: sipp checks every ACK, CANCEL and BYE, baresip records what is played."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
import wave
from array import array
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heliograph import catalogue
from heliograph.channels.voice.sound.audio import resample
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import Tenant
from heliograph.wire.rtp.digits import Presses
from heliograph.wire.rtp.packet import unpack

from .conftest import Connect, free_port, program, until

PCAPS = Path("/usr/share/sip-tester")
SECONDS = 40

RESPONSE = """<send{more}><![CDATA[
SIP/2.0 {code} {reason}
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]SIPpTag01[call_number]
[last_Call-ID:]
[last_CSeq:]
{headers}{body}]]></send>"""
LENGTH = "Content-Length: 0\n\n"
CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>\n"
SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=user1 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
"""
OURS = """<send retrans="500"><![CDATA[
{method} sip:heliograph@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$2];tag=[pid]SIPpTag01[call_number]
To: [$1]
Call-ID: [call_id]
CSeq: {number} {method}
{headers}Max-Forwards: 70
{body}]]></send>"""
HEADERS = (
    '<recv request="INVITE" crlf="true"><action>'
    '<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="1"/>'
    '<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="2"/></action></recv>'
)


def response(code: int, reason: str, headers: str = "", body: str = LENGTH, more: str = "") -> str:
    return RESPONSE.format(code=code, reason=reason, headers=headers, body=body, more=more)


def ours(method: str, number: int, headers: str = "", body: str = LENGTH) -> str:
    return OURS.format(method=method, number=number, headers=headers, body=body)


def recv(what: str, **more: str) -> str:
    kind = "response" if what[0].isdigit() else "request"
    return f'<recv {kind}="{what}" ' + " ".join(f'{name}="{value}"' for name, value in more.items()) + "></recv>"


INVITE, ACK, BYE = recv("INVITE"), recv("ACK"), recv("BYE")
RINGING = response(180, "Ringing", CONTACT)
OK = response(200, "OK", CONTACT, SDP, ' retrans="500"')
REPEATED = ' retrans="500"'


def final(code: int, reason: str, headers: str = "") -> str:
    return INVITE + response(code, reason, headers, more=REPEATED) + recv("ACK", timeout="25000") + lingering()


def lingering() -> str:
    """Stay for repetitions, as timer I would."""
    return '<timewait milliseconds="500"/>'


ANSWERS = INVITE + RINGING + OK + ACK + BYE + response(200, "OK") + lingering()
NO_ANSWER = (
    HEADERS.replace("</action>", '<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="3"/>'
                    '<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="4"/></action>')
    + RINGING + recv("CANCEL", timeout="9000") + response(200, "OK")
    + """<send retrans="500"><![CDATA[
SIP/2.0 487 Request Terminated
Via:[$4]
From:[$1]
To:[$2];tag=[pid]SIPpTag01[call_number]
[last_Call-ID:]
CSeq:[$3]
Content-Length: 0

]]></send>""" + recv("ACK", timeout="8000") + lingering()
)  # fmt: skip
HANGS_UP = HEADERS + RINGING + OK + ACK + '<pause milliseconds="300"/>' + ours("BYE", 1) + recv("200") + lingering()
ASKS_MORE = (
    HEADERS + RINGING + OK + ACK
    + ours("OPTIONS", 1) + recv("200")
    + ours("INVITE", 2, CONTACT, SDP) + recv("200", rtd="true")
    + """<send><![CDATA[
ACK sip:heliograph@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$2];tag=[pid]SIPpTag01[call_number]
To: [$1]
Call-ID: [call_id]
CSeq: 2 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>"""
    + ours("SUBSCRIBE", 3) + recv("405")
    + BYE + response(200, "OK") + lingering()
)  # fmt: skip
CHALLENGE = 'WWW-Authenticate: Digest realm="sipp", nonce="47ebe028cda119c35d4877b383027d28"\n'
PROVES = (
    INVITE
    + response(401, "Unauthorized", CHALLENGE)
    + ACK
    + '<recv request="INVITE"><action><verifyauth assign_to="5" username="helio" password="secret"/></action></recv>'
    + '<nop hide="true" test="5" next="proved"></nop>'
    + response(403, "Forbidden") + ACK
    + '<label id="proved"/>'
    + RINGING + OK + ACK + BYE + response(200, "OK") + lingering()
)  # fmt: skip


class Sipp:
    """One run of a scenario; `status` is 0 when everything came as the scenario wants it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, folder: Path) -> None:
        self.port = port
        self._process = process
        self._folder = folder

    async def status(self) -> tuple[int, str]:
        """The exit status, with what was unexpected."""
        async with asyncio.timeout(SECONDS + 5):
            await self._process.wait()
        said = "".join(path.read_text(errors="replace") for path in self._folder.glob("*_errors.log"))
        return self._process.returncode or 0, said[:2_000]


@asynccontextmanager
async def sipp(folder: Path, steps: str, *options: str, tcp: bool = False) -> AsyncIterator[Sipp]:
    """sipp as the called side, ended with the test."""
    program("sipp", "sip-tester")
    port = free_port(socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
    folder = folder / str(port)
    folder.mkdir()
    document = folder / "scenario.xml"
    unused = '<Reference variables="1,2,3,4"/>' if 'assign_to="4"' in steps else (
        '<Reference variables="1,2"/>' if 'assign_to="1"' in steps else "")  # fmt: skip
    document.write_text(f'<?xml version="1.0" encoding="ISO-8859-1"?><scenario name="x">{steps}{unused}</scenario>')
    process = await asyncio.create_subprocess_exec(
        "sipp", "-sf", str(document), "-i", "127.0.0.1", "-p", str(port), "-mp", str(free_port()), "-m", "1",
        "-nostdin", "-timeout", f"{SECONDS}s", "-timeout_error", "-trace_err", "-t", "t1" if tcp else "u1", *options,
        env={"TERM": "xterm", "PATH": "/usr/bin:/bin"}, cwd=folder,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _listening(process, port, tcp)
        yield Sipp(process, port, folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _listening(process: asyncio.subprocess.Process, port: int, tcp: bool) -> None:
    """Until it has taken its port, or has ended. Nothing is bound to find out: that could be in its way."""
    table = Path("/proc/net/tcp" if tcp else "/proc/net/udp")
    await until(lambda: process.returncode is not None or f":{port:04X} " in table.read_text())
    assert process.returncode is None


FINALS = {
    "486": ("Busy Here", "7402"),
    "600": ("Busy Everywhere", "7402"),
    "603": ("Decline", "7403"),
    "480": ("Temporarily Unavailable", "7401"),
    "404": ("Not Found", "7404"),
    "503": ("Service Unavailable", "7404"),
    "500": ("Server Internal Error", "7404"),
}


def code_of(result: Submitted | SendError) -> str:
    return catalogue.code(result.key) if isinstance(result, SendError) else "7501"


@pytest.mark.parametrize("code", FINALS)
@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_final_response_is_acknowledged_and_is_the_outcome(
    code: str, tcp: bool, connect: Connect, tmp_path: Path
) -> None:
    reason, published = FINALS[code]
    async with sipp(tmp_path, final(int(code), reason), tcp=tcp) as peer:
        line = await connect(peer.port, options={"transport": "tcp" if tcp else "udp"})
        result = await line.call("447700900001", text="Hello")

        assert code_of(result) == published
        assert isinstance(result, SendError)
        assert result.detail.startswith(reason)
        assert await peer.status() == (0, "")


@pytest.mark.parametrize("times", range(3))
async def test_what_is_lost_on_the_way_is_sent_again_until_it_arrives(
    times: int, connect: Connect, tmp_path: Path
) -> None:
    async with sipp(tmp_path, final(486, "Busy Here"), "-lost", "20", "-max_retrans", "12") as peer:
        line = await connect(peer.port)
        result = await line.call("447700900001", text="Hello")

        assert code_of(result) == "7402"
        assert (await peer.status())[0] == 0


async def test_an_answered_call_survives_lost_packets(connect: Connect, tmp_path: Path) -> None:
    async with sipp(tmp_path, ANSWERS, "-lost", "15", "-max_retrans", "12") as peer:
        line = await connect(peer.port, lane="x~sandbox")
        result = await line.call("447700900001", text="Hi")
        await line.idle()

        assert isinstance(result, Submitted)
        assert line.record["ended_by"] == "flow"
        assert (await peer.status())[0] == 0


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_call_that_rings_for_too_long_is_cancelled(tcp: bool, connect: Connect, tmp_path: Path) -> None:
    async with sipp(tmp_path, NO_ANSWER, tcp=tcp) as peer:
        line = await connect(peer.port, options={"ring_limit": 1, "transport": "tcp" if tcp else "udp"})
        result = await line.call("447700900001", text="Hello")
        await until(lambda: line.recorder.receipts)

        assert isinstance(result, Submitted)
        assert (catalogue.code(line.last.key), line.last.native_code) == ("7401", "ring_limit")
        assert await peer.status() == (0, "")


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_a_call_is_answered_heard_and_ended_by_us(tcp: bool, connect: Connect, tmp_path: Path) -> None:
    async with sipp(tmp_path, ANSWERS, "-rtp_echo", tcp=tcp) as peer:
        line = await connect(peer.port, lane="x~sandbox", options={"transport": "tcp" if tcp else "udp"})
        await line.call("447700900001", text="Hello there")
        await line.idle()

        assert [catalogue.code(receipt.key) for receipt in line.recorder.receipts] == ["7500", "7500"]
        assert line.record["audio"]["sent"] > 20
        assert line.record["audio"]["heard"] >= line.record["audio"]["sent"] - 5
        assert await peer.status() == (0, "")


async def test_the_callee_hangs_up(connect: Connect, tmp_path: Path) -> None:
    async with sipp(tmp_path, HANGS_UP) as peer:
        line = await connect(peer.port, lane="x~sandbox")
        await line.call("447700900001", text="A text that takes longer to be said than the callee listens to")
        await line.idle()

        assert line.record["ended_by"] == "callee"
        assert await peer.status() == (0, "")


async def test_requests_within_the_call_are_answered(connect: Connect, tmp_path: Path) -> None:
    async with sipp(tmp_path, ASKS_MORE) as peer:
        line = await connect(peer.port, lane="x~sandbox")
        await line.call("447700900001", text="Hello there, this takes some moments to be said")
        await line.idle()

        assert line.record["ended_by"] == "flow"
        assert await peer.status() == (0, "")


async def test_a_challenge_is_answered_with_the_right_digest(connect: Connect, tmp_path: Path) -> None:
    async with sipp(tmp_path, PROVES) as peer:
        line = await connect(peer.port, lane="x~sandbox", password="secret")
        result = await line.call("447700900001", text="Hi")
        await line.idle()

        assert isinstance(result, Submitted), result
        assert line.record["ended_by"] == "flow"
        assert await peer.status() == (0, "")


async def test_a_redirect_is_followed(connect: Connect, tmp_path: Path) -> None:
    async with sipp(tmp_path, ANSWERS) as there:
        contact = f"Contact: <sip:447700900002@127.0.0.1:{there.port}>\n"
        async with sipp(tmp_path, final(302, "Moved Temporarily", contact)) as peer:
            line = await connect(peer.port, lane="x~sandbox")
            await line.call("447700900001", text="Hi")
            await line.idle()

            assert line.record["ended_by"] == "flow"
            assert f"sent on to sip:447700900002@127.0.0.1:{there.port}" in line.steps
            assert await peer.status() == (0, "")
        assert await there.status() == (0, "")


async def test_no_more_redirects_are_followed_than_may_be(connect: Connect, tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        port, peers = free_port(), []
        for _ in range(3):  # each sends on to the one before it
            contact = f"Contact: <sip:447700900002@127.0.0.1:{port}>\n"
            peers.append(await stack.enter_async_context(sipp(tmp_path, final(302, "Moved Temporarily", contact))))
            port = peers[-1].port
        line = await connect(port, options={"redirects": 2})
        result = await line.call("447700900001", text="")

        assert isinstance(result, SendError)
        assert (code_of(result), result.native_code) == ("7404", "302")
        assert [(await peer.status())[0] for peer in peers] == [0, 0, 0]


@pytest.mark.parametrize("first", ["503", "closed"])
async def test_the_next_host_is_tried_before_anything_rang(first: str, connect: Connect, tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        second = await stack.enter_async_context(sipp(tmp_path, ANSWERS))
        port = free_port()
        if first == "503":
            peer = await stack.enter_async_context(sipp(tmp_path, final(503, "Service Unavailable")))
            port = peer.port
        line = await connect(port, lane="x~sandbox", options={"hosts": [f"127.0.0.1:{second.port}"]})
        result = await line.call("447700900001", text="Hi")
        await line.idle()

        assert isinstance(result, Submitted), result
        assert f"calling over udp 127.0.0.1:{second.port}" in line.steps
        assert (await second.status())[0] == 0


# baresip

CONFIG = """sip_listen 127.0.0.1:{port}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module sndfile.so
module account.so
module_app menu.so
snd_path {folder}
audio_source aufile,{folder}/source.wav
audio_srate 8000-8000
audio_channels 1-1
rtp_ports {rtp}-{rtp_end}
"""


def sweep(seconds: float) -> array[int]:
    """A tone that rises, so that it fits itself at one place only."""
    count = int(8_000 * seconds)
    return array(
        "h",
        (
            int(9_000 * math.sin(2 * math.pi * (300 + 250 * number / 8_000) * number / 8_000))
            for number in range(count)
        ),
    )


def write_wav(path: Path, samples: array[int], rate: int = 8_000) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def correlation(one: array[int], other: array[int]) -> float:
    """How alike two sounds of the same length are: 1 for the same."""
    both = sum(a * b for a, b in zip(one, other, strict=True))
    return both / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other) or 1)


def best(played: array[int], heard: array[int]) -> float:
    """The correlation where the sound stands in the recording; a listener's buffer may have moved it."""
    piece = played[8_000 : 8_000 + 1_600]
    found = max(
        range(0, len(heard) - len(piece), 4), key=lambda at: correlation(piece[::4], heard[at : at + len(piece) : 4])
    )
    around = range(max(0, found - 4), min(len(heard) - len(piece), found + 5))
    return max(correlation(piece, heard[at : at + len(piece)]) for at in around)


@asynccontextmanager
async def baresip(folder: Path) -> AsyncIterator[int]:
    """baresip answering at once and recording; its port."""
    program("baresip", "baresip-core")
    write_wav(folder / "source.wav", array("h", bytes(2 * 8_000 * 10)))
    port, rtp = free_port(), 20_000 + free_port() % 10_000 // 2 * 2
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder, rtp=rtp, rtp_end=rtp + 40))
    (folder / "accounts").write_text("<sip:447700900001@127.0.0.1>;regint=0;answermode=auto\n")
    (folder / "contacts").write_text("")
    log = (folder / "log").open("wb")
    process = await asyncio.create_subprocess_exec(
        "baresip", "-f", str(folder), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
    )
    try:
        await until(lambda: b"baresip is ready" in (folder / "log").read_bytes())
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        log.close()


def recorded(folder: Path) -> array[int]:
    """What baresip heard."""
    [path] = folder.glob("dump-*-dec.wav")
    data = path.read_bytes()[44:]
    heard = array("h")
    heard.frombytes(data[: len(data) // 2 * 2])
    return heard


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_what_is_played_is_what_another_program_hears(codec: str, connect: Connect, tmp_path: Path) -> None:
    played = sweep(3.0)
    write_wav(tmp_path / "sweep.wav", played)
    tenant = Tenant(id="demo", prompts=({"id": "1", "file": str(tmp_path / "sweep.wav")},))
    folder = tmp_path / "baresip"
    folder.mkdir()
    async with baresip(folder) as port:
        line = await connect(port, tenant=tenant, options={"codecs": [codec]})
        await line.call("447700900001", promptid="1")
        await line.idle()
        await asyncio.sleep(0.3)

    assert line.record["ended_by"] == "flow"
    assert f"answered, audio as {codec}" in line.steps
    heard = recorded(folder)
    assert best(played, heard) > 0.95


async def test_a_prompt_of_another_rate_is_heard_as_it_is(connect: Connect, tmp_path: Path) -> None:
    count = 22_050 * 3
    high = array(
        "h", (int(9_000 * math.sin(2 * math.pi * (300 + 250 * n / 22_050) * n / 22_050)) for n in range(count))
    )
    write_wav(tmp_path / "high.wav", high, 22_050)
    tenant = Tenant(id="demo", prompts=({"id": "1", "file": str(tmp_path / "high.wav")},))
    folder = tmp_path / "baresip"
    folder.mkdir()
    async with baresip(folder) as port:
        line = await connect(port, tenant=tenant)
        await line.call("447700900001", promptid="1")
        await line.idle()
        await asyncio.sleep(0.3)

    assert best(sweep(3.0), recorded(folder)) > 0.95
    assert best(resample(high, 22_050), recorded(folder)) > 0.95


# Digits as another program recorded them


def captured(path: Path) -> Iterator[bytes]:
    """The UDP payloads of a capture file (Ethernet or raw IP)."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    link = struct.unpack_from(f"{order}I", data, 20)[0]
    at = 24
    while at < len(data):
        size = struct.unpack_from(f"{order}I", data, at + 8)[0]
        frame = data[at + 16 : at + 16 + size]
        ip = frame[14:] if link == 1 else frame[16:] if link == 113 else frame
        yield ip[(ip[0] & 0x0F) * 4 + 8 :]
        at += 16 + size


@pytest.mark.parametrize(
    ("name", "digit"), [*((str(number), str(number)) for number in range(10)), ("star", "*"), ("pound", "#")]
)
def test_a_captured_digit_is_read_once(name: str, digit: str) -> None:
    program("sipp", "sip-tester")
    presses = Presses()
    packets = [packet for payload in captured(PCAPS / f"dtmf_2833_{name}.pcap") if (packet := unpack(payload))]

    assert packets
    assert [found for packet in packets if (found := presses.feed(packet))] == [digit]
