"""What benefits come to, line by line."""

import pytest

from services.evaluator.promotion import Basket, Verdict, decide
from shared.events.benefits import Benefit, GiftGoods
from shared.events.checkout import CartLine
from shared.events.values import Gift
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
    staff_discount,
)

BOUNTY = products(brands=["Bounty"])


def verdict(of: Basket, *benefits: Benefit, include_discounted: bool = False) -> Verdict:
    """The benefits in this order, each an instrument without conditions."""
    instruments = [
        instrument(f"i-{n}", benefit=benefit, include_discounted=include_discounted)
        for n, benefit in enumerate(benefits)
    ]
    return decide(of, ruleset(campaign(instruments=instruments)), all_free)


def discounts(found: Verdict) -> list[int]:
    return [decided.discount for decided in found.lines]


@pytest.mark.parametrize(
    ("percent", "amounts", "expected"),
    [
        pytest.param(1_000, [30_000], [3_000], id="10% of 300.00"),
        pytest.param(1_000, [1_004], [100], id="100.4 is rounded down"),
        pytest.param(1_000, [1_005], [101], id="a half goes up"),
        pytest.param(1_000, [5, 5, 5], [1, 1, 0], id="rounded once: 1.5 is 2, not three times 1"),
        pytest.param(1_000, [4, 4, 4, 4], [1, 1, 0, 0], id="0.4 four times is 2, not 0"),
        pytest.param(3_333, [100, 200], [33, 67], id="largest remainder"),
        pytest.param(1, [4_999], [0], id="0.4999 is nothing"),
        pytest.param(1, [5_000], [1], id="0.5 is a cent"),
        pytest.param(10_000, [123, 456], [123, 456], id="100% leaves nothing"),
        pytest.param(1_000, [0, 1_000], [0, 100], id="a line of nothing gets nothing"),
    ],
)
def test_a_percentage_of_the_receipt(percent: int, amounts: list[int], expected: list[int]) -> None:
    goods = [line(n, amount=amount) for n, amount in enumerate(amounts, 1)]
    found = verdict(basket(goods), percent_off(percent))
    assert discounts(found) == expected
    assert found.discount == sum(expected)
    assert found.total == sum(amounts)


def test_a_percentage_that_comes_to_nothing_is_no_redemption() -> None:
    found = verdict(basket([line(amount=4)]), percent_off(1_000))
    assert found.granted == ()
    assert [refused.reason for refused in found.refused] == ["nothing_to_discount"]


def test_a_percentage_of_products_leaves_the_others_alone() -> None:
    goods = [line(1, amount=1_500, brand="Bounty"), line(2, amount=9_000)]
    found = verdict(basket(goods), percent_off(1_000, products=BOUNTY))
    (granted,) = found.granted
    assert (granted.discount, granted.lines) == (150, ((1, 150),))
    assert discounts(found) == [150, 0]


def test_products_that_are_not_there_give_nothing() -> None:
    found = verdict(basket(), percent_off(1_000, products=BOUNTY))
    assert [refused.reason for refused in found.refused] == ["nothing_to_discount"]


@pytest.mark.parametrize(
    "excluded",
    [
        pytest.param(line(2, amount=500, no_promo=True), id="by law"),
        pytest.param(line(2, amount=500, discounts=(staff_discount(),)), id="by a staff discount"),
    ],
)
def test_excluded_goods_take_no_discount_and_earn_nothing(excluded: CartLine) -> None:
    shopper = basket([line(1, amount=1_000), excluded], customer_id="c-1")
    found = verdict(shopper, percent_off(1_000), bonuses(percent=1_000))
    assert discounts(found) == [100, 0]
    assert found.bonuses == 90
    assert found.total == 1_500


def test_goods_discounted_elsewhere_may_be_included() -> None:
    goods = [line(amount=1_000, discounts=(staff_discount(),))]
    assert discounts(verdict(basket(goods), percent_off(1_000), include_discounted=True)) == [100]


@pytest.mark.parametrize("benefit", [percent_off(), bonuses(50), GiftGoods(gifts=(Gift(sku="g"),))])
def test_a_receipt_of_excluded_goods_alone_earns_nothing(benefit: Benefit) -> None:
    found = verdict(basket([line(no_promo=True)], customer_id="c-1"), benefit)
    assert [refused.reason for refused in found.refused] == ["nothing_to_discount"]


