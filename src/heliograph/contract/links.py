"""What a call says of links: `channels.smartlinks`, and `options` that have its URLs shortened."""

from __future__ import annotations

from typing import Any

from heliograph.catalogue import keys
from heliograph.contract.values import as_text, object_member
from heliograph.model.message import Shorten
from heliograph.model.outcome import Rejected

MOST_MINUTES = 10 * 366 * 24 * 60
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no", "")


def smartlinks_of(body: dict[str, Any]) -> dict[str, int]:
    """Minutes that links are good for, by link id; 0 where the call does not say."""
    listed = (object_member(body, "channels") or {}).get("smartlinks")
    if listed is None:
        return {}
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise Rejected(keys.INVALID_PARAM, "smartlinks")
    found: dict[str, int] = {}
    for item in listed:
        name = as_text(item.get("linkid"))
        if not name:
            raise Rejected(keys.INVALID_PARAM, "linkid")
        found[name] = _minutes(item.get("validity"))
    return found


def _minutes(value: Any) -> int:
    if value is None or value == "":
        return 0
    text = as_text(value)
    if text is None or not text.isascii() or not text.isdecimal() or not 0 < int(text[:12]) <= MOST_MINUTES:
        raise Rejected(keys.INVALID_PARAM, "validity")
    return int(text)


def shorten_of(body: dict[str, Any]) -> Shorten | None:
    """How URLs are to be shortened; None when they are not."""
    options = object_member(body, "options")
    if options is None:
        return None
    wanted = [_flag(options, name) for name in ("shortenLinks", "trackClicks")]
    domain = as_text(options.get("domain")) if options.get("domain") is not None else None
    if not domain:
        raise Rejected(keys.INVALID_PARAM, "domain")
    tags = tuple(tag for name in ("tag1", "tag2") if (tag := as_text(options.get(name) or "")))
    fallback = _flag(options, "allowFallbackURL")
    return Shorten(domain.lower(), fallback, tags) if any(wanted) else None


def _flag(options: dict[str, Any], name: str) -> bool:
    value = options.get(name)
    if isinstance(value, bool) or value is None:
        return bool(value)
    text = (as_text(value) or "?").strip().lower()
    if text not in (*_YES, *_NO):
        raise Rejected(keys.INVALID_PARAM, name)
    return text in _YES
