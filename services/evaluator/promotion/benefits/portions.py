"""Portions of lines: which units get a benefit, what they are worth, and discounts of that worth.

Worth is exact: a part of a line is a fraction, and of all portions of a benefit at most one line is
taken in part, so that one denominator does for all.
"""

from collections.abc import Sequence

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
    sign = 1 if pick == "cheapest" else -1
    taken: dict[int, int] = {}
    scale = 1
    for n in sorted(positions, key=lambda n: (sign * lines[n].price, n)):
        if quantity <= 0:
            break
        taken[n] = min(quantity, lines[n].quantity)
        quantity -= taken[n]
        if taken[n] < lines[n].quantity:
            scale = lines[n].quantity
    ordered = sorted(taken)
    return Portions(ordered, [taken[n] for n in ordered], scale)


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
    amounts = [line.amount for line in lines] if of_original else context.remaining
    unit = BASIS_POINTS * portions.scale
    rooms = [context.room(n) for n in portions.positions]
    exact = [
        min(worth * percent, room * unit)
        for worth, room in zip(portions.worth(lines, amounts), rooms, strict=True)
    ]
    discount = round_half_up(sum(exact), unit)
    if most is not None and discount > most:
        discount = most
    return shares_of(portions.positions, discount, exact, rooms)


def amount_off(
    context: Context, positions: Sequence[int], amount: int, weights: Sequence[int] | None = None
) -> Shares:
    """An amount off the lines, as far as there is room, in proportion to what remains of them.

    What does not fit on one line moves to the others.
    """
    rooms = [context.room(n) for n in positions]
    chosen = [context.remaining[n] for n in positions] if weights is None else list(weights)
    fits = sum([room for room, weight in zip(rooms, chosen, strict=True) if weight])
    return shares_of(positions, min(amount, fits), chosen, rooms)


def shares_of(
    positions: Sequence[int], discount: int, weights: Sequence[int], rooms: Sequence[int]
) -> Shares:
    """The discount spread over the lines; those without a share are left out."""
    if discount <= 0:
        return ()
    shares = spread(discount, weights, rooms)
    return tuple([(n, share) for n, share in zip(positions, shares, strict=True) if share])
