"""Discounts: a percentage, an amount, a price."""

from collections.abc import Sequence
from dataclasses import dataclass

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
from services.evaluator.promotion.selection import Selection
from shared.events.benefits import AmountOff, FixedPrice, PercentOff


@dataclass(frozen=True, slots=True, eq=False)
class PercentOffer:
    """A percentage off the selected products."""

    benefit: PercentOff
    selection: Selection
    earns: bool = False

    def give(self, context: Context) -> Given:
        """A line's part is cut at its floor; what is cut moves to no other line."""
        benefit = self.benefit
        portions = limited(
            context.reading.lines,
            context.eligible.pick(self.selection),
            None if benefit.max_units is None else benefit.max_units * context.times,
            benefit.pick,
        )
        of_original = benefit.of == "original"
        shares = percent_of(
            context, portions, benefit.percent, of_original=of_original, most=benefit.max_discount
        )
        return Given(shares)


@dataclass(frozen=True, slots=True, eq=False)
class AmountOffer:
    """An amount off the selected products: once, or off each unit."""

    benefit: AmountOff
    selection: Selection
    earns: bool = False

    def give(self, context: Context) -> Given:
        """What does not fit on one line moves to the others, as far as there is room."""
        benefit, positions = self.benefit, context.eligible.pick(self.selection)
        if not benefit.per_unit:
            amount = self._held(benefit.amount * context.times)
            return Given(amount_off(context, positions, amount))
        most = None if benefit.max_units is None else benefit.max_units * context.times
        units = limited(context.reading.lines, positions, most, benefit.pick)
        amount = self._held(round_half_up(benefit.amount * units.quantity, THOUSANDTHS))
        return Given(amount_off_units(context, units, amount))

    def _held(self, amount: int) -> int:
        most = self.benefit.max_discount
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
