"""The description of the HTTP surface: it names all that is served, and answers are as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from starlette.routing import Route

from heliograph.channels import channels
from heliograph.testing import KEY, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def document(live: Running) -> Any:
    """The description as it is served."""
    return (await live.client.get("/openapi.json")).json()


def served(live: Running) -> set[tuple[str, str]]:
    """Methods and paths of the running platform, but for the webhook bin."""
    found = set()
    for route in live.platform.surface.app()._app.routes:
        if isinstance(route, Route):
            path = re.sub(r":\w+}", "}", route.path.rstrip("/"))
            posted = path.endswith(("/messaging", "/externalevent")) or "/typing/" in path
            methods = (route.methods or {"POST" if posted else "GET"}) - {"HEAD"}
            found |= {(method.lower(), path) for method in methods}
    return found


def inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member at any depth."""
    if isinstance(value, dict):
        yield from value.items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from inside(inner)


async def test_it_names_all_that_is_served_and_nothing_else(live: Running, document: Any) -> None:
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}

    assert document["openapi"].startswith("3.1.")
    assert described == served(live)


async def test_operations_are_whole(document: Any) -> None:
    operations = [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]
    names = [operation["operationId"] for _, operation in operations]

    assert len(set(names)) == len(names)
    for path, operation in operations:
        in_path = [item["name"] for item in operation["parameters"] if item.get("in") == "path"]
        assert in_path == re.findall(r"{(\w+)}", path), path
        assert operation["summary"].endswith("."), path
        answers = operation["responses"]
        assert set(answers) == {"204"} or any(map(content_of, answers.values())), path
        for scheme in operation["security"]:
            assert set(scheme) <= set(document["components"]["securitySchemes"])


def content_of(answer: Any) -> Any:
    """What an answer holds, by its media type: each with a schema."""
    content = answer.get("content", {})
    return content if content and all("schema" in kind for kind in content.values()) else None


async def test_a_call_with_a_body_shows_an_example(document: Any) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            kinds = operation.get("requestBody", {}).get("content", {})
            shown = [kind for kind in kinds.values() if "example" in kind or "examples" in kind]
            assert bool(shown) == bool(kinds), path


async def test_references_lead_somewhere(document: Any) -> None:
    for name, value in inside(document):
        if name == "$ref":
            found = document
            for word in value.removeprefix("#/").split("/"):
                found = found[word]


async def test_its_examples_pass_the_contract(live: Running, document: Any) -> None:
    body = document["paths"]["/resources/v1/messaging"]["post"]["requestBody"]["content"]["application/json"]
    for name, example in body["examples"].items():
        response = (await live.send(example["value"], KEY)).json()["response"]

        assert isinstance(response, list), (name, response)


async def test_there_is_an_example_and_a_sentence_for_every_channel(document: Any) -> None:
    schemas = document["components"]["schemas"]
    body = document["paths"]["/resources/v1/messaging"]["post"]["requestBody"]["content"]["application/json"]
    for channel in channels().values():
        members = schemas[f"{channel.name.capitalize()}Object"]["properties"]

        assert channel.name in body["examples"], f"openapi.yaml of {channel.name} has none of that name"
        unsaid = [member for member in channel.members if "description" not in members[member]]
        assert unsaid == [], f"openapi.yaml of {channel.name} says nothing of these"


async def test_the_page_loads_nothing_from_elsewhere(live: Running) -> None:
    page = await live.client.get("/docs")

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert re.findall(r'(?:src|href)="(?!data:|openapi\.json)', page.text) == []
    assert "://" not in page.text
