"""What a learning model sees of a customer at the end of a history. Counts and sums are rates for 13 weeks."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.customers.forecast.history import Floats, History, Reals
from services.customers.forecast.model import QUARTER
from services.customers.forecast.running_mean import rate

_WEEK, _MONTH = 7, 28
_WINDOWS: Final = (7, 14, 28, 42, 63, 91, 126, 182)
_HALF_LIVES: Final = (10, 20, 40, 80, 160)
_QUARTER_WEEKS = 13
_TRIMMED = 2
_FLOOR = 0.01
_UNKNOWN_GAP = 99.0
SHORTEST = 2 * _MONTH
"""Days of a history that say enough to learn from."""


def features(history: History) -> tuple[tuple[str, ...], Floats]:
    """Their names, and customers × features. Customers must have bought at least once."""
    made: dict[str, Reals] = {"mean": rate(history) * QUARTER}
    _windows(made, history)
    _weeks(made, history)
    _gaps(made, history)
    _spending(made, history)
    return tuple(made), np.stack(list(made.values()), axis=1).astype(np.float32)


def _per_quarter(values: Floats | NDArray[np.bool_], days: int, skip: int = 0) -> Reals:
    """The rate in the last ``days`` before the last ``skip``; of what there is of them."""
    stop = values.shape[1] - skip
    start = max(0, stop - days)
    sums: Reals = values[:, start:stop].sum(axis=1, dtype=np.float64)
    sums *= QUARTER / (stop - start)
    return sums


def _windows(made: dict[str, Reals], history: History) -> None:
    trips, days = history.trips, history.days
    for window in _WINDOWS:
        made[f"trips_{window}"] = _per_quarter(trips, window)
    made["trips"] = _per_quarter(trips, days)
    for block in range(1, 4):
        skip = min(block * _MONTH, days - _MONTH)
        made[f"trips_28_before_{block}"] = _per_quarter(trips, _MONTH, skip)
    ago = np.arange(days)[::-1]
    for half_life in _HALF_LIVES:
        weights = 0.5 ** (ago / half_life)
        made[f"decayed_{half_life}"] = trips @ weights / weights.sum() * QUARTER
    made["trend_28"] = made["trips_28"] - made["trips_91"]
    made["trend_91"] = made["trips_91"] - made["trips"]
    made["log_trend"] = np.log((made["trips_28"] + 2) / (made["trips"] + 2))
    latest = min(QUARTER, days)
    centred = np.arange(latest) - (latest - 1) / 2
    made["slope"] = trips[:, days - latest :] @ centred / (centred @ centred) * QUARTER**2


def _weeks(made: dict[str, Reals], history: History) -> None:
    """Weeks end with the history."""
    days, customers = history.days, history.customers
    weeks = history.trips[:, days % _WEEK :].reshape(customers, -1, _WEEK).sum(axis=2)
    latest = np.sort(weeks[:, -_QUARTER_WEEKS:].astype(np.float64), axis=1)
    made["week_std"] = latest.std(axis=1)
    low, middle, high = np.quantile(latest, (0.25, 0.5, 0.75), axis=1) * _QUARTER_WEEKS
    made["week_low"], made["week_median"], made["week_high"] = low, middle, high
    made["week_trimmed"] = latest[:, _TRIMMED:-_TRIMMED].mean(axis=1) * _QUARTER_WEEKS
    made["week_most"] = latest[:, -1]
    made["weeks_without"] = (latest == 0).mean(axis=1)
    made["weeks_without_of_4"] = (weeks[:, -4:] == 0).mean(axis=1)
    made["week_median_of_all"] = np.median(weeks, axis=1) * _QUARTER_WEEKS
    quiet = np.hstack([weeks[:, ::-1] == 0, np.zeros((customers, 1), bool)])
    made["weeks_away"] = quiet.argmin(axis=1).astype(np.float64)
    weekday = np.stack(
        [history.trips[:, max(0, days - QUARTER) :][:, n::_WEEK].sum(axis=1) for n in range(_WEEK)],
        axis=1,
    )
    made["weekday_most"] = weekday.max(axis=1) / np.maximum(weekday.sum(axis=1), 1)


def _gaps(made: dict[str, Reals], history: History) -> None:
    """Days between days with trips."""
    days = history.days
    bought = history.trips > 0
    day = np.arange(days)
    before = np.maximum.accumulate(np.where(bought, day, -1), axis=1)
    gap = np.where(bought[:, 1:] & (before[:, :-1] >= 0), day[1:] - before[:, :-1], 0)
    count = np.maximum((gap > 0).sum(axis=1), 1)
    known = gap.any(axis=1)
    recency = days - before[:, -1].astype(np.float64)
    made["recency"] = recency
    made["age"] = days - bought.argmax(axis=1).astype(np.float64)
    made["trips_since_first"] = history.counted(0, days) / made["age"] * QUARTER
    made["gap_mean"] = np.where(known, gap.sum(axis=1) / count, _UNKNOWN_GAP)
    made["gap_most"] = np.where(known, gap.max(axis=1), _UNKNOWN_GAP).astype(np.float64)
    late = gap[:, -QUARTER:]
    late_count = np.maximum((late > 0).sum(axis=1), 1)
    made["gap_mean_91"] = np.where(late.any(axis=1), late.sum(axis=1) / late_count, _UNKNOWN_GAP)
    made["gap_most_91"] = np.where(late.any(axis=1), late.max(axis=1), _UNKNOWN_GAP).astype(float)
    made["recency_in_gaps"] = recency / made["gap_mean"]
    made["recency_in_most"] = recency / made["gap_most"]
    made["days_91"] = _per_quarter(bought, QUARTER)
    made["days_28"] = _per_quarter(bought, _MONTH)
    made["days"] = _per_quarter(bought, days)
    made["trips_a_day"] = made["trips"] / np.maximum(made["days"], _FLOOR)


def _spending(made: dict[str, Reals], history: History) -> None:
    made["paid_28"] = _per_quarter(history.paid, _MONTH)
    made["paid_91"] = _per_quarter(history.paid, QUARTER)
    made["paid"] = _per_quarter(history.paid, history.days)
    made["paid_a_trip"] = made["paid"] / np.maximum(made["trips"], _FLOOR)
    made["paid_a_trip_91"] = made["paid_91"] / np.maximum(made["trips_91"], _FLOOR)
