"""Durations as a workspace writes them."""

from __future__ import annotations

import re

_FORM = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(text: str) -> int:
    """`72h`, `30m`, `5s` or `2d` as seconds, more than 0; ValueError for anything else."""
    match = _FORM.fullmatch(text)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not seconds:
        raise ValueError(f"{text!r} is no duration; write 72h, 30m or 5s")
    return seconds
