"""Words that no text may hold: ten thousand of them looked for at once, and regular expressions in linear time.

Words are found by an Aho-Corasick automaton, expressions by RE2, which knows no backtracking: neither takes longer
than the text is long, whatever is declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import ahocorasick_rs
import re2

from heliograph.model.policies import SpamWord
from heliograph.model.policies.texts import regex_fault, regex_options
from heliograph.policy.objects.folding import folded

_SPACED = "\u0e00"  # scripts from here on (Thai, Chinese ...) put no blanks between words


class SpamFilter:
    """Finds the first word or expression of a tenant's list in a text."""

    def __init__(self, declared: Sequence[str | SpamWord]) -> None:
        self._items = [(index, _item(item)) for index, item in enumerate(declared)]
        named = {name for _, item in self._items for name in item.channels}
        self._named = {name: _Channel(self._of(name)) for name in named}
        self._other = _Channel(self._of(""))

    def _of(self, channel: str) -> list[tuple[int, SpamWord]]:
        return [(index, item) for index, item in self._items if not item.channels or channel in item.channels]

    def find(self, text: str, channel: str) -> tuple[int, str] | None:
        """The place in the list of what a text of a channel may not say, and the word (of an expression: what it
        found); None for nothing."""
        return self._named.get(channel, self._other).find(text)


class _Channel:
    """The words and expressions of one channel."""

    def __init__(self, items: Iterable[tuple[int, SpamWord]]) -> None:
        words: list[str] = []
        self._words: list[tuple[int, str]] = []
        self._regexes: list[tuple[int, Any]] = []
        together = re2.Set.SearchSet(regex_options())
        for index, item in items:
            if item.word and (word := folded(item.word)):
                self._words.append((index, item.word))
                words.append(word)
            elif item.regex and not regex_fault(item.regex):
                self._regexes.append((index, re2.compile(item.regex, regex_options())))
                together.Add(item.regex)
        self._automaton = ahocorasick_rs.AhoCorasick(words) if words else None
        self._set = None
        if self._regexes:
            together.Compile()
            self._set = together

    def find(self, text: str) -> tuple[int, str] | None:
        seen = folded(text)
        return self._find_word(seen) or self._find_regex(text, seen)

    def _find_word(self, seen: str) -> tuple[int, str] | None:
        if self._automaton is None:
            return None
        for which, start, end in self._automaton.find_matches_as_indexes(seen, overlapping=True):
            if _alone(seen, start, end):
                return self._words[which]
        return None

    def _find_regex(self, text: str, seen: str) -> tuple[int, str] | None:
        if self._set is None:
            return None
        for form in (text, seen):
            if hits := self._set.Match(form):
                index, pattern = self._regexes[min(hits)]
                found = pattern.search(form)
                return index, found[0] if found else ""
        return None


def _alone(text: str, start: int, end: int) -> bool:
    """Whether a match is no part of a longer word."""
    return not (_joined(text, start) or _joined(text, end))


def _joined(text: str, at: int) -> bool:
    """Whether the characters on both sides of a place belong to one word."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    return before.isalnum() and after.isalnum() and before < _SPACED and after < _SPACED


def _item(declared: str | SpamWord) -> SpamWord:
    return SpamWord(word=declared) if isinstance(declared, str) else declared


@lru_cache(maxsize=64)
def spam_filter(declared: tuple[str | SpamWord, ...]) -> SpamFilter | None:
    """The filter of a list, made once; None for an empty list."""
    return SpamFilter(declared) if declared else None
