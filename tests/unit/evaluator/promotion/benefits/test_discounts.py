"""Percentages of some units, amounts, prices: line by line, to the cent."""

from collections.abc import Sequence

import pytest

from services.evaluator.promotion import Verdict, decide
from shared.events.benefits import AmountOff, Benefit, FixedPrice, PercentOff
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

TEA = products(groups=["tea"])


def verdict(goods: Sequence[CartLine], *benefits: Benefit, times: int = 1) -> Verdict:
    """The benefits one after another; ``times`` > 1: for goods that come so often."""
    repeat = Repeat() if times > 1 else None
    least = sum(x.quantity for x in goods) // times
    conditions = [quantity_of(products(), least)] if times > 1 else []
    some = [
        instrument(f"i-{n}", conditions, benefit, repeat=repeat)
        for n, benefit in enumerate(benefits)
    ]
    return decide(basket(goods), ruleset(campaign(instruments=some)), all_free)


def discounts(goods: Sequence[CartLine], *benefits: Benefit, times: int = 1) -> list[int]:
    return [x.discount for x in verdict(goods, *benefits, times=times).lines]


def lines(*amounts: int) -> list[CartLine]:
    return [line(n, amount=amount) for n, amount in enumerate(amounts, 1)]


THREE = [
    line(1, amount=900, quantity=3_000),  # 3.00 each
    line(2, amount=1_000, quantity=2_000),  # 5.00 each
    line(3, amount=100),
]


@pytest.mark.parametrize(
    ("most", "pick", "expected"),
    [
        (1_000, "cheapest", [0, 0, 50]),
        (2_000, "cheapest", [150, 0, 50]),
        (1_500, "cheapest", [75, 0, 50]),
        (6_000, "cheapest", [450, 500, 50]),
        (99_000, "cheapest", [450, 500, 50]),
        (1_000, "dearest", [0, 250, 0]),
        (3_000, "dearest", [150, 500, 0]),
        (333, "dearest", [0, 83, 0]),  # 83.25
        (1, "cheapest", [0, 0, 0]),
    ],
)
def test_half_off_so_many_units(most: int, pick: str, expected: list[int]) -> None:
    benefit = PercentOff.model_validate({"percent": 5_000, "max_units": most, "pick": pick})
    assert discounts(THREE, benefit) == expected


def test_units_as_dear_as_each_other_are_taken_in_line_order() -> None:
    assert discounts(lines(500, 500, 500), percent_off(5_000, max_units=2_000)) == [250, 250, 0]


def test_a_part_of_a_line_is_of_what_remains_of_it() -> None:
    goods = [line(1, amount=1_000, quantity=4_000)]
    first, half = percent_off(1_000), percent_off(5_000, max_units=1_000)
    assert discounts(goods, first, half) == [100 + 113]  # half of 225 is 112.5


def test_units_and_amounts_come_as_often_as_the_conditions_are_met() -> None:
    goods = [line(1, amount=1_000, quantity=4_000)]
    assert discounts(goods, percent_off(10_000, max_units=1_000), times=2) == [500]
    assert discounts(goods, AmountOff(amount=30), times=2) == [60]
    assert discounts(goods, AmountOff(amount=30, max_discount=50), times=2) == [50]
    assert discounts(goods, FixedPrice(price=200, max_units=1_000), times=2) == [100]


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (1, [0, 1, 0]),
        (100, [30, 60, 10]),
        (333, [100, 200, 33]),
        (1_000, [300, 600, 100]),
        (9_999, [300, 600, 100]),
    ],
)
def test_an_amount_is_spread_by_what_the_lines_come_to(amount: int, expected: list[int]) -> None:
    assert discounts(lines(300, 600, 100), AmountOff(amount=amount)) == expected


@pytest.mark.parametrize(
    ("floors", "amount", "expected"),
    [
        ((250, 0, 0), 100, [30, 60, 10]),
        ((290, 0, 0), 100, [10, 77, 13]),
        ((290, 590, 0), 100, [10, 10, 80]),
        ((290, 590, 90), 100, [10, 10, 10]),
        ((300, 0, 0), 700, [0, 600, 100]),
        ((400, 0, 0), 50, [0, 43, 7]),
    ],
)
def test_what_does_not_fit_on_a_line_moves_to_the_others(
    floors: tuple[int, ...], amount: int, expected: list[int]
) -> None:
    goods = [
        line(n, amount=each, min_line_amount=floor)
        for n, (each, floor) in enumerate(zip((300, 600, 100), floors, strict=True), 1)
    ]
    found = verdict(goods, AmountOff(amount=amount))
    assert [x.discount for x in found.lines] == expected
    assert found.discount == min(amount, sum(expected))


def test_an_amount_fits_on_what_earlier_benefits_left() -> None:
    first, second = percent_off(10_000, products=TEA), AmountOff(amount=400)
    goods = [line(1, amount=300, group="tea"), line(2, amount=300)]
    assert discounts(goods, first, second) == [300, 300]


