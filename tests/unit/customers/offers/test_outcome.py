"""What offers bring: figures by hand, and how often the intervals hold in simulated shops."""

import random
from math import sqrt

import pytest

from services.customers.offers.outcome import (
    LEAST_CUSTOMERS,
    LEAST_FOR_SPENDING,
    Arm,
    Estimate,
    more_buyers,
    more_spending,
    uplift,
)


def arm(*paid: int) -> Arm:
    return Arm(len(paid), sum(one > 0 for one in paid), sum(paid), sum(one * one for one in paid))


def test_the_difference_of_two_shares_has_the_interval_of_newcombe() -> None:
    # His table II, method 10: 56/70 − 48/80.
    found = more_buyers(Arm(70, 56), Arm(80, 48))
    assert found is not None
    assert (round(found.value, 4), round(found.lower, 4), round(found.upper, 4)) == (
        0.2,
        0.0524,
        0.3339,
    )


def test_all_against_nobody_is_not_quite_certain() -> None:
    found = more_buyers(Arm(30, 30), Arm(30, 0))
    assert found is not None
    assert found.value == 1
    assert 0.8 < found.lower < 1
    assert found.upper == pytest.approx(1)


def test_the_difference_of_two_means_has_welchs_interval() -> None:
    ones = arm(*[0, 200] * 50)
    others = arm(*[0, 100] * 100)
    found = more_spending(ones, others)
    assert found is not None
    assert found.value == 50
    # s₁² = 100²·100/99, s₂² = 50²·200/199; t(126.2 degrees of freedom, 97.5%) = 1.97895
    width = 1.97895 * sqrt(100**2 / 99 + 50**2 / 199)
    assert found.lower == pytest.approx(50 - width, abs=0.01)
    assert found.upper == pytest.approx(50 + width, abs=0.01)


def test_uplift_is_relative_to_the_control_group() -> None:
    found = uplift(arm(*[150] * 100), arm(*[100] * 100))
    assert found is not None
    assert found.lower == pytest.approx(found.value) == pytest.approx(0.5)
    spread = uplift(arm(*[100, 200] * 50), arm(*[50, 150] * 50))
    assert spread is not None
    variance = (2_500 * 100 / 99) / 100 / 150**2 + (2_500 * 100 / 99) / 100 / 100**2
    assert spread.upper == pytest.approx(1.5 * 2.718281828 ** (1.959964 * sqrt(variance)) - 1)
    assert spread.lower == pytest.approx(1.5 * 2.718281828 ** (-1.959964 * sqrt(variance)) - 1)


def test_small_arms_and_arms_that_paid_nothing_give_no_figure() -> None:
    few, enough = Arm(LEAST_CUSTOMERS - 1, 5), Arm(LEAST_CUSTOMERS, 5)
    assert more_buyers(few, enough) is None
    assert more_buyers(enough, few) is None
    assert more_buyers(enough, enough) is not None
    few, enough = arm(*[100] * (LEAST_FOR_SPENDING - 1)), arm(*[100] * LEAST_FOR_SPENDING)
    for estimate in (more_spending, uplift):
        assert estimate(few, enough) is None
        assert estimate(enough, few) is None
        assert estimate(enough, enough) is not None
    nothing = arm(*[0] * LEAST_FOR_SPENDING)
    assert uplift(nothing, enough) is None
    assert uplift(enough, nothing) is None
    assert more_spending(nothing, nothing) == Estimate(0, 0, 0)


def test_an_effect_is_proven_where_nought_is_outside_the_interval() -> None:
    assert Estimate(0.2, 0.1, 0.3).proven
    assert Estimate(-0.2, -0.3, -0.1).proven
    assert not Estimate(0.2, 0, 0.3).proven
    assert not Estimate(-0.2, -0.3, 0).proven


class Shop:
    """Customers who buy with a chance, and pay very unequally: the logarithm of a basket is normal."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - to be the same every time

    def arm(self, customers: int, chance: float, times: float = 1.0) -> Arm:
        """What so many do within the days; ``times`` as much as others."""
        dice = self.dice
        return arm(
            *[
                round(times * dice.lognormvariate(8, 0.8)) if dice.random() < chance else 0
                for _ in range(customers)
            ]
        )


TRIALS = 1_000
# So many of 1,000 intervals hold: 950 ± 3.5 standard deviations of chance, and a little for approximations.
LEAST, MOST = 925, 974


@pytest.mark.parametrize(
    ("treated", "held_back", "without", "because"),
    [(900, 100, 0.20, 0.05), (400, 40, 0.03, 0.02), (5_000, 500, 0.40, 0.0)],
)
def test_the_interval_of_buyers_holds_nineteen_times_in_twenty(
    treated: int, held_back: int, without: float, because: float
) -> None:
    shop = Shop(7)

    def one_holds() -> bool:
        buyers = [
            sum(shop.dice.random() < chance for _ in range(customers))
            for customers, chance in ((treated, without + because), (held_back, without))
        ]
        found = more_buyers(Arm(treated, buyers[0]), Arm(held_back, buyers[1]))
        return found is not None and found.lower <= because <= found.upper

    assert LEAST <= sum(one_holds() for _ in range(TRIALS // 2)) * 2 <= MOST


@pytest.mark.parametrize(("treated", "held_back"), [(900, 150), (300, 300)])
def test_the_intervals_of_spending_hold_nineteen_times_in_twenty(
    treated: int, held_back: int
) -> None:
    shop = Shop(11)
    mean = 2.718281828 ** (8 + 0.8**2 / 2)
    truth = mean * (0.5 * 1.1 - 0.4)
    relative = 0.5 * 1.1 / 0.4 - 1
    right = [0, 0]
    trials = TRIALS // 2
    for _ in range(trials):
        arms = shop.arm(treated, 0.5, 1.1), shop.arm(held_back, 0.4)
        for n, (estimate, true) in enumerate(((more_spending, truth), (uplift, relative))):
            found = estimate(*arms)
            assert found is not None
            right[n] += found.lower <= true <= found.upper
    assert all(LEAST <= one * TRIALS // trials <= MOST for one in right), right
