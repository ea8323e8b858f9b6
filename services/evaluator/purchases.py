"""What is kept of paid receipts: the history that conditions count, and what returns refer to. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from services.evaluator.promotion.history import Purchase, PurchasedLine, ordered
from services.evaluator.promotion.ruleset import Considered
from services.evaluator.returns import Returned, portion
from shared.events.checkout import Sale, SoldLine

KEPT = timedelta(days=400)
"""How long receipts may be returned and count as history."""


def forgotten_before(now: datetime) -> datetime:
    """Purchases of before then are forgotten; no event is taken in that is so old."""
    return now - KEPT


class BoughtLine(PurchasedLine, frozen=True, array_like=True):
    """A line as it was sold. ``line`` is its number, ``paid`` what was paid for it (minor units)."""

    line: int = 0
    paid: int = 0


class Bought(msgspec.Struct, frozen=True, array_like=True):
    """The lines of a paid receipt; those that count as history come first: it reads no further."""

    lines: tuple[BoughtLine, ...]
    no_promo: tuple[BoughtLine, ...] = ()


class _Counting(msgspec.Struct, frozen=True, array_like=True):
    """The beginning of ``Bought``, or all that is left of it."""

    lines: tuple[PurchasedLine, ...]


_ENCODER = msgspec.msgpack.Encoder()
_BOUGHT = msgspec.msgpack.Decoder(Bought)
_COUNTING = msgspec.msgpack.Decoder(_Counting)


@dataclass(frozen=True, slots=True)
class PaidReceipt:
    """A paid receipt with what has come back of it, by line number."""

    receipt_id: str
    customer_id: str | None
    occurred_at: datetime
    bought: Bought
    returned: Mapping[int, Returned]

    @property
    def sold(self) -> tuple[BoughtLine, ...]:
        """Every line."""
        return (*self.bought.lines, *self.bought.no_promo)

    def after(self, returned: Mapping[int, Returned]) -> "PaidReceipt":
        """The receipt when so much has come back of these lines."""
        return replace(self, returned={**self.returned, **returned})

    @property
    def purchase(self) -> Purchase:
        """What counts of it as history: what has not come back, without ``no_promo`` goods."""
        lines = remaining(self.bought.lines, self.returned) if self.returned else self.bought.lines
        return Purchase(self.receipt_id, self.occurred_at, lines)


def paid_receipt(sale: Sale) -> PaidReceipt:
    """What is kept of a sale. It is the history of the customer whom the sale names."""
    counting: list[BoughtLine] = []
    others: list[BoughtLine] = []
    for line in sale.lines:
        (others if line.no_promo else counting).append(_bought(line))
    bought = Bought(tuple(counting), tuple(others))
    return PaidReceipt(sale.receipt_id, sale.customer_id, sale.occurred_at, bought, {})


def _bought(line: SoldLine) -> BoughtLine:
    return BoughtLine(
        line.sku,
        line.quantity,
        line.amount,
        line.group,
        line.brand,
        line.attributes,
        any(x.amount for x in line.discounts) if line.discounts else False,
        line.line,
        line.amount - line.discount,
    )


def remaining(
    lines: Iterable[BoughtLine], returned: Mapping[int, Returned]
) -> tuple[PurchasedLine, ...]:
    """The lines without what has come back; one that all came back of is gone.

    The amount that is left is amount − amount × returned ÷ bought, half up over all its returns.
    """
    left: list[PurchasedLine] = []
    for line in lines:
        back = returned.get(line.line)
        if back is None:
            left.append(line)
        elif back.quantity < line.quantity:
            amount = line.amount - portion(line.amount, back.quantity, line.quantity)
            quantity = line.quantity - back.quantity
            left.append(msgspec.structs.replace(line, quantity=quantity, amount=amount))
    return tuple(left)


def encode(lines: Bought | Sequence[PurchasedLine]) -> bytes:
    """The lines as they are stored: those of a sale, or what is left of them."""
    return _ENCODER.encode(lines if isinstance(lines, Bought) else _Counting(tuple(lines)))


def decode_bought(stored: bytes) -> Bought:
    """All lines of a sale."""
    return _BOUGHT.decode(stored)


def decode_counting(stored: bytes) -> tuple[PurchasedLine, ...]:
    """The lines that count as history; works for a sale's lines and for what is left of them."""
    return _COUNTING.decode(stored).lines


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a customer's purchases: all from ``since`` on, and the ``first`` earlier ones.

    The first are those that still count: the rest of a long history is not read to know that there
    is one.
    """

    since: datetime
    first: int = 0


NEVER = datetime.max.replace(tzinfo=UTC)
"""No purchase is as late."""


def wanted(considered: Iterable[Considered], returns: int) -> dict[str, Wanted]:
    """Whose purchases matter to these carts, and which.

    ``returns`` are how many come in the same batch: each may undo one of the first purchases, and
    one may be the receipt being decided.
    """
    found: dict[str, Wanted] = {}
    for each in considered:
        basket = each.reading.basket
        if basket.customer_id is None or each.since is None:
            continue
        since, first = NEVER, 0
        for candidate in each.candidates:
            if candidate.looks_back is None:
                continue
            since = min(since, candidate.window_at(basket.occurred_at).start)
            if candidate.looks_back == "ever":
                first = returns + 2
        before = found.get(basket.customer_id, Wanted(NEVER))
        found[basket.customer_id] = Wanted(min(before.since, since), max(before.first, first))
    return found


class Histories:
    """A transaction's working copy of customers' purchases, as ``history.ordered`` each.

    It knows only the customers it was made with: others' purchases are not asked for.
    """

    def __init__(self, purchases: Mapping[str, Sequence[Purchase]]) -> None:
        self._purchases = dict(purchases)

    def remind(self, considered: Considered) -> None:
        """Bring a cart its customer's purchases as they are now, unless it has them."""
        customer = considered.reading.basket.customer_id
        purchases = self._purchases.get(customer) if customer else None
        if purchases is not None and considered.reading.purchases is not purchases:
            considered.remember(purchases)

    def put(self, paid: PaidReceipt) -> None:
        """Note a receipt of a customer, or what is left of it, in its place in time."""
        customer = paid.customer_id
        if customer is not None and customer in self._purchases:
            others = [p for p in self._purchases[customer] if p.receipt_id != paid.receipt_id]
            self._purchases[customer] = ordered([*others, paid.purchase])
