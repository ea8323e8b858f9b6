import pytest

from services.customers.forecast.backtest import Bin, Score
from services.customers.forecast.figures import figures, pooled, ratio_of


def score(model: str, mae: float, wait: float | None = 2.0, bins: tuple[Bin, ...] = ()) -> Score:
    return Score(model, 91, 91, 10, 1.0, mae, -0.5, 0.1, 0.2, wait, bins)


SCORES = [
    score("running-mean", 4.0),
    score("boosted", 3.0, None),
    score("running-mean", 6.0),
    score("boosted", 5.0, 4.0),
]


def test_figures_are_means_over_all_times_beside_the_running_mean() -> None:
    plain, boosted = figures(SCORES)

    assert (plain.model, plain.ratio) == ("running-mean", 1)
    assert (boosted.error, boosted.wait_error, len(boosted.scores)) == (4.0, 4.0, 2)
    assert boosted.ratio == pytest.approx(0.8)


def test_where_nothing_was_compared_a_model_is_as_good_as_the_running_mean() -> None:
    assert ratio_of([], "running-mean") == 1
    assert ratio_of(SCORES, "boosted") == pytest.approx(0.8)


def test_bins_of_several_times_are_added_up_by_customers() -> None:
    found = pooled(
        [
            score("a", 1.0, bins=(Bin(10, 0.15, 0.2), Bin(5, 1.0, 1.0))),
            score("a", 1.0, bins=(Bin(30, 0.11, 0.4),)),
        ]
    )

    assert [one.customers for one in found] == [40, 5]
    assert found[0].foretold == pytest.approx(0.12)
    assert found[0].came == pytest.approx(0.35)
