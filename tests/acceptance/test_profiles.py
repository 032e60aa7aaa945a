"""The Profile API over HTTP: every published row with its exact text, the shapes of answers, links, both versions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.profiles.jobs import Worker
from heliograph.testing import KEY, Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORE = {
    "attributes": [
        {"name": "msisdn", "type": "msisdn"},
        {"name": "email", "type": "email"},
        {"name": "name", "type": "string"},
        {"name": "age", "type": "number"},
        {"name": "vip", "type": "boolean"},
        {"name": "born", "type": "date"},
        {"name": "seen", "type": "datetime"},
        {"name": "sms", "type": "flag"},
        {"name": "zone", "type": "timezone"},
        {"name": "tongue", "type": "locale"},
        {"name": "Card", "type": "string", "alias": True},
    ]
}
RTM, FB, TWITTER, WECHAT, BARE = "AP00000001", "a_1", "a_2", "a_3", "a_9"
APPS = [
    {"id": RTM, "features": {"push": True, "rtm": True}},
    {"id": FB, "messenger": {}},
    {"id": TWITTER, "twitter": {}},
    {"id": WECHAT, "wechat": {}},
    {"id": BARE},
]
TENANTS: dict[str, dict[str, Any]] = {
    "demo": {"apps": APPS, "profile_store": STORE},
    "storeless": {"apps": APPS},
    "limited": {"profile_store": STORE, "limits": {"profile_per_second": 1}},
    "walled": {"profile_store": STORE, "ip_allowlist": ["10.0.0.0/8"]},
    "walled-off": {"profile_store": STORE},
    "waiting": {"profile_store": STORE, "profile_async": True},
    "late": {"profile_store": STORE, "profile_async": True},
    "asleep": {"profile_store": STORE, "status": "suspended"},
    "strict": {"profile_store": {"attributes": [
        {"name": "status", "type": "flag", "mandatory": True},
        {"name": "msisdn", "type": "msisdn", "mandatory": False},
        {"name": "club", "type": "string", "mandatory": True},
    ]}},
}  # fmt: skip


def key_of(tenant: str) -> str:
    """Its profile key."""
    return f"profile-key-of-{tenant}"


def document(url: str) -> dict[str, Any]:
    """The test workspace with tenants that keep profiles."""
    found = workspace(url)
    for name, more in TENANTS.items():
        tenant = found["tenants"][0] if name == "demo" else {"id": name}
        tenant |= {"profile_key": key_of(name), **more}
        if name != "demo":
            found["tenants"].append(tenant)
    return found


REFUSE = {
    "SqliteDatabase": (
        "CREATE TRIGGER refuse BEFORE INSERT ON customers WHEN NEW.customer = 'unwritable' "
        "BEGIN SELECT RAISE(ABORT, 'the disk is bad at this place'); END",
    ),
    "PostgresDatabase": (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'the disk is bad at this place'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON customers FOR EACH ROW WHEN (NEW.customer = 'unwritable') "
        "EXECUTE FUNCTION refuse()",
    ),
}
"""How a database is told to refuse one customer."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform whose store refuses the customer `unwritable`."""
    data: Path = tmp_path_factory.mktemp("profiles")
    async with running(data, document) as platform:
        for sql in REFUSE[type(platform.database).__name__]:
            await platform.database.rows(sql)
        yield platform


