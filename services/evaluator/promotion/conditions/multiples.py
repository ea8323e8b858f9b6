"""How often conditions are met: for instruments that repeat ("for each kilo")."""

from collections.abc import Callable, Sequence

from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.conditions import goods, purchases
from services.evaluator.promotion.conditions.check import Terms
from services.evaluator.promotion.conditions.combination import compile_condition
from shared.events.conditions import (
    All,
    AnyOf,
    Condition,
    LineCount,
    ProductMix,
    ProductPurchases,
    ProductQuantity,
    ProductSum,
    PurchaseCount,
    PurchaseSum,
    ReceiptQuantity,
    ReceiptTotal,
)

Multiple = Callable[[Reading, Eligible], int]
"""How many full multiples there are of what the conditions, being met, ask for.

0: they ask for nothing that has multiples.
"""


def compile_multiple(condition: Condition, terms: Terms) -> Multiple | None:  # noqa: PLR0911 - one for each kind
    """The multiples of a condition with ≥ and a value above zero, or of a mix; others have none."""
    match condition:
        case ReceiptTotal() | ReceiptQuantity() | LineCount() | ProductQuantity() | ProductSum():
            amount, value = goods.measure(condition), condition.compare.value
            if condition.compare.op != ">=" or not value:
                return None
            return lambda reading, eligible: amount(reading, eligible) // value
        case PurchaseCount() | PurchaseSum() | ProductPurchases():
            bought, least = purchases.amount(condition, terms), condition.compare.value
            if condition.compare.op != ">=" or not least:
                return None
            return lambda reading, _: bought(reading) // least
        case ProductMix():
            return _of_mix(condition)
        case All():
            return multiple_of_all(condition.conditions, terms)
        case AnyOf():
            return _of_any(condition, terms)
        case _:
            return None


def multiple_of_all(conditions: Sequence[Condition], terms: Terms) -> Multiple | None:
    """The least multiple of the conditions that have one."""
    compiled = [compile_multiple(condition, terms) for condition in conditions]
    found = [one for one in compiled if one is not None]
    if not found:
        return None

    def least(reading: Reading, eligible: Eligible) -> int:
        multiples = [one(reading, eligible) for one in found]
        return min((n for n in multiples if n), default=0)

    return least


def _of_any(condition: AnyOf, terms: Terms) -> Multiple | None:
    """The greatest multiple of those that are met: the others do not count."""
    compiled = [
        (compile_condition(child, terms), compile_multiple(child, terms))
        for child in condition.conditions
    ]
    found = [(check, multiple) for check, multiple in compiled if multiple is not None]
    if not found:
        return None

    def most(reading: Reading, eligible: Eligible) -> int:
        multiples = [
            multiple(reading, eligible)
            for check, multiple in found
            if check(reading, eligible) is None
        ]
        return max(multiples, default=0)

    return most


def _of_mix(condition: ProductMix) -> Multiple:
    quantities = goods.mix_quantities(condition)
    needed = [part.quantity for part in condition.parts]

    def multiple(reading: Reading, eligible: Eligible) -> int:
        there = quantities(reading, eligible)
        return min(have // need for have, need in zip(there, needed, strict=True))

    return multiple