@pytest.mark.parametrize(
    ("goods", "expected"),
    [
        pytest.param([line(amount=1_000, min_line_amount=500)], [200], id="room enough"),
        pytest.param([line(amount=1_000, min_line_amount=800)], [200], id="just room enough"),
        pytest.param([line(amount=1_000, min_line_amount=801)], [199], id="cut by a cent"),
        pytest.param([line(amount=1_000, min_line_amount=1_000)], [0], id="no room"),
        pytest.param([line(amount=1_000, min_line_amount=1_200)], [0], id="below already"),
        pytest.param(
            [line(amount=1_000, quantity=2_000, min_unit_price=450)], [100], id="two for 4.50 each"
        ),
        pytest.param(
            [line(amount=1_000, quantity=1_333, min_unit_price=700)], [66], id="933.1 is 934"
        ),
        pytest.param(
            [line(1, amount=1_000, min_line_amount=950), line(2, amount=1_000)],
            [50, 200],
            id="what is cut moves to no other line",
        ),
    ],
)
def test_20_percent_is_cut_at_the_floors(goods: list[CartLine], expected: list[int]) -> None:
    assert discounts(verdict(basket(goods), percent_off(2_000))) == expected


def test_max_discount_caps_what_is_left_after_the_floors() -> None:
    goods = [line(1, amount=1_000, min_line_amount=1_000), line(2, amount=1_000)]
    assert discounts(verdict(basket(goods), percent_off(1_000, max_discount=60))) == [0, 60]


@pytest.mark.parametrize(("most", "expected"), [(101, 100), (100, 100), (99, 99), (1, 1)])
def test_max_discount(most: int, expected: int) -> None:
    assert verdict(basket(), percent_off(1_000, max_discount=most)).discount == expected


def test_max_discount_is_spread_in_proportion() -> None:
    goods = [line(1, amount=1_000), line(2, amount=2_000)]
    assert discounts(verdict(basket(goods), percent_off(5_000, max_discount=100))) == [33, 67]


def test_a_percentage_of_what_remains() -> None:
    found = verdict(basket(), percent_off(1_000), percent_off(1_000, of="remaining"))
    assert [granted.discount for granted in found.granted] == [100, 90]


def test_a_percentage_of_the_original() -> None:
    found = verdict(basket(), percent_off(1_000), percent_off(1_000, of="original"))
    assert [granted.discount for granted in found.granted] == [100, 100]


def test_percentages_of_the_original_stop_at_zero() -> None:
    found = verdict(basket(), *[percent_off(6_000, of="original")] * 3)
    assert [granted.discount for granted in found.granted] == [600, 400]
    assert [refused.reason for refused in found.refused] == ["nothing_to_discount"]


def test_several_instruments_give_different_percentages_to_different_products() -> None:
    goods = [line(1, group="tea"), line(2, group="milk"), line(3, group="bread")]
    found = verdict(
        basket(goods),
        percent_off(500, products=products(groups=["tea"])),
        percent_off(2_000, products=products(groups=["milk"])),
    )
    assert discounts(found) == [50, 200, 0]


@pytest.mark.parametrize(
    ("fixed", "percent", "amount", "expected"),
    [
        (50, None, 1_000, 50),
        (0, 500, 10_000, 500),
        (0, 500, 1_009, 50),  # 50.45
        (0, 500, 1_010, 51),  # 50.5
        (7, 500, 1_010, 58),
    ],
)
def test_bonuses(fixed: int, percent: int | None, amount: int, expected: int) -> None:
    shopper = basket([line(amount=amount)], customer_id="c-1")
    found = verdict(shopper, bonuses(fixed, percent))
    (granted,) = found.granted
    assert (granted.bonuses, granted.discount, granted.lines) == (expected, 0, ())
    assert found.bonuses == expected


def test_bonuses_are_of_the_selected_products() -> None:
    goods = [line(1, amount=1_000, brand="Bounty"), line(2, amount=5_000)]
    shopper = basket(goods, customer_id="c-1")
    assert verdict(shopper, bonuses(percent=1_000, products=BOUNTY)).bonuses == 100


def test_bonuses_are_earned_on_what_all_discounts_leave_even_later_ones() -> None:
    shopper = basket(customer_id="c-1")
    found = verdict(shopper, bonuses(percent=1_000), percent_off(2_000))
    assert (found.discount, found.bonuses) == (200, 80)


def test_bonuses_on_nothing_paid_are_no_redemption() -> None:
    shopper = basket(customer_id="c-1")
    found = verdict(shopper, bonuses(percent=1_000), percent_off(10_000))
    assert [granted.instrument_id for granted in found.granted] == ["i-1"]
    assert [(r.instrument_id, r.reason) for r in found.refused] == [("i-0", "nothing_to_discount")]


def test_gifts_are_given_all() -> None:
    gifts = (Gift(sku="mug"), Gift(sku="tea", quantity=2_000))
    (granted,) = verdict(basket(), GiftGoods(gifts=gifts)).granted
    assert (granted.gifts, granted.discount, granted.lines) == (gifts, 0, ())
