"""Conditions on the customer's earlier purchases within the processing period."""

from collections.abc import Callable
from datetime import UTC, datetime

from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.conditions.check import Check, Terms
from services.evaluator.promotion.failure import Bar, Failure, bar
from services.evaluator.promotion.history import History, whole_days, within
from services.evaluator.promotion.selection import select
from shared.events.conditions import (
    DaysSincePurchase,
    FirstPurchase,
    ProductPurchases,
    PurchaseCount,
    PurchaseSum,
)
from shared.events.outcome import Unit

EVER = datetime.min.replace(tzinfo=UTC)
"""As far back as purchases are kept."""

Counted = PurchaseCount | PurchaseSum | ProductPurchases
_UNITS: dict[str, Unit] = {"quantity": "quantity", "sum": "money", "receipts": "purchases"}


def history(reading: Reading, terms: Terms) -> History:
    """The customer's purchases in the instrument's window, before the receipt being decided."""
    at = reading.at
    if not reading.knows_purchases:
        return History((), include_discounted=terms.include_discounted)
    found = within(
        reading.purchases, terms.window_at(at).start, at, reading.basket.receipt_id or None
    )
    return History(found, include_discounted=terms.include_discounted)


def amount(condition: Counted, terms: Terms) -> Callable[[Reading], int]:
    """What the condition compares: purchases, minor units, or thousandths."""
    match condition:
        case PurchaseCount():
            return lambda reading: history(reading, terms).count()
        case PurchaseSum():
            return lambda reading: history(reading, terms).sum()
        case ProductPurchases():
            selection, measure = select(condition.products), condition.measure
            return lambda reading: history(reading, terms).of(selection, measure)


def limit_of(condition: Counted) -> Bar:
    """What the amount is compared with."""
    match condition:
        case PurchaseCount():
            return bar(condition.compare, condition.kind, "purchases")
        case PurchaseSum():
            return bar(condition.compare, condition.kind, "money")
        case ProductPurchases():
            return bar(condition.compare, condition.kind, _UNITS[condition.measure])


def counted(condition: Counted, terms: Terms) -> Check:
    """A check of what was bought before."""
    unknown = Failure("customer_unknown", condition.kind)
    there, failure = amount(condition, terms), limit_of(condition).failure

    def check(reading: Reading, _: Eligible) -> Failure | None:
        if not reading.knows_purchases:
            return unknown
        return failure(there(reading))

    return check


def first_purchase(condition: FirstPurchase) -> Check:
    """A check that nothing was bought before, whatever the processing period."""
    unknown = Failure("customer_unknown", condition.kind)
    failed = Failure("condition_not_met", condition.kind)

    def check(reading: Reading, _: Eligible) -> Failure | None:
        if not reading.knows_purchases:
            return unknown
        receipt_id = reading.basket.receipt_id or None
        earlier = within(reading.purchases, EVER, reading.at, receipt_id)
        return failed if any(purchase.lines for purchase in earlier) else None

    return check


def days_since(condition: DaysSincePurchase, terms: Terms) -> Check:
    """A check of the days since the last purchase of the period; there must have been one."""
    unknown = Failure("customer_unknown", condition.kind)
    never = Failure("condition_not_met", condition.kind)
    failure = bar(condition.compare, condition.kind, "days").failure

    def check(reading: Reading, _: Eligible) -> Failure | None:
        if not reading.knows_purchases:
            return unknown
        last = history(reading, terms).last()
        return never if last is None else failure(whole_days(last, reading.at))

    return check
