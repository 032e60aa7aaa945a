"""The description of the HTTP surface: it names all that is served, and answers are as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from starlette.routing import Route

from heliograph.testing import KEY, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def document(live: Running) -> Any:
    """The description as it is served."""
    return (await live.client.get("/openapi.json")).json()


def served(live: Running) -> set[tuple[str, str]]:
    """Methods and paths of the running platform, but for the webhook bin."""
    found = set()
    for route in live.platform.app()._app.routes:
        if isinstance(route, Route):
            path = re.sub(r":\w+}", "}", route.path.rstrip("/"))
            methods = (route.methods or {"POST" if path.endswith("/messaging") else "GET"}) - {"HEAD"}
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
        in_path = [item["name"] for item in operation["parameters"] if item["in"] == "path"]
        assert in_path == re.findall(r"{(\w+)}", path), path
        assert operation["summary"].endswith("."), path
        assert operation["responses"], path
        for scheme in operation["security"]:
            assert set(scheme) <= set(document["components"]["securitySchemes"])


async def test_references_lead_somewhere(document: Any) -> None:
    for name, value in inside(document):
        if name == "$ref":
            found = document
            for word in value.removeprefix("#/").split("/"):
                found = found[word]


async def test_answers_are_as_described(live: Running, document: Any) -> None:
    schemas = document["components"]["schemas"]
    element = (await live.sms("447700900001"))[0]
    refusal = (await live.send("{")).json()["response"]
    record = (await live.status(element["transid"]))[0]
    error = (await live.admin("GET", "/messages/x")).json()["error"]

    assert sorted(element) == sorted(schemas["Element"]["required"])
    assert sorted(refusal) == sorted(schemas["Refusal"]["properties"]["response"]["required"])
    assert sorted(record) == sorted(schemas["Record"]["required"])
    assert sorted(error) == sorted(schemas["Error"]["properties"]["error"]["required"])


async def test_its_example_is_accepted(live: Running, document: Any) -> None:
    body = document["paths"]["/resources/v1/messaging"]["post"]["requestBody"]["content"]["application/json"]
    answer = await live.send(body["example"], KEY)

    assert answer.json()["response"][0]["code"] == "1001"


async def test_the_page_loads_nothing_from_elsewhere(live: Running) -> None:
    page = await live.client.get("/docs")

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert re.findall(r'(?:src|href)="(?!data:|openapi\.json)', page.text) == []
    assert "://" not in page.text
