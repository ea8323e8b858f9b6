"""The cart as the engine sees it: its facts, and which of its lines an instrument may look at."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from services.evaluator.promotion.allocation import floor_of
from services.evaluator.promotion.blocks import SubjectKind
from services.evaluator.promotion.history import Purchase
from services.evaluator.promotion.selection import ATTRIBUTE, Places, Selection
from shared.events.checkout import CartLine
from shared.events.reference import NOBODY
from shared.events.values import Channel, Device, Location, PaymentMethod


class PresentedCode(msgspec.Struct, frozen=True):
    """A code on the cart, by its position (from 0), and the emission it belongs to (None: none).

    ``holder`` is the customer that it is bound to, if it is. ``valid_until``: it ends before its emission does.
    """

    position: int
    digest: bytes
    emission_id: str | None
    holder: str | None = None
    valid_until: datetime | None = None

    def is_over(self, at: datetime) -> bool:
        """Whether nobody may use it any more by then, also while its emission lasts: it has ended, or was an erased customer's."""
        return self.holder == NOBODY or (self.valid_until is not None and self.valid_until <= at)


class Basket(msgspec.Struct, frozen=True):
    """Every fact that a decision may depend on.

    ``occurred_at`` is the checkout's own instant, with zone; ``time_zone`` the store's; ``location``
    the customer's, or else the store's. Line numbers are unique. What is known of a customer
    (groups, segments, ``birthday`` as MM-DD, ``purchases`` as ``history.ordered``) counts for
    nothing without ``customer_id``. ``locked_out``: whoever presents the codes has guessed too often; of what
    emission they are has not been looked up. ``blocked``: promotions are withheld from its customer, device or cashier.
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
    locked_out: bool = False
    blocked: SubjectKind | None = None

    @property
    def unknown_codes(self) -> list[int]:
        """The positions of codes that belong to no emission."""
        silent = self.locked_out or self.blocked is not None
        return [] if silent else [c.position for c in self.codes if c.emission_id is None]

    @property
    def foreign_codes(self) -> list[int]:
        """The positions of codes that are bound to another customer."""
        return [
            c.position for c in self.codes if c.holder is not None and c.holder != self.customer_id
        ]


class Eligible:
    """The lines that count for an instrument, as positions in ``Reading.lines``, ascending.

    ``total`` is in minor units. ``places`` are gathered as selections ask for them. It does not refer to its
    reading: in a circle nothing of a cart would be freed before Python looks for garbage, which stands
    still for most of a second.
    """

    __slots__ = ("_quantities", "places", "positions", "total")

    def __init__(self, reading: "Reading", positions: Sequence[int]) -> None:
        self._quantities = reading.quantities
        self.positions = positions
        self.places: Places = _Gathered(reading.lines, positions)
        amounts = reading.amounts
        self.total = sum([amounts[n] for n in positions])

    @property
    def quantity(self) -> int:
        """In thousandths."""
        quantities = self._quantities
        return sum([quantities[n] for n in self.positions])

    def pick(self, selection: Selection) -> Sequence[int]:
        """Positions of the selected lines, ascending."""
        return selection.pick(self.places, self.positions)


class _Gathered(dict[str, Mapping[str, Sequence[int]]]):
    """``Places`` of some lines: those of a dimension are gathered once it is asked for.

    Few instruments look at brands, fewer at attributes: most carts never need them.
    """

    __slots__ = ("_lines", "_positions")

    def __init__(self, lines: Sequence[CartLine], positions: Sequence[int]) -> None:
        self._lines = lines
        self._positions = positions

    def __missing__(self, dimension: str) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = {}
        values = values_of(dimension, self._lines)
        for n in self._positions:
            value = values[n]
            if value is None:
                continue
            if value in found:
                found[value].append(n)
            else:
                found[value] = [n]
        self[dimension] = found
        return found


class Reading:
    """A basket read once for all instruments.

    ``lines`` are in the order of their line numbers, whatever order they came in: ties in
    rounding go by it, so that the same goods get the same decision; ``amounts`` (minor units) and
    ``quantities`` (thousandths) are theirs. ``at`` is the basket's instant in UTC: instants of one
    zone compare five times as fast. ``full_price`` are the lines without discounts from elsewhere,
    ``promotable`` those, too. ``codes`` are those of each emission, smallest digest first.
    ``purchases`` are the basket's, unless ``Considered.remember`` has brought others;
    ``knows_purchases``: nobody could be asked for them otherwise (``Considered.forget``).
    """

    __slots__ = (
        "_floors",
        "_local",
        "amounts",
        "at",
        "basket",
        "codes",
        "full_price",
        "knows_purchases",
        "lines",
        "promotable",
        "purchases",
        "quantities",
    )

    def __init__(self, basket: Basket) -> None:
        self.basket = basket
        self.at = basket.occurred_at.astimezone(UTC)
        self.lines = lines = _in_order(basket.lines)
        self.amounts = [line.amount for line in lines]
        self.quantities = [line.quantity for line in lines]
        every = [n for n, line in enumerate(lines) if not line.no_promo]
        plain = [n for n in every if not (lines[n].discounts and _is_discounted(lines[n]))]
        self.promotable = Eligible(self, every)
        alike = len(plain) == len(every)
        self.full_price = self.promotable if alike else Eligible(self, plain)
        self.codes = _by_emission(basket.codes) if basket.codes else {}
        self.purchases = basket.purchases
        self.knows_purchases = basket.customer_id is not None
        self._local: datetime | None = None
        self._floors: list[int] | None = None

    def eligible(self, *, include_discounted: bool) -> Eligible:
        """Goods that are not ``no_promo``; those discounted elsewhere only if asked for."""
        return self.promotable if include_discounted else self.full_price

    def found_by(self) -> list[tuple[str, Iterable[str]]]:
        """What instruments can be met by: goods, codes, the customer's groups, the place."""
        basket = self.basket
        known = basket.customer_id is not None
        places = self.promotable.places
        names: set[str] = set().union(*[line.attributes for line in self.lines])
        return [
            *[(name, places[name]) for name in ("sku", "group", "brand")],
            *[(ATTRIBUTE + name, places[ATTRIBUTE + name]) for name in names],
            ("code", self.codes),
            ("store", (basket.store_id,)),
            ("region", (basket.region,)),
            ("customer_group", basket.customer_groups if known else ()),
            ("segment", basket.segments if known else ()),
        ]

    @property
    def floors(self) -> Sequence[int]:
        """The least amounts (minor units) that may remain of the lines."""
        if self._floors is None:
            self._floors = [floor_of(line) for line in self.lines]
        return self._floors

    def local(self) -> datetime:
        """The basket's instant on the store's clock."""
        if self._local is None:
            self._local = self.at.astimezone(_zone(self.basket.time_zone))
        return self._local


