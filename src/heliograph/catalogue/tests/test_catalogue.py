"""The catalogue against the published table, and our columns against themselves."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from heliograph import catalogue
from heliograph.catalogue import generate

PUBLISHED = Path(catalogue.__file__).with_name("published.csv")
COUNTS = {"Messaging": 171, "Transaction Status": 119, "Profile": 30, "Event": 8}
ALL = catalogue.ROWS + catalogue.EXTENSIONS


def test_every_published_row_stands_in_order() -> None:
    with PUBLISHED.open(encoding="utf-8", newline="") as source:
        published = [(row["api"], row["code"], row["message"], row["description"]) for row in csv.DictReader(source)]

    assert [(row.api, row.code, row.message, row.description) for row in catalogue.ROWS] == published


def test_the_published_table_has_its_rows() -> None:
    assert Counter(row.api for row in catalogue.ROWS) == COUNTS


def test_a_key_is_unique_in_its_api() -> None:
    assert [pair for pair, count in Counter((row.api, row.key) for row in ALL).items() if count > 1] == []


def test_a_key_has_one_number_in_messages_and_their_status() -> None:
    numbers = {row.key: row.code for row in catalogue.ROWS if row.api == catalogue.MESSAGING}

    assert [
        row.key
        for row in catalogue.ROWS
        if row.api == catalogue.STATUS and numbers.get(row.key, row.code) != row.code
    ] == []


@pytest.mark.parametrize("row", ALL, ids=lambda row: f"{row.api}-{row.key}")
def test_our_columns_hold_what_they_may(row: catalogue.Row) -> None:
    assert row.key.isidentifier()
    assert row.phase in {"accept", "policy", "provider", "query"}
    assert row.finality in {"final", "interim"}
    assert row.fixed_by in {"caller", "tenant", "operator", "nobody"}
    assert row.retry_safe in {"yes", "no"}
    assert row.cause.endswith(".")
    assert row.fix.endswith(".")


def test_different_keys_say_different_things() -> None:
    said: dict[tuple[str, str, str], set[str]] = {}
    for row in ALL:
        said.setdefault((row.api, row.cause, row.fix), set()).add(row.key.removesuffix("_duplicate"))

    assert [keys for keys in said.values() if len(keys) > 1] == []


def test_the_generated_keys_are_up_to_date() -> None:
    assert generate.TARGET.read_text(encoding="utf-8") == generate.render()


@pytest.mark.parametrize(
    ("key", "api", "values", "text"),
    [
        ("queued", catalogue.EVENT, (), "Queued"),
        ("submitted", catalogue.MESSAGING, (), "Submited"),
        ("submitted", catalogue.STATUS, (), "Submitted"),
        ("spam_content", catalogue.STATUS, (), "Span content detected"),
        ("service_key_missing", catalogue.STATUS, (), "Service Key Missing"),
        ("invalid_param", catalogue.MESSAGING, ("expiry",), "invalid value for param 'expiry'"),
        ("invalid_param", catalogue.MESSAGING, ("x" * 99,), f"invalid value for param '{'x' * 64}'"),
    ],
)
def test_texts_are_the_sections_own(key: str, api: str, values: tuple[object, ...], text: str) -> None:
    assert catalogue.text(key, api, values) == text


@pytest.mark.parametrize(
    ("key", "text"),
    [("submitted", "Submitted"), ("provider_exception", "Service provider exception"), ("delivered", "Delivered")],
)
def test_receipts_have_their_own_words(key: str, text: str) -> None:
    assert catalogue.receipt_text(key) == text


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError, match="no status 'nonsense'"):
        catalogue.find("nonsense")
