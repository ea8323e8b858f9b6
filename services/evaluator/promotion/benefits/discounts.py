"""Discounts: a percentage, an amount, a price."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import msgspec

from services.evaluator.promotion.allocation import THOUSANDTHS, round_half_up
from services.evaluator.promotion.benefits.offer import Context, Given, Shares
from services.evaluator.promotion.benefits.portions import (
    amount_off,
    amount_off_units,
    best_sets,
    limited,
    percent_of,
    shares_of,
    take,
)
from services.evaluator.promotion.selection import Selection, select
from shared.events.benefits import AmountOff, FixedPrice, PercentOff, Pick


class PercentOffer(msgspec.Struct, frozen=True, eq=False):
    """A percentage off the selected products. It keeps what it needs of its model, not the model."""

    selection: Selection
    percent: int
    of_original: bool
    max_discount: int | None
    max_units: int | None
    pick: Pick
    earns: bool = False

    @classmethod
    def of(cls, benefit: PercentOff) -> Self:
        """The benefit compiled."""
        return cls(
            select(benefit.products),
            benefit.percent,
            benefit.of == "original",
            benefit.max_discount,
            benefit.max_units,
            benefit.pick,
        )

    def give(self, context: Context) -> Given:
        """A line's part is cut at its floor; what is cut moves to no other line."""
        portions = limited(
            context.reading.lines,
            context.eligible.pick(self.selection),
            None if self.max_units is None else self.max_units * context.times,
            self.pick,
        )
        shares = percent_of(
            context,
            portions,
            self.percent,
            of_original=self.of_original,
            most=self.max_discount,
        )
        return Given(shares)


class AmountOffer(msgspec.Struct, frozen=True, eq=False):
    """An amount off the selected products: once, or off each unit."""

    selection: Selection
    amount: int
    per_unit: bool
    max_discount: int | None
    max_units: int | None
    pick: Pick
    earns: bool = False

    @classmethod
    def of(cls, benefit: AmountOff) -> Self:
        """The benefit compiled."""
        return cls(
            select(benefit.products),
            benefit.amount,
            benefit.per_unit,
            benefit.max_discount,
            benefit.max_units,
            benefit.pick,
        )

    def give(self, context: Context) -> Given:
        """What does not fit on one line moves to the others, as far as there is room."""
        positions = context.eligible.pick(self.selection)
        if not self.per_unit:
            amount = self._held(self.amount * context.times)
            return Given(amount_off(context, positions, amount))
        most = None if self.max_units is None else self.max_units * context.times
        units = limited(context.reading.lines, positions, most, self.pick)
        amount = self._held(round_half_up(self.amount * units.quantity, THOUSANDTHS))
        return Given(amount_off_units(context, units, amount))

    def _held(self, amount: int) -> int:
        most = self.max_discount
        return amount if most is None else min(amount, most)


@dataclass(frozen=True, slots=True, eq=False)
class FixedPriceOffer:
    """The selected products at a price: every unit, or every full set of units."""

    benefit: FixedPrice
    selection: Selection
    earns: bool = False

    def give(self, context: Context) -> Given:
        """What is above the price is taken off; cheaper goods stay as they are."""
        positions = context.eligible.pick(self.selection)
        if self.benefit.units is None:
            return Given(self._units(context, positions))
        return Given(self._sets(context, positions, self.benefit.units))

    def _most(self, context: Context) -> int | None:
        most = self.benefit.max_units
        return None if most is None else most * context.times

    def _units(self, context: Context, positions: Sequence[int]) -> Shares:
        lines = context.reading.lines
        units = limited(lines, positions, self._most(context), "dearest")
        scale = units.scale * THOUSANDTHS
        rooms = context.rooms(units.positions)
        exact = [
            min(
                max(0, worth * THOUSANDTHS - self.benefit.price * quantity * units.scale),
                room * scale,
            )
            for worth, quantity, room in zip(
                units.worth(lines, context.remaining), units.quantities, rooms, strict=True
            )
        ]
        return shares_of(units.positions, round_half_up(sum(exact), scale), exact, rooms)

    def _sets(self, context: Context, positions: Sequence[int], size: int) -> Shares:
        lines = context.reading.lines
        most = self._most(context)
        sets = best_sets(
            context, limited(lines, positions, most, "dearest"), size, self.benefit.price
        )
        units = take(lines, positions, sets * size, "dearest")
        worth = units.worth(lines, context.remaining)
        above = sum(worth) - sets * self.benefit.price * units.scale
        if above <= 0:
            return ()
        rooms = context.rooms(units.positions)
        fits = sum([room for room, weight in zip(rooms, worth, strict=True) if weight])
        discount = min(round_half_up(above, units.scale), fits)
        return shares_of(units.positions, discount, worth, rooms)
