"""The collections of a tenant, item by item, over the admin API."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.testing import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

# collection, what names the item, an item, another form of it
ITEMS: dict[str, tuple[str, Any, Any]] = {
    "apps": ("A1", {"id": "A1", "features": {"push": True}}, {"id": "A1", "status": "inactive"}),
    "senders": ("OTHER", {"id": "OTHER", "channel": "sms"}, {"id": "OTHER", "channel": "sms", "types": ["text"]}),
    "connectors": ("second", {"name": "second", "channel": "sms", "kind": "smpp", "password": "s3cret"},
                   {"name": "second", "channel": "sms", "kind": "smpp", "window": 5, "password": "***"}),
    "templates": ("T1", {"id": "T1", "channel": "sms", "text": "Hi ${name}"},
                  {"id": "T1", "channel": "sms", "text": "Bye"}),
    "spam-words": ("casino", {"word": "casino", "channels": ["sms"]}, {"word": "casino", "channels": ["voice"]}),
    "events": ("E1", {"id": "E1", "name": "shipped"}, {"id": "E1", "parameters": [{"name": "a"}]}),
    "hooks": ("HOOK00000001", {"id": "HOOK00000001", "service": "orders"},
              {"id": "HOOK00000001", "service": "orders", "auth": "key"}),
    "services": ("news", {"id": "news", "sandbox": True, "keys": ["news-key-1"]},
                 {"id": "news", "sandbox": True, "category": "marketing"}),
}  # fmt: skip


@pytest.mark.parametrize(("collection", "item"), ITEMS.items(), ids=ITEMS)
async def test_an_item_is_added_read_changed_and_removed(live: Running, collection: str, item: Any) -> None:
    name, first, second = item
    path = f"/tenants/demo/{collection}"
    added = await live.admin("POST", path, json=first)
    twice = await live.admin("POST", path, json=first)
    read = (await live.admin("GET", f"{path}/{name}")).json()
    changed = await live.admin("PUT", f"{path}/{name}", json=second)
    again = (await live.admin("GET", f"{path}/{name}")).json()
    listed = (await live.admin("GET", path)).json()["items"]
    removed = await live.admin("DELETE", f"{path}/{name}")
    gone = await live.admin("GET", f"{path}/{name}")

    assert (added.status_code, twice.status_code, changed.status_code) == (200, 409, 200)
    assert added.json()["changes"]
    assert "s3cret" not in str(read)
    assert again != read
    assert again in listed
    assert (removed.status_code, gone.status_code) == (200, 404)


async def test_a_plain_word_is_added_as_text(live: Running) -> None:
    await live.admin("POST", "/tenants/demo/spam-words", json={"word": "lottery"})
    code = (await live.sms("447700900001", text="a LOTTERY"))[0]["code"]
    items = (await live.admin("GET", "/tenants/demo/spam-words")).json()["items"]
    await live.admin("DELETE", "/tenants/demo/spam-words/lottery")

    assert (code, items) == ("7111", ["lottery"])
    assert (await live.sms("447700900001", text="a LOTTERY"))[0]["code"] == "1001"


async def test_an_expression_is_named_by_itself(live: Running) -> None:
    await live.admin("POST", "/tenants/demo/spam-words", json={"regex": "win/lose"})
    removed = await live.admin("DELETE", "/tenants/demo/spam-words/win/lose")

    assert removed.status_code == 200


async def test_senders_of_one_name_are_told_apart_by_channel(live: Running) -> None:
    path = "/tenants/demo/senders"
    await live.admin("POST", path, json={"id": "HELIO", "channel": "voice"})
    unclear = await live.admin("DELETE", f"{path}/HELIO")
    removed = await live.admin("DELETE", f"{path}/HELIO?channel=voice")

    assert (unclear.status_code, unclear.json()["error"]["key"], removed.status_code) == (400, "ambiguous", 200)
    assert (await live.sms("447700900001"))[0]["code"] == "1001"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "/tenants/demo/cars", None, 404, "collection"),
        ("GET", "/tenants/nobody/apps", None, 404, "tenant"),
        ("POST", "/tenants/demo/apps", {"name": "x"}, 400, "id"),
        ("POST", "/tenants/demo/spam-words", {"regex": "(a"}, 400, "tenants[demo].spam_words[0].regex"),
        ("PUT", "/tenants/demo/templates/T9", {"id": "T8", "channel": "sms", "text": ""}, 400, ""),
        ("DELETE", "/tenants/demo/templates/T9", None, 404, "id"),
        ("POST", "/tenants/demo/templates", {"id": "T9", "channel": "fax", "text": ""}, 400,
         "tenants[demo].templates[T9].channel"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(
    live: Running, method: str, path: str, body: Any, status: int, field: str
) -> None:
    answer = await live.admin(method, path, json=body) if body else await live.admin(method, path)

    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
