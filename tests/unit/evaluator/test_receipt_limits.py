"""What receipts take of limits on money and of rolling limits, and what they give back."""

from datetime import timedelta

import pytest

from services.evaluator import receipt
from services.evaluator.answer import Decision
from services.evaluator.counters import Counter, Counters, Taken
from services.evaluator.promotion.allocation import price_groups
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.receipt import Receipt
from services.evaluator.redemption import Redemption
from shared.events.checkout import Cart, Sale
from shared.events.promotion import LimitRule, Rolling
from tests.builders import NOON, campaign, cart, given, instrument, line, ruleset, sale, sold_line
from tests.unit.evaluator.test_receipt import circumstances

MONEY = "campaign-1/instrument-1/~money"
ROLLING = "campaign-1/instrument-1@30d"
BUDGET = ruleset(campaign(instruments=[instrument(limits=(LimitRule(money=2_500),))]))
THRICE = ruleset(
    campaign(
        instruments=[instrument(max_redemptions=3, processing_period=Rolling(days=30))],
        ends_at=NOON + timedelta(days=90),
    )
)


def budget(used: int = 0) -> Counters:
    return Counters({MONEY: Counter(cap=2_500, used=used)})


def answered(
    event: Cart, slots: Counters, known: Receipt | None = None, rules: Ruleset = BUDGET
) -> tuple[Receipt, Decision]:
    before = known or receipt.open_receipt(event)
    answer = receipt.answer(event, before, circumstances(event, rules), slots)
    return answer.receipt, answer.decision


def a_cart(amount: int = 10_000, receipt_id: str = "receipt-1", **values: object) -> Cart:
    return cart([line(amount=amount)], receipt_id=receipt_id, **values)


def a_sale(discount: int, **values: object) -> Sale:
    benefits = [given(discount=discount)] if discount else []
    return sale([sold_line(amount=10_000, discount=discount)], benefits, **values)


def only(known: Receipt) -> Redemption:
    [redemption] = known.redemptions.values()
    return redemption


@pytest.mark.parametrize(
    ("used", "discount"), [(0, 1_000), (1_499, 1_000), (1_500, 1_000), (1_501, 0), (2_500, 0)]
)
def test_a_limit_on_money_pays_a_benefit_whole_or_not_at_all(used: int, discount: int) -> None:
    slots = budget(used=used)
    _, decision = answered(a_cart(), slots)
    assert (decision.discount, slots[MONEY].held) == (discount, discount)
    assert [x.reason for x in decision.not_applied] == ([] if discount else ["limit_reached"])


def test_a_hold_takes_its_discount_of_the_money() -> None:
    slots = budget()
    held, _ = answered(a_cart(), slots)
    assert only(held).taken == (Taken(MONEY, 1_000),)
    assert (slots[MONEY].held, slots[MONEY].used) == (1_000, 0)


@pytest.mark.parametrize(
    ("amount", "discount"), [(20_000, 2_000), (25_000, 2_500), (25_010, 0), (5_000, 500)]
)
def test_a_receipt_decided_anew_has_its_own_money_to_spend(amount: int, discount: int) -> None:
    slots = budget()
    held, _ = answered(a_cart(), slots)
    _, decision = answered(a_cart(amount, revision=1), slots, held)
    assert (decision.discount, slots[MONEY].held) == (discount, discount)


@pytest.mark.parametrize(("gave", "used"), [(1_000, 1_000), (700, 700), (1_300, 1_000), (0, 0)])
def test_a_sale_uses_what_was_given_but_no_more_than_was_decided(gave: int, used: int) -> None:
    slots = budget()
    held, _ = answered(a_cart(), slots)
    receipt.record(a_sale(gave), held, circumstances(a_sale(gave), BUDGET), slots)
    assert (slots[MONEY].held, slots[MONEY].used) == (0, used)


