"""What models would have foretold, made at several times of the past from what was known then, beside what came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.customers.forecast.features import SHORTEST
from services.customers.forecast.history import History, Reals
from services.customers.forecast.model import QUARTER, Expected, Fitted, Model, expect

DAYS: Final = 14
"""Within so many days a next purchase is foretold as a probability."""
CUTS = 3
_APART = 14
_LEARNT: Final = SHORTEST + 42
"""Days that models get to learn from, at least."""
_SHORT = 28
_BINS = 10

Watch = Callable[[int, int], None]
"""Told how many of how many steps are done."""


@dataclass(frozen=True)
class Bin:
    """Customers with a like probability: how many, the mean of what was foretold, and the share who came."""

    customers: int
    foretold: float
    came: float


@dataclass(frozen=True)
class Score:
    """How good a model was at one time: ``ago`` days before the history's end, for ``days`` days.

    ``mae``: mean absolute error of trips, ``bias``: mean of foretold less real ones. ``brier``: mean squared error
    of the probability of a trip within ``DAYS``; ``brier_mean`` is that of the share of customers who came,
    foretold for everybody. ``wait_error``: median absolute error, in days, of the day of the next trip, of those who came within 13 weeks (or ``days``) and were expected to.
    """

    model: str
    ago: int
    days: int
    customers: int
    trips: float
    mae: float
    bias: float
    brier: float
    brier_mean: float
    wait_error: float | None
    bins: Sequence[Bin] = field(default=(), compare=False)


@dataclass(frozen=True)
class Plan:
    """After how many days of the history models are tried (``cuts``), and for how many days."""

    cuts: Sequence[int]
    days: int


def plan(days: int) -> Plan | None:
    """For a history of so many days: the last 13 weeks that are known, and two earlier times.

    Of a short history four weeks are foretold. None: it is too short to compare anything.
    """
    for horizon in (QUARTER, _SHORT):
        last = days - horizon
        cuts = list(range(last, _LEARNT - 1, -_APART))[:CUTS]
        if cuts:
            return Plan(tuple(sorted(cuts)), horizon)
    return None


def backtest(
    history: History, models: Sequence[Model], planned: Plan, watch: Watch = lambda *_: None
) -> list[Score]:
    """The score of each model at each cut, in this order: by cut, then as the models are given."""
    scores: list[Score] = []
    total = len(planned.cuts) * len(models)
    for cut in planned.cuts:
        before = history.until(cut)
        rows = before.known()
        known, after = before.of(rows), history.until(cut + planned.days).of(rows)
        for model in models:
            watch(len(scores), total)
            scores.append(score(model.name, model.fit(before), known, after, history.days - cut))
    watch(total, total)
    return scores


def score(name: str, fitted: Fitted, known: History, after: History, ago: int) -> Score:
    """How good a fitted model is: it is asked about ``known``; ``after`` goes on beyond it, for the same customers."""
    days = after.days - known.days
    real = after.counted(known.days, after.days)
    foretold = fitted.trips(known, days)
    expected = expect(fitted, known, DAYS)
    first = _first(after, known.days)
    came = (first <= DAYS).astype(np.float64)
    return Score(
        name,
        ago,
        days,
        known.customers,
        float(real.mean()),
        float(np.abs(foretold - real).mean()),
        float((foretold - real).mean()),
        float(((expected.probability - came) ** 2).mean()),
        float(((came.mean() - came) ** 2).mean()),
        _wait_error(expected, first, days),
        reliability(expected.probability, came),
    )


def since_first(history: History) -> Reals:
    """The running mean with the rate since each customer's first trip, not of all days: trips a day."""
    age = history.days - (history.trips > 0).argmax(axis=1)
    latest = min(QUARTER, history.days)
    late = history.counted(history.days - latest, history.days) / latest
    result: Reals = (late + history.counted(0, history.days) / age) / 2
    return result


def _first(after: History, cut: int) -> Reals:
    """In how many days each customer came: 1 is the first; infinite if not at all."""
    trips = after.trips[:, cut:] > 0
    return np.where(trips.any(axis=1), trips.argmax(axis=1) + 1.0, np.inf)


def _wait_error(expected: Expected, first: Reals, days: int) -> float | None:
    both = np.isfinite(first) & (expected.wait <= days)
    if not both.any():
        return None
    return float(np.median(np.abs(expected.wait[both] - first[both])))


def reliability(probability: Reals, came: Reals) -> tuple[Bin, ...]:
    """Customers by tenths of probability; tenths without any are left out."""
    tenth = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    return tuple(
        Bin(int(within.sum()), float(probability[within].mean()), float(came[within].mean()))
        for within in (tenth == n for n in range(_BINS))
        if within.any()
    )


def choose(scores: Sequence[Score]) -> str:
    """The model with the least error over all cuts; of equal ones the one that was given first.

    One that foretold something that is no number is out.
    """
    errors: dict[str, float] = {}
    for one in scores:
        errors[one.model] = errors.get(one.model, 0.0) + one.mae
    usable = [name for name, error in errors.items() if np.isfinite(error)]
    return min(usable, key=lambda name: errors[name])
