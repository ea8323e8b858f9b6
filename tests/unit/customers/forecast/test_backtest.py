from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from services.customers.forecast.backtest import (
    DAYS,
    Plan,
    Score,
    backtest,
    choose,
    plan,
    reliability,
    since_first,
)
from services.customers.forecast.history import History, Reals
from services.customers.forecast.models import models
from services.customers.forecast.running_mean import RunningMean
from tests.unit.customers.forecast import history, shoppers


@dataclass
class Says:
    """Foretells what it is told to, and notes what it was shown."""

    says: float
    chances: float = 0.5
    name: str = "says"
    shown: list[int] = field(default_factory=list)

    def fit(self, history: History) -> "Says":
        self.shown.append(history.days)
        return self

    def trips(self, history: History, days: int) -> Reals:  # noqa: ARG002 - as every model
        self.shown.append(history.days)
        return np.full(history.customers, self.says)

    def chance(self, history: History, days: Sequence[int]) -> Reals:
        self.shown.append(history.days)
        return np.full((history.customers, len(days)), self.chances)


def test_no_model_is_shown_a_day_after_the_cut() -> None:
    model = Says(1.0)

    backtest(shoppers(20, 120, seed=1), [model], Plan((60, 90), 28))

    assert sorted(set(model.shown)) == [60, 90]
    assert model.shown[:4].count(60) == 4


def test_what_was_foretold_is_compared_with_the_days_after_the_cut() -> None:
    # Cut after 10 days; three and none come within 4 days. The third is not known before.
    found = history({1: 1, 10: 1, 13: 2, 14: 9}, {2}, {11}, days=20)

    (one,) = backtest(found, [Says(1.0, chances=0.75)], Plan((10,), 4))

    assert (one.customers, one.ago, one.days) == (2, 10, 4)
    assert one.trips == pytest.approx(1.5)
    assert one.mae == pytest.approx((2 + 1) / 2)
    assert one.bias == pytest.approx(-0.5)
    assert one.brier == pytest.approx((0.25**2 + 0.75**2) / 2)
    assert one.brier_mean == pytest.approx(0.25)
    assert one.wait_error == 0  # both on the first day
    assert one.bins[0].customers == 2
    assert one.bins[0].came == pytest.approx(0.5)


def test_whoever_comes_on_the_last_of_the_two_weeks_has_come_and_a_day_later_has_not() -> None:
    found = history({1: 1, 10 + DAYS - 1: 1}, {1: 1, 10 + DAYS: 1}, days=40)

    (one,) = backtest(found, [Says(1.0, chances=1.0)], Plan((10,), 28))

    assert one.brier == pytest.approx(1 / 2)


def test_whoever_is_not_expected_has_no_day_to_be_wrong_about() -> None:
    (one,) = backtest(history({1, 12}, days=20), [Says(1.0, chances=0.1)], Plan((10,), 4))

    assert one.wait_error is None


def test_progress_is_told_at_each_step() -> None:
    told: list[tuple[int, int]] = []

    backtest(
        shoppers(20, 120, seed=1),
        [Says(1.0), RunningMean()],
        Plan((60, 90), 28),
        lambda done, total: told.append((done, total)),
    )

    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_models_are_tried_on_the_last_13_weeks_and_before() -> None:
    assert plan(274) == Plan((155, 169, 183), 91)
    assert plan(190) == Plan((99,), 91)


def test_of_a_short_history_four_weeks_are_foretold() -> None:
    assert plan(188) == Plan((132, 146, 160), 28)
    assert plan(126) == Plan((98,), 28)


def test_of_a_history_that_is_too_short_nothing_is_compared() -> None:
    assert plan(125) is None


def test_every_model_can_learn_at_every_cut_that_is_planned() -> None:
    for days in (126, 150, 189, 230):
        planned = plan(days)
        assert planned is not None
        found = shoppers(60, days, seed=2)
        for model in models(min(planned.cuts)):
            model.fit(found.until(min(planned.cuts)))


def score(model: str, mae: float, ago: int = 91) -> Score:
    return Score(model, ago, 91, 10, 1.0, mae, 0.0, 0.1, 0.2, 1.0)


def test_the_model_with_the_least_error_over_all_cuts_is_chosen() -> None:
    scores = [score("a", 1.0), score("b", 2.0), score("a", 4.0, 105), score("b", 2.5, 105)]

    assert choose(scores) == "b"


def test_of_models_that_are_as_good_the_plainer_one_is_chosen() -> None:
    assert choose([score("plain", 1.0), score("clever", 1.0)]) == "plain"


def test_probabilities_are_compared_with_what_came_by_tenths() -> None:
    found = reliability(np.array([0.05, 0.95, 1.0, 0.91]), np.array([0.0, 1.0, 1.0, 0.0]))

    assert [(one.customers, round(one.came, 3)) for one in found] == [(1, 0.0), (3, 0.667)]
    assert found[1].foretold == pytest.approx((0.95 + 1.0 + 0.91) / 3)


def test_the_rate_since_the_first_trip_leaves_out_the_days_before() -> None:
    found = history({90, 95}, days=100)

    assert since_first(found) == pytest.approx([(2 / 91 + 2 / 10) / 2])


def test_the_probability_is_for_two_weeks() -> None:
    assert DAYS == 14
