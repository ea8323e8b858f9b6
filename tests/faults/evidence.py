"""What was found of a run that is over, beside what the tills know of it. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.codec import decode
from shared.events.checkout import Return, Sale, SoldLine
from shared.events.outcome import BonusEntry, Decision, Receipt, Redemption, Returned
from shared.topics import BONUSES, DECISIONS, RECEIPTS, REDEMPTIONS, RETURNS
from tests.faults.book import Book, Page
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

    @cached_property
    def given(self) -> Counter[str]:
        """The discounts that receipts still have, by the last states of their redemptions."""
        given: Counter[str] = Counter()
        for state in self.states.values():
            if state.status in ("committed", "returned", "unauthorised"):
                given[state.receipt_id] += state.discount - state.discount_returned
        return given

    def refund(self, page: Page) -> int:
        """What the returns of a receipt refund in all: the shares of what came back, as the till knows them.

        If what remains was decided again, what was paid less what the rest costs: its amounts less the discounts
        that its redemptions, by their events, still have.
        """
        sale, returns = page.paid, page.brought_back
        if sale is None:
            return 0
        rest = rest_of(sale, returns)
        if not rest or not page.is_decided_again:
            return sum(refunds_of(sale, returns).values())
        cost = max(0, sum(rest.values()) - self.given[page.receipt_id])
        return max(0, sums_of(sale)[2] - cost)

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


def brought_back(sale: Sale, returns: Sequence[Return]) -> dict[int, int]:
    """How much of each line came back, by all returns of a sale; one that names no lines brings all."""
    quantities: Counter[int] = Counter()
    for back in returns:
        quantities.update({line.line: line.quantity for line in back.lines or sale.lines})
    return dict(quantities)


def refunds_of(sale: Sale, returns: Sequence[Return]) -> dict[int, int]:
    """What is refunded for each line that came back: its share of what was paid."""
    back = brought_back(sale, returns)
    return {
        line.line: _share(line, line.amount - line.discount, back)
        for line in sale.lines
        if line.line in back
    }


def rest_of(sale: Sale, returns: Sequence[Return]) -> dict[int, int]:
    """What remains of each line, as its amount before discounts; of nothing that remains nothing."""
    back = brought_back(sale, returns)
    rest = {line.line: line.amount - _share(line, line.amount, back) for line in sale.lines}
    return {line: amount for line, amount in rest.items() if amount}


def _share(line: SoldLine, amount: int, back: Mapping[int, int]) -> int:
    """Of an amount of a line what belongs to what came back of it, half up."""
    return (2 * amount * back.get(line.line, 0) + line.quantity) // (2 * line.quantity)
