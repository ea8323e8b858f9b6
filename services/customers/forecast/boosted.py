"""Gradient-boosted trees: trips as their median, the next purchase as a probability.

**Examples.** Every customer as they were on many days of the past, a week apart, with what they did in the three,
six and nine weeks after it: shorter than what is foretold, so that the latest weeks are learnt from, too. A model
for each of the three; the mean of their rates is the forecast (one alone is 0.4% worse).

**Scale.** The error that counts is absolute, and large buyers vary more: trees learn trips over the square root of the running mean
and are weighted by it, which leaves the error the same and the trees something of one size to learn.

**Chance.** One model for all numbers of days: each example is asked about one of them, drawn at random. It is told how many weeks' worth of the customer's
own days of the week they hold, and may only rise with the days.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from services.customers.forecast.features import SHORTEST, features
from services.customers.forecast.history import Floats, History, Reals, Rows
from services.customers.forecast.model import DAYS, QUARTER
from services.customers.forecast.running_mean import rate

HORIZONS: Final = (21, 42, 63)
_WEEK = 7
MOST_EXAMPLES = 120_000
_SMOOTHING = 7.0
"""A customer's days of the week are drawn towards everybody's as if that had been seen in so many trips."""
_TREES: Final = {
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 60,
    "l2_regularization": 1.0,
    "max_features": 0.5,
    "early_stopping": False,
}


class _Examples(NamedTuple):
    """Customers as they were after ``cut`` days of the history."""

    cut: int
    rows: Rows
    seen: Floats
    mean: Reals
    reach: Reals


@dataclass(frozen=True)
class Boosted:
    """``seed`` decides which features a tree may split by, which examples are asked about which days, and which are left out if there are too many."""

    seed: int = 1
    trees: int = 100
    most_examples: int = MOST_EXAMPLES
    name: str = "boosted"

    def fit(self, history: History) -> "FittedBoosted":
        """Learn from every week of the history. Raises ``ValueError`` if it is shorter than 12 weeks."""
        if history.days < SHORTEST + HORIZONS[0]:
            message = f"{history.days} days are too few to learn from"
            raise ValueError(message)
        examples = list(self._examples(history))
        rates = tuple(
            self._rate(history, examples, horizon, number)
            for number, horizon in enumerate(HORIZONS)
            if history.days - horizon >= SHORTEST
        )
        return FittedBoosted(rates, self._chance(history, examples))

    def _examples(self, history: History) -> Iterator[_Examples]:
        cuts = range(history.days - HORIZONS[0], SHORTEST - 1, -_WEEK)
        random = np.random.default_rng(self.seed)
        most = max(1, self.most_examples // len(cuts))
        for cut in cuts:
            before = history.until(cut)
            rows = before.known()
            if len(rows) > most:
                rows = np.sort(random.choice(rows, most, replace=False))
            chosen = before.of(rows)
            yield _Examples(cut, rows, features(chosen)[1], rate(chosen) * QUARTER, reach(chosen))

    def _rate(
        self, history: History, examples: Sequence[_Examples], horizon: int, number: int
    ) -> HistGradientBoostingRegressor:
        within = [one for one in examples if one.cut + horizon <= history.days]
        scale = _scale(np.concatenate([one.mean for one in within]))
        trips = np.concatenate(
            [history.counted(one.cut, one.cut + horizon)[one.rows] for one in within]
        )
        trees = HistGradientBoostingRegressor(
            loss="absolute_error", max_iter=self.trees, random_state=self.seed + number, **_TREES
        )
        seen = np.concatenate([one.seen for one in within])
        return trees.fit(seen, trips / horizon * QUARTER / scale, sample_weight=scale)

    def _chance(
        self, history: History, examples: Sequence[_Examples]
    ) -> HistGradientBoostingClassifier:
        random = np.random.default_rng(self.seed)
        seen, came = [], []
        for one in examples:
            days = random.choice([d for d in DAYS if one.cut + d <= history.days], len(one.rows))
            trips = history.trips[one.rows, one.cut :]
            first = np.where(trips.any(axis=1), (trips > 0).argmax(axis=1), history.days)
            seen.append(_asked(one.seen, one.mean, one.reach, days))
            came.append(first < days)
        rising = [0] * examples[0].seen.shape[1] + [1, 1]
        trees = HistGradientBoostingClassifier(
            max_iter=self.trees, random_state=self.seed, monotonic_cst=rising, **_TREES
        )
        return trees.fit(np.concatenate(seen), np.concatenate(came))


def reach(history: History) -> Reals:
    """How many weeks' worth of a customer's trips the next 0, 1, … 91 days hold: customers × 92.

    After 7 days it is 1. By the days of the week of the last 13 weeks; whoever buys on Saturdays only has none of it before Saturday.
    """
    latest = history.trips[:, max(0, history.days - QUARTER) :]
    # Column n: the weekday of the n-th day to come, which is that of 7 − n days ago.
    weekdays = np.stack(
        [latest[:, ::-1][:, _WEEK - 1 - n :: _WEEK].sum(axis=1) for n in range(_WEEK)], axis=1
    ).astype(np.float64)
    everybody = weekdays.sum(axis=0) + 1.0
    usual = _SMOOTHING * everybody / everybody.sum()
    share = (weekdays + usual) / (weekdays.sum(axis=1, keepdims=True) + _SMOOTHING)
    ahead = np.tile(share, QUARTER // _WEEK)
    return np.hstack([np.zeros((len(share), 1)), np.cumsum(ahead, axis=1)])


def _scale(mean: Reals) -> Reals:
    result: Reals = np.sqrt(mean + 1.0)
    return result


def _asked(seen: Floats, mean: Reals, reached: Reals, days: NDArray[np.int_]) -> Floats:
    """The features, with the days asked about and the trips that the running mean expects on them."""
    weekly = mean / (QUARTER / _WEEK)
    due = weekly * reached[np.arange(len(seen)), days]
    return np.hstack([seen, days[:, None], due[:, None]]).astype(np.float32)


@dataclass(frozen=True)
class FittedBoosted:
    """The trees."""

    rates: Sequence[HistGradientBoostingRegressor]
    chances: HistGradientBoostingClassifier

    def trips(self, history: History, days: int) -> Reals:
        """The mean of what the models of the three horizons expect."""
        seen, scale = features(history)[1], _scale(rate(history) * QUARTER)
        quarter = np.mean([trees.predict(seen) * scale for trees in self.rates], axis=0)
        result: Reals = np.maximum(quarter, 0.0) * days / QUARTER
        return result

    def chance(self, history: History, days: Sequence[int]) -> Reals:
        """Asked for each of the days; beyond 91 the answer is that for 91."""
        seen, mean, reached = features(history)[1], rate(history) * QUARTER, reach(history)
        columns = [
            self.chances.predict_proba(
                _asked(seen, mean, reached, np.full(len(seen), min(day, QUARTER)))
            )[:, 1]
            for day in days
        ]
        return np.stack(columns, axis=1)
