"""Selections of products as sets of names, so that they can be compared."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.codec import FieldError
from shared.events.benefits import Benefit, BuyGet, GiftGoods, Tiers
from shared.events.conditions import (
    Condition,
    ProductMix,
    ProductPresence,
    ProductPurchases,
    ProductQuantity,
    ProductSum,
)
from shared.events.selection import Products, Selectors

Name = tuple[str, str]
"""The path of a field of ``Selectors``, or the name of an attribute, and a value."""


@dataclass(frozen=True)
class Goods:
    """Products of any of ``names`` (none: every product), less those of ``excluded``."""

    names: frozenset[Name] = frozenset()
    excluded: frozenset[Name] = frozenset()


EVERYTHING = Goods()


def goods(products: Products) -> Goods:
    """The selection, whatever the order of its names."""
    excluded = () if products.exclude is None else (name for _, name in _names(products.exclude))
    return Goods(frozenset(name for _, name in _names(products)), frozenset(excluded))


def is_within(one: Goods, other: Goods) -> bool:
    """Whether every product of ``one`` is one of ``other``, whatever the products are."""
    named = not other.names or (bool(one.names) and one.names <= other.names)
    return named and other.excluded <= one.excluded


def _names(selectors: Selectors) -> Iterator[tuple[str, Name]]:
    """Every name with the path of its field."""
    for field in ("skus", "groups", "brands"):
        for n, value in enumerate(getattr(selectors, field)):
            yield f"{field}.{n}", (field, value)
    for n, attribute in enumerate(selectors.attributes):
        for m, value in enumerate(attribute.values):
            yield f"attributes.{n}.values.{m}", (f"attribute {attribute.name}", value)


def selections_of_condition(condition: Condition) -> Iterator[tuple[str, Products]]:
    """The condition's own selections, each with the path of its field."""
    match condition:
        case ProductQuantity() | ProductSum() | ProductPresence() | ProductPurchases():
            yield "products", condition.products
        case ProductMix():
            for n, part in enumerate(condition.parts):
                yield f"parts.{n}.products", part.products


def selections_of_benefit(benefit: Benefit) -> Iterator[tuple[str, Products]]:
    """The benefit's selections, each with the path of its field."""
    if not isinstance(benefit, GiftGoods):
        yield "products", benefit.products
    if isinstance(benefit, BuyGet) and benefit.rewards is not None:
        yield "rewards", benefit.rewards
    if isinstance(benefit, Tiers):
        for n, tier in enumerate(benefit.tiers):
            for field, products in selections_of_benefit(tier.benefit):
                yield f"tiers.{n}.benefit.{field}", products


def faults_of_products(path: str, products: Products) -> Iterator[FieldError]:
    """Names given twice, and a selection that leaves nothing."""
    yield from _given_twice(path, products)
    if products.exclude is not None:
        yield from _given_twice(f"{path}.exclude", products.exclude)
    selected = goods(products)
    if selected.names and selected.names <= selected.excluded:
        message = "excludes all that is selected: take something out of it, or select more"
        yield FieldError(f"{path}.exclude", message, "never")


def faults_of_mix(path: str, mix: ProductMix) -> Iterator[FieldError]:
    """What an earlier part has already counted: a line counts for the first part only."""
    counted: dict[Name, int] = {}
    for n, part in enumerate(mix.parts):
        taken = [name for name in _names(part.products) if name[1] in counted]
        for field, name in taken:
            message = f"parts.{counted[name]} counts these already: name them in one part only"
            yield FieldError(f"{path}.parts.{n}.products.{field}", message, "contradiction")
        if EVERYTHING in [goods(earlier.products) for earlier in mix.parts[:n]]:
            message = "an earlier part counts every product: put that part last"
            yield FieldError(f"{path}.parts.{n}.products", message, "never")
        if part.products.exclude is None:
            counted |= {name: n for _, name in _names(part.products) if name not in counted}


def _given_twice(path: str, selectors: Selectors) -> Iterator[FieldError]:
    seen: set[Name] = set()
    for field, name in _names(selectors):
        if name in seen:
            yield FieldError(f"{path}.{field}", "given twice: take it out", "repeated")
        seen.add(name)
