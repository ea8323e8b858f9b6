"""What a cart cannot do without to meet conditions: the keys that instruments are indexed by."""

from collections.abc import Iterable

from services.evaluator.promotion.failure import holds
from services.evaluator.promotion.selection import Key, select
from shared.events.conditions import (
    All,
    AnyOf,
    Condition,
    CustomerGroup,
    CustomerSegment,
    InRegion,
    InStore,
    ProductMix,
    ProductPresence,
    ProductQuantity,
    ProductSum,
    PromoCode,
)

# How few carts have a key of the kind: codes are the rarest.
_RARITY = ("code", "sku", "attribute", "brand", "segment", "customer_group", "group", "store")
_ANYTHING: frozenset[Key] = frozenset()


def required_keys(condition: Condition) -> frozenset[Key]:  # noqa: C901, PLR0911 - one for each kind
    """Keys of which the cart must have one, or the condition fails; empty = no such keys."""
    match condition:
        case PromoCode():
            return frozenset({("code", condition.emission_id)})
        case ProductQuantity() | ProductSum() if not holds(0, condition.compare):
            return select(condition.products).keys
        case ProductPresence():
            return select(condition.products).keys
        case ProductMix():
            return rarest(select(part.products).keys for part in condition.parts)
        case CustomerGroup():
            return frozenset(("customer_group", group) for group in condition.groups)
        case CustomerSegment():
            return frozenset(("segment", segment) for segment in condition.segments)
        case InStore():
            return frozenset(("store", store) for store in condition.stores)
        case InRegion():
            return frozenset(("region", region) for region in condition.regions)
        case All():
            return rarest(map(required_keys, condition.conditions))
        case AnyOf():
            found = [required_keys(child) for child in condition.conditions]
            return frozenset().union(*found) if all(found) else _ANYTHING
        case _:
            return _ANYTHING


def rarest(choices: Iterable[frozenset[Key]]) -> frozenset[Key]:
    """Of several sets of keys the one that the fewest carts will have; empty if all are."""
    found = [keys for keys in choices if keys]
    return min(found, key=_commonness) if found else _ANYTHING


def _commonness(keys: frozenset[Key]) -> tuple[int, int]:
    return max(_rank(dimension) for dimension, _ in keys), len(keys)


def _rank(dimension: str) -> int:
    kind = dimension.partition(":")[0]
    return _RARITY.index(kind) if kind in _RARITY else len(_RARITY)
