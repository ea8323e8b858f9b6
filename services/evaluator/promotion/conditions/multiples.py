"""How often conditions are met: for instruments that repeat ("for each kilo")."""

from collections.abc import Callable, Sequence

from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.conditions import goods, purchases
from services.evaluator.promotion.conditions.check import Terms
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
"""How many full multiples there are of what the conditions ask for."""


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
            return _most(_compiled(condition.conditions, terms))
        case _:
            return None


def multiple_of_all(conditions: Sequence[Condition], terms: Terms) -> Multiple | None:
    """The least multiple of the conditions that have one."""
    found = _compiled(conditions, terms)
    if not found:
        return None
    return lambda reading, eligible: min(one(reading, eligible) for one in found)


def _most(found: Sequence[Multiple]) -> Multiple | None:
    if not found:
        return None
    return lambda reading, eligible: max(one(reading, eligible) for one in found)


def _compiled(conditions: Sequence[Condition], terms: Terms) -> list[Multiple]:
    compiled = [compile_multiple(condition, terms) for condition in conditions]
    return [one for one in compiled if one is not None]


def _of_mix(condition: ProductMix) -> Multiple:
    quantities = goods.mix_quantities(condition)
    needed = [part.quantity for part in condition.parts]

    def multiple(reading: Reading, eligible: Eligible) -> int:
        there = quantities(reading, eligible)
        return min(have // need for have, need in zip(there, needed, strict=True))

    return multiple
