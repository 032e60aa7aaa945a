"""What happened, as rules see it: events of callers, hooks, and what far ends and people did."""

from heliograph.model.events.occurrences import ENDED, TRIGGERS, Occurrence, OccurrenceState, Trigger
from heliograph.model.events.paths import values_at

__all__ = ["ENDED", "TRIGGERS", "Occurrence", "OccurrenceState", "Trigger", "values_at"]
