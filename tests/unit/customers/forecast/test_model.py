import numpy as np
import pytest

from services.customers.forecast.history import History, Reals
from services.customers.forecast.model import expect, median_wait
from services.customers.forecast.running_mean import RunningMean, rate
from tests.unit.customers.forecast import history


def wait(*chance: float) -> float:
    return float(median_wait(np.array([chance]), (1, 7, 14))[0])


def test_the_next_trip_is_expected_on_the_day_by_which_it_is_as_probable_as_not() -> None:
    assert wait(0.2, 0.5, 0.9) == 7
    assert wait(0.2, 0.35, 0.65) == 11  # half way between 7 and 14, rounded up
    assert wait(0.8, 0.9, 0.95) == 1


def test_a_trip_that_is_improbable_on_all_days_is_not_expected() -> None:
    assert np.isnan(wait(0.1, 0.2, 0.49))


def test_a_probability_that_falls_by_a_rounding_is_taken_to_stay() -> None:
    assert wait(0.6, 0.4, 0.3) == 1


def test_the_running_mean_is_half_the_last_13_weeks_and_half_all_days() -> None:
    found = history(dict.fromkeys(range(0, 182, 2), 1) | {180: 3}, {3}, days=182)

    late, whole = (44 + 3) / 91, (90 + 3) / 182
    assert rate(found) == pytest.approx([(late + whole) / 2, 1 / 182 / 2])


def test_of_a_history_shorter_than_13_weeks_both_halves_are_the_same() -> None:
    assert rate(history({1, 5}, days=10)) == pytest.approx([0.2])


def test_what_is_expected_of_the_running_mean_is_poisson() -> None:
    found = expect(RunningMean(), history(set(range(0, 100, 10)), days=100), 14)

    assert found.trips == pytest.approx([14 * (9 / 91 + 0.1) / 2])
    assert found.probability == pytest.approx(1 - np.exp(-found.trips))
    assert found.wait == pytest.approx([7])  # ln 2 / 0.0995 = 6.97


def test_days_that_are_not_among_the_usual_are_asked_about_too() -> None:
    class Thirds:
        def trips(self, history: History, days: int) -> Reals:
            return np.full(history.customers, days / 3)

        def chance(self, history: History, days: object) -> Reals:
            return np.minimum(np.outer(np.ones(history.customers), np.asarray(days)) / 30, 1.0)

    found = expect(Thirds(), history({1}, days=5), 9)

    assert found.probability == pytest.approx([0.3])
    assert found.wait == pytest.approx([15])
