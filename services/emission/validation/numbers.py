"""What conditions say of numbers: totals, quantities, history; and how these bound each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.emission.validation.claims import Claim
from services.emission.validation.goods import EVERYTHING, Goods, goods, is_within
from services.emission.validation.spans import FOREVER, Spans, let_through, meet, outside
from shared.events.conditions import (
    Condition,
    CustomerKnown,
    DaysSincePurchase,
    FirstPurchase,
    LineCount,
    ProductMix,
    ProductPresence,
    ProductPurchases,
    ProductQuantity,
    ProductSum,
    PurchaseCount,
    PurchaseSum,
    ReceiptQuantity,
    ReceiptTotal,
)
from shared.events.selection import Comparison
from shared.events.values import MAX_LINES, MAX_MONEY, MAX_QUANTITY

SOME: Spans = ((1, FOREVER),)
NONE: Spans = ((0, 0),)
KNOWN: Spans = ((0, FOREVER),)
UNKNOWN: Spans = ((-1, -1),)


@dataclass(frozen=True)
class Measure:
    """A number of the receipt, or of the customer's history, that conditions compare.

    History is -1 where there is no customer, ``days`` also where there was no purchase: then a
    condition is not met whatever it compares with, and its ``not`` is.
    """

    name: str
    of: Goods = EVERYTHING


Possible = dict[Measure, Spans]
Pairs = tuple[tuple[Measure, Measure], ...]
SUM, QUANTITY, LINES = Measure("sum"), Measure("quantity"), Measure("lines")
VISITS, SPENT, DAYS = Measure("visits"), Measure("spent"), Measure("days")
_HISTORY = {"visits", "spent", "days", "bought quantity", "bought sum", "bought receipts"}
_GREATEST = {"sum": MAX_MONEY, "quantity": MAX_LINES * MAX_QUANTITY, "lines": MAX_LINES}
_BOUGHT = {"quantity": "bought quantity", "sum": "bought sum", "receipts": "bought receipts"}


def possible(measure: Measure, longest_days: int) -> Spans:
    """The numbers that there can be; ``longest_days`` is the length of the processing period."""
    if measure == DAYS:
        return ((-1, longest_days),)
    least = -1 if measure.name in _HISTORY else 0
    return ((least, _GREATEST.get(measure.name, FOREVER)),)


def said_of_numbers(claim: Claim) -> Iterator[tuple[Measure, Spans]]:
    """What the claim leaves possible of which measures."""
    match claim.condition:
        case ProductPresence(products=products):
            yield Measure("quantity", goods(products)), SOME if claim.holds else NONE
        case ProductMix(parts=parts) if claim.holds:
            for part in parts:
                yield Measure("quantity", goods(part.products)), ((part.quantity, FOREVER),)
            # A line counts for one part only.
            yield QUANTITY, ((sum(part.quantity for part in parts), FOREVER),)
        case FirstPurchase() if claim.holds:
            yield VISITS, NONE
            yield SPENT, NONE
            yield DAYS, UNKNOWN
        case CustomerKnown(known=known):
            yield VISITS, KNOWN if known == claim.holds else UNKNOWN
        case condition:
            for compared, measure in _compared(condition):
                met = meet(let_through(compared), KNOWN)
                yield measure, met if claim.holds else outside(met)


def _compared(condition: Condition) -> Iterator[tuple[Comparison, Measure]]:
    match condition:
        case ReceiptTotal(compare=compare):
            yield compare, SUM
        case ReceiptQuantity(compare=compare):
            yield compare, QUANTITY
        case LineCount(compare=compare):
            yield compare, LINES
        case ProductQuantity(compare=compare, products=products):
            yield compare, Measure("quantity", goods(products))
        case ProductSum(compare=compare, products=products):
            yield compare, Measure("sum", goods(products))
        case DaysSincePurchase(compare=compare):
            yield compare, DAYS
        case PurchaseCount(compare=compare):
            yield compare, VISITS
        case PurchaseSum(compare=compare):
            yield compare, SPENT
        case ProductPurchases(compare=compare, products=products, measure=measure):
            yield compare, Measure(_BOUGHT[measure], goods(products))


def is_at_most(one: Measure, other: Measure) -> bool:
    """Whether ``one`` can never be more than ``other``."""
    if one.name == other.name:
        return is_within(one.of, other.of)
    return (one.name, other.name) == (_BOUGHT["receipts"], "visits")


def needs_some_of(one: Measure, other: Measure) -> bool:
    """Whether ``one`` above zero means that ``other`` is."""
    match one.name, other.name:
        case "sum", "quantity":
            return is_within(one.of, other.of)
        case ("quantity", "lines") | ("spent", "visits"):
            return True
        case "lines", "quantity":
            return other.of == EVERYTHING
        case name, "visits":
            return name in _BOUGHT.values()
        case _:
            return False


class Numbers:
    """What is possible of each measure, as more and more must hold."""

    def __init__(self, longest_days: int) -> None:
        self.longest_days = longest_days
        self._possible: Possible = {}
        self._bounds: Pairs = ()
        self._needs: Pairs = ()
        self.keep(*((one, possible(one, longest_days)) for one in (SUM, QUANTITY, LINES, VISITS)))

    def copy(self) -> "Numbers":
        """The same, to go another way with."""
        one = Numbers(self.longest_days)
        one._possible, one._bounds, one._needs = self._possible, self._bounds, self._needs
        return one

    def allow(self, *said: tuple[Measure, Spans]) -> bool:
        """Whether all of it can be, with all that was kept."""
        return self.copy().keep(*said)

    def keep(self, *said: tuple[Measure, Spans]) -> bool:
        """As ``allow``; and from now on it must be, if it can."""
        found, bounds, needs = dict(self._possible), self._bounds, self._needs
        for measure, spans in said:
            if measure not in found:
                pairs = [pair for other in found for pair in ((measure, other), (other, measure))]
                bounds += tuple(pair for pair in pairs if is_at_most(*pair))
                needs += tuple(pair for pair in pairs if needs_some_of(*pair))
                found[measure] = possible(measure, self.longest_days)
            found[measure] = meet(found[measure], spans)
        if not _settle(found, bounds, needs):
            return False
        self._possible, self._bounds, self._needs = found, bounds, needs
        return True


def _settle(found: Possible, bounds: Pairs, needs: Pairs) -> bool:
    """Narrow each measure by the others until nothing changes; False when one cannot be."""
    before: Possible = {}
    while found != before:
        if not all(found.values()):
            return False
        before = dict(found)
        for less, more in bounds:
            if found[less] and found[more]:
                least, greatest = found[less][0][0], found[more][-1][1]
                found[more] = meet(found[more], ((least, FOREVER),))
                found[less] = meet(found[less], ((-FOREVER, greatest),))
        for one, other in needs:
            if found[one] and found[other]:
                least, greatest = found[one][0][0], found[other][-1][1]
                found[other] = meet(found[other], SOME) if least > 0 else found[other]
                found[one] = meet(found[one], ((-FOREVER, 0),)) if greatest <= 0 else found[one]
        if found[VISITS] and found[VISITS][0][0] >= 0:
            for one in found:
                is_known = one != DAYS and one.name in _HISTORY
                found[one] = meet(found[one], KNOWN) if is_known else found[one]
    return True