def test_cancel_and_expiry_free_the_money() -> None:
    slots = budget()
    held, _ = answered(a_cart(), slots)
    receipt.expire(held, slots)
    assert slots[MONEY].held == 0
    held, _ = answered(a_cart(receipt_id="receipt-2"), slots)
    answered(cart([], intent="cancel", revision=1, receipt_id="receipt-2"), slots, held)
    assert (slots[MONEY].held, slots[MONEY].used) == (0, 0)


@pytest.mark.parametrize(
    ("gave", "used", "status"),
    [(1_000, 1_500, "committed"), (1_000, 1_501, "unauthorised"), (900, 1_600, "committed")],
)
def test_a_sale_after_its_hold_needs_room_for_what_was_given(
    gave: int, used: int, status: str
) -> None:
    slots = budget()
    held, _ = answered(a_cart(), slots)
    expired = receipt.expire(held, slots)
    slots[MONEY].used = used
    recorded = receipt.record(a_sale(gave), expired, circumstances(a_sale(gave), BUDGET), slots)
    assert only(recorded.receipt).status == status
    assert slots[MONEY].used == used + (gave if status == "committed" else 0)


def test_a_rolling_limit_is_used_at_the_time_of_the_checkout() -> None:
    """However late it was paid."""
    slots = Counters({ROLLING: Counter(cap=3)})
    held, decision = answered(a_cart(), slots, rules=THRICE)
    assert only(held).since == decision.occurred_at - timedelta(days=30)
    paid = a_sale(1_000, occurred_at=NOON + timedelta(hours=5))
    receipt.record(paid, held, circumstances(paid, THRICE), slots)
    assert slots.moved == {(ROLLING, NOON): 1}


def test_the_fourth_within_30_days_gets_none_and_the_one_after_them_does() -> None:
    slots = Counters({ROLLING: Counter(cap=3)})
    found = []
    for number, days in enumerate((0, 10, 20, 29, 30)):
        at = NOON + timedelta(days=days)
        sold = a_sale(1_000, receipt_id=f"r-{number}", occurred_at=at)
        recorded = receipt.record(
            sold, receipt.open_receipt(sold), circumstances(sold, THRICE), slots
        )
        found += [r.status for r in recorded.record.redemptions]
    assert found == ["committed", "committed", "committed", "unauthorised", "committed"]


@pytest.mark.parametrize(("passed", "status"), [(29, "unauthorised"), (30, "committed")])
def test_a_sale_after_its_hold_counts_the_days_before_its_checkout(
    passed: int, status: str
) -> None:
    slots = Counters({ROLLING: Counter(cap=3)})
    held, _ = answered(a_cart(), slots, rules=THRICE)
    expired = receipt.expire(held, slots)
    slots.move([Taken(ROLLING, 3)], used=1, at=NOON - timedelta(days=passed))
    recorded = receipt.record(a_sale(1_000), expired, circumstances(a_sale(1_000), THRICE), slots)
    assert only(recorded.receipt).status == status


@pytest.mark.parametrize(
    ("quantity", "net", "groups"),
    [
        (3_000, 200, ((2_000, 67), (1_000, 66))),
        (3_000, 201, ((3_000, 67),)),
        (1_000, 299, ((1_000, 299),)),
        (2_000, 1, ((1_000, 1), (1_000, 0))),
        (2_000, 0, ((2_000, 0),)),
        (1_250, 200, ()),
        (500, 200, ()),
    ],
)
def test_unit_prices_of_pieces_differ_by_one_and_add_up(
    quantity: int, net: int, groups: tuple[tuple[int, int], ...]
) -> None:
    assert price_groups(quantity, net) == groups


@pytest.mark.parametrize("asked_for", [True, False])
def test_price_groups_are_for_carts_that_ask_for_them(asked_for: bool) -> None:
    asked = cart([line(amount=1_003, quantity=2_000)], price_groups=asked_for)
    _, decision = answered(asked, Counters({}), rules=ruleset(campaign()))
    [decided] = decision.lines
    found = [(group.quantity, group.price) for group in decided.price_groups]
    assert decided.amount - decided.discount == 903
    assert found == ([(1_000, 452), (1_000, 451)] if asked_for else [])
