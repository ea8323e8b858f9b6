"""Selections of products, compiled: which lines of a cart or of a purchase they take."""

import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from shared.events.selection import Products, Selectors

ATTRIBUTE = "attribute:"
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


_ByDimension = tuple[tuple[str, frozenset[str]], ...]


class Selection(msgspec.Struct, frozen=True, eq=False):
    """A compiled ``Products``: lines that have one of some values, less those that have others.

    ``wanted`` and ``unwanted`` are values by their dimension; nothing wanted = any line.
    """

    wanted: _ByDimension
    unwanted: _ByDimension
    only_key: Key | None

    def pick(self, places: Places, every: Sequence[int]) -> Sequence[int]:
        """Positions of the selected lines, ascending, out of those of ``every`` line that counts.

        It costs as much as is found, not as much as is selected.
        """
        if self.only_key is not None:
            dimension, value = self.only_key
            return places[dimension].get(value, ())
        found = sorted(_find(places, self.wanted)) if self.wanted else every
        if self.unwanted:
            out = _find(places, self.unwanted)
            return [n for n in found if n not in out]
        return found

    @property
    def keys(self) -> frozenset[Key]:
        """A line must have one of these; none = any line."""
        return frozenset([(name, value) for name, values in self.wanted for value in values])

    def takes(self, line: Goods) -> bool:
        """Whether the line is selected."""
        return (not self.wanted or _has_one(line, self.wanted)) and not (
            self.unwanted and _has_one(line, self.unwanted)
        )


def _has_one(line: Goods, by_dimension: _ByDimension) -> bool:
    for dimension, values in by_dimension:
        match dimension:
            case "sku":
                found: str | None = line.sku
            case "group":
                found = line.group
            case "brand":
                found = line.brand
            case _:
                found = line.attributes.get(dimension.removeprefix(ATTRIBUTE))
        if found in values:
            return True
    return False


_EVERYTHING = Selection((), (), None)
"""The whole receipt: one for all instruments, as that is what most benefits are for."""


def select(products: Products) -> Selection:
    """Compile a selection of products."""
    wanted = _by_dimension(products)
    unwanted = _by_dimension(products.exclude) if products.exclude else ()
    if not wanted and not unwanted:
        return _EVERYTHING
    keys = [(name, value) for name, values in wanted for value in values]
    return Selection(wanted, unwanted, keys[0] if len(keys) == 1 and not unwanted else None)


def _by_dimension(selectors: Selectors) -> _ByDimension:
    named = (("sku", selectors.skus), ("group", selectors.groups), ("brand", selectors.brands))
    found = {name: frozenset(values) for name, values in named if values}
    for attribute in selectors.attributes:
        name = sys.intern(ATTRIBUTE + attribute.name)
        found[name] = found.get(name, frozenset()) | frozenset(attribute.values)
    return tuple(found.items())


def _find(places: Places, by_dimension: _ByDimension) -> set[int]:
    """The lines that have any of the values."""
    found: set[int] = set()
    for dimension, values in by_dimension:
        there = places[dimension]
        for value in there.keys() & values:
            found.update(there[value])
    return found
