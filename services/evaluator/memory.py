"""What was found out, and when: as much of it as is worth remembering. Pure: ``now`` is given."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """The ``most`` facts that were looked up last; what was looked up longest ago goes first.

    A fact is fresh for ``lasts_s`` seconds. That there is none, which is remembered too, is fresh for
    ``absent_s``. What is used is looked up again as it ages, so that it stays.
    """

    __slots__ = ("_absent_s", "_facts", "_lasts_s", "_most")

    def __init__(self, most: int, lasts_s: float, absent_s: float) -> None:
        self._most = most
        self._lasts_s = lasts_s
        self._absent_s = absent_s
        self._facts: OrderedDict[K, tuple[V | None, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._facts)

    def __contains__(self, key: K) -> bool:
        """Whether it was looked up, however long ago, and whatever was found."""
        return key in self._facts

    def get(self, key: K) -> V | None:
        """What was found, however long ago; None: nothing, or it was never looked up."""
        fact = self._facts.get(key)
        return None if fact is None else fact[0]

    def found(self, keys: Iterable[K]) -> dict[K, V]:
        """What was found of these, however long ago."""
        facts = self._facts
        return {key: fact[0] for key in keys if (fact := facts.get(key)) and fact[0] is not None}

    def missing(self, keys: Iterable[K], now: float) -> list[K]:
        """Those that must be looked up: never met, or no longer fresh."""
        facts = self._facts
        found = []
        for key in keys:
            fact = facts.get(key)
            if fact is None or now >= fact[1]:
                found.append(key)
        return found

    def put(self, asked: Iterable[K], found: Mapping[K, V], now: float) -> None:
        """Remember what was found of all that was asked for, as of ``now`` (monotonic seconds)."""
        facts = self._facts
        for key in asked:
            value = found.get(key)
            facts[key] = (value, now + (self._absent_s if value is None else self._lasts_s))
            facts.move_to_end(key)
        while len(facts) > self._most:
            facts.popitem(last=False)
