"""Every skeleton of the published pages is taken, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph import catalogue
from heliograph.channels import channels
from heliograph.testing import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_published_skeleton_is_taken(live: Running, sample: dict[str, Any]) -> None:
    response = (await live.send(sample["body"], "key-of-later")).json()["response"]
    bodies = sample["body"] if isinstance(sample["body"], list) else [sample["body"]]
    addresses = sum(len(next(iter(entry.values()))) for body in bodies for entry in body["destination"])

    if "refused" in sample:
        assert response["code"] == catalogue.code(sample["refused"])
        assert response["description"] == catalogue.text(sample["refused"])
    else:
        assert [(one["code"], one["description"]) for one in response] == [("1001", "Queued")] * addresses


async def test_there_is_a_skeleton_of_every_channel(samples: list[dict[str, Any]]) -> None:
    shown = {sample["body"]["deliverychannel"] for sample in samples if isinstance(sample["body"], dict)}

    assert {channel.name for channel in channels().values()} <= shown
