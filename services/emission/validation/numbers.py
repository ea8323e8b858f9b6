"""What conditions say of numbers: totals, quantities, history; and how these bound each other."""

from collections.abc import Callable, Iterator
from copy import copy
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


def _bound(less: Spans, more: Spans) -> tuple[Spans, Spans]:
    """Both, where the one is at most the other."""
    least, greatest = less[0][0], more[-1][1]
    return meet(less, ((-FOREVER, greatest),)), meet(more, ((least, FOREVER),))


def _need(one: Spans, other: Spans) -> tuple[Spans, Spans]:
    """Both, where the one above zero means that the other is."""
    least, greatest = one[0][0], other[-1][1]
    return (
        meet(one, ((-FOREVER, 0),)) if greatest <= 0 else one,
        meet(other, SOME) if least > 0 else other,
    )


def _know(visits: Spans, one: Spans) -> tuple[Spans, Spans]:
    """Both, where the one is known if there is a customer."""
    return visits, meet(one, KNOWN) if visits[0][0] >= 0 else one


Rule = Callable[[Spans, Spans], tuple[Spans, Spans]]
Rules = tuple[tuple[Measure, Measure, Rule], ...]


def _rules(one: Measure, other: Measure) -> Iterator[Rule]:
    if is_at_most(one, other):
        yield _bound
    if needs_some_of(one, other):
        yield _need
    if one == VISITS and other != DAYS and other.name in _HISTORY:
        yield _know


class Numbers:
    """What is possible of each measure, as more and more must hold."""

    def __init__(self, longest_days: int) -> None:
        self.longest_days = longest_days
        self.left: dict[Measure, Spans] = {}
        # The rules by each of the two measures that they are about.
        self.rules: dict[Measure, Rules] = {}
        self.keep(*((one, possible(one, longest_days)) for one in (SUM, QUANTITY, LINES, VISITS)))

    def copy(self) -> "Numbers":
        """The same, to go another way with."""
        one = copy(self)
        one.left = dict(self.left)
        one.rules = dict(self.rules)
        return one

    def allow(self, *said: tuple[Measure, Spans]) -> bool:
        """Whether all of it can be, with all that was kept."""
        return self.copy().keep(*said)

    def keep(self, *said: tuple[Measure, Spans]) -> bool:
        """As ``allow``; and from now on it must be, if it can."""
        before = dict(self.left)
        for measure, spans in said:
            self._add(measure)
            self.left[measure] = meet(self.left[measure], spans)
        if self._settle([measure for measure, _ in said]):
            return True
        self.left = {one: before.get(one, possible(one, self.longest_days)) for one in self.left}
        return False

    def _add(self, measure: Measure) -> None:
        if measure in self.left:
            return
        own: Rules = ()
        for other in self.left:
            pairs = ((measure, other), (other, measure))
            found = tuple((*pair, rule) for pair in pairs for rule in _rules(*pair))
            self.rules[other] += found  # in place of the tuple that copies share
            own += found
        self.rules[measure] = own
        self.left[measure] = possible(measure, self.longest_days)

    def _settle(self, changed: list[Measure]) -> bool:
        """Narrow measures by those that have changed; False when nothing is left of one."""
        found = self.left
        # Rules look at the ends of both their measures: there must be some.
        if not all(found[measure] for measure in changed):
            return False
        while changed:
            measure = changed.pop()
            for one, other, rule in self.rules[measure]:
                narrowed = rule(found[one], found[other])
                for touched, spans in zip((one, other), narrowed, strict=True):
                    if found[touched] != spans:
                        found[touched] = spans
                        changed.append(touched)
                if not all(narrowed):
                    return False
        return True
