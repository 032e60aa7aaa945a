"""Every answer of every endpoint has the described members and no others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import jsonschema_rs
import pytest
import pytest_asyncio

from heliograph.model.ids import parse_transid
from heliograph.model.record import Parked
from heliograph.testing import KEY, Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD: dict[str, Any] = {
    "deliverychannel": "sms",
    "channels": {"sms": {"text": "Hello"}},
    "destination": [{"msisdn": ["447700900001", "12"], "correlationid": "c"}],
}
UNKNOWN = "0192aaaa-0000-7000-8000-000000000000"
SEND, STATUS = "/resources/v1/messaging", "/resources/v1/messaging/status"

# The operation, its status, the path filled in and, where it has one, the body. `{...}` are things of the platform.
CALLS: list[tuple[str, int, str, Any]] = [
    ("send", 200, SEND, GOOD),
    ("send", 200, SEND, [GOOD, {"deliverychannel": "sms"}]),
    ("send", 200, SEND, "{"),
    ("send", 413, SEND, " " * (4 * 1024 * 1024 + 1)),
    ("status", 200, f"{STATUS}/{{transid}}", None),
    ("status", 200, f"{STATUS}/{{failed}}", None),
    ("status", 200, f"{STATUS}/{{waiting}}", None),
    ("status", 200, f"{STATUS}/{UNKNOWN}", None),
    ("statusByPathKey", 200, f"{STATUS}/{KEY}/{{transid}}", None),
    ("statusByPathKey", 200, f"{STATUS}/{KEY}/nonsense", None),
    ("healthz", 200, "/healthz", None),
    ("readyz", 200, "/readyz", None),
    ("openapi", 200, "/openapi.json", None),
    ("get_workspace", 200, "/admin/v1/workspace", None),
    ("get_workspace", 200, "/admin/v1/workspace?secrets=true", None),
    ("put_workspace", 200, "/admin/v1/workspace?plan=true", {"tenants": [{"id": "new"}]}),
    ("put_workspace", 200, "/admin/v1/workspace", "{workspace}"),
    ("put_workspace", 400, "/admin/v1/workspace", {"tenants": 1}),
    ("put_workspace", 413, "/admin/v1/workspace", " " * (8 * 1024 * 1024 + 1)),
    ("get_services_service_keys", 200, "/admin/v1/services/other/keys", None),
    ("get_services_service_keys", 400, "/admin/v1/services/twin/keys", None),
    ("get_services_service_keys", 404, "/admin/v1/services/nobody/keys", None),
    ("post_services_service_keys", 200, "/admin/v1/services/other/keys", {}),
    ("post_services_service_keys", 409, "/admin/v1/services/other/keys", {}),
    ("post_services_service_keys", 400, "/admin/v1/services/twin/keys", {}),
    ("post_services_service_keys", 404, "/admin/v1/services/nobody/keys", {}),
    ("delete_services_service_keys_key", 200, "/admin/v1/services/other/keys/{key}", None),
    ("delete_services_service_keys_key", 400, "/admin/v1/services/other/keys/x", None),
    ("delete_services_service_keys_key", 404, "/admin/v1/services/other/keys/00000000", None),
    ("get_tenants_tenant_messages", 200, "/admin/v1/tenants/demo/messages?limit=2", None),
    ("get_tenants_tenant_messages", 400, "/admin/v1/tenants/demo/messages?limit=x", None),
    ("get_messages_transid", 200, "/admin/v1/messages/{transid}", None),
    ("get_messages_transid", 200, "/admin/v1/messages/{failed}", None),
    ("get_messages_transid", 200, "/admin/v1/messages/{waiting}", None),
    ("get_messages_transid", 400, "/admin/v1/messages/x", None),
    ("get_messages_transid", 404, f"/admin/v1/messages/{UNKNOWN}", None),
    ("post_tenants_tenant_explain", 200, "/admin/v1/tenants/demo/explain?service=orders", GOOD),
    ("post_tenants_tenant_explain", 200, "/admin/v1/tenants/demo/explain?service=orders", [{}, GOOD]),
    ("post_tenants_tenant_explain", 200, "/admin/v1/tenants/demo/explain?service=orders", "{"),
    ("post_tenants_tenant_explain", 400, "/admin/v1/tenants/demo/explain", GOOD),
    ("post_tenants_tenant_explain", 404, "/admin/v1/tenants/demo/explain?service=nobody", GOOD),
    (
        "post_tenants_tenant_explain",
        413,
        "/admin/v1/tenants/demo/explain?service=orders",
        " " * (4 * 1024 * 1024 + 1),
    ),
    ("get_callbacks", 200, "/admin/v1/callbacks?state=done", None),
    ("get_callbacks", 400, "/admin/v1/callbacks?state=lost", None),
    ("post_callbacks_id_replay", 200, "/admin/v1/callbacks/{callback}/replay", {}),
    ("post_callbacks_id_replay", 400, "/admin/v1/callbacks/x/replay", {}),
    ("post_callbacks_id_replay", 404, "/admin/v1/callbacks/1.0.2/replay", {}),
    ("get_parked", 200, "/admin/v1/parked", None),
    ("get_parked", 400, "/admin/v1/parked?limit=x", None),
    ("post_parked_id_retry", 200, "/admin/v1/parked/{parked}/retry", {}),
    ("post_parked_id_retry", 400, "/admin/v1/parked/x/retry", {}),
    ("post_parked_id_retry", 404, "/admin/v1/parked/1.0/retry", {}),
    ("post_callbacks_replay", 200, "/admin/v1/callbacks/replay", {}),
    ("post_callbacks_replay", 400, "/admin/v1/callbacks/replay", {"from": "x"}),
    ("post_callbacks_replay", 413, "/admin/v1/callbacks/replay", " " * (8 * 1024 * 1024 + 1)),
    ("get_codes", 200, "/admin/v1/codes", None),
    ("get_connectors", 200, "/admin/v1/connectors", None),
    ("get_connectors_name", 200, "/admin/v1/connectors/smsc", None),
    ("get_connectors_name", 404, "/admin/v1/connectors/nobody", None),
    ("get_receipts_unmatched", 200, "/admin/v1/receipts/unmatched", None),
    ("get_receipts_unmatched", 400, "/admin/v1/receipts/unmatched?limit=x", None),
    ("get_stats", 200, "/admin/v1/stats", None),
]
STREAM = "get_tail"
APP = "AP00000001"
PROFILE_KEYS = {200: "profile-key-of-demo", 202: "profile-key-of-waiting", 413: "profile-key-of-demo"}
CUSTOMER = {"Records": [{"customerId": "c", "Attributes": {"msisdn": "447700900001"}}, {"customerId": "d"}]}
DEVICE = {
    "Records": [
        {
            "customerId": "c",
            "Attributes": {"connectStatus": 1, "deviceId": "d", "rtmId": "c_d", "status": 1, "os": "ios"},
        }
    ]
}


def profile_calls() -> Iterator[tuple[str, int, str, Any]]:
    """Every operation of the Profile API, in both versions."""
    customers, users = "customerprofile", f"customerappprofile/{APP}"
    big = " " * (4 * 1024 * 1024 + 1)
    for version, suffix in (("v2", ""), ("v1", "V1")):
        writes = [
            ("createCustomers", customers, CUSTOMER), ("updateCustomers", customers, CUSTOMER),
            ("createAppUsers", users, DEVICE), ("updateAppUsers", users, DEVICE),
            ("updateAppUsersAsPrinted", f"customerprofiles/{APP}", DEVICE),
        ]  # fmt: skip
        reads = [
            ("readCustomers", f"{customers}?customerId=c&customerId=x&showinwardlinks=2"),
            ("readCustomers", customers), ("readCustomer", f"{customers}/c?showinwardlinks=1"),
            ("readCustomer", f"{customers}/x"), ("readAppUsers", f"{users}?identifier=c"),
            ("readAppUser", f"{users}/c"), ("profileStatus", "profile/status/x"),
        ]  # fmt: skip
        deletes = [
            ("deleteDevice", f"{users}/c/d"), ("deleteAppUser", f"{users}/c"),
            ("deleteAppUsers", f"{users}?identifier=c"), ("deleteCustomer", f"{customers}/c"),
            ("deleteCustomers", f"{customers}?customerId=c"),
        ]  # fmt: skip
        for name, path, body in writes:
            for status, sent in ((200, body), (202, body), (413, big)):
                yield f"{name}{suffix}", status, f"/resources/{version}/{path}", sent
        for name, path in reads:
            yield f"{name}{suffix}", 200, f"/resources/{version}/{path}", None
        for name, path in deletes:
            for status in (200, 202):
                yield f"{name}{suffix}", status, f"/resources/{version}/{path}", None


CALLS += [
    ("get_tenants_tenant_profiles", 200, "/admin/v1/tenants/demo/profiles", None),
    ("get_tenants_tenant_profiles", 400, "/admin/v1/tenants/demo/profiles?app=x", None),
    ("get_tenants_tenant_profiles", 404, "/admin/v1/tenants/nobody/profiles", None),
    ("post_tenants_tenant_profiles", 200, "/admin/v1/tenants/demo/profiles", CUSTOMER),
    ("post_tenants_tenant_profiles", 400, "/admin/v1/tenants/demo/profiles", {"Records": []}),
    ("post_tenants_tenant_profiles", 404, "/admin/v1/tenants/nobody/profiles", CUSTOMER),
    ("post_tenants_tenant_profiles", 413, "/admin/v1/tenants/demo/profiles", " " * (8 * 1024 * 1024 + 1)),
    ("post_tenants_tenant_erasures", 200, "/admin/v1/tenants/demo/erasures", {"customerId": "nobody"}),
    ("post_tenants_tenant_erasures", 400, "/admin/v1/tenants/demo/erasures", {}),
    ("post_tenants_tenant_erasures", 404, "/admin/v1/tenants/nobody/erasures", {"customerId": "c"}),
    ("post_tenants_tenant_erasures", 413, "/admin/v1/tenants/demo/erasures", " " * (8 * 1024 * 1024 + 1)),
    ("get_audit", 200, "/admin/v1/audit", None),
    ("get_audit", 400, "/admin/v1/audit?limit=x", None),
    *profile_calls(),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform that works in all its roles; two of its tenants have a service of the same name."""

    def declared(url: str) -> dict[str, Any]:
        made = workspace(url)
        made["tenants"] += [{"id": name, "services": [{"id": "twin"}]} for name in ("one", "two")]
        apps = [{"id": APP, "features": {"push": True}}]
        made["tenants"][0] |= {"profile_key": PROFILE_KEYS[200], "profile_store": {}, "apps": apps}
        made["tenants"].append(
            {"id": "w", "profile_key": PROFILE_KEYS[202], "profile_store": {}, "apps": apps, "profile_async": True}
        )
        return made

    async with running(tmp_path_factory.mktemp("data"), declared) as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def things(live: Running) -> dict[str, Any]:
    """What paths name: messages that were delivered, failed and wait for a receipt; a callback, a key."""
    delivered, failed, waiting = [
        (await live.sms(number))[0] for number in ("447700900001", "9990017207", "9990007501")
    ]
    await live.final(delivered["transid"])
    await live.final(failed["transid"])
    callbacks = await eventually(lambda: _callbacks(live))
    keys = (await live.admin("GET", "/services/other/keys")).json()["keys"]
    return {
        "transid": delivered["transid"],
        "failed": failed["transid"],
        "waiting": waiting["transid"],
        "callback": callbacks[0]["id"],
        "parked": await _parked(live, delivered["transid"]),
        "key": keys[0]["id"],
        "workspace": (await live.admin("GET", "/workspace")).json(),
    }


