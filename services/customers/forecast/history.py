"""What customers bought day by day: all that a forecast is made from, and nothing after it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]
Rows = NDArray[np.intp]

Purchase = tuple[int, int, float]
"""A trip: the customer's row, the day (0: the first of the history), what was paid."""


@dataclass(frozen=True)
class History:
    """Trips of customers (rows) on days (columns), and what they paid. A trip is a receipt: two on a day are two.

    A day is 24 hours, whenever it begins; weeks are counted back from the end. A forecast is made at the end of the
    last day. Whatever is fitted or asked is given a history that ends there, so that nothing can look at what came
    after.
    """

    trips: Floats
    paid: Floats

    @property
    def customers(self) -> int:
        """How many there are, with those who bought nothing."""
        return int(self.trips.shape[0])

    @property
    def days(self) -> int:
        """How many days are known."""
        return int(self.trips.shape[1])

    def until(self, days: int) -> "History":
        """The history as it was after so many days."""
        return History(self.trips[:, :days], self.paid[:, :days])

    def of(self, rows: Rows) -> "History":
        """Some of the customers."""
        return History(self.trips[rows], self.paid[rows])

    def known(self) -> Rows:
        """The customers who have bought at least once."""
        return np.flatnonzero(self.trips.any(axis=1))

    def counted(self, start: int, stop: int) -> Reals:
        """Trips of each customer on the days ``start`` ≤ day < ``stop``."""
        result: Reals = self.trips[:, start:stop].sum(axis=1, dtype=np.float64)
        return result


def gather(days: int, customers: int, purchases: Iterable[Purchase]) -> History:
    """A history from single purchases; those before or after its days are left out."""
    trips = np.zeros((customers, days), np.float32)
    paid = np.zeros((customers, days), np.float32)
    for row, day, amount in purchases:
        if 0 <= day < days:
            trips[row, day] += 1
            paid[row, day] += amount
    return History(trips, paid)
