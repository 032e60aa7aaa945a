"""A platform that takes calls and sends nothing, with services that are refused in every way a call can be."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from heliograph.api.app import admin_routes
from heliograph.api.openapi.document import describe
from heliograph.channels import channels
from heliograph.testing import Running, running, workspace

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "samples.json").read_text(encoding="utf-8"))

TAIL = "/admin/v1/tail"  # has no end
CATEGORIES = [
    {"name": "HOLE", "positions": [1, 2], "identifiers": {"1": "A"}, "actions": {"A": ["OPEN_APP"]}},
    {"name": "IDLE", "positions": [1], "identifiers": {"1": "A"}, "actions": {"A": []}},
]


def workspace_of_refusals(url: str) -> dict[str, Any]:
    """The test workspace and, under telling names, what refuses a caller. The key of a service is `key-of-` and its
    name. `later` decides nothing in its answer, so that whatever the contract takes is 1001."""
    made = workspace(url)
    tenant = made["tenants"][0]
    tenant["push_categories"] = CATEGORIES
    tenant["services"] += [
        _service(tenant, "later", checks="at_dispatch"),
        _service(tenant, "asleep", status="suspended"),
        _service(tenant, "fenced", ip_allowlist=["192.0.2.0/24"]),
        _service(tenant, "bare", channels={}),
    ]
    for name, members in (
        ("walled", {"ip_allowlist": ["192.0.2.0/24", "2001:db8::/32"]}),
        ("limited", {"limits": {"messaging_per_day": 1}}),
        ("quiet", {"dnd": [{"address": "447700900001", "channel": "sms"}]}),
        ("clean", {"spam_words": ["free money"]}),
        ("closed", {"social_hours": {"zone": "tenant", "windows": [other_day()]}}),
        ("unpriced", {"billing": {"currency": "EUR", "balance": "1.00", "rate_plan": []}}),
        ("trial", {"verified_only": True}),
    ):
        made["tenants"].append({**tenant, "id": name, "services": [_service(tenant, name)], **members})
    return made


def other_day() -> dict[str, Any]:
    """Hours that are neither now nor within two days."""
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    return {"days": [day], "start": "09:00", "end": "18:00"}


def _service(tenant: dict[str, Any], name: str, **members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(tenant["services"][0]), "id": name, "keys": [f"key-of-{name}"], **members}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The platform, serving, in each shape in turn."""
    data = tmp_path_factory.mktemp("data")
    async with running(data, workspace_of_refusals, ROLES="api,simulators") as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The same in one process on SQLite, for what is asked too often to be asked twice."""
    data = tmp_path_factory.mktemp("data")
    async with running(data, workspace_of_refusals, "sqlite", ROLES="api,simulators") as platform:
        yield platform


@pytest.fixture(scope="session")
def samples() -> list[dict[str, Any]]:
    """The published skeletons: `name`, `body` and, where it is no channel of the table, the key of the refusal."""
    return SAMPLES


@pytest.fixture(scope="session")
def declared() -> Callable[[str], dict[str, Any]]:
    """The workspace of these tests, by the URL of the platform."""
    return workspace_of_refusals


class Nothing:
    """Stands for any part of the endpoints while only their routes are asked for."""

    def __getattr__(self, name: str) -> Any:
        return Nothing()


@cache
def strict() -> dict[str, Any]:
    """The description of the API, with objects in answers that have the described members and no others."""
    document = describe(admin_routes(cast(Any, Nothing())), channels())
    answers = [
        operation["responses"] for operations in document["paths"].values() for operation in operations.values()
    ]
    _close([answers, document["components"]["responses"]], document, set())
    return document


@pytest.fixture(scope="session")
def strict_document() -> dict[str, Any]:
    """The description, to hold answers against."""
    return strict()


def _close(value: Any, document: dict[str, Any], seen: set[str]) -> None:
    if isinstance(value, list):
        for inner in value:
            _close(inner, document, seen)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "$ref" and inner not in seen:
            seen.add(inner)
            found: Any = document
            for word in inner.removeprefix("#/").split("/"):
                found = found[word]
            _close(found, document, seen)
        elif name == "properties" and isinstance(inner, dict):
            _close(list(inner.values()), document, seen)  # whose names may be any, `examples` too
        elif name not in ("example", "examples", "x-statuses"):
            _close(inner, document, seen)
    if value.get("type") == "object" and "properties" in value:
        value.setdefault("additionalProperties", False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with an argument `sample` is run for every skeleton, one with `operation` for every call there is."""
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", SAMPLES, ids=[sample["name"] for sample in SAMPLES])
    if "operation" in metafunc.fixturenames:
        paths = {path: methods for path, methods in strict()["paths"].items() if path != TAIL}
        operations = [(path, method) for path, methods in paths.items() for method in methods]
        metafunc.parametrize("operation", operations, ids=[f"{method} {path}" for path, method in operations])