async def _parked(live: Running, transid: str) -> str:
    """The id of a chunk that is parked."""
    request, *_ = parse_transid(transid) or (0,)
    await live.platform.store.park([Parked(request, 0, 1, 101)])
    return f"{request}.0"


async def _callbacks(live: Running) -> Any:
    return (await live.admin("GET", "/callbacks?state=done")).json()["callbacks"]


@pytest.fixture(scope="module")
def operations(strict_document: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Methods and descriptions by operation id."""
    return {
        operation["operationId"]: (method, operation)
        for methods in strict_document["paths"].values()
        for method, operation in methods.items()
    }


def content_of(document: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What an answer holds, by media type."""
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = answer.get("content", {})
    return found


def validator(document: dict[str, Any], operation: dict[str, Any], status: int) -> jsonschema_rs.Draft202012Validator:
    """What holds an answer against its description."""
    [content] = content_of(document, operation["responses"][str(status)]).values()
    return jsonschema_rs.Draft202012Validator({**content["schema"], "components": document["components"]})


@pytest.mark.parametrize(("name", "status", "path", "body"), CALLS)
async def test_an_answer_is_as_described(
    live: Running, things: Any, operations: Any, strict_document: Any, name: str, status: int, path: str, body: Any
) -> None:
    method, operation = operations[name]
    if isinstance(body, str) and body.startswith("{") and body.endswith("}"):
        body = things[body.strip("{}")]
    more = {"content": body} if isinstance(body, str) else {} if body is None else {"json": body}
    headers = {"content-type": "application/json"}
    where = path.format(**things)
    if where.startswith("/admin/v1"):
        answer = await live.admin(method.upper(), where.removeprefix("/admin/v1"), headers=headers, **more)
    else:
        key = PROFILE_KEYS[status] if "profile" in where else KEY
        answer = await live.client.request(method, where, headers={**headers, "key": key}, **more)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert [str(error) for error in validator(strict_document, operation, status).iter_errors(answer.json())] == []


async def test_a_line_of_the_live_log_is_as_described(live: Running, operations: Any, strict_document: Any) -> None:
    headers = {"authorization": "Bearer test-admin-token"}
    async with live.client.stream("GET", "/admin/v1/tail", headers=headers) as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = answer.aiter_lines()
        await anext(lines)
        await live.sms("447700900002")
        async for line in lines:
            if line:
                break

    assert validator(strict_document, operations[STREAM][1], 200).is_valid(json.loads(line))


async def test_no_answer_in_json_is_left_out(operations: Any, strict_document: Any) -> None:
    shown = {(name, str(status)) for name, status, *_ in CALLS}
    everywhere = {"401", "503"}  # tests/architecture/test_error_shape.py
    elsewhere = ("_dnd", "_account", "_clock", "_whatif", "_collection")  # tests/acceptance, each in its own module
    described = {
        (name, status)
        for name, (_, operation) in operations.items()
        if not any(part in name for part in elsewhere)
        for status, answer in operation["responses"].items()
        if status not in everywhere and "application/json" in content_of(strict_document, answer)
    }

    assert sorted(described - shown) == []
