"""GSM 03.38 default alphabet and extension table, one septet in one byte (unpacked), as SMPP carries it."""

import codecs
import re

ESCAPE = "\x1b"
"""The code that announces a character of the extension table; it counts as one septet of its own."""

# 3GPP TS 23.038, 6.2.1: the position in this string is the septet.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038, 6.2.1.1: ESC and the basic character at the same position.
_EXTENSION = {
    "\f": "\n",
    "^": "Λ",
    "{": "(",
    "}": ")",
    "\\": "/",
    "[": "<",
    "~": "=",
    "]": ">",
    "|": "¡",
    "€": "e",
}
_UNESCAPED = {basic: extended for extended, basic in _EXTENSION.items()}

_ESC = 0x1B
_DECODING = _BASIC + "\ufffe" * 128
_ENCODING = codecs.charmap_build(_DECODING)
_FOREIGN = re.compile("[^" + re.escape(_BASIC.replace(ESCAPE, "") + "".join(_EXTENSION)) + "]")
_ESCAPED = re.compile(ESCAPE + "(.?)", re.DOTALL)


def is_gsm(text: str) -> bool:
    """Whether every character of the text exists in the default alphabet or its extension table."""
    if text.isascii() and text.isprintable():
        return "`" not in text  # the only printable ASCII character without a place in GSM 03.38
    return _FOREIGN.search(text) is None


def encode(text: str) -> bytes:
    """The text as septets, one per byte, ESC before those of the extension table.

    Raises UnicodeEncodeError (a ValueError) for a character that the alphabet lacks.
    """
    try:
        encoded = codecs.charmap_encode(text, "strict", _ENCODING)[0]
    except UnicodeEncodeError:  # a character of the extension table, or none of ours
        pass
    else:
        if _ESC not in encoded and encoded.isascii():  # U+FFFE would go above 0x7F
            return encoded
    foreign = _FOREIGN.search(text)
    if foreign:
        raise UnicodeEncodeError("gsm7", text, *foreign.span(), "not in the GSM 03.38 alphabet")
    for extended, basic in _EXTENSION.items():
        text = text.replace(extended, ESCAPE + basic)
    return codecs.charmap_encode(text, "strict", _ENCODING)[0]


def decode(septets: bytes) -> str:
    """The text of unpacked septets; a byte above 0x7F, which is no septet, becomes U+FFFD."""
    text = codecs.charmap_decode(septets, "replace", _DECODING)[0]
    return _ESCAPED.sub(_unescape, text) if ESCAPE in text else text


def septets(text: str) -> int:
    """How many septets the text takes; a character of the extension table takes two."""
    return len(text) + sum(map(text.count, _EXTENSION))


def _unescape(found: re.Match[str]) -> str:
    # 3GPP TS 23.038, 6.2.1.1: a code without a symbol there shows the default alphabet's character;
    # ESC ESC is reserved and shows a space.
    follower = found[1]
    return _UNESCAPED.get(follower, " " if follower in ("", ESCAPE) else follower)