@lru_cache(maxsize=1_000)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def read(basket: Basket) -> Reading:
    """Read a basket: which lines count, what they can be found by, how low they may go."""
    return Reading(basket)


def values_of(dimension: str, lines: Sequence[CartLine]) -> list[str | None]:
    """What each line has in a dimension of ``selection.Key``."""
    match dimension:
        case "sku":
            return [line.sku for line in lines]
        case "group":
            return [line.group for line in lines]
        case "brand":
            return [line.brand for line in lines]
    name = dimension.removeprefix(ATTRIBUTE)
    return [line.attributes.get(name) for line in lines]


def _in_order(lines: Sequence[CartLine]) -> Sequence[CartLine]:
    """By line number; most tills send them so."""
    numbers = [line.line for line in lines]
    return lines if numbers == sorted(numbers) else sorted(lines, key=_number)


def _number(line: CartLine) -> int:
    return line.line


def _is_discounted(line: CartLine) -> bool:
    return any(x.amount for x in line.discounts)


def _by_emission(codes: Sequence[PresentedCode]) -> dict[str, tuple[PresentedCode, ...]]:
    """Codes by their emission, smallest digest first, then where they stand on the cart."""
    found: dict[str, tuple[PresentedCode, ...]] = {}
    if len(codes) > 1:
        codes = sorted(codes, key=lambda code: (code.digest, code.position))
    for code in codes:
        if code.emission_id is not None:
            found[code.emission_id] = (*found.get(code.emission_id, ()), code)
    return found
