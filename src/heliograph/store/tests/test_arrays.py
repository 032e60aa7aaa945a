"""Arrays that PostgreSQL reads from a text are the lists they were made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.store.engines.postgres.arrays import from_texts, literal
from heliograph.store.engines.postgres.connection import connect
from heliograph.testing.databases import PostgresDatabase
from heliograph.testing.postgres import PostgresServer

TEXTS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))), max_size=8)
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    """An empty database."""
    return PostgresDatabase.made(postgres_server).url


async def read(url: str, kind: str, values: list[Any]) -> Any:
    """What the server makes of it."""
    db = await connect(url)
    try:
        return await db.fetchval(from_texts(f"SELECT $1::{kind}[]"), literal(values))
    finally:
        await db.close()


@PROPERTY
@given(values=TEXTS)
async def test_any_texts(url: str, values: list[str]) -> None:
    assert await read(url, "text", values) == values


@pytest.mark.parametrize(
    "values",
    [
        ["\\"],
        ['"'],
        ['\\"'],
        ["\\\\n", "\n"],
        ["\t\x7f\x01"],
        ["{", "}", ","],
        ["NULL", "null"],
        [""],
        [" a "],
        ["é😀"],
    ],
    ids=repr,
)
async def test_texts_with_signs_that_have_a_meaning(url: str, values: list[str]) -> None:
    assert await read(url, "text", values) == values


@PROPERTY
@given(values=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=8))
async def test_any_numbers(url: str, values: list[int]) -> None:
    assert await read(url, "bigint", values) == values


async def test_truths_are_numbers_and_nothing_is_null(url: str) -> None:
    assert await read(url, "smallint", [True, False]) == [1, 0]
    assert await read(url, "text", ["a", None]) == ["a", None]


def test_a_filter_reads_its_array_once() -> None:
    assert from_texts("id = ANY($2::bigint[])") == "id = ANY((SELECT $2::text::bigint[])::bigint[])"
