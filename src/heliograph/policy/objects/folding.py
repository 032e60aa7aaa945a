"""Texts as they look to people: case, accents, spacing and look-alike letters folded away. Pure."""

from __future__ import annotations

import re
import unicodedata

# Letters of other scripts, lower case after folding, that look like Latin ones (in either case).
_LOOK_ALIKES = {
    "а": "a", "в": "b", "е": "e", "ѕ": "s", "і": "i", "ј": "j", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p",
    "с": "c", "т": "t", "у": "y", "х": "x", "ԁ": "d", "ԛ": "q", "ԝ": "w", "һ": "h", "ӏ": "l", "ё": "e",
    "α": "a", "β": "b", "ε": "e", "ζ": "z", "η": "h", "ι": "i", "κ": "k", "μ": "m", "ν": "n", "ο": "o", "ρ": "p",
    "τ": "t", "υ": "y", "χ": "x", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ħ": "h", "æ": "ae", "œ": "oe",
    "\u2018": "'", "\u2019": "'", "\u2010": "-", "\u2011": "-", "\u2013": "-",
}  # fmt: skip
# What is not seen at all, and the accents that decomposition leaves behind.
_UNSEEN = (0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x300, 0x370), 0xFEFF)
_TABLE = {**{ord(letter): like for letter, like in _LOOK_ALIKES.items()}, **dict.fromkeys(_UNSEEN)}

# Digits and signs that stand for a letter, between letters only: `m0ney`, `ca$h`, but not `win 100`.
_STANDS_FOR = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "€": "e", "!": "i"}
_INSIDE = re.compile(r"(?<=[a-z])[013457@$€!]+(?=[a-z])")


def _letters(match: re.Match[str]) -> str:
    return "".join(map(_STANDS_FOR.__getitem__, match[0]))


def folded(text: str) -> str:
    """The text in lower case without accents and invisible characters, runs of blanks as one, look-alikes as the
    letters they look like."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKD", text).casefold().translate(_TABLE)
    return " ".join(_INSIDE.sub(_letters, plain).split())
