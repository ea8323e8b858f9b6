import numpy as np
import pytest

from services.customers.forecast.boosted import Boosted, FittedBoosted, reach
from services.customers.forecast.history import History
from services.customers.forecast.model import DAYS
from services.customers.forecast.running_mean import RunningMean
from tests.unit.customers.forecast import history, shoppers

DAYS_KNOWN = 240


@pytest.fixture(scope="module")
def whole() -> History:
    found = shoppers(300, DAYS_KNOWN + 91, seed=1)
    return found.of(found.until(DAYS_KNOWN).known())


@pytest.fixture(scope="module")
def fitted(whole: History) -> FittedBoosted:
    return Boosted(trees=25).fit(whole.until(DAYS_KNOWN))


def error(foretold: np.ndarray, whole: History) -> float:
    return float(np.abs(foretold - whole.counted(DAYS_KNOWN, DAYS_KNOWN + 91)).mean())


def test_it_is_better_than_the_running_mean_where_customers_leave(
    whole: History, fitted: FittedBoosted
) -> None:
    before = whole.until(DAYS_KNOWN)

    assert error(fitted.trips(before, 91), whole) < 0.8 * error(
        RunningMean().trips(before, 91), whole
    )


def test_its_probabilities_are_better_than_those_of_the_running_mean(
    whole: History, fitted: FittedBoosted
) -> None:
    before = whole.until(DAYS_KNOWN)
    came = whole.counted(DAYS_KNOWN, DAYS_KNOWN + 7) > 0

    brier = [
        float(((model.chance(before, [7])[:, 0] - came) ** 2).mean())
        for model in (fitted, RunningMean())
    ]

    assert brier[0] < brier[1]


def test_the_chance_rises_with_the_days(whole: History, fitted: FittedBoosted) -> None:
    chance = fitted.chance(whole.until(DAYS_KNOWN), DAYS)

    assert (np.diff(chance, axis=1) >= 0).all()
    assert (chance > 0).all()
    assert (chance < 1).all()


def test_trips_are_in_proportion_to_the_days(whole: History, fitted: FittedBoosted) -> None:
    before = whole.until(DAYS_KNOWN)

    assert fitted.trips(before, 14) == pytest.approx(fitted.trips(before, 91) * 14 / 91)
    assert (fitted.trips(before, 91) >= 0).all()


def test_the_same_seed_learns_the_same_and_another_one_something_else(whole: History) -> None:
    before = whole.until(98)

    first, again, other = (
        Boosted(seed=seed, trees=5).fit(before).trips(before, 91) for seed in (1, 1, 2)
    )

    assert (first == again).all()
    assert (first != other).any()


def test_of_too_many_examples_some_are_left_out_and_the_rest_says_much_the_same(
    whole: History,
) -> None:
    before = whole.until(98)

    found = Boosted(trees=5, most_examples=400).fit(before).trips(before, 91)

    everything = Boosted(trees=5).fit(before).trips(before, 91)
    assert (found != everything).any()
    assert np.corrcoef(found, everything)[0, 1] > 0.95


def test_a_history_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="60 days are too few"):
        Boosted().fit(shoppers(10, 60, seed=1))


def test_saturdays_customer_has_nothing_to_expect_before_saturday() -> None:
    # 70 days; the last is a Friday, so that day 70, the first to come, is a Saturday.
    saturdays = dict.fromkeys(range(0, 70, 7), 10)
    everyday = dict.fromkeys(range(70), 1)

    found = reach(history(saturdays, everyday, days=70))

    assert found[0, 1] > 0.9
    assert found[0, 6] - found[0, 1] < 0.1
    assert found[0, 7] == pytest.approx(1)
    assert found[0, 8] > 1.9
    assert found[1, 91] == pytest.approx(13)
    assert found[:, 0].tolist() == [0, 0]


def test_a_customer_of_another_day_waits_for_it() -> None:
    found = reach(history(dict.fromkeys(range(2, 70, 7), 10), days=70))  # third day to come

    assert found[0, 2] < 0.1
    assert found[0, 3] > 0.9
