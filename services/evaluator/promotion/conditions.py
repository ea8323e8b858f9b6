"""Conditions: what a cart must have, compiled to checks that answer with the reason and the gap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from services.evaluator.promotion.basket import Eligible, Key, Reading, select
from shared.events.conditions import (
    Condition,
    CustomerGroup,
    ProductQuantity,
    ProductSum,
    PromoCode,
    ReceiptTotal,
)
from shared.events.outcome import Reason
from shared.events.promotion import EmissionSummary
from shared.events.selection import Comparison

Unit = Literal["money", "quantity"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an instrument gives nothing, and the gap.

    ``missing`` is how much more of ``unit`` (minor units, thousandths) would do; None where more
    would not help.
    """

    reason: Reason
    condition: str | None = None
    missing: int | None = None
    unit: Unit | None = None


Check = Callable[[Reading, Eligible], Failure | None]


def compile_condition(condition: Condition, emissions: Mapping[str, EmissionSummary]) -> Check:
    """A check that is None when the condition is met by the lines that count."""
    match condition:
        case ReceiptTotal():
            return _receipt_total(condition)
        case ProductQuantity():
            return _product_quantity(condition)
        case ProductSum():
            return _product_sum(condition)
        case CustomerGroup():
            return _customer_group(condition)
        case PromoCode():
            return _promo_code(condition, emissions.get(condition.emission_id))
        case _:
            assert_never(condition)


def required_keys(condition: Condition) -> frozenset[Key]:
    """Keys of which the basket must have one, or the condition fails; empty = no such keys."""
    match condition:
        case PromoCode():
            return frozenset({("code", condition.emission_id)})
        case ProductQuantity() | ProductSum() if not _holds(0, condition.compare):
            return select(condition.products).keys
        case _:
            return frozenset()


def valid_at(emission: EmissionSummary, at: datetime) -> bool:
    """Whether codes of the emission are valid then: ``valid_from`` ≤ t < ``valid_until``."""
    return (emission.valid_from is None or emission.valid_from <= at) and (
        emission.valid_until is None or at < emission.valid_until
    )


def _holds(actual: int, compare: Comparison) -> bool:
    match compare.op:
        case ">=":
            return actual >= compare.value
        case ">":
            return actual > compare.value
        case "=":
            return actual == compare.value
        case "<":
            return actual < compare.value
        case "<=":
            return actual <= compare.value
        case "between":
            return compare.value <= actual <= (compare.upper or 0)
        case _:
            assert_never(compare.op)


def _compared(actual: int, compare: Comparison, name: str, unit: Unit) -> Failure | None:
    if _holds(actual, compare):
        return None
    if compare.op in {"<", "<="} or actual > compare.value:
        return Failure("condition_not_met", name)
    least = compare.value + 1 if compare.op == ">" else compare.value
    return Failure("condition_not_met", name, least - actual, unit)


def _receipt_total(condition: ReceiptTotal) -> Check:
    def check(reading: Reading, eligible: Eligible) -> Failure | None:
        total = sum(reading.lines[n].amount for n in eligible.positions)
        return _compared(total, condition.compare, condition.kind, "money")

    return check


def _product_quantity(condition: ProductQuantity) -> Check:
    selection = select(condition.products)

    def check(reading: Reading, eligible: Eligible) -> Failure | None:
        quantity = sum(reading.lines[n].quantity for n in selection.pick(eligible))
        return _compared(quantity, condition.compare, condition.kind, "quantity")

    return check


def _product_sum(condition: ProductSum) -> Check:
    selection = select(condition.products)

    def check(reading: Reading, eligible: Eligible) -> Failure | None:
        amount = sum(reading.lines[n].amount for n in selection.pick(eligible))
        return _compared(amount, condition.compare, condition.kind, "money")

    return check


def customer_failure(
    reading: Reading, groups: frozenset[str], condition: str | None = None
) -> Failure | None:
    """Why the basket's customer is not in one of ``groups``, if they are not."""
    if reading.basket.customer_id is None:
        return Failure("customer_unknown", condition)
    if groups.isdisjoint(reading.basket.customer_groups):
        return Failure("wrong_customer_group", condition)
    return None


def _customer_group(condition: CustomerGroup) -> Check:
    groups = frozenset(condition.groups)

    def check(reading: Reading, _: Eligible) -> Failure | None:
        return customer_failure(reading, groups, condition.kind)

    return check


def _promo_code(condition: PromoCode, emission: EmissionSummary | None) -> Check:
    def check(reading: Reading, _: Eligible) -> Failure | None:
        if condition.emission_id not in reading.codes:
            return Failure("code_missing", condition.condition_id)
        # Of an emission the campaign does not describe we know neither dates nor single use.
        if emission is None or not valid_at(emission, reading.basket.occurred_at):
            return Failure("code_not_valid", condition.condition_id)
        return None

    return check
