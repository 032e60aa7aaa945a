"""What a tenant may declare to say what may go now: people who want nothing, words, hours, money."""

from heliograph.model.policies.hours import DAYS, PRESETS, Day, Hours, SocialHours, Window
from heliograph.model.policies.money import Billing, Rate
from heliograph.model.policies.part import Part
from heliograph.model.policies.people import TRANSACTIONAL, DndEntry, FrequencyCap, OptOut
from heliograph.model.policies.words import SpamWord

__all__ = [
    "DAYS",
    "PRESETS",
    "TRANSACTIONAL",
    "Billing",
    "Day",
    "DndEntry",
    "FrequencyCap",
    "Hours",
    "OptOut",
    "Part",
    "Rate",
    "SocialHours",
    "SpamWord",
    "Window",
]
