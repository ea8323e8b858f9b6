"""Earlier purchases of a customer, and what conditions count of them."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal

import msgspec

from services.evaluator.promotion.selection import Selection

Measure = Literal["quantity", "sum", "receipts"]


class PurchasedLine(msgspec.Struct, frozen=True, array_like=True):
    """What is left of a line after returns, never of ``no_promo`` goods.

    ``quantity`` in thousandths, ``amount`` in minor units before our discounts; ``discounted``:
    it had a discount from elsewhere.
    """

    sku: str
    quantity: int
    amount: int
    group: str | None = None
    brand: str | None = None
    attributes: dict[str, str] = {}
    discounted: bool = False


class Purchase(msgspec.Struct, frozen=True, array_like=True):
    """A receipt of the customer, at the time it is of: late ones take their place among the others."""

    receipt_id: str
    occurred_at: datetime
    lines: tuple[PurchasedLine, ...]


def ordered(purchases: Iterable[Purchase]) -> tuple[Purchase, ...]:
    """Purchases by time, then receipt."""
    return tuple(sorted(purchases, key=lambda p: (p.occurred_at, p.receipt_id)))


class History:
    """A customer's purchases in a window as one instrument sees them: some lines may not count."""

    __slots__ = ("_include_discounted", "_purchases")

    def __init__(self, purchases: Sequence[Purchase], *, include_discounted: bool) -> None:
        self._purchases = purchases
        self._include_discounted = include_discounted

    def count(self) -> int:
        """How many receipts had at least one line that counts."""
        return sum([1 for purchase in self._purchases if self._lines(purchase)])

    def sum(self) -> int:
        """What the lines came to (minor units)."""
        return sum([line.amount for p in self._purchases for line in self._lines(p)])

    def of(self, selection: Selection, measure: Measure) -> int:
        """The selected products' quantity (thousandths), sum (minor units), or receipts."""
        takes = selection.takes
        if measure == "receipts":
            return sum([1 for p in self._purchases if any(takes(line) for line in self._lines(p))])
        found = [x for p in self._purchases for x in self._lines(p) if takes(x)]
        return sum([x.quantity if measure == "quantity" else x.amount for x in found])

    def last(self) -> datetime | None:
        """When the latest of them was."""
        for purchase in reversed(self._purchases):
            if self._lines(purchase):
                return purchase.occurred_at
        return None

    def _lines(self, purchase: Purchase) -> Sequence[PurchasedLine]:
        if self._include_discounted:
            return purchase.lines
        return [line for line in purchase.lines if not line.discounted]


_TIME = attrgetter("occurred_at")


def within(
    purchases: Sequence[Purchase], start: datetime, end: datetime, receipt_id: str | None = None
) -> Sequence[Purchase]:
    """Of ``ordered`` purchases those with ``start`` ≤ t < ``end``, without the given receipt."""
    first = bisect_left(purchases, start, key=_TIME)
    past = bisect_left(purchases, end, key=_TIME)
    found = purchases[first:past]
    return found if receipt_id is None else [p for p in found if p.receipt_id != receipt_id]


def whole_days(since: datetime, until: datetime) -> int:
    """Full days of 24 hours between two instants."""
    return (until - since) // timedelta(days=1)
