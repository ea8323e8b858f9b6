"""Conditions on the goods of the receipt: before our discounts, without ``no_promo`` goods."""

from collections.abc import Callable

import msgspec

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
from shared.events.outcome import Unit

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


class _OfKey(msgspec.Struct, frozen=True):
    """The amounts of lines that have one value in one dimension.

    Compiled conditions are objects rather than closures: a closure is some ten objects scattered in
    memory, and with many campaigns it is the memory that is waited for.
    """

    dimension: str
    value: str

    def sum(self, reading: Reading, eligible: Eligible) -> int:
        positions = eligible.places[self.dimension].get(self.value)
        if positions is None:
            return 0
        amounts = reading.amounts
        return sum([amounts[n] for n in positions])

    def quantity(self, reading: Reading, eligible: Eligible) -> int:
        positions = eligible.places[self.dimension].get(self.value)
        if positions is None:
            return 0
        quantities = reading.quantities
        return sum([quantities[n] for n in positions])


class _OfSelection(msgspec.Struct, frozen=True):
    """The amounts of selected lines."""

    selection: Selection

    def sum(self, reading: Reading, eligible: Eligible) -> int:
        amounts = reading.amounts
        return sum([amounts[n] for n in eligible.pick(self.selection)])

    def quantity(self, reading: Reading, eligible: Eligible) -> int:
        quantities = reading.quantities
        return sum([quantities[n] for n in eligible.pick(self.selection)])


def sum_of(selection: Selection) -> Measure:
    """The selected lines' sum (minor units)."""
    return _amounts_of(selection).sum


def quantity_of(selection: Selection) -> Measure:
    """The selected lines' quantity (thousandths)."""
    return _amounts_of(selection).quantity


def _amounts_of(selection: Selection) -> _OfKey | _OfSelection:
    key = selection.only_key
    return _OfKey(*key) if key else _OfSelection(selection)


def limit_of(condition: Measured) -> Bar:
    """What the measured amount is compared with."""
    match condition:
        case ReceiptTotal() | ProductSum():
            return bar(condition.compare, condition.kind, "money")
        case ReceiptQuantity() | ProductQuantity():
            return bar(condition.compare, condition.kind, "quantity")
        case LineCount():
            return bar(condition.compare, condition.kind, "lines")


class _AtLeast(msgspec.Struct, frozen=True):
    """A check of one amount: ≥, as nearly all are."""

    amount: Measure
    least: int
    name: str
    unit: Unit

    def failure(self, reading: Reading, eligible: Eligible) -> Failure | None:
        actual = self.amount(reading, eligible)
        least = self.least
        if actual >= least:
            return None
        return gap(self.name, least - actual, least, self.unit)


class _Total(msgspec.Struct, frozen=True):
    """The receipt's total is at least so much: the commonest condition of all."""

    least: int

    def failure(self, _: Reading, eligible: Eligible) -> Failure | None:
        total, least = eligible.total, self.least
        return None if total >= least else gap("receipt_total", least - total, least, "money")


def measured(condition: Measured) -> Check:
    """A check of one amount."""
    limit = limit_of(condition)
    if limit.most is None:
        if isinstance(condition, ReceiptTotal):
            return _Total(limit.least).failure
        return _AtLeast(measure(condition), limit.least, limit.name, limit.unit).failure
    amount = measure(condition)
    return lambda reading, eligible: limit.failure(amount(reading, eligible))


class _Present(msgspec.Struct, frozen=True):
    selection: Selection

    def failure(self, _: Reading, eligible: Eligible) -> Failure | None:
        return None if eligible.pick(self.selection) else _ABSENT


_ABSENT = gap("product_presence", 1, 1, "lines")


def presence(condition: ProductPresence) -> Check:
    """A check that some line of the products is there."""
    return _Present(select(condition.products)).failure


class _Mix(msgspec.Struct, frozen=True):
    """A check that every part of a mix has its quantity."""

    parts: tuple[tuple[Selection, int], ...]
    needed: int

    def quantities(self, reading: Reading, eligible: Eligible) -> list[int]:
        """What is there for each part; a line counts for the first part that selects it."""
        taken: set[int] = set()
        found, quantities = [], reading.quantities
        for selection, _ in self.parts:
            mine = [n for n in eligible.pick(selection) if n not in taken]
            taken.update(mine)
            found.append(sum([quantities[n] for n in mine]))
        return found

    def failure(self, reading: Reading, eligible: Eligible) -> Failure | None:
        there = self.quantities(reading, eligible)
        missing = 0
        for (_, needed), found in zip(self.parts, there, strict=True):
            if found < needed:
                missing += needed - found
        return gap("product_mix", missing, self.needed, "quantity") if missing else None


def mix(condition: ProductMix) -> Check:
    """A check that every part has its quantity."""
    return _mix(condition).failure


def mix_quantities(condition: ProductMix) -> Callable[[Reading, Eligible], list[int]]:
    """What is there for each part; a line counts for the first part that selects it."""
    return _mix(condition).quantities


def _mix(condition: ProductMix) -> _Mix:
    parts = tuple([(select(part.products), part.quantity) for part in condition.parts])
    return _Mix(parts, sum([quantity for _, quantity in parts]))
