"""Conditions compiled, and combined with all, any and not."""

from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

import msgspec

from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.conditions import circumstances, customers, goods, purchases
from services.evaluator.promotion.conditions.check import Check, Terms
from services.evaluator.promotion.failure import Failure
from shared.events.conditions import (
    All,
    AnyOf,
    Birthday,
    Condition,
    CustomerGroup,
    CustomerKnown,
    CustomerSegment,
    DaysSincePurchase,
    FirstPurchase,
    InCurrency,
    InRegion,
    InStore,
    LineCount,
    Near,
    Not,
    OnDevice,
    PaidBy,
    ProductMix,
    ProductPresence,
    ProductPurchases,
    ProductQuantity,
    ProductSum,
    PromoCode,
    PurchaseCount,
    PurchaseSum,
    ReceiptQuantity,
    ReceiptTotal,
    TimeOfDay,
    ViaChannel,
    Weekday,
)

Truth = Callable[[Reading, Eligible], bool | None]
"""Whether a condition is met; None: that is not known."""


def compile_condition(condition: Condition, terms: Terms) -> Check:  # noqa: C901, PLR0911, PLR0912 - one line for each kind
    """A check that is None when the condition is met by the lines that count."""
    match condition:
        case ReceiptTotal() | ReceiptQuantity() | LineCount() | ProductQuantity() | ProductSum():
            return goods.measured(condition)
        case ProductPresence():
            return goods.presence(condition)
        case ProductMix():
            return goods.mix(condition)
        case PromoCode():
            return customers.promo_code(condition, terms)
        case CustomerGroup():
            return customers.customer_group(condition)
        case CustomerSegment():
            return customers.customer_segment(condition)
        case CustomerKnown():
            return customers.customer_known(condition)
        case Birthday():
            return customers.birthday(condition)
        case PurchaseCount() | PurchaseSum() | ProductPurchases():
            return purchases.counted(condition, terms)
        case FirstPurchase():
            return purchases.first_purchase(condition)
        case DaysSincePurchase():
            return purchases.days_since(condition, terms)
        case PaidBy():
            return circumstances.paid_by(condition)
        case ViaChannel():
            return circumstances.via_channel(condition)
        case OnDevice():
            return circumstances.on_device(condition)
        case TimeOfDay():
            return circumstances.time_of_day(condition)
        case Weekday():
            return circumstances.weekday(condition)
        case InCurrency():
            return circumstances.in_currency(condition)
        case InStore():
            return circumstances.in_store(condition)
        case InRegion():
            return circumstances.in_region(condition)
        case Near():
            return circumstances.near(condition)
        case All():
            return all_of([compile_condition(child, terms) for child in condition.conditions])
        case AnyOf():
            return any_of([compile_condition(child, terms) for child in condition.conditions])
        case Not():
            return none_of(compile_truth(condition.condition, terms), condition.condition.kind)
        case _:
            assert_never(condition)


def first_failure(checks: Sequence[Check], reading: Reading, eligible: Eligible) -> Failure | None:
    """Why not all checks are met; None if they are.

    What more would not help comes first, in the order written; else the greatest gap, which is
    ``near`` only if it is the only one.
    """
    greatest: Failure | None = None
    alone = True
    for check in checks:
        failed = check(reading, eligible)
        if failed is None:
            continue
        if failed.missing is None:
            return failed
        if greatest is None:
            greatest = failed
        else:
            alone = False
            if failed.share > greatest.share:
                greatest = failed
    if greatest is None or alone:
        return greatest
    # Not msgspec.structs.replace: this is common, and four times as fast.
    return Failure(
        greatest.reason, greatest.condition, greatest.missing, greatest.unit, greatest.share
    )


class _AllOf(msgspec.Struct, frozen=True):
    checks: tuple[Check, ...]

    def failure(self, reading: Reading, eligible: Eligible) -> Failure | None:
        return first_failure(self.checks, reading, eligible)


def all_of(checks: Sequence[Check]) -> Check:
    """A check that all are met."""
    return _AllOf(tuple(checks)).failure


def any_of(checks: Sequence[Check]) -> Check:
    """A check that one is met; else what is nearest to it is the reason."""

    def check(reading: Reading, eligible: Eligible) -> Failure | None:
        nearest: Failure | None = None
        for one in checks:
            failed = one(reading, eligible)
            if failed is None:
                return None
            if nearest is None or _distance(failed) < _distance(nearest):
                nearest = failed
        return nearest

    return check


def _distance(failed: Failure) -> tuple[bool, bool, int]:
    return failed.missing is None, not failed.near, failed.share


def none_of(negated: Truth, kind: str) -> Check:
    """A check that the other is not met; more of anything does not help.

    Without a customer nobody knows whether a condition on customers is met: then neither is this.
    """
    name = f"not.{kind}"
    failed, unknown = Failure("condition_not_met", name), Failure("customer_unknown", name)

    def check(reading: Reading, eligible: Eligible) -> Failure | None:
        met = negated(reading, eligible)
        if met is None:
            return unknown
        return failed if met else None

    return check


def compile_truth(condition: Condition, terms: Terms) -> Truth:
    """Whether the condition is met; None where that depends on a customer who is not known."""
    match condition:
        case All():
            every = [compile_truth(child, terms) for child in condition.conditions]
            return lambda reading, eligible: _least(one(reading, eligible) for one in every)
        case AnyOf():
            some = [compile_truth(child, terms) for child in condition.conditions]
            return lambda reading, eligible: _negated(
                _least(_negated(one(reading, eligible)) for one in some)
            )
        case Not():
            negated = compile_truth(condition.condition, terms)
            return lambda reading, eligible: _negated(negated(reading, eligible))
        case CustomerKnown():
            return _told(compile_condition(condition, terms), nobody=False)
        case _:
            return _told(compile_condition(condition, terms), nobody=None)


def _told(check: Check, *, nobody: bool | None) -> Truth:
    def truth(reading: Reading, eligible: Eligible) -> bool | None:
        failed = check(reading, eligible)
        if failed is not None and failed.reason == "customer_unknown":
            return nobody
        return failed is None

    return truth


def _least(truths: Iterable[bool | None]) -> bool | None:
    found = set(truths)
    if False in found:
        return False
    return None if None in found else True


def _negated(truth: bool | None) -> bool | None:
    return None if truth is None else not truth
