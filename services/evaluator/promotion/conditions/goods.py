"""Conditions on the goods of the receipt: before our discounts, without ``no_promo`` goods."""

from collections.abc import Callable

from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.conditions.check import Check
from services.evaluator.promotion.failure import Bar, Failure, bar, gap
from services.evaluator.promotion.selection import Selection, select
from shared.events.conditions import (
    LineCount,
    ProductMix,
    ProductPresence,
    ProductQuantity,
    ProductSum,
    ReceiptQuantity,
    ReceiptTotal,
)

Measured = ReceiptTotal | ReceiptQuantity | LineCount | ProductQuantity | ProductSum
"""Conditions that compare one amount of the cart's."""
Measure = Callable[[Reading, Eligible], int]


def measure(condition: Measured) -> Measure:
    """What the condition compares: minor units, thousandths, or lines."""
    match condition:
        case ReceiptTotal():
            return lambda _, eligible: eligible.total
        case ReceiptQuantity():
            return lambda _, eligible: eligible.quantity
        case LineCount():
            return lambda _, eligible: len(eligible.positions)
        case ProductQuantity():
            return quantity_of(select(condition.products))
        case ProductSum():
            return sum_of(select(condition.products))


def sum_of(selection: Selection) -> Measure:
    """The selected lines' sum (minor units)."""
    pick = selection.pick

    def measured(reading: Reading, eligible: Eligible) -> int:
        amounts = reading.amounts
        return sum([amounts[n] for n in pick(eligible.places, eligible.positions)])

    return measured


def quantity_of(selection: Selection) -> Measure:
    """The selected lines' quantity (thousandths)."""
    pick = selection.pick

    def measured(reading: Reading, eligible: Eligible) -> int:
        quantities = reading.quantities
        return sum([quantities[n] for n in pick(eligible.places, eligible.positions)])

    return measured


def limit_of(condition: Measured) -> Bar:
    """What the measured amount is compared with."""
    match condition:
        case ReceiptTotal() | ProductSum():
            return bar(condition.compare, condition.kind, "money")
        case ReceiptQuantity() | ProductQuantity():
            return bar(condition.compare, condition.kind, "quantity")
        case LineCount():
            return bar(condition.compare, condition.kind, "lines")


def measured(condition: Measured) -> Check:
    """A check of one amount."""
    amount, limit = measure(condition), limit_of(condition)
    if limit.most is not None:
        return lambda reading, eligible: limit.failure(amount(reading, eligible))
    name, unit, least = limit.name, limit.unit, limit.least

    # Nearly all comparisons are these; one call less for each.
    def at_least(reading: Reading, eligible: Eligible) -> Failure | None:
        actual = amount(reading, eligible)
        return None if actual >= least else gap(name, least - actual, least, unit)

    return at_least


def presence(condition: ProductPresence) -> Check:
    """A check that some line of the products is there."""
    pick = select(condition.products).pick
    missing = gap(condition.kind, 1, 1, "lines")
    return lambda _, eligible: None if pick(eligible.places, eligible.positions) else missing


def mix(condition: ProductMix) -> Check:
    """A check that every part has its quantity."""
    found = mix_quantities(condition)
    parts = condition.parts

    def check(reading: Reading, eligible: Eligible) -> Failure | None:
        short = [
            (part.quantity - there, part.quantity)
            for part, there in zip(parts, found(reading, eligible), strict=True)
            if there < part.quantity
        ]
        if not short:
            return None
        missing = sum(lacking for lacking, _ in short)
        return gap(condition.kind, missing, sum(part.quantity for part in parts), "quantity")

    return check


def mix_quantities(condition: ProductMix) -> Callable[[Reading, Eligible], list[int]]:
    """What is there for each part; a line counts for the first part that selects it."""
    selections = [select(part.products) for part in condition.parts]

    def quantities(reading: Reading, eligible: Eligible) -> list[int]:
        taken: set[int] = set()
        found = []
        for selection in selections:
            mine = [n for n in eligible.pick(selection) if n not in taken]
            taken.update(mine)
            found.append(sum([reading.quantities[n] for n in mine]))
        return found

    return quantities
