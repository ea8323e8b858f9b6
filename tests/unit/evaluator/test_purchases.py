"""What is kept of paid receipts, and what of it counts as history."""

from datetime import UTC, timedelta

from hypothesis import given as generated
from hypothesis import strategies as st

from services.evaluator.promotion.decision import judge
from services.evaluator.promotion.ruleset import Considered
from services.evaluator.purchases import (
    KEPT,
    Histories,
    PaidReceipt,
    Wanted,
    decode_bought,
    decode_counting,
    encode,
    forgotten_before,
    paid_receipt,
    wanted,
)
from services.evaluator.returns import Returned, take_back
from shared.events.checkout import ReturnedLine
from shared.events.conditions import Condition, FirstPurchase, PurchaseCount
from shared.events.promotion import Rolling
from tests.builders import (
    NOON,
    all_free,
    basket,
    campaign,
    compare,
    given,
    instrument,
    ruleset,
    sale,
    sold_line,
    staff_discount,
    utc,
)


def paid(receipt_id: str = "receipt-1", *, hours: int = 0, customer: str = "C1") -> PaidReceipt:
    """Three pieces for 9.99 so many hours after noon."""
    return paid_receipt(
        sale(
            [sold_line(quantity=3_000, amount=999)],
            receipt_id=receipt_id,
            customer_id=customer,
            occurred_at=NOON + timedelta(hours=hours),
        )
    )


MIXED = paid_receipt(
    sale(
        [
            sold_line(1, sku="tea", amount=1_000, discount=100, attributes={"size": "L"}),
            sold_line(2, sku="tobacco", amount=700, no_promo=True),
            sold_line(3, sku="bread", amount=500, discounts=(staff_discount(),)),
        ],
        [given(discount=100)],
    )
)


def test_amounts_are_before_our_discounts_and_no_promo_goods_count_for_nothing() -> None:
    tea, bread = MIXED.purchase.lines
    assert (tea.sku, tea.amount, tea.attributes, tea.discounted) == (
        "tea",
        1_000,
        {"size": "L"},
        False,
    )
    assert (bread.sku, bread.amount, bread.discounted) == ("bread", 500, True)


def test_every_line_may_be_returned_for_what_was_paid_for_it() -> None:
    assert {line.line: line.paid for line in MIXED.sold} == {1: 900, 2: 700, 3: 500}


def test_what_is_stored_is_read_back_whole_or_as_history_alone() -> None:
    stored = encode(MIXED.bought)
    assert decode_bought(stored) == MIXED.bought
    assert [line.sku for line in decode_counting(stored)] == ["tea", "bread"]


def test_what_is_left_after_a_return_is_stored_in_the_same_form() -> None:
    left = MIXED.after({3: Returned(1_000, 500)}).purchase.lines
    assert [line.sku for line in decode_counting(encode(left))] == ["tea"]


def test_what_came_back_is_taken_out_of_quantity_and_amount() -> None:
    [line] = paid().after({1: Returned(1_000, 333)}).purchase.lines
    assert (line.quantity, line.amount) == (2_000, 666)


def test_a_receipt_that_all_came_back_of_is_no_purchase_any_more() -> None:
    assert paid().after({1: Returned(3_000, 999)}).purchase.lines == ()


@generated(st.lists(st.integers(1, 1_000), min_size=1, max_size=6), st.integers(0, 10**9))
def test_nothing_is_left_of_the_amount_however_a_line_comes_back(
    parts: list[int], amount: int
) -> None:
    quantity = sum(parts)
    price = amount * 1_000 // quantity
    sold = sold_line(quantity=quantity, amount=price * quantity // 1_000, price=price)
    receipt = paid_receipt(sale([sold]))
    before = sold.amount
    for part in parts:
        asked = [ReturnedLine(line=1, quantity=part)]
        receipt = receipt.after(take_back(receipt.sold, receipt.returned, asked))
        left = sum(line.amount for line in receipt.purchase.lines)
        assert 0 <= left <= before
        before = left
    assert before == 0


def considered() -> Considered:
    """A cart of C1 a day after noon; 10% from the second purchase in the campaign on."""
    rules = ruleset(campaign(instruments=[instrument(conditions=[_TWICE])]))
    return rules.consider(basket(customer_id="C1", occurred_at=NOON + timedelta(days=1)))


_TWICE = PurchaseCount(compare=compare(2))


def discount(cart: Considered) -> int:
    return judge(cart, all_free).discount


def test_a_cart_is_reminded_of_purchases_that_its_batch_has_seen_meanwhile() -> None:
    histories, cart = Histories({"C1": [paid().purchase]}), considered()
    histories.remind(cart)
    assert discount(cart) == 0
    histories.put(paid("receipt-2", hours=1))
    histories.remind(cart)
    assert discount(cart) == 100


def test_a_late_purchase_takes_its_place_among_the_others() -> None:
    histories, cart = Histories({"C1": [paid(hours=5).purchase]}), considered()
    histories.put(paid("receipt-2", hours=1))
    histories.remind(cart)
    assert [p.receipt_id for p in cart.reading.purchases] == ["receipt-2", "receipt-1"]
    assert discount(cart) == 100


def test_a_return_takes_progress_back() -> None:
    histories, cart = Histories({"C1": [paid().purchase, paid("receipt-2").purchase]}), considered()
    histories.remind(cart)
    assert discount(cart) == 100
    histories.put(paid().after({1: Returned(3_000, 999)}))
    histories.remind(cart)
    assert discount(cart) == 0


def test_purchases_of_others_are_not_mixed_in() -> None:
    histories, cart = Histories({"C1": [paid().purchase]}), considered()
    histories.put(paid("receipt-2", customer="C2"))
    histories.remind(cart)
    assert len(cart.reading.purchases) == 1


def test_the_same_history_is_not_matched_again() -> None:
    histories, cart = Histories({"C1": [paid().purchase]}), considered()
    histories.remind(cart)
    matched = cart.failures
    histories.remind(cart)
    assert cart.failures is matched


def test_purchases_are_kept_for_four_hundred_days() -> None:
    assert forgotten_before(NOON) == NOON - timedelta(days=400) == NOON - KEPT


def wants(*conditions: Condition, returns: int = 0, customer_id: str | None = "C1") -> list[Wanted]:
    """What is wanted of the history of a customer's cart at noon."""
    rules = ruleset(campaign(instruments=[instrument(conditions=conditions)]))
    cart = rules.consider(basket(customer_id=customer_id))
    return list(wanted([cart], returns).values())


def test_no_history_is_wanted_where_no_rule_asks_or_nobody_is_known() -> None:
    assert wants() == []
    assert wants(_TWICE, customer_id=None) == []


def test_purchases_are_wanted_from_the_start_of_the_window() -> None:
    assert wants(_TWICE) == [Wanted(since=utc(2026, 12, 4, 23))]


def test_of_a_first_purchase_as_many_are_wanted_as_returns_may_undo() -> None:
    [one] = wants(FirstPurchase(), returns=3)
    assert one.first == 3 + 2


def test_carts_of_one_customer_want_what_any_of_them_does() -> None:
    rules = ruleset(
        campaign(instruments=[instrument(conditions=[_TWICE], processing_period=Rolling(days=14))])
    )
    carts = [
        rules.consider(basket(customer_id="C1", occurred_at=NOON + timedelta(days=n)))
        for n in (1, 0, 2)
    ]
    assert wanted(carts, 0) == {"C1": Wanted(since=(NOON - timedelta(days=14)).astimezone(UTC))}
