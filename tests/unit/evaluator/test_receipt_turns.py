"""Turns of a receipt's life that the model of the counter found: each once, plainly."""

import pytest
from msgspec.structs import replace

from services.evaluator import orders, receipt
from services.evaluator.counters import Counter, Counters
from services.evaluator.facts import demand
from services.evaluator.orders import Confirm
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.receipt import Receipt
from services.evaluator.sale import decode_sale
from shared.codec import encode
from shared.events.checkout import Cart, Confirmation, Sale
from shared.events.promotion import LimitRule
from tests.builders import (
    NOON,
    bonuses,
    campaign,
    cart,
    code,
    given,
    instrument,
    line,
    ruleset,
    sale,
    sold_line,
)
from tests.unit.evaluator.test_receipt import circumstances
from tests.unit.evaluator.test_reversal import MONEY, a_return, sold

TEN, POINTS, ALL = "campaign-1/ten", "campaign-1/points", "campaign-1/~"
BOTH = ruleset(
    campaign(
        instruments=[
            instrument("ten", conditions=[code("WELCOME")], max_redemptions=1),
            instrument("points", benefit=bonuses(fixed=60), max_redemptions=9),
        ],
        limits=(LimitRule(redemptions=9),),
    )
)


def counters(altogether: int = 9) -> Counters:
    return Counters({TEN: Counter(1), POINTS: Counter(9), ALL: Counter(altogether)})


def asks(**values: object) -> Cart:
    return cart([line(amount=10_000)], codes=["WELCOME"], **values)


def sells(discount: int = 1_000, **values: object) -> Sale:
    benefits = [given("campaign-1", "ten", discount)] if discount else []
    lines = [sold_line(amount=10_000, discount=discount)]
    return sale(lines, benefits, codes=["WELCOME"], **values)


def decided(event: Cart, slots: Counters, rules: Ruleset = BOTH) -> Receipt:
    before = receipt.open_receipt(event)
    return receipt.answer(event, before, circumstances(event, rules), slots).receipt


def paid(event: Sale, known: Receipt, slots: Counters) -> dict[str, tuple[str, int]]:
    """Status and points of each redemption, by instrument."""
    recorded = receipt.record(event, known, circumstances(event, BOTH), slots)
    return {r.instrument_id: (r.status, r.bonuses) for r in recorded.record.redemptions}


@pytest.mark.parametrize(("points", "earned"), [(0, 60), (4_500, 30)])
def test_a_sale_without_a_cart_earns_on_money_paid(points: int, earned: int) -> None:
    event = sells(customer_id="C1")
    known = receipt.open_receipt(event)
    done = receipt.record(event, known, circumstances(event, BOTH), counters(), points)
    assert done.record.bonuses == earned


def test_a_card_shown_late_earns_as_much_when_its_receipt_has_the_last_slot() -> None:
    slots = counters()
    known = decided(asks(), slots)
    assert paid(sells(customer_id="C1"), known, slots)["points"] == ("committed", 60)


def test_what_a_late_card_cannot_get_takes_no_slot_of_what_it_earns() -> None:
    each = (LimitRule(per=("customer",), redemptions=1),)
    ten = instrument("ten", conditions=[code("WELCOME")], limits=each)
    points = instrument("points", benefit=bonuses(fixed=60))
    rules = ruleset(campaign(instruments=[ten, points], limits=(LimitRule(redemptions=1),)))
    slots = Counters({ALL: Counter(1)})
    known = decided(asks(), slots, rules)
    event = sells(0, customer_id="C1")
    recorded = receipt.record(event, known, circumstances(event, rules), slots)
    assert recorded.record.bonuses == 60


def test_after_a_cancel_nobody_earns_whoever_shows_a_card() -> None:
    slots = counters()
    known = decided(asks(), slots)
    cancel = cart([], intent="cancel", revision=1)
    gone = receipt.answer(cancel, known, circumstances(cancel, BOTH), slots).receipt
    assert paid(sells(customer_id="C1"), gone, slots) == {"ten": ("unauthorised", 0)}


def test_after_the_hold_the_last_slot_is_for_what_was_decided_first() -> None:
    slots = counters()
    known = receipt.expire(decided(asks(customer_id="C1"), slots), slots)
    loaded = dict(reversed(list(known.redemptions.items())))  # as a table may give them
    slots[ALL].cap = 1
    known = Receipt("receipt-1", "store-1", "till-1", 0, None, "open", known.decision, loaded)
    assert paid(sells(customer_id="C1"), known, slots) == {"ten": ("committed", 0)}


def test_the_answer_to_a_cart_that_was_paid_says_that_no_points_are_held() -> None:
    slots = counters()
    event = asks(customer_id="C1")
    known = decided(event, slots)
    recorded = receipt.record(
        sells(customer_id="C1"), known, circumstances(sells(customer_id="C1"), BOTH), slots
    )
    late = asks(customer_id="C1", revision=3)
    told = receipt.answer(late, recorded.receipt, circumstances(late, BOTH), slots).decision
    assert (told.outcome, told.bonuses_held, told.bonuses_payable) == ("paid", 0, 0)


def test_a_sale_without_a_cart_can_be_read_as_what_is_confirmed_again() -> None:
    """It gave what it had no right to; who then confirms the receipt is told that it is paid."""
    event = sells(500)
    slots = Counters({TEN: Counter(1, used=1), POINTS: Counter(9), ALL: Counter(9)})
    known = receipt.record(
        event, receipt.open_receipt(event), circumstances(event, BOTH), slots
    ).receipt
    order = Confirm("receipt-1", Confirmation())
    again = decode_sale(orders.sale_of(order, known, encode(event), NOON))
    assert [x.discount for x in again.lines] == [0]


def test_more_than_was_decided_never_counted_so_part_of_it_frees_only_its_part() -> None:
    of = sold(10_000)
    [redemption] = of.receipt.redemptions.values()
    more = replace(redemption, discount=2_000, mismatch=1_000)
    of.receipt = replace(of.receipt, redemptions={more.key: more})
    of.take_back(a_return((1, 1_000)))
    assert of.slots[MONEY].used == 500


def test_a_slot_after_the_hold_is_taken_by_the_cap_of_today() -> None:
    slots = counters()
    known = receipt.expire(decided(asks(customer_id="C1"), slots), slots)
    caps = demand([known], (), (), BOTH).caps
    assert caps == {TEN: 1, POINTS: 9, ALL: 9}
    assert set(demand([decided(asks(), counters())], (), (), BOTH).caps.values()) == {None}