@dataclass(frozen=True)
class Api:
    """The Profile API of a tenant."""

    live: Running
    tenant: str = "demo"
    version: str = "v2"

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One call, with the tenant's key unless `headers` say another."""
        more: dict[str, Any] = (
            {} if body is None else {"content": body} if isinstance(body, bytes) else {"json": body}
        )
        headers = headers or {"key": key_of(self.tenant)}
        return await self.live.client.request(method, f"/resources/{self.version}{path}", headers=headers, **more)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON."""
        return (await self.send(method, path, body)).json()

    async def create(self, *records: dict[str, Any], app: str = "") -> Any:
        """Create customers, or profiles of an app."""
        return await self.call(
            "POST", f"/customerappprofile/{app}" if app else "/customerprofile", {"Records": records}
        )

    async def attributes(self, path: str) -> dict[str, Any]:
        """The attributes of the one profile that is read."""
        [record] = (await self.call("GET", path))["Records"]
        return named(record["Attributes"])


def named(values: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["Name"]: item["Value"] for item in values}


def record(customer: str | None = "r", **attributes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Attributes": attributes}
    return found if customer is None else {"customerId": customer, **found}


def customer(customer_id: str, **attributes: Any) -> dict[str, Any]:
    return record(customer_id, msisdn="447700900001", **attributes)


def device(customer_id: str, device_id: str, **attributes: Any) -> dict[str, Any]:
    rtm_id = f"{attributes.get('userId', customer_id)}_{device_id}"
    return record(
        customer_id, **{"connectStatus": 0, "deviceId": device_id, "rtmId": rtm_id, "status": 1, **attributes}
    )


WHOLE = {
    FB: {"access_token": "t", "access_token_expiry": "2030-01-01", "psid": "1", "status": 1},
    TWITTER: {
        "access_token": "t",
        "access_token_secret": "s",
        "screenName": "n",
        "twitter_user_id": "2",
        "status": 1,
    },
    WECHAT: {"wechat_user_id": "o1", "status": 1},
    RTM: {"connectStatus": 1, "deviceId": "d", "rtmId": "u_d", "status": "1"},
}


@dataclass(frozen=True)
class Row:
    """A call and the record, or the refusal of all of it, that it brings."""

    name: str
    code: str
    text: str
    method: str
    path: str
    records: Any = None
    whole: bool = False
    tenant: str = "demo"
    before: tuple[tuple[str, str, Any], ...] = ()
    body: dict[str, Any] = field(default_factory=dict)


def lacking(app: str, member: str, method: str = "POST") -> tuple[str, str, Any]:
    return method, f"/customerappprofile/{app}", [record(**{k: v for k, v in WHOLE[app].items() if k != member})]


CUSTOMERS = "/customerprofile"
APP = f"/customerappprofile/{RTM}"
MADE: tuple[tuple[str, str, Any], ...] = (("POST", CUSTOMERS, [customer("made")]),)
APP_MADE: tuple[tuple[str, str, Any], ...] = (("POST", APP, [device("made", "d")]),)

ROWS = [
    Row("created", "1000", "Success", "POST", CUSTOMERS, [customer("new")]),
    Row("no customerId", "7003", "CustomerId is missing", "POST", CUSTOMERS, [record(None, msisdn="447700900001")]),
    Row("empty customerId", "7003", "CustomerId is missing", "PUT", CUSTOMERS, [record(" ")]),
    Row("no record at all", "7003", "CustomerId is missing", "POST", CUSTOMERS, [7]),
    Row("nobody read", "7003", "CustomerId is missing", "GET", CUSTOMERS, whole=True),
    Row("nobody deleted", "7003", "CustomerId is missing", "DELETE", CUSTOMERS, whole=True),
    Row("no user read", "7003", "CustomerId is missing", "GET", APP, whole=True),
    Row("fb without token", "7003", "Mandatory param access_token missing", *lacking(FB, "access_token")),
    Row("twitter without token", "7003", "Mandatory param access_token missing", *lacking(TWITTER, "access_token")),
    Row("no expiry", "7003", "Mandatory param access_token_expiry missing", *lacking(FB, "access_token_expiry")),
    Row("no psid", "7003", "Mandatory param psid missing", *lacking(FB, "psid")),
    Row("no psid in an update", "7003", "Mandatory param psid missing", *lacking(FB, "psid", "PUT")),
    Row("no secret", "7003", "Mandatory param access_token_secret missing", *lacking(TWITTER, "access_token_secret")),
    Row("no screen name", "7003", "Mandatory param screenName missing", *lacking(TWITTER, "screenName")),
    Row("no twitter id", "7003", "Mandatory param twitter_user_id missing", *lacking(TWITTER, "twitter_user_id")),
    Row("no twitter id in an update", "7003", "Mandatory param twitter_user_id missing",
        *lacking(TWITTER, "twitter_user_id", "PUT")),
    Row("no connect status", "7003", "Mandatory param connectStatus missing", *lacking(RTM, "connectStatus")),
    Row("no device", "7003", "Mandatory param deviceId missing", *lacking(RTM, "deviceId")),
    Row("no rtm id", "7003", "Mandatory param rtmId missing", *lacking(RTM, "rtmId")),
    Row("no rtm id in an update", "7003", "Mandatory param rtmId missing", *lacking(RTM, "rtmId", "PUT")),
    Row("no wechat id", "7003", "Mandatory param wechat_user_id missing", *lacking(WECHAT, "wechat_user_id")),
    Row("no wechat id in an update", "7003", "Mandatory param wechat_user_id missing",
        *lacking(WECHAT, "wechat_user_id", "PUT")),
    Row("no msisdn", "7003", "Mandatory param msisdn missing", "POST", CUSTOMERS, [record(email="a@example.com")]),
    Row("empty msisdn", "7003", "Mandatory param msisdn missing", "POST", CUSTOMERS, [record(msisdn="")]),
    Row("msisdn emptied", "7003", "Mandatory param msisdn missing", "PUT", CUSTOMERS, [record("made", msisdn="")],
        before=MADE),
    Row("no status of a user", "7003", "Mandatory param status missing or it is empty", *lacking(RTM, "status")),
    Row("empty status of a user", "7003", "Mandatory param status missing or it is empty", "PUT", APP,
        [record(**{**WHOLE[RTM], "status": ""})]),
    Row("no status where it is mandatory", "7003", "Mandatory param status missing or it is empty", "POST", CUSTOMERS,
        [record(club="x")], tenant="strict"),
    Row("another attribute that is mandatory", "7003", "Mandatory param club missing", "POST", CUSTOMERS,
        [record(status=1)], tenant="strict"),
    Row("status of a user out of range", "7003", "Invalid value for param status, only values [0,1] are allowed",
        "POST", APP, [record(**{**WHOLE[RTM], "status": 2})]),
    Row("no such address", "7010", "Source IP is not whitelisted", "GET", f"{CUSTOMERS}/x", whole=True,
        tenant="walled"),
    Row("no number", "7011", "Invalid Attribute Value", "POST", CUSTOMERS, [customer("r", age="old")]),
    Row("no object", "7011", "Invalid Attribute Value", "POST", CUSTOMERS, [{"customerId": "r", "Attributes": [1]}]),
    Row("no scalar of an app", "7011", "Invalid Attribute Value", "POST", APP,
        [record(**{**WHOLE[RTM], "make": {"a": 1}})]),
    Row("connect status out of range", "7011", "Invalid Attribute Value", "POST", APP,
        [record(**{**WHOLE[RTM], "connectStatus": 3})]),
    Row("status of a customer out of range", "7011", "invalid value for param status, only values [0,1] are allowed",
        "POST", CUSTOMERS, [customer("r", status="2")]),
    Row("too many", "7012", "Batch size limit(100) exceeded", "POST", CUSTOMERS,
        [customer(str(n)) for n in range(101)], whole=True),
    Row("too many updates of an app", "7012", "Batch size limit(100) exceeded", "PUT", APP, [{}] * 101, whole=True),
    Row("too many read", "7012", "Batch size limit(100) exceeded", "GET",
        f"{CUSTOMERS}?" + "&".join(f"customerId={n}" for n in range(101)), whole=True),
    Row("too many deleted", "7012", "Batch size limit(100) exceeded", "DELETE",
        f"{CUSTOMERS}?" + "&".join(f"customerId={n}" for n in range(101)), whole=True),
    Row("no store", "7013", "Master profile store not found", "POST", CUSTOMERS, [customer("r")], whole=True,
        tenant="storeless"),
    Row("no store to read", "7013", "Master profile store not found", "GET", f"{CUSTOMERS}/r", whole=True,
        tenant="storeless"),
    Row("no customer to update", "7014", "Customer not found", "PUT", CUSTOMERS, [record("nobody", name="x")]),
    Row("no customer to delete", "7014", "Customer not found", "DELETE", f"{CUSTOMERS}/nobody"),
    Row("no user to update", "7014", "App profile not found", "PUT", APP, [device("nobody", "d")]),
    Row("no user to delete", "7014", "App profile not found", "DELETE", f"{APP}?identifier=nobody"),
    Row("no device to delete", "7014", "App profile not found", "DELETE", f"{APP}/made/other", before=APP_MADE),
    Row("customer there", "7015", "Customer already exists", "POST", CUSTOMERS, [customer("made")], before=MADE),
    Row("user there", "7015", "App profile already exists", "POST", APP, [device("made", "d")], before=APP_MADE),
    Row("a place that cannot be written", "7016", "Unknown error", "POST", CUSTOMERS, [customer("unwritable")]),
    Row("no such attribute", "7017", "Profile attribute doesn't exist", "POST", CUSTOMERS, [customer("r", shoe=42)]),
    Row("no such app", "7018", "Invalid app profile or app profile is not linked to this client", "POST",
        "/customerappprofile/AP99999999", [device("r", "d")], whole=True),
    Row("an app without profiles", "7018", "Invalid app profile or app profile is not linked to this client", "GET",
        f"/customerappprofile/{BARE}/r", whole=True),
    Row("an app of another tenant", "7018", "Invalid app profile or app profile is not linked to this client", "GET",
        f"{APP}/r", whole=True, tenant="walled-off"),
    Row("expired", "7019", "Request expired", "POST", CUSTOMERS, [customer("r")], whole=True,
        body={"expiry": "2020-01-01T00:00:00.000Z"}),
    Row("over the limit", "7020", "You have reached maximum transaction limit", "GET", f"{CUSTOMERS}/x", whole=True,
        tenant="limited", before=(("GET", f"{CUSTOMERS}/y", None),)),
]  # fmt: skip


def sent(row: Row, records: Any) -> Any:
    return None if records is None else {"Records": records, **row.body}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_row_of_the_table(live: Running, row: Row) -> None:
    api = Api(live, row.tenant)
    for method, path, records in row.before:
        await api.send(method, path, sent(row, records))

    answer = await api.send(row.method, row.path, sent(row, row.records))

    found = answer.json()
    assert answer.status_code == 200
    if row.whole:
        assert sorted(found["response"]) == ["code", "description", "transid"]
        one = found["response"]
    else:
        [one] = found["Results"]
        assert (found["code"], found["description"]) == (
            ("1000", "Success") if row.code == "1000" else ("1002", "Partial success")
        )
    assert (one["code"], one["description"]) == (row.code, row.text)


async def test_every_row_of_the_published_table_is_provoked() -> None:
    published = {(row.code, row.message) for row in catalogue.ROWS if row.api == catalogue.PROFILE}

    assert published - {(row.code, row.text) for row in ROWS} == {("1002", "Partial success")}


GENERAL = [
    ({}, None, "7002", "Service Key Missing"),
    ({"key": ""}, None, "7002", "Service Key Missing"),
    ({"authorization": "Bearer x"}, None, "7002", "Service Key Missing"),
    ({"key": "nobody's"}, None, "7001", "Authentication failed"),
    ({"key": KEY}, None, "7001", "Authentication failed"),
    ({"key": key_of("asleep")}, None, "7008", "Inactive Profile"),
    ({"key": key_of("demo")}, b"{", "7000", "Invalid JSON"),
    ({"key": key_of("demo")}, b"[]", "7000", "Invalid JSON"),
    ({"secretKey": key_of("demo")}, b"[" * 100_000, "7000", "Invalid JSON"),
    ({"key": key_of("demo")}, b"{}", "7003", "Records is missing"),
    ({"key": key_of("demo")}, b'{"Records": []}', "7003", "Records is missing"),
    ({"key": key_of("demo")}, b'{"Records": {}}', "7003", "Records is missing"),
    ({"key": key_of("demo")}, b'{"Records": [{}], "expiry": "soon"}', "7004", "invalid value for param 'expiry'"),
]


@pytest.mark.parametrize(("headers", "body", "code", "text"), GENERAL)
async def test_a_call_that_is_refused(
    live: Running, headers: dict[str, str], body: Any, code: str, text: str
) -> None:
    answer = await live.client.post("/resources/v2/customerprofile", headers=headers, content=body or b"{}")

    found = answer.json()["response"]
    assert (found["code"], found["description"]) == (code, text)


async def test_a_profile_key_opens_no_other_api(live: Running) -> None:
    answer = await live.send({"deliverychannel": "sms"}, key_of("demo"))

    assert answer.json()["response"]["code"] == "7001"


async def test_a_method_that_is_not_served(live: Running) -> None:
    assert (await Api(live).send("PATCH", "/customerprofile", {})).status_code == 405


async def test_a_batch_succeeds_in_part(live: Running) -> None:
    api = Api(live)

    answer = await api.create(customer("p1"), record("p2"), customer("p3", age=[]), customer("p1"), customer("p4"))

    assert {name: answer[name] for name in ("TotalCount", "SuccessCount", "FailureCount", "code", "description")} == {
        "TotalCount": 5, "SuccessCount": 2, "FailureCount": 3, "code": "1002", "description": "Partial success",
    }  # fmt: skip
    assert [(one["customerId"], one["code"]) for one in answer["Results"]] == [
        ("p1", "1000"), ("p2", "7003"), ("p3", "7011"), ("p1", "7015"), ("p4", "1000"),
    ]  # fmt: skip


async def test_one_bad_place_fails_alone(live: Running) -> None:
    api = Api(live)

    answer = await api.create(customer("q1"), customer("unwritable"), record(None), customer("q2"))

    assert [one["code"] for one in answer["Results"]] == ["1000", "7016", "7003", "1000"]
    assert (await api.call("GET", f"/profile/status/{answer['transid']}"))["Results"] == answer["Results"]


async def test_all_failed_is_partial_success(live: Running) -> None:
    answer = await Api(live).create(record("z"))

    assert (answer["code"], answer["SuccessCount"], answer["FailureCount"]) == ("1002", 0, 1)


async def test_the_outcome_of_a_write_can_be_asked_for(live: Running) -> None:
    api = Api(live)
    answer = await api.create(customer("o1"), record("o2"))

    assert await api.call("GET", f"/profile/status/{answer['transid']}") == answer
    for transid in ("x", answer["transid"] + "_1", "00000000-0000-7000-8000-000000000000"):
        found = (await api.call("GET", f"/profile/status/{transid}"))["response"]
        assert (found["code"], found["description"]) == ("7600", "no results found")
    other = await Api(live, "strict").call("GET", f"/profile/status/{answer['transid']}")
    assert other["response"]["code"] == "7600"


async def test_values_are_kept_in_their_types(live: Running) -> None:
    api = Api(live)
    given = {
        "MSISDN": "+44 7700 900-002", "email": "a@example.com", "age": "42", "vip": "true", "born": "2000-02-29",
        "seen": "2024-05-06T07:08:09+5:30", "sms": "1", "zone": "Europe/London", "tongue": "EN_gb", "name": 7,
        "customerId": "another", "status": True,
    }  # fmt: skip
    assert (await api.create(record("types", **given)))["code"] == "1000"

    found = await api.attributes("/customerprofile/types")

    assert {name: found[name] for name in found if not name.endswith("On")} == {
        "customerId": "types", "msisdn": "447700900002", "email": "a@example.com", "age": 42, "vip": True,
        "born": "2000-02-29", "seen": "2024-05-06T01:38:09.000Z", "sms": 1, "zone": "Europe/London",
        "tongue": "en-GB", "name": "7", "status": 1,
    }  # fmt: skip


BAD = [
    ("msisdn", "12"), ("msisdn", 1.5), ("msisdn", True), ("email", "a@b"), ("email", "a b@example.com"),
    ("email", "x" * 300 + "@example.com"), ("age", "1e999"), ("age", True), ("age", "0x10"), ("age", "9" * 40),
    ("vip", "yes"), ("vip", 2), ("born", "2001-02-29"), ("born", "01/02/2000"), ("seen", "now"), ("seen", 7),
    ("seen", "0000-01-01T00:00:00Z"), ("sms", 2), ("sms", "on"), ("sms", 0.5), ("zone", "Mars/Olympus"),
    ("zone", "../etc/passwd"), ("zone", "Europe"), ("tongue", "english please"), ("name", "x" * 256),
    ("name", "a\0b"), ("name", ["a"]), ("name", {"a": "b"}), ("name", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
async def test_a_value_that_does_not_fit_its_type(live: Running, name: str, value: Any) -> None:
    answer = await Api(live).create(record("bad", **{"msisdn": "447700900001", name: value}))

    assert answer["Results"][0]["code"] == "7011", answer


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "a\nb", True])
async def test_an_id_that_cannot_be_one(live: Running, name: Any) -> None:
    answer = await Api(live).create({"customerId": name, "Attributes": {"msisdn": "447700900001"}})

    assert answer["Results"][0]["code"] == "7011", answer


async def test_an_update_changes_what_it_names_and_an_empty_value_takes_away(live: Running) -> None:
    api = Api(live)
    await api.create(customer("u", name="A", age=1))

    await api.call("PUT", "/customerprofile", {"Records": [record("u", NAME="B", age=None)]})

    found = await api.attributes("/customerprofile/u")
    assert (found["name"], found["msisdn"], "age" in found) == ("B", "447700900001", False)


async def test_an_update_without_attributes_is_one(live: Running) -> None:
    api = Api(live)
    await api.create(customer("still"))

    assert (await api.call("PUT", "/customerprofile", {"records": [{"CUSTOMERID": "still"}]}))["code"] == "1000"


async def test_a_customer_is_found_by_an_alias(live: Running) -> None:
    api = Api(live)
    await api.create(customer("carded", card="C-77"))

    assert (await api.attributes("/customerprofile/C-77"))["customerId"] == "carded"


async def test_members_are_matched_in_any_case_and_a_number_is_an_id(live: Running) -> None:
    body = {"records": [{"customerid": 54321, "attributes": {"Msisdn": "447700900001"}}]}

    answer = await Api(live).call("POST", "/customerprofile", body)

    assert answer["Results"] == [{"customerId": "54321", "code": "1000", "description": "Success"}]


async def test_a_deleted_customer_is_gone_and_may_come_again(live: Running) -> None:
    api = Api(live)
    await api.create(customer("d1"), customer("d2"))
    await api.create(device("d1", "d"), app=RTM)

    answer = await api.call("DELETE", "/customerprofile?customerId=d1&customerid=d2&customerId=d3")

    assert [one["code"] for one in answer["Results"]] == ["1000", "1000", "7014"]
    found = await api.call("GET", "/customerprofile/d1")
    assert (found["Status"], found["code"], found["Description"], found["Records"]) == (
        1, "7014", "Customer not found", [],
    )  # fmt: skip
    assert (await api.create(customer("d1")))["code"] == "1000"
    [user] = (await api.call("GET", f"/customerappprofile/{RTM}?identifier=d1"))["Records"]
    assert (named(user["Attributes"])["customerId"], user["OutwardLinks"]) == ("", [])


async def test_some_of_those_read_are_not_there(live: Running) -> None:
    api = Api(live)
    await api.create(customer("there"))

    found = await api.call("GET", "/customerprofile?customerId=there&customerId=gone&customerId=there")

    assert (found["Status"], found["code"], found["Description"], len(found["Records"])) == (
        0, "1002", "Partial success", 1,
    )  # fmt: skip


async def test_a_read_has_the_published_shape(live: Running) -> None:
    api = Api(live)
    await api.create(customer("shape"), customer("shape2"))

    found = await api.call("GET", "/customerprofile?customerId=shape&customerId=shape2")

    assert sorted(found) == ["Description", "Records", "Status", "code", "transid"]
    assert (found["Status"], found["Description"], found["code"]) == (0, "Success", "1000")
    first, second = found["Records"]
    assert sorted(first) == ["Attributes", "InwardLinks", "OutwardLinks"]
    assert sorted(first["Attributes"][0]) == ["ID", "Name", "Value"]
    assert [one["ID"] for one in first["Attributes"]] == [one["ID"] for one in second["Attributes"]]


async def test_links_are_followed_in_both_directions(live: Running) -> None:
    api = Api(live)
    await api.create(customer("l", name="L"))
    await api.create(device("l", "d1", os="Android", userId="lu"), device("l", "d2", userId="lu"), app=RTM)
    await api.create(record("l", **{**WHOLE[FB], "psid": "l-psid"}), app=FB)

    def inward(found: Any) -> dict[str, list[dict[str, Any]]]:
        links = found["Records"][0]["InwardLinks"]
        return {link["AppId"]: [named(one) for one in link["Records"]] for link in links}

    assert inward(await api.call("GET", "/customerprofile/l")) == {}
    assert inward(await api.call("GET", "/customerprofile/l?showinwardlinks=0")) == {}
    some = inward(await api.call("GET", "/customerprofile/l?showinwardlinks=1"))
    assert [(one["deviceId"], "os" in one) for one in some[RTM]] == [("d1", False), ("d2", False)]
    whole = inward(await api.call("GET", "/customerprofile?customerId=l&showinwardlinks=2"))
    assert [one.get("os") for one in whole[RTM]] == ["Android", None]
    assert [one["psid"] for one in whole[FB]] == ["l-psid"]

    [first, _] = (await api.call("GET", f"/customerappprofile/{RTM}/l"))["Records"]
    [link] = first["OutwardLinks"]
    assert sorted(link) == ["ProfileID", "ProfileName", "Records"]
    assert named(link["Records"][0])["name"] == "L"


async def test_a_wrong_depth_of_links(live: Running) -> None:
    found = await Api(live).call("GET", "/customerprofile/l?showinwardlinks=3")

    assert found["response"]["description"] == "invalid value for param 'showinwardlinks'"


async def test_tokens_of_users_are_never_shown_and_stay_when_given_back(live: Running) -> None:
    api = Api(live)
    await api.create(record("s", **{**WHOLE[TWITTER], "twitter_user_id": "s-1"}), app=TWITTER)

    shown = await api.attributes(f"/customerappprofile/{TWITTER}/s")
    assert (shown["access_token"], shown["access_token_secret"]) == ("***", "***")
    back = record("s", twitterid="s-1", status=1, access_token="***")
    assert (await api.call("PUT", f"/customerappprofile/{TWITTER}", {"Records": [back]}))["code"] == "1000"

    [user] = await live.platform.store.app_users_named("demo", TWITTER, ["s-1"])
    assert str(user.attributes["access_token"]).startswith("sealed:")


async def test_an_app_may_do_without_tokens_of_its_users(live: Running) -> None:
    kept = live.platform.workspaces.export(secrets=True)
    tenant = kept["tenants"][0]
    tenant["apps"] = [*tenant["apps"], {"id": "page", "messenger": {}, "user_tokens": False}]
    await live.platform.workspaces.apply(kept)

    assert (await Api(live).create(record("n", psid="n-1", status=1), app="page"))["code"] == "1000"


async def test_users_are_told_apart_by_kind(live: Running) -> None:
    api = Api(live)
    await api.create(record("k", **{**WHOLE[WECHAT], "wechatid": "k-open"}), app=WECHAT)
    answer = await api.create(record("other", **{**WHOLE[WECHAT], "wechat_user_id": "k-open"}), app=WECHAT)
    assert answer["Results"][0]["code"] == "7015"

    found = await api.attributes(f"/customerappprofile/{WECHAT}?identifier=k-open")
    assert (found["wechat_user_id"], found["customerId"], found["channel"]) == ("k-open", "k", "wechat")


async def test_a_profile_is_linked_to_another_customer(live: Running) -> None:
    api = Api(live)
    await api.create(device("guest", "d", userId="g"), app=RTM)

    change = record("g-customer", rtmId="g_d", status=1)
    assert (await api.call("PUT", f"/customerprofiles/{RTM}", {"Records": [change]}))["code"] == "1000"

    assert (await api.attributes(f"/customerappprofile/{RTM}/g-customer"))["userId"] == "g"


async def test_devices_of_a_user_are_deleted_one_by_one_or_all(live: Running) -> None:
    api = Api(live)
    devices = [device("m", name, userId="mu") for name in ("d1", "d2", "d3")]
    await api.create(*devices, app=RTM)

    one = await api.call("DELETE", f"/customerappprofile/{RTM}/mu/d1")
    assert one["Results"] == [{"customerId": "mu", "userId": "mu", "code": "1000", "description": "Success"}]
    one = await api.call("DELETE", f"/customerappprofile/{RTM}/m/d2")
    assert one["Results"] == [{"customerId": "m", "userId": "mu", "code": "1000", "description": "Success"}]
    assert len((await api.call("GET", f"/customerappprofile/{RTM}/m"))["Records"]) == 1
    assert (await api.call("DELETE", f"/customerappprofile/{RTM}/m"))["code"] == "1000"
    found = await api.call("GET", f"/customerappprofile/{RTM}/m")
    assert (found["code"], found["Description"]) == ("7014", "App profile not found")


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_both_versions_are_served(live: Running, version: str, slash: str) -> None:
    api = Api(live, version=version)
    name = f"{version}{bool(slash)}"

    made = await api.call("POST", f"/customerprofile{slash}", {"Records": [customer(name)]})

    assert made["code"] == "1000"
    assert (await api.call("GET", f"/customerprofile/{name}{slash}"))["code"] == "1000"
    assert (await api.call("DELETE", f"/customerprofile/{name}{slash}"))["code"] == "1000"


async def test_a_tenant_that_writes_asynchronously_is_answered_before(live: Running) -> None:
    api = Api(live, "waiting")

    answer = await api.send("POST", "/customerprofile", {"Records": [customer("w1"), record("w2")]})

    found = answer.json()
    assert answer.status_code == 202
    assert (found["code"], found["description"], found["SuccessCount"], found["FailureCount"]) == (
        "1000", "QUEUED", 2, 0,
    )  # fmt: skip
    assert [(one["code"], one["description"]) for one in found["Results"]] == [("1000", "QUEUED")] * 2

    async def ended() -> Any:
        job = await api.call("GET", f"/profile/status/{found['transid']}")
        return job if "Results" in job else None

    job = await eventually(ended)
    assert (job["code"], [one["code"] for one in job["Results"]]) == ("1002", ["1000", "7003"])
    assert (await api.attributes("/customerprofile/w1"))["msisdn"] == "447700900001"
    deleted = await api.send("DELETE", "/customerprofile/w1")
    assert deleted.status_code == 202


async def test_the_first_version_answers_a_waiting_write_in_its_own_shape(live: Running) -> None:
    answer = await Api(live, "waiting", "v1").send("POST", "/customerprofile", {"Records": [customer("v")]})

    found = answer.json()["response"]
    assert (answer.status_code, found["code"], found["description"]) == (202, "1001", "Queued")


async def test_a_record_of_a_waiting_write_that_cannot_be_kept_fails_alone(live: Running) -> None:
    api = Api(live, "waiting")

    queued = await api.create(customer("before"), customer("unwritable"), customer("after"))

    async def ended() -> Any:
        job = await api.call("GET", f"/profile/status/{queued['transid']}")
        return job if "Results" in job else None

    assert [one["code"] for one in (await eventually(ended))["Results"]] == ["1000", "7016", "1000"]


async def test_a_job_that_waits_outlives_the_process(
    platforms: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asleep(_: Worker) -> None:
        """Nobody works."""

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "work", asleep)
        async with running(tmp_path, document) as first:
            queued = await Api(first, "waiting").create(customer("patient"))
            found = await Api(first, "waiting").call("GET", f"/profile/status/{queued['transid']}")
            assert found["response"]["code"] == "7600"

    async with running(tmp_path, document) as second:
        api = Api(second, "waiting")

        async def ended() -> Any:
            return "Results" in await api.call("GET", f"/profile/status/{queued['transid']}")

        assert await eventually(ended)
        assert (await api.attributes("/customerprofile/patient"))["customerId"] == "patient"


async def test_a_job_whose_deadline_passed_is_7019_and_changes_nothing(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(live, "late")
    monkeypatch.setattr(live.platform.profile_worker, "_clock_ms", lambda: 4_102_444_800_000)

    queued = await api.call("POST", "/customerprofile", {"Records": [customer("late")]})

    async def ended() -> Any:
        found = (await api.call("GET", f"/profile/status/{queued['transid']}"))["response"]
        return found if found["code"] != "7600" else None

    found = await eventually(ended)
    assert (found["code"], found["description"]) == ("7019", "Request expired")
    assert (await api.call("GET", "/customerprofile/late"))["code"] == "7014"


async def test_answers_say_how_far_the_limit_is(live: Running) -> None:
    answer = await Api(live, "limited").send("GET", "/customerprofile/x")

    assert answer.headers["x-rate-limit-limit"] == "1"
