"""Arithmetic of money: rounding, floors, and spreading a benefit over lines to the cent."""

from collections.abc import Sequence

from shared.events.checkout import CartLine

BASIS_POINTS = 10_000
THOUSANDTHS = 1_000


def round_half_up(numerator: int, denominator: int) -> int:
    """``numerator`` ÷ ``denominator`` (not negative) to the nearest whole; a half goes up."""
    return (2 * numerator + denominator) // (2 * denominator)


def floor_of(line: CartLine) -> int:
    """The least amount (minor units) that discounts may leave of a line.

    The greater of ``min_line_amount`` and ``min_unit_price`` × quantity, rounded up: a legal
    minimum price must not be undercut by rounding.
    """
    if not line.min_unit_price:
        return line.min_line_amount
    by_unit = -(-line.min_unit_price * line.quantity // THOUSANDTHS)
    return max(line.min_line_amount, by_unit)


def spread(amount: int, weights: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """Shares of ``amount`` in proportion to ``weights`` by largest remainder; they add up to it.

    Ties go to the earlier line. No share exceeds its line's room: what does not fit moves to the
    others. Raises ``ValueError`` when all rooms together are too small.
    """
    if amount > sum(rooms):
        message = f"{amount} does not fit into {sum(rooms)}"
        raise ValueError(message)
    whole = sum(weights)
    if not amount or not whole:
        return [0] * len(weights)
    shares = [
        min(amount * weight // whole, room) for weight, room in zip(weights, rooms, strict=True)
    ]
    left = amount - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda n: (-(amount * weights[n] % whole), n))
    while left:
        for n in by_remainder:
            if left and shares[n] < rooms[n]:
                shares[n] += 1
                left -= 1
    return shares
