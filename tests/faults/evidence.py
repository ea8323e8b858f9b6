"""What was found of a run that is over, beside what the tills know of it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.codec import decode
from shared.events.checkout import Return, Sale
from shared.events.outcome import BonusEntry, Decision, Receipt, Redemption, Returned
from shared.topics import BONUSES, DECISIONS, RECEIPTS, REDEMPTIONS, RETURNS
from tests.faults.book import Book
from tests.faults.offers import Offers
from tests.faults.sources import Found


@dataclass(frozen=True)
class Difference:
    """Something that is not as it must be."""

    check: str
    what: str
    expected: object
    found: object

    def __str__(self) -> str:
        return f"{self.check}: {self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Run:
    """A run that is over: what the tills know, and what was found."""

    offers: Offers
    book: Book
    found: Found

    @cached_property
    def states(self) -> Mapping[str, Redemption]:
        """The last state of every redemption, by its events."""
        events = [
            decode(Redemption, e.value, ignore_unknown=True)
            for e in self.found.of(REDEMPTIONS.name)
        ]
        return {event.redemption_id: event for event in events}

    @cached_property
    def decisions(self) -> list[Decision]:
        """Every decision, as often as it was sent."""
        return [
            decode(Decision, e.value, ignore_unknown=True) for e in self.found.of(DECISIONS.name)
        ]

    @cached_property
    def receipts(self) -> list[Receipt]:
        """Every receipt that was passed on, as often as it was."""
        return [decode(Receipt, e.value, ignore_unknown=True) for e in self.found.of(RECEIPTS.name)]

    @cached_property
    def entries(self) -> list[BonusEntry]:
        """Every movement of bonuses, as often as it was passed on."""
        return [
            decode(BonusEntry, e.value, ignore_unknown=True) for e in self.found.of(BONUSES.name)
        ]

    @cached_property
    def returns(self) -> list[Returned]:
        """Every return that was passed on, as often as it was."""
        return [decode(Returned, e.value, ignore_unknown=True) for e in self.found.of(RETURNS.name)]

    def name(self, instrument_id: str) -> str:
        """What the instrument is called here."""
        return instrument_id.removeprefix(f"{self.offers.run}-")


def same(check: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> Iterator[Difference]:
    """What differs of two tables by key; a key that one of them has not is None there."""
    for key in sorted({*expected, *found}, key=str):
        if expected.get(key) != found.get(key):
            yield Difference(check, str(key), expected.get(key), found.get(key))


def sums_of(sale: Sale) -> tuple[int, int, int]:
    """Total, discount and what was paid of a sale (minor units)."""
    total = sum(line.amount for line in sale.lines)
    discount = sum(line.discount for line in sale.lines)
    return total, discount, total - discount


def points_of(sale: Sale) -> int:
    """How many points a sale was paid with."""
    return sum(payment.amount for payment in sale.payments if payment.method == "bonuses")


def refunds_of(sale: Sale, back: Return) -> dict[int, tuple[int, int]]:
    """Quantity and refund of each line that a return brings back, the only one of its sale."""
    asked = {line.line: line.quantity for line in back.lines}
    refunds = {}
    for line in sale.lines:
        quantity = asked.get(line.line, 0) if asked else line.quantity
        if quantity:
            paid = line.amount - line.discount
            refund = (2 * paid * quantity + line.quantity) // (2 * line.quantity)
            refunds[line.line] = (quantity, refund)
    return refunds
