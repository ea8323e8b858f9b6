import numpy as np
import pytest

from services.customers.forecast.backtest import backtest, choose, plan
from services.customers.forecast.history import History
from services.customers.forecast.learning import learn
from services.customers.forecast.models import FEWEST_CUSTOMERS, models
from services.customers.forecast.running_mean import RunningMean
from tests.unit.customers.forecast import shoppers

DAYS = 128


@pytest.fixture(scope="module")
def known() -> History:
    found = shoppers(FEWEST_CUSTOMERS + 40, DAYS, seed=3)
    return found.of(found.known())


def test_the_best_of_those_compared_is_used(known: History) -> None:
    told: list[tuple[int, int]] = []

    found = learn(known, lambda done, of: told.append((done, of)))

    planned = plan(DAYS)
    assert planned is not None
    scores = backtest(known, models(min(planned.cuts)), planned)
    assert list(found.scores) == scores
    assert (found.model, found.basis) == (choose(scores), "compared")
    assert {one.model for one in scores} == {"running-mean", "bg-nbd", "boosted"}
    assert told[-1] == (3, 3)


def test_what_is_used_has_learnt_from_all_of_the_history(known: History) -> None:
    found = learn(known)

    best = next(model for model in models(DAYS) if model.name == found.model)
    assert found.fitted.trips(known, 14) == pytest.approx(best.fit(known).trips(known, 14))


def test_customers_without_a_purchase_are_not_learnt_from(known: History) -> None:
    nobody = np.zeros((50, DAYS), np.float32)
    more = History(np.vstack([known.trips, nobody]), np.vstack([known.paid, nobody]))

    assert learn(more).scores == learn(known).scores
    few = History(more.trips[60:], more.paid[60:])
    assert few.customers - 50 < FEWEST_CUSTOMERS <= few.customers
    assert learn(few).basis == "too_few_customers"


def test_of_few_customers_it_is_the_running_mean_and_nothing_is_compared(known: History) -> None:
    found = learn(known.of(np.arange(FEWEST_CUSTOMERS - 1)))

    assert (found.model, found.basis, found.scores) == ("running-mean", "too_few_customers", ())
    assert found.fitted == RunningMean()


def test_of_a_short_history_it_is_the_running_mean(known: History) -> None:
    found = learn(known.until(100))

    assert (found.model, found.basis) == ("running-mean", "too_short_a_history")
