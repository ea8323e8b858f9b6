import numpy as np
import pytest

from services.customers.forecast.features import SHORTEST, features
from services.customers.forecast.history import History
from tests.unit.customers.forecast import history, shoppers


def of(found: History, row: int = 0) -> dict[str, float]:
    names, seen = features(found)
    return dict(zip(names, map(float, seen[row]), strict=True))


def test_windows_are_rates_for_13_weeks() -> None:
    found = of(history({183: 2, 181: 1, 170: 1, 100: 2}, days=184))

    assert found["trips_7"] == pytest.approx(3 * 91 / 7)
    assert found["trips_14"] == pytest.approx(4 * 91 / 14)
    assert found["trips_91"] == pytest.approx(6)
    assert found["days_91"] == pytest.approx(4)
    assert found["trips"] == pytest.approx(6 * 91 / 184)
    assert found["paid_28"] == pytest.approx(40 * 91 / 28)
    assert found["paid_a_trip"] == pytest.approx(10)
    assert found["trips_28_before_2"] == pytest.approx(2 * 91 / 28)  # days 100 ≤ day < 128


def test_a_window_longer_than_the_history_is_of_what_there_is() -> None:
    found = of(history({0, 10, 20}, days=60))

    assert found["trips_182"] == found["trips"] == pytest.approx(3 * 91 / 60)


def test_gaps_are_days_between_days_with_trips() -> None:
    found = of(history({2: 3, 12: 1, 16: 1}, days=60))

    assert found["gap_mean"] == 7
    assert found["gap_most"] == 10
    assert found["recency"] == 44
    assert found["age"] == 58
    assert found["recency_in_most"] == pytest.approx(4.4)


def test_late_gaps_are_those_that_ended_in_the_last_13_weeks() -> None:
    found = of(history({0, 40, 100, 104, 106}, days=110))

    assert found["gap_most"] == found["gap_most_91"] == 60
    assert found["gap_mean"] == pytest.approx(106 / 4)
    found = of(history({0, 18, 100, 104, 106}, days=120))
    assert found["gap_mean"] == pytest.approx(106 / 4)
    assert found["gap_mean_91"] == pytest.approx((82 + 4 + 2) / 3)


def test_weeks_end_with_the_history() -> None:
    # Of 60 days the last 56 are eight weeks; days 4–10 the first of them.
    found = of(history({3: 9, 4: 2, 10: 1, 45: 4}, days=60))

    assert found["week_most"] == 4
    assert found["weeks_without"] == pytest.approx(6 / 8)
    assert found["weeks_away"] == 2
    assert found["weeks_without_of_4"] == pytest.approx(3 / 4)
    assert found["week_trimmed"] == 0


def test_a_single_purchase_has_finite_features() -> None:
    assert np.isfinite(features(history({0}, {55}, days=SHORTEST))[1]).all()


def test_customers_are_seen_one_by_one() -> None:
    found = shoppers(30, 120, seed=5)
    known = found.of(found.known())

    alone = features(known.of(np.array([7])))[1]

    assert np.allclose(features(known)[1][7], alone[0], rtol=1e-5)
