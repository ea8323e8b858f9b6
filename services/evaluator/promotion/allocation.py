"""Arithmetic of money: rounding, floors, and spreading a benefit over lines to the cent."""

from collections.abc import Sequence
from operator import le

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
    others. Lines without weight get nothing. Raises ``ValueError`` when the room of the lines
    with weight is too small.
    """
    if amount:
        # Nearly always all shares fit at once.
        shares = _shares(amount, weights) if any(weights) else []
        if shares and all(map(le, shares, rooms)):
            return shares
    shares = [0] * len(weights)
    open_lines = [n for n, weight in enumerate(weights) if weight]
    if amount > (room := sum(rooms[n] for n in open_lines)):
        message = f"{amount} does not fit into {room}"
        raise ValueError(message)
    while amount:
        for n, share in zip(
            open_lines, _shares(amount, [weights[n] for n in open_lines]), strict=True
        ):
            shares[n] = share
        full = {n for n in open_lines if shares[n] > rooms[n]}
        if not full:
            break
        for n in full:
            shares[n] = rooms[n]
            amount -= rooms[n]
        open_lines = [n for n in open_lines if n not in full]
        for n in open_lines:
            shares[n] = 0
    return shares


def price_groups(quantity: int, net: int) -> tuple[tuple[int, int], ...]:
    """The unit prices of a line of pieces: (quantity in thousandths, price in minor units).

    At most two groups of whole units, the dearer first, whose prices differ by one and add up to
    ``net``. None for goods that are not whole pieces: their net has no unit price.
    """
    units, rest = divmod(quantity, THOUSANDTHS)
    if rest or not units:
        return ()
    price, dearer = divmod(net, units)
    groups = ((dearer, price + 1), (units - dearer, price))
    return tuple([(count * THOUSANDTHS, each) for count, each in groups if count])


def _shares(amount: int, weights: Sequence[int]) -> list[int]:
    whole = sum(weights)
    shares = [amount * weight // whole for weight in weights]
    left = amount - sum(shares)
    if left:
        remainders = [amount * weight % whole for weight in weights]
        # The sort is stable, also in reverse: ties go to the earlier line.
        places = sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)
        for n in places[:left]:
            shares[n] += 1
    return shares
