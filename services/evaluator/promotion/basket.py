"""The cart as the engine sees it: its facts, and which of its lines an instrument may look at."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.promotion.allocation import floor_of
from shared.events.checkout import CartLine
from shared.events.selection import Products

Key = tuple[str, str]
"""What can be looked up: ``("sku" | "group" | "brand" | "code", value)``."""


@dataclass(frozen=True, slots=True)
class PresentedCode:
    """A code on the cart, by its position (from 0), and the emission it belongs to (None: none)."""

    position: int
    digest: bytes
    emission_id: str | None


@dataclass(frozen=True, slots=True)
class Basket:
    """Every fact that a decision may depend on.

    ``occurred_at`` is the checkout's own instant, with zone; ``customer_groups`` are those of
    ``customer_id``, and count for nothing without one. Line numbers are unique.
    """

    store_id: str
    occurred_at: datetime
    lines: Sequence[CartLine]
    customer_id: str | None = None
    customer_groups: frozenset[str] = frozenset()
    codes: tuple[PresentedCode, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Eligible:
    """The lines that count for an instrument, as positions in ``Reading.lines``, ascending."""

    positions: tuple[int, ...]
    by_key: Mapping[Key, tuple[int, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A basket read once for all instruments.

    ``lines`` are in the order of their line numbers, whatever order they came in: ties in
    rounding go by it, so that the same goods get the same decision. ``floors`` are the least
    amounts that may remain of them. ``codes`` are those of each emission, smallest digest first.
    """

    basket: Basket
    lines: tuple[CartLine, ...]
    floors: tuple[int, ...]
    full_price: Eligible
    promotable: Eligible
    codes: Mapping[str, tuple[PresentedCode, ...]]

    def eligible(self, *, include_discounted: bool) -> Eligible:
        """Goods that are not ``no_promo``; those discounted elsewhere only if asked for."""
        return self.promotable if include_discounted else self.full_price

    def product_keys(self) -> AbstractSet[Key]:
        """What the basket's goods can meet instruments by."""
        return self.promotable.by_key.keys()


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A compiled ``Products``: the lines of any of its skus, groups or brands; none = all."""

    keys: frozenset[Key]

    def pick(self, eligible: Eligible) -> Sequence[int]:
        """Positions of the selected lines, ascending. Costs as much as is found, not selected."""
        if not self.keys:
            return eligible.positions
        found = eligible.by_key.keys() & self.keys
        if len(found) == 1:
            return eligible.by_key[found.pop()]
        return sorted({position for key in found for position in eligible.by_key[key]})


def select(products: Products) -> Selection:
    """Compile a selection of products."""
    return Selection(
        frozenset(
            [("sku", sku) for sku in products.skus]
            + [("group", group) for group in products.groups]
            + [("brand", brand) for brand in products.brands]
        )
    )


def read(basket: Basket) -> Reading:
    """Read a basket: which lines count, what they can be found by, how low they may go."""
    lines = tuple(sorted(basket.lines, key=lambda line: line.line))
    every = [n for n, line in enumerate(lines) if not line.no_promo]
    plain = [n for n in every if not any(other.amount for other in lines[n].discounts)]
    promotable = _eligible(lines, every)
    return Reading(
        basket=basket,
        lines=lines,
        floors=tuple(floor_of(line) for line in lines),
        full_price=promotable if len(plain) == len(every) else _eligible(lines, plain),
        promotable=promotable,
        codes=_by_emission(basket.codes),
    )


def _eligible(lines: Sequence[CartLine], positions: Sequence[int]) -> Eligible:
    by_key: dict[Key, list[int]] = {}
    for position in positions:
        line = lines[position]
        by_key.setdefault(("sku", line.sku), []).append(position)
        if line.group is not None:
            by_key.setdefault(("group", line.group), []).append(position)
        if line.brand is not None:
            by_key.setdefault(("brand", line.brand), []).append(position)
    return Eligible(tuple(positions), {key: tuple(found) for key, found in by_key.items()})


def _by_emission(codes: Sequence[PresentedCode]) -> dict[str, tuple[PresentedCode, ...]]:
    """Codes by their emission, smallest digest first, then where they stand on the cart."""
    found: dict[str, tuple[PresentedCode, ...]] = {}
    for code in sorted(codes, key=lambda code: (code.digest, code.position)):
        if code.emission_id is not None:
            found[code.emission_id] = (*found.get(code.emission_id, ()), code)
    return found
