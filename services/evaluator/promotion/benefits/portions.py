"""Portions of lines: which units get a benefit, what they are worth, and discounts of that worth.

Worth is exact: a part of a line is a fraction, and of all portions of a benefit at most one line is
taken in part, so that one denominator does for all.
"""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from services.evaluator.promotion.allocation import BASIS_POINTS, round_half_up, spread
from services.evaluator.promotion.benefits.offer import Context, Shares
from shared.events.benefits import Pick
from shared.events.checkout import CartLine


class Portions(msgspec.Struct, frozen=True):
    """Some quantity (thousandths) of each of some lines, by their positions, ascending.

    ``scale`` × the line's amount × quantity ÷ the line's quantity is whole for every portion.
    """

    positions: Sequence[int]
    quantities: Sequence[int]
    scale: int = 1

    @property
    def quantity(self) -> int:
        """Thousandths in all."""
        return sum(self.quantities)

    def worth(self, lines: Sequence[CartLine], amounts: Sequence[int]) -> list[int]:
        """What each portion is of its line's amount, times ``scale``."""
        if self.scale == 1:
            return [amounts[n] for n in self.positions]
        return [
            amounts[n] * self.scale * quantity // lines[n].quantity
            for n, quantity in zip(self.positions, self.quantities, strict=True)
        ]


def whole_lines(lines: Sequence[CartLine], positions: Sequence[int]) -> Portions:
    """All of the lines."""
    return Portions(positions, [lines[n].quantity for n in positions])


def take(
    lines: Sequence[CartLine], positions: Sequence[int], quantity: int, pick: Pick
) -> Portions:
    """So much of the lines, the cheapest or the dearest units first; ties in line order.

    Prices are those on the cart, before our discounts.
    """
    taken: dict[int, int] = {}
    scale = 1
    for n in _by_price(lines, positions, pick):
        if quantity <= 0:
            break
        taken[n] = min(quantity, lines[n].quantity)
        quantity -= taken[n]
        if taken[n] < lines[n].quantity:
            scale = lines[n].quantity
    ordered = sorted(taken)
    return Portions(ordered, [taken[n] for n in ordered], scale)


def _by_price(lines: Sequence[CartLine], positions: Sequence[int], pick: Pick) -> list[int]:
    sign = 1 if pick == "cheapest" else -1
    return sorted(positions, key=lambda n: (sign * lines[n].price, n))


def limited(
    lines: Sequence[CartLine], positions: Sequence[int], most: int | None, pick: Pick
) -> Portions:
    """All of the lines, or ``most`` of them."""
    if most is None:
        return whole_lines(lines, positions)
    return take(lines, positions, most, pick)


def percent_of(
    context: Context,
    portions: Portions,
    percent: int,
    *,
    of_original: bool = False,
    most: int | None = None,
) -> Shares:
    """A percentage (basis points) of the portions' worth.

    A line's part is cut at its floor; the parts are added up exactly and rounded once, half up, then
    held to ``most``, then spread.
    """
    lines = context.reading.lines
    amounts = context.reading.amounts if of_original else context.remaining
    unit = BASIS_POINTS * portions.scale
    rooms = context.rooms(portions.positions)
    exact = [
        min(worth * percent, room * unit)
        for worth, room in zip(portions.worth(lines, amounts), rooms, strict=True)
    ]
    discount = round_half_up(sum(exact), unit)
    if most is not None and discount > most:
        discount = most
    return shares_of(portions.positions, discount, exact, rooms)


def amount_off(context: Context, positions: Sequence[int], amount: int) -> Shares:
    """An amount off the lines, as far as there is room, in proportion to what remains of them.

    What does not fit on one line moves to the others.
    """
    rooms = context.rooms(positions)
    weights = [context.remaining[n] for n in positions]
    return shares_of(positions, min(amount, sum(rooms)), weights, rooms)


def amount_off_units(context: Context, units: Portions, amount: int) -> Shares:
    """An amount off the units, as far as there is room, in proportion to their quantity.

    No unit gets more than it is worth. What does not fit on one line moves to the others.
    """
    worth = units.worth(context.reading.lines, context.remaining)
    rooms = [
        min(room, each // units.scale)
        for room, each in zip(context.rooms(units.positions), worth, strict=True)
    ]
    return shares_of(units.positions, min(amount, sum(rooms)), units.quantities, rooms)


def best_sets(context: Context, units: Portions, size: int, price: int) -> int:
    """How many full sets of ``size`` (thousandths), the dearest units first, save the most.

    A further set saves what its units are worth above ``price``. That changes only where a line
    ends, so that the best number is beside one of those places.
    """
    lines = context.reading.lines
    quantities = dict(zip(units.positions, units.quantities, strict=True))
    best, most, before, worth = 0, Fraction(0), 0, 0
    for n in _by_price(lines, units.positions, "dearest"):
        first, last = -(-before // size), (before + quantities[n]) // size
        for sets in (first, last) if first <= last else ():
            part = Fraction(sets * size - before, lines[n].quantity)
            saved = worth + context.remaining[n] * part - sets * price
            if saved > most:
                best, most = sets, saved
        before, worth = before + quantities[n], worth + context.remaining[n]
    return best


def shares_of(
    positions: Sequence[int], discount: int, weights: Sequence[int], rooms: Sequence[int]
) -> Shares:
    """The discount spread over the lines; those without a share are left out."""
    if discount <= 0:
        return ()
    shares = spread(discount, weights, rooms)
    return tuple([(n, share) for n, share in zip(positions, shares, strict=True) if share])
