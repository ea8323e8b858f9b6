"""Selections of products, compiled: which lines of a cart or of a purchase they take."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.events.selection import Products, Selectors

Key = tuple[str, str]
"""What can be looked up: ``("sku" | "group" | "brand" | "attribute:<name>", value)``, and more."""

Places = Mapping[str, Mapping[str, Sequence[int]]]
"""Positions of lines, ascending, by the first and then the second part of a key; it has every first."""

class Goods(Protocol):
    """What a selection looks at: a line of a cart or of an earlier purchase."""

    @property
    def sku(self) -> str:
        """The product."""

    @property
    def group(self) -> str | None:
        """Its group."""

    @property
    def brand(self) -> str | None:
        """Its brand."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """Whatever else the till says of it."""


Pick = Callable[[Places, Sequence[int]], Sequence[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A compiled ``Products``. ``keys``: a line must have one of these; none = any line.

    ``pick`` gives the positions of the selected lines, ascending, out of ``Places`` and all
    positions. It costs as much as is found, not as much as is selected.
    """

    keys: frozenset[Key]
    without: frozenset[Key]
    pick: Pick

    def takes(self, line: Goods) -> bool:
        """Whether the line is selected."""
        keys = keys_of(line)
        return (not self.keys or not self.keys.isdisjoint(keys)) and self.without.isdisjoint(keys)


def keys_of(line: Goods) -> list[Key]:
    """Every key that a line can be found by."""
    keys = [("sku", line.sku)]
    if line.group is not None:
        keys.append(("group", line.group))
    if line.brand is not None:
        keys.append(("brand", line.brand))
    if line.attributes:
        keys += [(f"attribute:{name}", value) for name, value in line.attributes.items()]
    return keys


def select(products: Products) -> Selection:
    """Compile a selection of products."""
    keys = _keys(products)
    without = _keys(products.exclude) if products.exclude else frozenset()
    return Selection(keys, without, _pick(keys, without))


def _keys(selectors: Selectors) -> frozenset[Key]:
    return frozenset(
        [("sku", sku) for sku in selectors.skus]
        + [("group", group) for group in selectors.groups]
        + [("brand", brand) for brand in selectors.brands]
        + [(f"attribute:{a.name}", value) for a in selectors.attributes for value in a.values]
    )


def _pick(keys: frozenset[Key], without: frozenset[Key]) -> Pick:
    if without:
        included, excluded = _pick(keys, frozenset()), _finder(without)

        def pick(places: Places, every: Sequence[int]) -> Sequence[int]:
            out = excluded(places)
            return [n for n in included(places, every) if n not in out]

        return pick
    if not keys:
        return lambda _, every: every
    if len(keys) == 1:
        [(dimension, value)] = keys
        return lambda places, _: places[dimension].get(value, ())
    find = _finder(keys)
    return lambda places, _: sorted(find(places))


def _finder(keys: frozenset[Key]) -> Callable[[Places], set[int]]:
    """A search for the lines that have any of the keys."""
    grouped: dict[str, set[str]] = {}
    for dimension, value in keys:
        grouped.setdefault(dimension, set()).add(value)
    by_dimension = tuple((name, frozenset(values)) for name, values in sorted(grouped.items()))

    def find(places: Places) -> set[int]:
        found: set[int] = set()
        for dimension, values in by_dimension:
            there = places[dimension]
            for value in there.keys() & values:
                found.update(there[value])
        return found

    return find
