"""Baskets become carts and sales that the contracts accept; a sale registers what was decided."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson

from deploy.demo.campaigns import plan
from deploy.demo.dataset import Basket, CouponCampaign, Presented, Year
from deploy.demo.mapping import Row, product
from deploy.demo.receipts import (
    Applied,
    DecidedLine,
    Decision,
    Gift,
    Opening,
    return_of,
    sale_of,
)
from deploy.demo.till import share_out
from shared.codec import decode
from shared.events.checkout import Cart, Return, Sale

COUPON = 10000085476
SHIFT = timedelta(weeks=464)
NOON = datetime(2017, 11, 1, 17, tzinfo=UTC)


def opening(
    *paid: int,
    at: datetime = NOON,
    coupon: bool = False,
    coupon_discount: int = 0,
    category: str = "APPLES",
) -> tuple[Opening, Basket]:
    """A year of one basket with a row for each amount."""
    rows = [Row(1, 1, amount, 0, coupon_discount) for amount in paid]
    basket = Basket(40, 7, 367, at, 0, len(rows), couponed=bool(coupon_discount))
    campaign = CouponCampaign(
        18, "Type A", date(2017, 10, 30), date(2017, 12, 24), (7,), {COUPON: (1,)}
    )
    year = Year(
        baskets=[basket],
        rows=rows,
        products={1: product(1, "National", category, None)},
        campaigns=[campaign],
        presented={40: [Presented(18, COUPON)]} if coupon else {},
        unmatched=0,
        last=at,
    )
    return Opening(year, plan(year, SHIFT), SHIFT), basket


def decided(*discounts: int, gifts: tuple[Gift, ...] = ()) -> Decision:
    applied = Applied("welcome", "welcome-10", sum(discounts), gifts=gifts)
    lines = tuple(DecidedLine(number, each) for number, each in enumerate(discounts, 1))
    return Decision("d-1", "r-40", "decided", sum(discounts), 0, lines, (applied,))


def test_a_basket_is_a_cart_of_its_household_at_its_store_some_weeks_later() -> None:
    one, basket = opening(1_000, 2_500)
    cart = decode(Cart, one.open(basket).body())
    assert (cart.receipt_id, cart.customer_id, cart.store_id) == ("r-40", "hh-7", "store-367")
    assert cart.occurred_at == NOON + SHIFT
    assert sum(line.amount for line in cart.lines) == 3_500


def test_welcome_is_presented_from_30_00_on() -> None:
    enough, basket = opening(3_000)
    too_little, _ = opening(2_999)
    assert enough.open(basket).cart["codes"] == ["WELCOME"]
    assert too_little.open(basket).cart["codes"] == []


def test_welcome_is_not_presented_before_23_october() -> None:
    early, basket = opening(3_000, at=datetime(2017, 10, 22, 18, tzinfo=UTC))
    assert early.open(basket).cart["codes"] == []


def test_a_receipt_that_is_enough_with_tobacco_only_does_not_qualify() -> None:
    one, basket = opening(3_000, category="CIGARETTES")
    opened = one.open(basket)
    assert (opened.cart["codes"], opened.qualifies) == (["WELCOME"], False)


def test_a_recorded_redemption_presents_its_coupon() -> None:
    one, basket = opening(500, coupon=True)
    assert one.open(basket).cart["codes"] == [f"C18U{COUPON}"]


def test_the_historical_effect_of_a_presented_coupon_is_not_kept_on_its_lines() -> None:
    presented, basket = opening(500, coupon=True, coupon_discount=50)
    other, _ = opening(500, coupon_discount=50)
    assert "discounts" not in presented.open(basket).cart["lines"][0]
    assert other.open(basket).cart["lines"][0]["discounts"] == [{"kind": "other", "amount": 50}]


def test_the_sale_registers_every_line_discount_and_names_the_decision() -> None:
    one, basket = opening(1_000, 2_500)
    made = sale_of(one.open(basket), decided(100, 250, gifts=(Gift("demo-tote-bag"),)))
    sale = decode(Sale, orjson.dumps(made))
    assert [line.discount for line in sale.lines] == [100, 250]
    assert sale.decision_id == "d-1"
    assert sale.given[0].discount == 350
    assert sale.given[0].gifts[0].sku == "demo-tote-bag"
    assert sale.payments[0].amount == 3_150


def test_a_whole_sale_comes_back_with_its_gifts_and_all_that_was_paid() -> None:
    one, basket = opening(1_000, 2_500)
    opened = replace(one.open(basket), comes_back="whole")
    decision = decided(100, 250, gifts=(Gift("demo-tote-bag"),))
    back = return_of(opened, decision, sale_of(opened, decision))
    assert back is not None
    event = decode(Return, orjson.dumps(back.body))
    assert (event.receipt_id, event.lines) == ("r-40", ())
    assert [gift.sku for gift in event.gifts] == ["demo-tote-bag"]
    assert event.occurred_at > opened.occurred_at
    assert (back.refund, back.discount, back.applied) == (3_150, 350, decision.applied)


def test_of_a_part_the_first_line_comes_back_and_no_benefit_is_lost() -> None:
    one, basket = opening(1_000, 2_500)
    opened = replace(one.open(basket), comes_back="part")
    decision = decided(100, 250)
    back = return_of(opened, decision, sale_of(opened, decision))
    assert back is not None
    event = decode(Return, orjson.dumps(back.body))
    assert [(line.line, line.quantity) for line in event.lines] == [(1, 1_000)]
    assert (back.refund, back.discount, back.applied) == (900, 100, ())


def test_nothing_comes_back_of_most_sales_nor_a_part_of_one_line() -> None:
    one, basket = opening(3_500)
    for much in (None, "part"):
        opened = replace(one.open(basket), comes_back=much)
        assert return_of(opened, decided(350), sale_of(opened, decided(350))) is None


def test_a_till_gets_whole_terminals_in_order_of_time() -> None:
    one, _ = opening(100)
    baskets = [
        Basket(
            number, number % 50, number % 9, NOON + timedelta(minutes=number), 0, 1, couponed=False
        )
        for number in range(400)
    ]
    shares = share_out(baskets, one, 7)
    owners: dict[tuple[int, str], set[int]] = {}
    for till, share in enumerate(shares):
        assert [basket.at for basket in share] == sorted(basket.at for basket in share)
        for basket in share:
            owners.setdefault(one.terminal_of(basket), set()).add(till)
    assert sorted(basket.basket_id for share in shares for basket in share) == list(range(400))
    assert all(len(tills) == 1 for tills in owners.values())