@pytest.mark.parametrize(
    ("benefit", "expected"),
    [
        pytest.param(AmountOff(amount=50, per_unit=True), [150, 100, 50], id="off each unit"),
        pytest.param(AmountOff(amount=250, per_unit=True), [840, 560, 100], id="the rest moves"),
        pytest.param(
            AmountOff(amount=50, per_unit=True, max_discount=60), [30, 20, 10], id="held to a sum"
        ),
        pytest.param(
            AmountOff(amount=50, per_unit=True, max_units=2_000), [50, 0, 50], id="the cheapest two"
        ),
        pytest.param(
            AmountOff(amount=50, per_unit=True, max_units=3_000, pick="dearest"),
            [50, 100, 0],
            id="the dearest three",
        ),
        pytest.param(
            AmountOff(amount=700, per_unit=True, max_units=1_000, pick="dearest"),
            [0, 500, 0],
            id="no unit gets more than it is worth",
        ),
        pytest.param(
            AmountOff(amount=5_000, per_unit=True, products=TEA), [0, 0, 0], id="of nothing"
        ),
    ],
)
def test_an_amount_off_each_unit(benefit: AmountOff, expected: list[int]) -> None:
    assert discounts(THREE, benefit) == expected


@pytest.mark.parametrize(("grams", "expected"), [(1_250, 63), (500, 25), (10, 1), (9, 0)])
def test_an_amount_off_a_kilo_is_by_weight(grams: int, expected: int) -> None:
    goods = [line(1, amount=2_000, quantity=grams)]
    assert discounts(goods, AmountOff(amount=50, per_unit=True)) == [expected]


@pytest.mark.parametrize(
    ("benefit", "expected"),
    [
        pytest.param(FixedPrice(price=200), [300, 600, 0], id="each; what is cheaper stays"),
        pytest.param(FixedPrice(price=0), [900, 1_000, 100], id="for nothing"),
        pytest.param(FixedPrice(price=500), [0, 0, 0], id="nobody pays more"),
        pytest.param(FixedPrice(price=200, max_units=1_000), [0, 300, 0], id="the dearest unit"),
        pytest.param(FixedPrice(price=200, max_units=3_000), [100, 600, 0], id="three units"),
        pytest.param(FixedPrice(price=200, products=TEA), [0, 0, 0], id="of nothing"),
    ],
)
def test_a_price_for_each_unit(benefit: FixedPrice, expected: list[int]) -> None:
    assert discounts(THREE, benefit) == expected


def test_a_price_by_weight_is_rounded_once() -> None:
    goods = [line(1, amount=333, quantity=333), line(2, amount=333, quantity=333)]
    # 10.00 a kilo at 5.00: 166.5 off each, 333 off both
    assert discounts(goods, FixedPrice(price=500)) == [167, 166]


def test_a_price_does_not_undercut_a_floor() -> None:
    goods = [line(1, amount=1_000, min_unit_price=700), line(2, amount=1_000)]
    assert discounts(goods, FixedPrice(price=500)) == [300, 500]


@pytest.mark.parametrize(
    ("goods", "benefit", "expected"),
    [
        pytest.param(
            lines(50, 40, 30), FixedPrice(price=99, units=3_000), [9, 7, 5], id="3 for 0.99"
        ),
        pytest.param(lines(50, 40), FixedPrice(price=60, units=3_000), [0, 0], id="no full set"),
        pytest.param(
            lines(10, 40, 50, 30),
            FixedPrice(price=99, units=3_000),
            [0, 7, 9, 5],
            id="of the dearest units",
        ),
        pytest.param(
            lines(50, 50, 50, 10, 10, 10),
            FixedPrice(price=99, units=3_000),
            [17, 17, 17, 0, 0, 0],
            id="a set that is cheaper already is none",
        ),
        pytest.param(
            [line(1, amount=700, quantity=7_000)],
            FixedPrice(price=250, units=3_000),
            [100],
            id="two sets of seven",
        ),
        pytest.param(
            [line(1, amount=700, quantity=7_000)],
            FixedPrice(price=250, units=3_000, max_units=5_000),
            [50],
            id="of at most five units one",
        ),
        pytest.param(
            [line(1, amount=300, quantity=2_000), line(2, amount=200, quantity=2_000)],
            FixedPrice(price=300, units=3_000),
            [75, 25],
            id="a set over two lines",
        ),
        pytest.param(lines(50, 49), FixedPrice(price=99, units=2_000), [0, 0], id="as dear"),
        pytest.param(
            lines(500, 400, 10, 9, 8, 7),
            FixedPrice(price=100, units=2_000),
            [444, 356, 0, 0, 0, 0],
            id="one set saves more than three",
        ),
    ],
)
def test_a_price_for_full_sets(
    goods: list[CartLine], benefit: FixedPrice, expected: list[int]
) -> None:
    assert discounts(goods, benefit) == expected


def test_more_goods_never_make_sets_dearer() -> None:
    price = FixedPrice(price=500, units=3_000)
    few = verdict(lines(400, 300, 200), price).discount
    for cheap in (1, 50, 160, 167, 300):
        more = [*lines(400, 300, 200), *[line(n, amount=cheap) for n in (7, 8, 9)]]
        assert verdict(more, price).discount >= few


def test_sets_of_goods_that_were_discounted_before() -> None:
    goods = [line(1, amount=600, group="tea"), *[line(n, amount=300) for n in (2, 3, 4)]]
    half = percent_off(9_000, products=TEA)
    # Of the dearest by the cart's prices: tea for 0.60, 3.00 and 3.00, at 2.00.
    found = verdict(goods, half, FixedPrice(price=200, units=3_000))
    assert [granted.discount for granted in found.granted] == [540, 460]
