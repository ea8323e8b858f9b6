"""What every model of the next purchase does, and what follows from any of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from services.customers.forecast.history import History, Reals

QUARTER = 91
"""Days (13 weeks) over which models are compared, and beyond which no day is foretold."""
DAYS: Final = (1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28, 42, 63, QUARTER)
_EVEN = 0.5


class Fitted(Protocol):
    """A model that has learnt from a history; it may be asked about any history, of any length.

    Of customers who have bought at least once: the rows of what is returned are those of ``history``.
    """

    def trips(self, history: History, days: int) -> Reals:
        """How many trips are expected within ``days`` of the history's end."""
        ...

    def chance(self, history: History, days: Sequence[int]) -> Reals:
        """How probable at least one trip is within each of ``days``: customers × days, rising with the days."""
        ...


class Model(Protocol):
    """A way to learn. The same history gives the same predictions."""

    @property
    def name(self) -> str:
        """As it is shown and stored."""
        ...

    def fit(self, history: History) -> Fitted:
        """Learn from all of a history."""
        ...


@dataclass(frozen=True)
class Expected:
    """Of each customer: trips and the probability of one within some days, and in how many days the next one is.

    ``wait`` is the median: it is as probable before as after. 1 is the day after the history's end;
    NaN: not within ``QUARTER`` days.
    """

    trips: Reals
    probability: Reals
    wait: Reals


def expect(fitted: Fitted, history: History, days: int) -> Expected:
    """What a model expects of customers who have bought at least once."""
    grid = sorted({*DAYS, days})
    chance = fitted.chance(history, grid)
    return Expected(
        fitted.trips(history, days), chance[:, grid.index(days)], median_wait(chance, grid)
    )


def median_wait(chance: Reals, days: Sequence[int]) -> Reals:
    """The first day by which a trip is as probable as not, straight between the days asked about.

    NaN where it is not by the last of them.
    """
    rising = np.hstack([np.zeros((len(chance), 1)), np.maximum.accumulate(chance, axis=1)])
    known = np.array([0, *days], np.float64)
    found = rising[:, -1] >= _EVEN
    after = np.where(found, (rising >= _EVEN).argmax(axis=1), 1)
    row = np.arange(len(chance))
    low, high = rising[row, after - 1], rising[row, after]
    part = (_EVEN - low) / np.where(found, high - low, 1.0)
    wait = known[after - 1] + part * (known[after] - known[after - 1])
    return np.where(found, np.maximum(np.ceil(wait - 1e-9), 1.0), np.nan)
