"""Buy X get Y, and the cheapest of N."""

from collections.abc import Sequence

import pytest

from services.evaluator.promotion import decide
from shared.events.benefits import Benefit, BuyGet, CheapestFree
from shared.events.checkout import CartLine
from shared.events.promotion import Repeat
from tests.builders import (
    all_free,
    basket,
    campaign,
    instrument,
    line,
    percent_off,
    products,
    quantity_of,
    ruleset,
)

TEA, MUGS, TEA_OR_MUGS = (products(groups=names) for names in (["tea"], ["mug"], ["tea", "mug"]))


def discounts(goods: Sequence[CartLine], *benefits: Benefit) -> list[int]:
    some = [instrument(f"i-{n}", [], benefit) for n, benefit in enumerate(benefits)]
    found = decide(basket(goods), ruleset(campaign(instruments=some)), all_free)
    return [x.discount for x in found.lines]


def pieces(*amounts: int) -> list[CartLine]:
    return [line(n, amount=amount) for n, amount in enumerate(amounts, 1)]


def tea(number: int, units: int, each: int = 100) -> CartLine:
    return line(number, amount=units * each, quantity=units * 1_000, group="tea")


def mug(number: int, units: int, each: int = 500) -> CartLine:
    return line(number, amount=units * each, quantity=units * 1_000, group="mug")


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([300, 200], [0, 0]),
        ([300, 100, 200], [0, 100, 0]),
        ([300, 100, 200, 400, 500], [0, 100, 0, 0, 0]),
        ([300, 100, 200, 400, 500, 600], [0, 100, 200, 0, 0, 0]),
        ([100, 100, 100], [100, 0, 0]),
    ],
)
def test_the_cheapest_of_every_three_is_free(amounts: list[int], expected: list[int]) -> None:
    assert discounts(pieces(*amounts), CheapestFree(of=3_000)) == expected


@pytest.mark.parametrize(
    ("benefit", "expected"),
    [
        (CheapestFree(of=3_000, percent=5_000), [100]),
        (CheapestFree(of=2_000), [300]),
        (CheapestFree(of=2_000, max_times=1), [100]),
        (CheapestFree(of=2_500), [200]),
        (CheapestFree(of=7_000), [0]),
        (CheapestFree(of=2_000, products=MUGS), [0]),
        (BuyGet(buy=2_000, get=1_000), [200]),
        (BuyGet(buy=1_000, get=2_000), [400]),
        (BuyGet(buy=5_000, get=1_000), [100]),
        (BuyGet(buy=6_000, get=1_000), [0]),
        (BuyGet(buy=1_000, get=1_000, percent=3_333), [100]),  # 99.99
        (BuyGet(buy=1_000, get=1_000, max_times=2), [200]),
        (BuyGet(buy=1_000, get=500), [200]),
    ],
)
def test_of_six_units_at_one_each(benefit: Benefit, expected: list[int]) -> None:
    assert discounts([tea(1, 6)], benefit) == expected


@pytest.mark.parametrize(
    ("goods", "expected"),
    [
        pytest.param([tea(1, 2), mug(2, 1)], [0, 500], id="two teas: a mug"),
        pytest.param([tea(1, 1), mug(2, 1)], [0, 0], id="one is not enough"),
        pytest.param([tea(1, 5), mug(2, 1)], [0, 500], id="no more than there are"),
        pytest.param([tea(1, 5), mug(2, 3)], [0, 1_000], id="no more than were bought for"),
        pytest.param([tea(1, 2)], [0], id="none there, none free"),
        pytest.param([tea(1, 2), mug(2, 1, 700), mug(3, 1, 300)], [0, 0, 300], id="the cheapest"),
    ],
)
def test_a_mug_for_every_two_teas(goods: list[CartLine], expected: list[int]) -> None:
    assert discounts(goods, BuyGet(buy=2_000, get=1_000, products=TEA, rewards=MUGS)) == expected


@pytest.mark.parametrize(
    ("goods", "expected"),
    [
        pytest.param([tea(1, 1)], [0], id="what is rewarded is not bought"),
        pytest.param([tea(1, 2)], [100], id="one for one"),
        pytest.param([tea(1, 3)], [100], id="the third has no partner"),
        pytest.param([tea(1, 4)], [200], id="two for two"),
        pytest.param([tea(1, 1), mug(2, 1)], [100, 0], id="a mug buys a tea"),
        pytest.param([tea(1, 3), mug(2, 1)], [200, 0], id="the cheapest are rewarded"),
    ],
)
def test_a_tea_for_every_tea_or_mug(goods: list[CartLine], expected: list[int]) -> None:
    benefit = BuyGet(buy=1_000, get=1_000, products=TEA_OR_MUGS, rewards=TEA)
    assert discounts(goods, benefit) == expected


def test_the_cheapest_is_by_the_carts_prices_and_free_of_what_remains() -> None:
    goods = [line(1, amount=400, group="tea"), line(2, amount=300)]
    half = percent_off(5_000, products=TEA)
    assert discounts(goods, half, CheapestFree(of=2_000)) == [200, 300]


def test_what_is_free_keeps_its_floor() -> None:
    goods = [line(1, amount=100, min_line_amount=1), line(2, amount=300)]
    assert discounts(goods, CheapestFree(of=2_000)) == [99, 0]


def test_goods_by_weight_are_free_by_weight() -> None:
    goods = [line(1, amount=750, quantity=1_500), line(2, amount=2_000, quantity=2_000)]
    assert discounts(goods, BuyGet(buy=2_000, get=1_000)) == [500, 0]
    assert discounts(goods, BuyGet(buy=1_000, get=750)) == [750, 0]


def test_a_maximum_of_times_is_for_each_time_the_conditions_are_met() -> None:
    benefit = BuyGet(buy=1_000, get=1_000, max_times=1)
    repeated = instrument("i", [quantity_of(TEA, 2_000)], benefit, repeat=Repeat())
    found = decide(basket([tea(1, 8)]), ruleset(campaign(instruments=[repeated])), all_free)
    assert [(g.times, g.discount) for g in found.granted] == [(4, 400)]
