"""What texts may not say."""

from __future__ import annotations

from heliograph.model.policies.part import Part


class SpamWord(Part, frozen=True):
    """A word or phrase, or a regular expression, that no text may hold, on some channels or on all."""

    word: str = ""
    regex: str = ""
    channels: tuple[str, ...] = ()
