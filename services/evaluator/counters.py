"""The limits' counters as one transaction sees them: how much is held, used and free."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.evaluator.promotion.limits import Limit


@dataclass
class Counter:
    """A limit's count; ``cap`` − ``held`` − ``used`` slots are free."""

    cap: int
    held: int = 0
    used: int = 0

    @property
    def free(self) -> int:
        """Slots left; negative only when a cap was lowered below what is in use."""
        return self.cap - self.held - self.used


class Counters:
    """A transaction's working copy of the counters it has locked."""

    def __init__(self, counters: dict[str, Counter]) -> None:
        self._counters = counters
        self.changed: set[str] = set()

    def __getitem__(self, limit_id: str) -> Counter:
        return self._counters[limit_id]

    def free(self, limit: Limit) -> int:
        """Slots of ``limit`` that are still free; a limit never met is untouched."""
        counter = self._counters.get(limit.limit_id)
        return limit.cap if counter is None else limit.cap - counter.held - counter.used

    def has_room(self, limit_ids: Iterable[str]) -> bool:
        """Whether each of the limits has a free slot."""
        return all(self._counters[limit_id].free > 0 for limit_id in limit_ids)

    def move(self, limit_ids: Iterable[str], *, held: int = 0, used: int = 0) -> None:
        """Add to what is held and used of each of the limits."""
        for limit_id in limit_ids:
            counter = self._counters[limit_id]
            counter.held += held
            counter.used += used
            self.changed.add(limit_id)
