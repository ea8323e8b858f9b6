"""Conditions on earlier purchases: which of them count, and the gap."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.evaluator.promotion import Refused, decide
from services.evaluator.promotion.history import Purchase, PurchasedLine, ordered
from shared.events.conditions import (
    Condition,
    DaysSincePurchase,
    FirstPurchase,
    ProductPurchases,
    PurchaseCount,
    PurchaseSum,
)
from shared.events.promotion import Calendar, Consecutive, Rolling
from tests.builders import (
    NOON,
    all_free,
    basket,
    campaign,
    compare,
    instrument,
    products,
    ruleset,
    utc,
)

DAY = timedelta(days=1)
TEA = products(groups=["tea"])
START = utc(2026, 12, 4, 23)  # 5 December 00:00 in Vienna
MOMENT = timedelta(microseconds=1)


def bought(amount: int = 500, quantity: int = 1_000, **values: Any) -> PurchasedLine:
    return PurchasedLine(values.pop("sku", "s"), quantity, amount, **values)


def purchase(at: datetime, *lines: PurchasedLine, receipt_id: str = "") -> Purchase:
    return Purchase(receipt_id or f"r-{at.isoformat()}", at, lines or (bought(),))


def refusal(condition: Condition, purchases: Sequence[Purchase], **values: Any) -> Refused | None:
    of = basket(
        customer_id=values.pop("customer_id", "c-1"),
        receipt_id=values.pop("receipt_id", "now"),
        purchases=ordered(purchases),
    )
    rules = ruleset(campaign(instruments=[instrument(conditions=[condition], **values)]))
    found = decide(of, rules, all_free)
    return found.refused[0] if found.refused else None


def gap(condition: Condition, purchases: Sequence[Purchase], **values: Any) -> int | None:
    found = refusal(condition, purchases, **values)
    return found.missing if found else 0


FOUR = PurchaseCount(compare=compare(4))


def counted(purchases: Sequence[Purchase], **values: Any) -> int:
    """How many purchases count."""
    return 4 - (gap(FOUR, purchases, **values) or 0)


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        pytest.param(START - MOMENT, False, id="before the campaign"),
        pytest.param(START, True, id="at its start"),
        pytest.param(NOON - MOMENT, True, id="a moment ago"),
        pytest.param(NOON, False, id="at the same moment"),
        pytest.param(NOON + DAY, False, id="later than the receipt"),
    ],
)
def test_purchases_count_from_the_start_until_before_the_receipt(
    at: datetime, counts: bool
) -> None:
    assert counted([purchase(at)]) == int(counts)


def test_the_receipt_itself_is_no_history() -> None:
    earlier = purchase(NOON - DAY, receipt_id="r-1")
    assert counted([earlier], receipt_id="r-1") == 0
    assert counted([earlier], receipt_id="r-2") == 1


@pytest.mark.parametrize(
    ("period", "at", "counts"),
    [
        (Rolling(days=2), NOON - 2 * DAY, True),
        (Rolling(days=2), NOON - 2 * DAY - MOMENT, False),
        (Rolling(days=30), START - DAY, True),
        (Calendar(unit="day"), NOON.replace(hour=0), True),
        (Calendar(unit="day"), NOON.replace(hour=0) - MOMENT, False),
        (Calendar(unit="week"), NOON.replace(day=7, hour=0), True),
        (Calendar(unit="week"), NOON.replace(day=7, hour=0) - MOMENT, False),
        (Calendar(unit="month"), NOON.replace(day=1, hour=0), True),
        (Consecutive(days=5), NOON.replace(hour=0), True),
        (Consecutive(days=5), NOON.replace(hour=0) - MOMENT, False),
        (Consecutive(days=6), START, True),
    ],
)
def test_purchases_count_within_the_window(period: Any, at: datetime, counts: bool) -> None:
    assert counted([purchase(at)], processing_period=period) == int(counts)


def test_late_purchases_take_their_place() -> None:
    late, early = purchase(NOON - 3 * DAY), purchase(NOON - DAY)
    assert counted([early, late]) == counted([late, early]) == 2
    assert gap(DaysSincePurchase(compare=compare(2)), [early, late]) == 1


def test_lines_discounted_elsewhere_count_only_if_the_instrument_says_so() -> None:
    mixed = purchase(NOON - DAY, bought(100), bought(900, discounted=True))
    staff = purchase(NOON - 2 * DAY, bought(700, discounted=True))
    some = PurchaseSum(compare=compare(2_000))
    assert (counted([mixed, staff]), gap(some, [mixed, staff])) == (1, 1_900)
    assert counted([mixed, staff], include_discounted=True) == 2
    assert gap(some, [mixed, staff], include_discounted=True) == 300


def test_a_purchase_of_which_nothing_is_left_is_none() -> None:
    gone = Purchase("r", NOON - DAY, ())
    assert counted([gone]) == 0
    assert refusal(FirstPurchase(), [gone]) is None


@pytest.mark.parametrize(
    ("value", "missing", "unit"),
    [(1_000, None, None), (1_001, 1, "money"), (5_000, 4_000, "money")],
)
def test_the_sum_of_purchases(value: int, missing: int | None, unit: str | None) -> None:
    earlier = [purchase(NOON - DAY, bought(300), bought(200)), purchase(NOON - 2 * DAY)]
    found = refusal(PurchaseSum(compare=compare(value)), earlier)
    assert (found and found.missing, found and found.unit) == (missing, unit)


@pytest.mark.parametrize(
    ("measure", "there", "unit"),
    [("quantity", 3_500, "quantity"), ("sum", 1_100, "money"), ("receipts", 2, "purchases")],
)
def test_purchases_of_products(measure: Any, there: int, unit: str) -> None:
    earlier = [
        purchase(NOON - DAY, bought(500, 2_000, group="tea"), bought(9_000, group="milk")),
        purchase(NOON - 2 * DAY, bought(400, group="tea"), bought(200, 500, group="tea")),
        purchase(NOON - 3 * DAY, bought(group="milk")),
        purchase(START - DAY, bought(group="tea")),
    ]
    enough = ProductPurchases(products=TEA, measure=measure, compare=compare(there))
    more = ProductPurchases(products=TEA, measure=measure, compare=compare(there + 1))
    assert refusal(enough, earlier) is None
    found = refusal(more, earlier)
    assert found is not None
    assert (found.missing, found.unit, found.condition) == (1, unit, "product_purchases")


@pytest.mark.parametrize(
    ("ago", "missing"),
    [
        (3 * DAY, None),
        (3 * DAY - MOMENT, 1),
        (4 * DAY, None),
        (timedelta(hours=1), 3),
    ],
)
def test_days_since_a_purchase_are_full_days(ago: timedelta, missing: int | None) -> None:
    found = refusal(DaysSincePurchase(compare=compare(3)), [purchase(NOON - ago)])
    assert (found and found.missing) == missing
    if found:
        assert found.unit == "days"


def test_days_since_a_purchase_need_one_within_the_period() -> None:
    for earlier in ([], [purchase(START - DAY)]):
        found = refusal(DaysSincePurchase(compare=compare(0)), earlier)
        assert found is not None
        assert (found.reason, found.missing) == ("condition_not_met", None)


def test_a_first_purchase_is_the_first_ever() -> None:
    assert refusal(FirstPurchase(), []) is None
    for at in (START - 300 * DAY, NOON - DAY):
        found = refusal(FirstPurchase(), [purchase(at)], processing_period=Calendar(unit="day"))
        assert found is not None
        assert (found.reason, found.condition) == ("condition_not_met", "first_purchase")
    discounted = purchase(NOON - DAY, bought(discounted=True))
    assert refusal(FirstPurchase(), [discounted]) is not None


@pytest.mark.parametrize(
    "condition",
    [
        FirstPurchase(),
        PurchaseCount(compare=compare(0)),
        PurchaseSum(compare=compare(9, "<")),
        ProductPurchases(products=TEA, compare=compare(0)),
        DaysSincePurchase(compare=compare(0)),
    ],
)
def test_nobody_has_no_history(condition: Condition) -> None:
    found = refusal(condition, [purchase(NOON - DAY)], customer_id=None)
    assert found is not None
    assert (found.reason, found.condition) == ("customer_unknown", condition.kind)


@pytest.mark.parametrize(
    ("condition", "period", "since"),
    [
        (FOUR, "campaign", START),
        (FOUR, Rolling(days=3), NOON - 3 * DAY),
        (FOUR, Calendar(unit="month"), NOON.replace(day=1, hour=0)),
    ],
)
def test_how_far_back_purchases_are_asked_for(
    condition: Condition, period: Any, since: datetime
) -> None:
    rules = ruleset(
        campaign(instruments=[instrument(conditions=[condition], processing_period=period)])
    )
    assert rules.consider(basket(customer_id="c")).since == since
    assert rules.consider(basket()).since is None
    assert ruleset(campaign()).consider(basket(customer_id="c")).since is None


def test_the_farthest_of_all_is_asked_for_and_for_a_first_purchase_everything() -> None:
    both = [
        instrument("a", [FOUR], processing_period=Rolling(days=1)),
        instrument("b", [FOUR], processing_period=Rolling(days=9)),
    ]
    of = basket(customer_id="c")
    assert ruleset(campaign(instruments=both)).consider(of).since == NOON - 9 * DAY
    ever = instrument("c", [FirstPurchase()])
    since = ruleset(campaign(instruments=[*both, ever])).consider(of).since
    assert since is not None
    assert since.year == 1
