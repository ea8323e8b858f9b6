"""Groups that are bought together: on how many receipts, and how much oftener than if they had nothing to do with each other.

Support and confidence after R. Agrawal, T. Imieliński and A. Swami, "Mining Association Rules between Sets of Items in
Large Databases" (SIGMOD 1993); lift after S. Brin et al., "Dynamic Itemset Counting and Implication Rules for Market
Basket Data" (SIGMOD 1997), there called interest.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

MOST_GROUPS = 400
"""Pairs are looked for among so many groups, those on the most receipts."""
FEWEST_TOGETHER = 5
"""Receipts: what fewer share is not kept."""
_MOST_NUMBERED = 50_000
_ALL, _HUNDREDTHS = 10_000, 100


@dataclass(frozen=True)
class Pair:
    """Two groups: on how many receipts each was, and both were, of how many.

    ``first`` is the one before the other by name.
    """

    first: str
    second: str
    together: int
    of_first: int
    of_second: int
    receipts: int

    @property
    def support(self) -> int:
        """The share of receipts with both (basis points, rounded down)."""
        return self.together * _ALL // self.receipts

    @property
    def lift(self) -> int:
        """How much oftener both were bought than by chance (hundredths, rounded down): 100 is by chance."""
        return self.together * self.receipts * _HUNDREDTHS // (self.of_first * self.of_second)

    def confidence(self, group: str) -> int:
        """The share of the receipts with ``group`` that had the other, too (basis points, rounded down)."""
        return self.together * _ALL // (self.of_first if group == self.first else self.of_second)


@dataclass
class Baskets:
    """Receipts by the groups on them, as numbers: a few bytes for each."""

    _numbers: dict[str, int] = field(default_factory=dict)
    _groups: "array[int]" = field(default_factory=lambda: array("i"))
    _ends: "array[int]" = field(default_factory=lambda: array("q", [0]))

    def add(self, groups: Iterable[str]) -> None:
        """Add a receipt; a group counts once, however many lines it has, and lines without a group do not."""
        for group in {*groups} - {""}:
            number = self._numbers.get(group)
            if number is None:
                if len(self._numbers) >= _MOST_NUMBERED:
                    continue
                number = self._numbers[group] = len(self._numbers)
            self._groups.append(number)
        self._ends.append(len(self._groups))

    @property
    def receipts(self) -> int:
        """How many receipts were added."""
        return len(self._ends) - 1

    def _matrix(self) -> "csr_matrix[np.int64]":
        """Receipts by groups: 1 where a receipt has the group."""
        ones = np.ones(len(self._groups), dtype=np.int64)
        shape = (self.receipts, len(self._numbers))
        return csr_matrix((ones, np.array(self._groups), np.array(self._ends)), shape=shape)

    def of_groups(self) -> dict[str, int]:
        """On how many receipts each group was."""
        counts = np.bincount(np.array(self._groups, dtype=np.int64), minlength=len(self._numbers))
        return {group: int(counts[number]) for group, number in self._numbers.items()}

    def pairs(self) -> list[Pair]:
        """The pairs that share receipts, those that share most first."""
        of = self.of_groups()
        chosen = sorted(of, key=lambda group: (-of[group], group))[:MOST_GROUPS]
        if not chosen:
            return []
        chosen.sort()
        columns = self._matrix()[:, [self._numbers[group] for group in chosen]]
        shared = (columns.T @ columns).tocoo()
        found = [
            Pair(chosen[a], chosen[b], int(n), of[chosen[a]], of[chosen[b]], self.receipts)
            for a, b, n in zip(shared.row, shared.col, shared.data, strict=True)
            if a < b and n >= FEWEST_TOGETHER
        ]
        return sorted(found, key=lambda pair: (-pair.together, pair.first, pair.second))
