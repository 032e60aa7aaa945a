"""Every row that a far end of push, Messenger, X or WeChat can say, over its own protocol: the text of the Messaging
section in the receipt, that of the Transaction Status section in the status record; no secret in any of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.testing import Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAIT_SECONDS = 60.0
APPS = {"push": "AP00000001", "fb": "a_1", "twitter": "a_2", "wechat": "a_3"}
PUSH: dict[str, Any] = {
    "push": {"android": {"text": "Hi"}, "ios": {"text": "Hi"}, "web": {"platform_types": ["chrome"], "text": "Hi"}}
}
OTT: dict[str, Any] = {"OTT-Messaging": {name: {"text": "Hi"} for name in ("fb", "twitter", "wechat")}}
IOS, WEB = ("7510", "7511", "7516", "7517"), ("7212", "7213", "7214")
BY_X = ("7301", "7306")
RECEIPT_TEXT = {"7501": "Submitted"}  # the table prints "Submited" (decisions 1)
SECRETS = ("PRIVATE KEY", "access_token=", "ya29.", "Bearer ", "real-secret", "real-token")


def wanted(code: str) -> bool:
    """Whether it is a row of these channels (providers 1.2-1.7)."""
    return code in WEB or any(
        low <= code <= high for low, high in (("7301", "7307"), ("7500", "7518"), ("7601", "7643"))
    )


ROWS = [
    row
    for row in catalogue.ROWS
    if row.api == catalogue.STATUS and row.phase in ("provider", "policy") and wanted(row.code)
]


def call(code: str) -> dict[str, Any]:
    """A call whose destination ends as a code."""
    body: dict[str, Any]
    if code < "7301" or "7500" <= code <= "7518":
        kind, token = "android_pushid", f"tok-sim-{code}"
        if code in IOS:
            kind, token = "ios_pushid", f"{'ab' * 30}{code}"
        elif code in WEB:
            kind = "chrome_pushid"
        body = {"deliverychannel": "push", "channels": PUSH, "destination": [{kind: [token]}]}
    elif code > "7600":
        body = {"deliverychannel": "wechat", "channels": OTT, "destination": [{"wechatid": [f"o-sim-{code}"]}]}
    else:
        channel, kind = ("twitter", "twitterid") if code in BY_X else ("fb", "psid")
        body = {"deliverychannel": channel, "channels": OTT, "destination": [{kind: [f"999000{code}"]}]}
    if (seconds := {"7301": 0.6, "7503": 2}.get(code)) is not None:
        body["expiry"] = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    return body


SLOW = ("7303", "7508")  # a receipt window, and attempts


def document(url: str) -> dict[str, Any]:
    """The test workspace with an app for each channel, some with credentials of their own."""
    found = workspace(url)
    tenant = found["tenants"][0]
    tenant["apps"] = [
        {"id": APPS["push"], "features": {"push": True}, "android": {}, "ios": {}, "web": {}},
        {"id": APPS["fb"], "messenger": {"app_secret": "real-secret-1"}},
        {"id": APPS["twitter"], "twitter": {"consumer_key": "real-key", "consumer_secret": "real-secret-2"}},
        {"id": APPS["wechat"], "wechat": {"appid": "wxreal", "secret": "real-secret-3", "token": "real-token"}},
    ]
    tenant["services"][0]["channels"] |= {channel: {"app": app} for channel, app in APPS.items()}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform with that workspace."""
    data: Path = tmp_path_factory.mktemp("rows")
    async with running(data, document) as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def early(live: Running) -> dict[str, Any]:
    """Of rows that take long the elements of their messages, which are sent before all others."""
    return {code: (await live.send(call(code))).json()["response"] for code in SLOW}


async def test_the_rows_are_those_of_the_table() -> None:
    codes = sorted(row.code for row in ROWS)

    assert codes == [*WEB, *(str(code) for code in (*range(7301, 7308), *range(7500, 7519), *range(7601, 7644)))]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.code}-{row.key}" for row in ROWS])
async def test_a_row_is_read_in_the_status_and_in_the_receipt(
    live: Running, early: dict[str, Any], row: catalogue.Row
) -> None:
    [element] = early.get(row.code) or (await live.send(call(row.code))).json()["response"]
    transid = element["transid"]

    async def ended() -> Any:
        [record] = await live.status(transid)
        return record if record["code"] == row.code else None

    async def told() -> Any:
        calls = (await live.client.get("/sim/bin/dr")).json()["calls"]
        found = [json.loads(one["body"])["deliveryInfoNotification"] for one in calls]
        own = [one["deliveryInfo"] for one in found if one["transid"] == transid]
        return next((one for one in own if one["code"] == row.code), None)

    record = await eventually(ended, WAIT_SECONDS)
    receipt = await eventually(told, WAIT_SECONDS)
    story = await live.story(transid)

    [published] = [one for one in catalogue.ROWS if (one.api, one.key) == (catalogue.MESSAGING, row.key)]
    assert element["code"] == "1001"
    assert record["description"] == row.message
    assert receipt["Description"] == RECEIPT_TEXT.get(row.code, published.message)
    assert [secret for secret in SECRETS if secret in json.dumps([record, receipt, story])] == []
