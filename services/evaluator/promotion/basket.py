"""The cart as the engine sees it: its facts, and which of its lines an instrument may look at."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.evaluator.promotion.allocation import floor_of
from services.evaluator.promotion.history import Purchase
from services.evaluator.promotion.selection import Places, Selection
from shared.events.checkout import CartLine
from shared.events.values import Channel, Device, Location, PaymentMethod


@dataclass(frozen=True, slots=True)
class PresentedCode:
    """A code on the cart, by its position (from 0), and the emission it belongs to (None: none).

    ``holder`` is the customer that it is bound to, if it is.
    """

    position: int
    digest: bytes
    emission_id: str | None
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """Every fact that a decision may depend on.

    ``occurred_at`` is the checkout's own instant, with zone; ``time_zone`` the store's; ``location``
    the customer's, or else the store's. Line numbers are unique. What is known of a customer
    (groups, segments, ``birthday`` as MM-DD, ``purchases`` as ``history.ordered``) counts for
    nothing without ``customer_id``.
    """

    store_id: str
    occurred_at: datetime
    lines: Sequence[CartLine]
    receipt_id: str = ""
    currency: str = ""
    region: str = ""
    time_zone: str = "UTC"
    location: Location | None = None
    channel: Channel = "till"
    device: Device = "till"
    payment_methods: frozenset[PaymentMethod] = frozenset()
    customer_id: str | None = None
    customer_groups: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    birthday: str | None = None
    purchases: Sequence[Purchase] = ()
    codes: tuple[PresentedCode, ...] = ()


class Eligible:
    """The lines that count for an instrument, as positions in ``Reading.lines``, ascending.

    ``total`` is in minor units, ``quantity`` in thousandths.
    """

    __slots__ = ("places", "positions", "quantity", "total")

    def __init__(self, lines: Sequence[CartLine], positions: Sequence[int]) -> None:
        self.positions = positions
        self.places: Places = _places(lines, positions)
        self.total = sum([lines[n].amount for n in positions])
        self.quantity = sum([lines[n].quantity for n in positions])

    def pick(self, selection: Selection) -> Sequence[int]:
        """Positions of the selected lines, ascending."""
        return selection.pick(self.places, self.positions)


@dataclass(slots=True, eq=False)
class Reading:
    """A basket read once for all instruments.

    ``lines`` are in the order of their line numbers, whatever order they came in: ties in
    rounding go by it, so that the same goods get the same decision. ``floors`` are the least
    amounts that may remain of them. ``codes`` are those of each emission, smallest digest first.
    ``purchases`` are the basket's, unless ``Considered.remember`` has brought others.
    """

    basket: Basket
    lines: tuple[CartLine, ...]
    floors: tuple[int, ...]
    full_price: Eligible
    promotable: Eligible
    codes: Mapping[str, tuple[PresentedCode, ...]]
    purchases: Sequence[Purchase]
    _local: datetime | None = field(default=None)

    def eligible(self, *, include_discounted: bool) -> Eligible:
        """Goods that are not ``no_promo``; those discounted elsewhere only if asked for."""
        return self.promotable if include_discounted else self.full_price

    def keys(self) -> list[tuple[str, AbstractSet[str]]]:
        """What instruments can be met by: goods, codes, the customer's groups, the place."""
        basket = self.basket
        known = basket.customer_id is not None
        return [
            *((dimension, values.keys()) for dimension, values in self.promotable.places.items()),
            ("code", self.codes.keys()),
            ("store", {basket.store_id}),
            ("region", {basket.region}),
            ("customer_group", basket.customer_groups if known else frozenset()),
            ("segment", basket.segments if known else frozenset()),
        ]

    def local(self) -> datetime:
        """The basket's instant on the store's clock."""
        if self._local is None:
            self._local = self.basket.occurred_at.astimezone(_zone(self.basket.time_zone))
        return self._local


@lru_cache(maxsize=1_000)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def read(basket: Basket) -> Reading:
    """Read a basket: which lines count, what they can be found by, how low they may go."""
    lines = tuple(sorted(basket.lines, key=_number))
    every = [n for n, line in enumerate(lines) if not line.no_promo]
    plain = [
        n for n in every if not (lines[n].discounts and any(x.amount for x in lines[n].discounts))
    ]
    promotable = Eligible(lines, every)
    return Reading(
        basket=basket,
        lines=lines,
        floors=tuple([floor_of(line) for line in lines]),
        full_price=promotable if len(plain) == len(every) else Eligible(lines, plain),
        promotable=promotable,
        codes=_by_emission(basket.codes) if basket.codes else {},
        purchases=basket.purchases,
    )


def _number(line: CartLine) -> int:
    return line.line


def _places(lines: Sequence[CartLine], positions: Sequence[int]) -> Places:
    skus: dict[str, list[int]] = {}
    groups: dict[str, list[int]] = {}
    brands: dict[str, list[int]] = {}
    places: dict[str, dict[str, list[int]]] = {"sku": skus, "group": groups, "brand": brands}
    for n in positions:
        line = lines[n]
        skus.setdefault(line.sku, []).append(n)
        if line.group is not None:
            groups.setdefault(line.group, []).append(n)
        if line.brand is not None:
            brands.setdefault(line.brand, []).append(n)
        if line.attributes:
            for name, value in line.attributes.items():
                places.setdefault(f"attribute:{name}", {}).setdefault(value, []).append(n)
    return places


def _by_emission(codes: Sequence[PresentedCode]) -> dict[str, tuple[PresentedCode, ...]]:
    """Codes by their emission, smallest digest first, then where they stand on the cart."""
    found: dict[str, tuple[PresentedCode, ...]] = {}
    for code in sorted(codes, key=lambda code: (code.digest, code.position)):
        if code.emission_id is not None:
            found[code.emission_id] = (*found.get(code.emission_id, ()), code)
    return found
