"""The plain average: half what the last 13 weeks say, half what all of the history says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.customers.forecast.history import History, Reals
from services.customers.forecast.model import QUARTER


def rate(history: History) -> Reals:
    """Trips a day: the mean of the rate in the last 13 weeks and of that of all days."""
    latest = min(QUARTER, history.days)
    late = history.counted(history.days - latest, history.days) / latest
    return (late + history.counted(0, history.days) / history.days) / 2


@dataclass(frozen=True)
class RunningMean:
    """Has nothing to learn; trips are taken to come as a Poisson process does. What other models must beat."""

    name: str = "running-mean"

    def fit(self, history: History) -> "RunningMean":  # noqa: ARG002 - as every model
        """There is nothing to learn."""
        return self

    def trips(self, history: History, days: int) -> Reals:
        """The rate, for so many days."""
        return rate(history) * days

    def chance(self, history: History, days: Sequence[int]) -> Reals:
        """``1 − exp(−rate · days)``."""
        result: Reals = -np.expm1(-np.outer(rate(history), np.asarray(days, np.float64)))
        return result
