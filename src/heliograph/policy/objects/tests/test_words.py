"""What a text may not say, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.policies import SpamWord
from heliograph.policy.objects.folding import folded
from heliograph.policy.objects.words import SpamFilter

FILTER = SpamFilter(
    [
        "Free Money",
        "приз",
        SpamWord(regex=r"win\s.{0,20}prize"),
        "奖金",
        SpamWord(word="loan", channels=("voice",)),
        "50% off",
    ]
)
FOUND: dict[str, tuple[str, int]] = {
    "as it is written": ("Get Free Money now", 0),
    "in another case": ("FREE MONEY", 0),
    "over two lines": ("free\n  money", 0),
    "with a full-width letter": ("\uff46ree money", 0),
    "with accents": ("frée mönéy!", 0),
    "with Cyrillic letters in it": ("fr\u0435\u0435 m\u043eney", 0),
    "with digits for letters": ("fr3e m0n3y", 0),
    "with a letter that is not seen": ("fr\u200bee mo\u00adney", 0),
    "in another script": ("Ваш ПРИЗ ждёт", 1),
    "as an expression": ("WIN a great prize", 2),
    "as an expression with accents": ("wín a prizé", 2),
    "in a script without blanks": ("你有奖金了", 3),
    "with signs": ("now 50% OFF!", 5),
}


@pytest.mark.parametrize(("text", "index"), FOUND.values(), ids=FOUND)
def test_a_word_is_found(text: str, index: int) -> None:
    found = FILTER.find(text, "sms")

    assert found is not None
    assert found[0] == index


@pytest.mark.parametrize(
    "text", ["", "carefree money", "free moneys", "freemoney", "a loan", "winning prizes", "сюрпризы"]
)
def test_a_part_of_a_longer_word_is_not_found(text: str) -> None:
    assert FILTER.find(text, "sms") is None


def test_a_word_may_be_for_one_channel_only() -> None:
    assert [FILTER.find("a loan", channel) for channel in ("sms", "voice")] == [None, (4, "loan")]


def test_a_word_is_told_as_it_was_declared_and_an_expression_by_what_it_found() -> None:
    assert (FILTER.find("FREE MONEY", "sms"), FILTER.find("win the prize!", "sms")) == (
        (0, "Free Money"),
        (2, "win the prize"),
    )


def test_an_expression_that_would_never_end_elsewhere_takes_no_time() -> None:
    assert SpamFilter([SpamWord(regex="(a+)+$")]).find("a" * 4_000 + "!", "sms") is None


def test_words_that_overlap_are_all_found() -> None:
    assert SpamFilter(["a b c d", "b c"]).find("a b c e", "sms") == (1, "b c")


@given(st.text(min_size=1), st.text(), st.text())
def test_a_word_between_blanks_is_always_found(word: str, before: str, after: str) -> None:
    if folded(word):
        assert SpamFilter([word]).find(f"{before} {word} {after}", "sms") is not None
