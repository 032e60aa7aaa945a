"""What the how-to pages tell people to type works as it stands, against a platform."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from heliograph.cli.demo import demo_document
from heliograph.cli.parts.shipped import PEOPLE
from heliograph.testing import ADMIN_TOKEN, Running, eventually, running, workspace
from heliograph.wire import jwt

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
TOOLS = ("bash", "curl", "openssl", "od", "tr")
BODY: dict[str, Any] = {
    "deliverychannel": "sms",
    "channels": {"sms": {"text": "Hello"}},
    "destination": [{"msisdn": ["447700900123"]}],
}

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)

typed = pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")


def block(page: str, language: str, within: str) -> str:
    """The one block of a page in a language that holds a text."""
    text = (HOWTO / page).read_text(encoding="utf-8")
    [found] = [code for kind, code in _FENCE.findall(text) if kind == language and within in code]
    return str(found)


def names_of(page: str, within: str) -> dict[str, Any]:
    """What a Python block defines."""
    found: dict[str, Any] = {}
    exec(block(page, "python", within), found)  # our own documents
    return found


def declared(url: str) -> dict[str, Any]:
    """The test workspace with the token secret of the page."""
    [shown] = yaml.safe_load(block("authentication.md", "yaml", "jwt:"))["tenants"][0]["services"]
    return workspace(url, jwt=shown["jwt"])


async def run(live: Running, folder: Path, code: str) -> list[Any]:
    """The JSON answers of a block, typed beside a data folder."""
    (folder / "heliograph-data").mkdir(exist_ok=True)
    (folder / "heliograph-data" / "admin-token").write_text(ADMIN_TOKEN)
    script = code.replace("http://127.0.0.1:8080", live.url)
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    decoder, rest, found = json.JSONDecoder(), done.stdout.strip(), []
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found


def codes(answer: Any) -> list[str]:
    """The codes of an answer."""
    response = answer["response"]
    return [one["code"] for one in (response if isinstance(response, list) else [response])]


async def test_the_token_in_python_is_taken(tmp_path: Path) -> None:
    async with running(tmp_path, declared) as live:
        made = names_of("authentication.md", "def token")["token"]
        secret = declared(live.url)["tenants"][0]["services"][0]["jwt"][0]
        headers = {"authorization": f"Bearer {made(secret['id'], secret['secret'])}"}
        answer = await live.client.post("/resources/v1/messaging", json=BODY, headers=headers)

        assert codes(answer.json()) == ["1001"]


@typed
async def test_the_token_in_a_shell_is_taken(tmp_path: Path) -> None:
    async with running(tmp_path, declared) as live:
        [answer] = await run(live, tmp_path, block("authentication.md", "sh", "openssl"))

        assert codes(answer) == ["1001"]


@typed
async def test_a_key_is_changed_without_a_pause(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        [sent] = await run(live, tmp_path, block("authentication.md", "sh", "-H 'key:"))
        made, listed, ended = await run(live, tmp_path, block("authentication.md", "sh", "DELETE"))
        old = listed["keys"][0]

        assert codes(sent) == ["1001"]
        assert [key["id"] for key in listed["keys"]] == [old["id"], made["id"]]
        assert old["last_used_at"]
        assert ended["revoked"] == [old["id"]]
        assert codes((await live.send(BODY)).json()) == ["7001"]
        assert codes((await live.send(BODY, made["key"])).json()) == ["1001"]


@typed
async def test_a_named_call_is_answered_twice_with_one_effect(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        code = block("idempotency.md", "sh", "Idempotency-Key")
        first, second = await run(live, tmp_path, code + code)

        assert codes(first) == ["1001"]
        assert first == second


async def test_a_caller_keeps_to_its_limit(tmp_path: Path) -> None:
    def limited(url: str) -> dict[str, Any]:
        made = workspace(url)
        made["tenants"][0]["limits"] = {"messaging_per_second": 2}
        return made

    async with running(tmp_path, limited) as live:
        send = names_of("limits.md", "def send")["send"]
        two = {**BODY, "destination": [{"msisdn": ["447700900123", "447700900124"]}]}
        started = time.monotonic()
        taken = [
            await asyncio.to_thread(
                send, f"{live.url}/resources/v1/messaging", "11111111-1111-4111-8111-111111111111", two
            )
            for _ in range(3)
        ]

        assert [[one["code"] for one in response] for response in taken] == [["1001", "1001"]] * 3
        assert time.monotonic() - started > 1.5


async def test_an_answer_is_read(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        outcome = names_of("read-an-error.md", "def outcome")["outcome"]
        mixed = {**BODY, "destination": [{"msisdn": ["447700900123", "12"]}]}
        taken = outcome((await live.send(mixed)).json())
        refused = outcome((await live.send("{")).json())

        assert [(code, text) for code, text, _ in taken] == [("1001", "Queued"), ("7102", "Invalid address")]
        assert [(code, text) for code, text, _ in refused] == [("7000", "Invalid JSON")]


@typed
async def test_a_template_with_a_link_is_sent_and_its_click_told(tmp_path: Path) -> None:
    def shown(url: str) -> dict[str, Any]:
        text = block("templates-and-links.md", "yaml", "link").replace("http://127.0.0.1:8080", url)
        return dict(yaml.safe_load(text))

    async with running(tmp_path, shown) as live:
        [answer] = await run(live, tmp_path, block("templates-and-links.md", "sh", "template"))
        transid = answer["response"][0]["transid"]
        await live.final(transid)
        [path] = re.findall(r"Hi Ada! Track it: http://[^/]+(/l/\w+)", json.dumps(await live.story(transid)))
        led = await live.client.get(path, headers={"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)"})
        told = [json.loads(call["body"]) for call in await live.calls("orders", 2)]

        assert led.headers["location"] == "https://apps.apple.com/app/id1"
        assert [one["deliveryInfoNotification"]["deliveryInfo"]["code"] for one in told] == ["7500", "7901"]


@typed
async def test_the_event_of_the_readme_sends_its_message(tmp_path: Path) -> None:
    async with running(tmp_path, demo_document) as live:
        people = {"Records": list(PEOPLE)}
        assert (await live.admin("POST", "/tenants/demo/profiles", json=people)).status_code == 200
        code = block("../../README.md", "sh", "externalevent").partition("\n.venv")[0]
        [answer] = await run(live, tmp_path, code)

        async def sent() -> Any:
            found = (await live.admin("GET", "/tenants/demo/messages?correlationid=order-2")).json()["messages"]
            return found if len(found) == 2 else None

        last = await live.story((await eventually(sent))[0]["transid"])
        assert codes(answer) == ["1002"]
        assert (last["channel"], last["destination"]) == ("sms", "grace")
        assert last["request"]["content"]["parameters"] == {"name": "Grace", "order": "4712"}


@typed
async def test_the_event_of_its_page_is_taken(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        await live.admin("POST", "/tenants/demo/events", json={"id": "4451"})
        [answer] = await run(live, tmp_path, block("events.md", "sh", "externalevent"))

        assert codes(answer) == ["1002"]


def test_the_server_side_token_of_an_app_is_taken() -> None:
    [shown] = yaml.safe_load(block("in-app.md", "yaml", "rtm: true"))["tenants"][0]["apps"]
    secret = shown["rtm"]["tokens"][0]["secret"]
    made = names_of("in-app.md", "def app_token")["app_token"](shown["id"], "ann", secret)
    _, claims = jwt.read(made, lambda issuer: ((jwt.secret_bytes(secret), issuer),), time.time())

    assert (claims["iss"], claims["sub"]) == (shown["id"], "ann")
