"""What a return does: money, slots, discounts, bonuses and gifts; parts that add up are the whole."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from services.evaluator import receipt
from services.evaluator.counters import Counter, Counters
from services.evaluator.promotion.basket import Basket
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.purchases import PaidReceipt, paid_receipt
from services.evaluator.receipt import ConflictError, Receipt
from services.evaluator.reversal import Repriced, Reversal, remaining_of, reprice, reverse
from shared.events.benefits import Benefit, GiftGoods
from shared.events.checkout import Cart, GivenBenefit, Return, ReturnedLine, SoldLine
from shared.events.promotion import LimitRule
from shared.events.values import Gift
from tests.builders import (
    NOON,
    bonuses,
    campaign,
    cart,
    given,
    instrument,
    line,
    percent_off,
    ruleset,
    sale,
    total,
)
from tests.unit.evaluator.test_receipt import circumstances

LIMIT, MONEY = "campaign-1/instrument-1", "campaign-1/instrument-1/~money"


def a_return(*lines: tuple[int, int], **values: Any) -> Return:
    """So much of these lines comes back; all that is left without any."""
    return Return(
        intent="return",
        receipt_id="receipt-1",
        store_id="store-1",
        terminal_id="desk",
        occurred_at=NOON,
        lines=tuple(ReturnedLine(line=n, quantity=quantity) for n, quantity in lines),
        **values,
    )


class Sold:
    """A receipt that was decided, held and paid; returns are applied to it one after another."""

    def __init__(self, bought: Cart, rules: Ruleset, slots: Counters, **paid: Any) -> None:
        self.cart, self.rules, self.slots = bought, rules, slots
        held = receipt.answer(
            bought, receipt.open_receipt(bought), circumstances(bought, rules), slots
        )
        decision = held.decision
        discounts = {x.line: x.discount for x in decision.lines}
        lines = [SoldLine(**dict(x), discount=discounts[x.line]) for x in bought.lines]
        benefits: Sequence[GivenBenefit] = [
            GivenBenefit(
                campaign_id=a.campaign_id,
                instrument_id=a.instrument_id,
                discount=a.discount,
                gifts=tuple(Gift(sku=g.sku, quantity=g.quantity) for g in a.gifts),
            )
            for a in decision.applied
        ]
        event = sale(lines, benefits, customer_id=bought.customer_id, **paid)
        recorded = receipt.record(event, held.receipt, circumstances(event, rules), slots)
        self.receipt: Receipt = recorded.receipt
        self.paid: PaidReceipt = paid_receipt(event)
        self.reversals: list[Reversal] = []

    def take_back(self, event: Return, repriced: Repriced | None = None) -> Reversal:
        """Apply a return."""
        done = reverse(event, self.receipt, self.paid, self.slots, repriced)
        self.receipt, self.paid = done.receipt, done.paid
        self.reversals.append(done)
        return done

    def decide_again(self, event: Return) -> Repriced:
        """What the rest gets, by the rules of then."""
        basket = Basket(store_id="store-1", occurred_at=NOON, lines=self.cart.lines)
        rest = remaining_of(event, self.paid)
        limits = dict.fromkeys((LIMIT, MONEY), 10**6)
        return reprice(self.rules, basket, rest, self.receipt, (), limits)


def sold(
    *amounts: int,
    benefit: Benefit | None = None,
    conditions: Any = (),
    customer_id: str | None = None,
    quantity: int = 2_000,
    **values: Any,
) -> Sold:
    """A receipt with lines of two pieces each, 10% off, one slot of one used."""
    limits = (LimitRule(redemptions=1), LimitRule(money=10**6))
    rules = ruleset(
        campaign(
            instruments=[
                instrument(
                    conditions=conditions,
                    benefit=benefit or percent_off(),
                    limits=limits,
                    **values,
                )
            ]
        )
    )
    lines = [line(n, amount=amount, quantity=quantity) for n, amount in enumerate(amounts, 1)]
    slots = Counters({LIMIT: Counter(1), MONEY: Counter(10**6)})
    return Sold(cart(lines, customer_id=customer_id), rules, slots)


def used(of: Sold) -> tuple[int, int]:
    return of.slots[LIMIT].used, of.slots[MONEY].used


def test_a_full_return_refunds_what_was_paid_and_frees_every_limit() -> None:
    receipt = sold(10_000, 5_000)
    assert used(receipt) == (1, 1_500)
    done = receipt.take_back(a_return())
    assert (done.refund, done.withheld, done.complete) == (13_500, 0, True)
    [change] = done.taken_back
    assert (change.redemption.status, change.discount, change.released) == ("returned", 1_500, True)
    assert used(receipt) == (0, 0)


def test_an_instrument_may_keep_its_slot_when_the_sale_comes_back() -> None:
    receipt = sold(10_000, on_return="keep")
    [change] = receipt.take_back(a_return()).taken_back
    assert (change.redemption.status, change.released) == ("returned", False)
    assert used(receipt) == (1, 1_000)


def test_part_of_a_sale_gives_back_its_share_of_the_discount_and_keeps_the_slot() -> None:
    receipt = sold(10_000, 5_000)
    done = receipt.take_back(a_return((1, 1_000)))
    assert done.refund == 4_500
    [change] = done.taken_back
    assert (change.redemption.status, change.redemption.returned) == ("committed", 500)
    assert used(receipt) == (1, 1_000)


@examples(
    amounts=st.lists(st.integers(2, 100_000), min_size=1, max_size=4),
    parts=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 999)), max_size=8),
    percent=st.integers(1, 10_000),
)
def test_parts_that_add_up_to_all_are_a_full_return_to_the_cent(
    amounts: list[int], parts: list[tuple[int, int]], percent: int
) -> None:
    receipt = sold(*amounts, benefit=percent_off(percent), quantity=3_000)
    paid = sum(x.paid for x in receipt.paid.sold)
    for number, quantity in parts:
        back = receipt.paid.returned.get(number)
        if number <= len(amounts) and quantity + (back.quantity if back else 0) <= 3_000:
            receipt.take_back(a_return((number, quantity)))
            assert sum(r.refund for r in receipt.reversals) <= paid
    if not receipt.reversals or not receipt.reversals[-1].complete:
        receipt.take_back(a_return())
    assert sum(r.refund for r in receipt.reversals) == paid
    assert used(receipt) == (0, 0)
    for r in receipt.receipt.redemptions.values():
        if r.status == "returned":
            assert r.returned == r.discount


def test_what_the_rest_no_longer_earns_is_kept_when_it_is_decided_again() -> None:
    """From 100.00 on 10% off: 120.00 were bought for 108.00; the rest of 60.00 costs 60.00."""
    receipt = sold(6_000, 6_000, conditions=[total(10_000)])
    event = a_return((1, 2_000), policy="reprice")
    done = receipt.take_back(event, receipt.decide_again(event))
    assert done.refund == 10_800 - 6_000
    [change] = done.taken_back
    assert (change.redemption.status, change.released) == ("returned", True)
    assert used(receipt) == (0, 0)
    rest = receipt.take_back(a_return())
    assert rest.refund == 6_000


def test_what_the_rest_still_earns_stays_when_it_is_decided_again() -> None:
    receipt = sold(20_000, 6_000, conditions=[total(10_000)])
    event = a_return((2, 2_000), policy="reprice")
    done = receipt.take_back(event, receipt.decide_again(event))
    assert done.refund == 5_400
    [change] = done.taken_back
    assert (change.redemption.status, change.discount) == ("committed", 600)
    assert used(receipt) == (1, 2_000)


def test_no_more_is_refunded_than_was_paid_when_the_rest_costs_more_than_all_did() -> None:
    receipt = sold(1_000, 9_500, benefit=percent_off(5_000), conditions=[total(10_000)])
    event = a_return((1, 2_000), policy="reprice")
    assert receipt.take_back(event, receipt.decide_again(event)).refund == 0
    assert receipt.take_back(a_return()).refund == 5_250


def test_bonuses_go_back_with_the_money_they_were_earned_on() -> None:
    receipt = sold(10_000, 10_000, benefit=bonuses(percent=500), customer_id="C1")
    [half] = receipt.take_back(a_return((1, 2_000))).taken_back
    assert half.bonuses == 500
    [rest] = receipt.take_back(a_return()).taken_back
    assert (rest.bonuses, rest.redemption.bonuses_returned) == (500, 1_000)


def test_a_gift_that_does_not_come_back_is_withheld_at_its_value() -> None:
    gift = GiftGoods(gifts=(Gift(sku="mug", value=700),))
    kept = sold(10_000, benefit=gift).take_back(a_return())
    assert (kept.refund, kept.withheld) == (9_300, 700)
    back = sold(10_000, benefit=gift).take_back(a_return(gifts=(Gift(sku="mug"),)))
    assert (back.refund, back.withheld) == (10_000, 0)


def test_a_gift_may_come_back_before_the_goods() -> None:
    receipt = sold(10_000, benefit=GiftGoods(gifts=(Gift(sku="mug", value=700),)))
    receipt.take_back(a_return((1, 1_000), gifts=(Gift(sku="mug"),)))
    assert receipt.take_back(a_return()).withheld == 0


@pytest.mark.parametrize(("sku", "quantity"), [("cap", 1_000), ("mug", 2_000)])
def test_gifts_that_were_not_given_cannot_come_back(sku: str, quantity: int) -> None:
    receipt = sold(10_000, benefit=GiftGoods(gifts=(Gift(sku="mug"),)))
    with pytest.raises(ConflictError, match=r"gifts\.0") as refused:
        receipt.take_back(a_return(gifts=(Gift(sku=sku, quantity=quantity),)))
    assert refused.value.reason == "unknown_gift"
    assert used(receipt)[0] == 1


def test_what_was_given_without_right_comes_back_as_a_cost_and_frees_nothing() -> None:
    event = sale(
        [SoldLine(**dict(line(amount=10_000)), discount=1_000)], [given("other", "one", 1_000)]
    )
    recorded = receipt.record(
        event, receipt.open_receipt(event), circumstances(event, Ruleset.empty()), Counters({})
    )
    done = reverse(a_return(), recorded.receipt, paid_receipt(event), Counters({}))
    [change] = done.taken_back
    assert (change.redemption.status, change.discount, change.released) == (
        "unauthorised",
        1_000,
        False,
    )
    assert done.refund == 9_000
