"""What is known of the people behind addresses: profiles, their wishes, what they got already."""

from heliograph.model.people.known import NOTHING_KNOWN, DndRow, Known, Wish
from heliograph.model.people.profile import People, Person, Profile, Where

__all__ = ["NOTHING_KNOWN", "DndRow", "Known", "People", "Person", "Profile", "Where", "Wish"]
