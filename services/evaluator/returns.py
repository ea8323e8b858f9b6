"""What comes back of a sale, and the money for it (domain: "Partial return: proportional"). Pure.

All sums are cumulative: what a line has given back so far is worked out from all that was returned of
it, so that returning it in parts refunds to the cent what returning it at once does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.evaluator.receipt import ConflictError
from shared.events.checkout import ReturnedLine


class Sold(Protocol):
    """What must be known of a line of a sale; ``paid`` is after discounts (minor units)."""

    @property
    def line(self) -> int:
        """Its number on the receipt."""

    @property
    def quantity(self) -> int:
        """How much was bought (thousandths)."""

    @property
    def paid(self) -> int:
        """What was paid for it (minor units)."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What has come back of a line so far: ``quantity`` (thousandths), ``refund`` (minor units)."""

    quantity: int
    refund: int


def portion(amount: int, part: int, whole: int) -> int:
    """``amount`` × ``part`` ÷ ``whole``, half up; all of it when ``part`` is the whole."""
    return (2 * amount * part + whole) // (2 * whole)


def take_back(
    sold: Sequence[Sold], before: Mapping[int, Returned], asked: Sequence[ReturnedLine]
) -> dict[int, Returned]:
    """What has come back of the lines that a return touches, this one included, by line number.

    Nothing asked for = all that is left of the sale. A refund is the line's paid amount × returned ÷
    bought, rounded half up over all its returns. Raises ``ConflictError`` when the sale has no such
    line, or more would come back than was bought.
    """
    lines = {line.line: line for line in sold}
    if not asked:
        return _all_that_is_left(lines, before)
    after = {}
    for position, item in enumerate(asked):
        line = lines.get(item.line)
        if line is None:
            message = f"lines.{position}.line: the receipt has no such line"
            raise ConflictError("unknown_line", message)
        quantity = item.quantity + (before[item.line].quantity if item.line in before else 0)
        if quantity > line.quantity:
            message = (
                f"lines.{position}.quantity: with what came back before, {quantity} thousandths of"
                f" {line.quantity} bought"
            )
            raise ConflictError("returned_too_much", message)
        after[item.line] = _returned(line, quantity)
    return after


def _all_that_is_left(
    lines: Mapping[int, Sold], before: Mapping[int, Returned]
) -> dict[int, Returned]:
    after = {
        number: _returned(line, line.quantity)
        for number, line in lines.items()
        if number not in before or before[number].quantity < line.quantity
    }
    if not after:
        message = "receipt_id: all of this receipt has come back before"
        raise ConflictError("returned_too_much", message)
    return after


def _returned(line: Sold, quantity: int) -> Returned:
    return Returned(quantity, portion(line.paid, quantity, line.quantity))
