"""Bonus points, gifts, and tiers."""

from collections.abc import Iterable

import pytest

from services.evaluator.promotion import NearMiss, Verdict, decide
from shared.events.benefits import Benefit, GiftGoods, Tier, Tiers
from shared.events.promotion import Repeat
from shared.events.values import MAX_MONEY, MAX_QUANTITY, Gift
from tests.builders import (
    all_free,
    basket,
    bonuses,
    campaign,
    instrument,
    line,
    percent_off,
    products,
    ruleset,
    total,
)

TEA = products(groups=["tea"])


def verdict(
    amount: int,
    benefits: Iterable[Benefit],
    *,
    each: int = 0,
    customer_id: str | None = "c-1",
    group: str = "tea",
) -> Verdict:
    """A cart of the amount; ``each``: the benefits come for each so much of it."""
    conditions, repeat = ([total(each)], Repeat()) if each else ([], None)
    some = [
        instrument(f"i-{n}", conditions, benefit, repeat=repeat)
        for n, benefit in enumerate(benefits)
    ]
    of = basket([line(amount=amount, group=group)], customer_id=customer_id)
    return decide(of, ruleset(campaign(instruments=some)), all_free)


@pytest.mark.parametrize(
    ("benefit", "each", "points"),
    [
        (bonuses(50), 0, 50),
        (bonuses(50), 400, 100),
        (bonuses(50, 1_000), 0, 150),
        (bonuses(50, 1_000), 400, 200),
        (bonuses(50, 1_000, max_points=149), 0, 149),
        (bonuses(50, max_points=70), 400, 70),
        (bonuses(50, products=products(groups=["mug"])), 0, 0),
        (bonuses(percent=1_000, max_points=0), 0, 0),
    ],
)
def test_points_for_a_receipt_of_ten(benefit: Benefit, each: int, points: int) -> None:
    found = verdict(1_000, [benefit], each=each)
    assert found.bonuses == points
    assert bool(found.granted) is bool(points)


def test_points_are_never_more_than_a_receipt_can_state() -> None:
    found = verdict(10**9, [bonuses(1_000_000), bonuses(1_000_000)], each=1)
    assert found.bonuses == MAX_MONEY
    assert [(g.instrument_id, g.bonuses) for g in found.granted] == [("i-0", MAX_MONEY)]


def test_gifts_come_as_often_as_the_conditions_are_met() -> None:
    mug, tea = Gift(sku="mug"), Gift(sku="tea", quantity=250)
    (granted,) = verdict(1_000, [GiftGoods(gifts=(mug, tea))], each=400).granted
    assert granted.gifts == (Gift(sku="mug", quantity=2_000), Gift(sku="tea", quantity=500))
    assert (granted.times, granted.choose) == (2, None)


def test_gifts_are_never_more_than_a_line_can_hold() -> None:
    (granted,) = verdict(10**9, [GiftGoods(gifts=(Gift(sku="mug"),))], each=1).granted
    assert granted.gifts == (Gift(sku="mug", quantity=MAX_QUANTITY),)


def test_of_a_choice_the_whole_list_is_given_and_how_many_may_be_taken() -> None:
    gifts = (Gift(sku="mug"), Gift(sku="tea"), Gift(sku="pen"))
    (granted,) = verdict(1_000, [GiftGoods(gifts=gifts, choose=2)]).granted
    assert (granted.gifts, granted.choose) == (gifts, 2)


def test_gifts_need_no_customer_but_points_do() -> None:
    assert verdict(1_000, [GiftGoods(gifts=(Gift(sku="mug"),))], customer_id=None).granted
    (refused,) = verdict(1_000, [bonuses(50)], customer_id=None).refused
    assert refused.reason == "customer_unknown"


def tier(at_least: int, benefit: Benefit, below: int | None = None) -> Tier:
    return Tier.model_validate({"at_least": at_least, "benefit": benefit, "below": below})


FIVE, TEN = percent_off(500), percent_off(1_000)
RISING = Tiers(tiers=(tier(30_000, FIVE), tier(50_000, TEN)))


@pytest.mark.parametrize(
    ("amount", "discount", "missing"),
    [
        (29_999, 0, 1),
        (30_000, 1_500, 20_000),
        (49_999, 2_500, 1),
        (50_000, 5_000, None),
        (90_000, 9_000, None),
    ],
)
def test_300_gets_5_percent_and_500_gets_10(
    amount: int, discount: int, missing: int | None
) -> None:
    found = verdict(amount, [RISING])
    assert found.discount == discount
    expected = [("i-0", missing, "money")] if missing else []
    assert [(m.instrument_id, m.missing, m.unit) for m in found.near_misses] == expected


def test_tiers_may_be_written_in_any_order() -> None:
    backwards = Tiers(tiers=tuple(reversed(RISING.tiers)))
    assert verdict(40_000, [backwards]) == verdict(40_000, [RISING])


@pytest.mark.parametrize(
    ("amount", "discount", "missing"),
    [(100, 5, 200), (199, 10, 101), (200, 0, 100), (299, 0, 1), (300, 30, None), (500, 0, None)],
)
def test_between_tiers_that_end_there_is_nothing(
    amount: int, discount: int, missing: int | None
) -> None:
    gap = Tiers(tiers=(tier(100, FIVE, below=200), tier(300, TEN, below=400)))
    found = verdict(amount, [gap])
    assert found.discount == discount
    assert [miss.missing for miss in found.near_misses] == ([missing] if missing else [])
    if not discount:
        assert [refused.condition for refused in found.refused] == ["tiers"]


@pytest.mark.parametrize(("group", "discount"), [("tea", 100), ("mug", 0)])
def test_tiers_by_the_quantity_of_products(group: str, discount: int) -> None:
    by_tea = Tiers(by="quantity", products=TEA, tiers=(tier(1_000, TEN),))
    found = verdict(1_000, [by_tea], group=group)
    assert found.discount == discount
    if not discount:
        assert found.near_misses == (
            NearMiss("campaign-1", "i-0", "i-0", 1_000, "quantity", "tiers"),
        )


def test_tiers_are_by_the_carts_prices_whatever_came_off_before() -> None:
    found = verdict(30_000, [percent_off(5_000), RISING])
    assert [granted.discount for granted in found.granted] == [15_000, 750]


def test_tiers_of_different_kinds() -> None:
    mixed = Tiers(tiers=(tier(100, bonuses(5)), tier(200, GiftGoods(gifts=(Gift(sku="mug"),)))))
    assert verdict(100, [mixed]).bonuses == 5
    assert verdict(100, [mixed], customer_id=None).refused[0].reason == "customer_unknown"
    assert verdict(200, [mixed], customer_id=None).granted[0].gifts == (Gift(sku="mug"),)


def test_a_tier_with_points_gets_them_on_money_paid() -> None:
    tiers = Tiers(tiers=(tier(100, bonuses(percent=1_000)),))
    assert verdict(1_000, [tiers, percent_off(5_000)]).bonuses == 50
