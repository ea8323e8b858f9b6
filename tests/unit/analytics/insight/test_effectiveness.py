"""Uplift against a control group, how often its interval is right, and where budget should go."""

import random
from typing import Any

import pytest

from services.analytics.insight.effectiveness import (
    LEAST_CUSTOMERS,
    Arm,
    Candidate,
    Estimate,
    Move,
    incremental,
    suggest,
    uplift,
)


def arm(customers: int, each: int) -> Arm:
    """Customers who all paid the same."""
    return Arm(customers, customers, customers * each, customers * each * each)


def test_arms_that_pay_as_their_shares_say_have_no_uplift() -> None:
    found = uplift(arm(900, 1_000), arm(100, 1_000), 0.1)
    assert found is not None
    assert found.value == pytest.approx(0)
    assert found.lower < 0 < found.upper


def test_customers_that_only_the_campaign_has_brought_count_for_it() -> None:
    """Everybody pays the same; there are a tenth more of them than the control group lets expect."""
    found = uplift(arm(990, 1_000), arm(100, 1_000), 0.1)
    assert found is not None
    assert found.value == pytest.approx(0.1)


def test_the_interval_is_that_of_the_formula() -> None:
    found = uplift(arm(400, 300), arm(100, 200), 0.2)
    assert found is not None
    # 1 + uplift = (400·300/0.8) / (100·200/0.2) = 1.5; Var = 1/400 + 1/100
    assert found.value == pytest.approx(0.5)
    assert found.lower == pytest.approx(1.5 * 2.718281828 ** (-1.959964 * 0.0125**0.5) - 1)
    assert found.upper == pytest.approx(1.5 * 2.718281828 ** (1.959964 * 0.0125**0.5) - 1)


@pytest.mark.parametrize(
    ("treated", "held_back", "share"),
    [
        (arm(LEAST_CUSTOMERS - 1, 10), arm(LEAST_CUSTOMERS, 10), 0.5),
        (arm(LEAST_CUSTOMERS, 10), arm(LEAST_CUSTOMERS - 1, 10), 0.5),
        (arm(LEAST_CUSTOMERS, 10), arm(LEAST_CUSTOMERS, 0), 0.5),
        (arm(LEAST_CUSTOMERS, 0), arm(LEAST_CUSTOMERS, 10), 0.5),
        (arm(LEAST_CUSTOMERS, 10), arm(LEAST_CUSTOMERS, 10), 0.0),
        (arm(LEAST_CUSTOMERS, 10), arm(LEAST_CUSTOMERS, 10), 1.0),
    ],
)
def test_too_little_data_gives_no_figure(treated: Arm, held_back: Arm, share: float) -> None:
    enough = arm(LEAST_CUSTOMERS, 10)
    assert uplift(enough, enough, 0.5) is not None
    assert uplift(treated, held_back, share) is None


def a_trial(customers: int, share: float, effect: float, dice: random.Random) -> Estimate | None:
    """What is found where customers pay very differently, and ``effect`` more if they are treated."""
    sums = {True: [0, 0, 0], False: [0, 0, 0]}
    for _ in range(customers):
        held_back = dice.random() < share
        pays = dice.lognormvariate(7, 1) * (1 if held_back else 1 + effect)
        one = sums[held_back]
        one[0] += 1
        one[1] += round(pays)
        one[2] += round(pays) ** 2
    arms = {which: Arm(one[0], one[0], one[1], one[2]) for which, one in sums.items()}
    return uplift(arms[False], arms[True], share)


@pytest.mark.parametrize(("customers", "share"), [(1_300, 0.1), (2_600, 0.05), (400, 0.5)])
def test_the_interval_holds_the_truth_about_nineteen_times_in_twenty(
    customers: int, share: float
) -> None:
    dice = random.Random(20)  # noqa: S311 - to be the same every time
    found = [a_trial(customers, share, 0.15, dice) for _ in range(300)]
    told = [one for one in found if one is not None]
    right = sum(one.lower <= 0.15 <= one.upper for one in told)
    assert len(told) > 250
    assert 0.92 <= right / len(told) <= 0.98


def test_what_is_incremental_is_what_the_control_group_lets_not_expect() -> None:
    treated, held_back = arm(900, 1_200), arm(100, 1_000)
    found = uplift(treated, held_back, 0.1)
    assert found is not None
    brought = incremental(treated, found)
    assert brought.value == pytest.approx(treated.revenue - 9 * held_back.revenue)
    assert brought.lower < brought.value < brought.upper


def candidate(name: str, revenue: float = 10, **values: Any) -> Candidate:
    fields: dict[str, Any] = {"receipts": 100, "net_discount": 1_000}
    return Candidate(name, name.upper(), revenue_per_discount=revenue, **(fields | values))


def proven(name: str, low: float, value: float, high: float, **values: Any) -> Candidate:
    effect = Estimate(value / 100, low / 100, high / 100)
    return candidate(name, per_discount=Estimate(value, low, high), uplift=effect, **values)


def test_budget_goes_where_a_discount_has_brought_more_because_of_the_campaign() -> None:
    move = suggest([proven("a", 4, 5, 6), proven("b", 1, 2, 3), proven("c", 2, 3, 4)])
    assert isinstance(move, Move)
    assert (move.source.campaign_id, move.target.campaign_id) == ("b", "a")
    assert (move.basis, move.certain) == ("uplift", True)
    assert [(r.code, r.campaign_id) for r in move.reasons] == [
        ("brings_less", "b"),
        ("brings_more", "a"),
        ("uplift_proven", "b"),
        ("uplift_proven", "a"),
    ]
    assert move.reasons[0].figures == {
        "per_discount": 2,
        "lower": 1,
        "upper": 3,
        "net_discount": 1_000,
    }
    assert move.sentence.startswith("Move budget from B to A: ")


def test_a_difference_that_may_be_chance_is_said_to_be() -> None:
    move = suggest([proven("a", 1, 5, 9), proven("b", -3, 2, 7)])
    assert isinstance(move, Move)
    assert not move.certain
    assert move.reasons[2].code == "uplift_not_proven"
    assert "may be chance" in move.sentence


def test_without_control_groups_the_revenue_decides_and_proves_nothing() -> None:
    move = suggest([candidate("a", 10), proven("b", 1, 2, 3, revenue=20)])
    assert isinstance(move, Move)
    assert (move.source.campaign_id, move.target.campaign_id) == ("a", "b")
    assert (move.basis, move.certain) == ("revenue", False)
    assert [r.code for r in move.reasons if r.campaign_id == "a"] == [
        "brings_less",
        "no_control_group",
    ]
    assert "not known" in move.sentence


@pytest.mark.parametrize(
    ("candidates", "why"),
    [
        ([], "too_few_campaigns"),
        ([candidate("a")], "too_few_campaigns"),
        ([candidate("a"), candidate("b", receipts=29)], "too_little_data"),
        ([candidate("a"), candidate("b", net_discount=0)], "too_little_data"),
        ([candidate("a", 10), candidate("b", 12)], "no_difference"),
        ([proven("a", 1, 10, 20), proven("b", 1, 12, 20)], "no_difference"),
        ([proven("a", -9, -3, 1), proven("b", -9, -1, 1)], "no_difference"),
    ],
)
def test_nothing_is_suggested_without_a_reason(candidates: list[Candidate], why: str) -> None:
    assert suggest(candidates) == why
