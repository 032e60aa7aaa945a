"""A bounded memory of what was used lately."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps the last entries in two generations, so that putting and getting stay one dictionary step.

    When the young generation is full it becomes the old one; an old entry that is used is young again.
    At most `2 * size` entries are held.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def put(self, key: K, value: V) -> None:
        """Remember; may forget what was not used for a while."""
        self._young[key] = value
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}

    def get(self, key: K) -> V | None:
        """What is remembered under the key."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def pop(self, key: K) -> V | None:
        """Forget an entry and give it back."""
        value = self._young.pop(key, None)
        old = self._old.pop(key, None)
        return value if value is not None else old

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
