"""The fixed rules that turn the data set's rows into carts, customers and stores.

Every rule is a pure function of the row, so that two replays send the same bytes but for the dates.

- **Money.** ``sales_value`` (what was paid after the data's own discounts) is a line's ``amount``.
  ``list_price`` is that plus ``retail_disc``, ``coupon_disc`` and ``coupon_match_disc``.
- **Discounts from elsewhere.** ``retail_disc`` is the week's shelf price, not a discount on the
  line: it shows in ``list_price`` only. ``coupon_disc`` + ``coupon_match_disc`` are coupons of
  others: the line carries them in ``discounts``, and instruments skip it. If the basket presents a
  replayed coupon for that product, they are that coupon's own historical effect, which
  our instrument gives now: then the line carries none.
- **Pieces.** Where an amount does not divide by its pieces, the line becomes two, of price p and
  p + 1, that add up to the cent. Gasoline's quantity is a volume, not pieces: one line of quantity
  1.000 with the volume as an attribute.
- **Nothing bought.** Rows of quantity 0 and value 0 are a coupon's own row or a void: left out,
  unless the basket has nothing else (0.2% of them): then its first row is one piece for 0.00, so
  that every basket is replayed. Quantity 0 with a value is one piece.
- **Assigned.** The data has no devices, regions, terminals, zones or returns. A stable hash of the household
  and store gives the device, of the store the region, of the store and basket the
  terminal, of the basket whether it comes back. What is assigned says so in its name. Days are those of ``TIME_ZONE``: with them
  92% of the recorded redemptions meet a couponed basket of their household and day, in UTC 80%.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

CURRENCY = "USD"
TIME_ZONE = "America/New_York"
TERMINALS = 8
_FUEL = "GASOLINE"
_TOBACCO = frozenset({"CIGARETTES", "TOBACCO OTHER", "CIGARS"})
_REGIONS = ("North (assigned)", "East (assigned)", "South (assigned)", "West (assigned)")

Line = dict[str, Any]
"""The fields of a ``CartLine``, ready for JSON."""


class Row(NamedTuple):
    """A row of the data set: ids and quantity as they are, money in cents."""

    product_id: int
    quantity: int
    paid: int
    retail_discount: int
    coupon_discount: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product as lines name it; ``group`` is its category, ``no_promo`` what the law excludes."""

    sku: str
    group: str | None
    brand: str | None
    fuel: bool
    no_promo: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """How a household shops at a store (assigned)."""

    channel: str
    user_agent: str | None


_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
_PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1"
)
_TABLET = (
    "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1"
)
_APP = "TillstreamShop/4.2 (Android 14; Pixel 8)"
_VISITS = (  # shares in percent
    (70, Visit("till", None)),
    (10, Visit("web", _WINDOWS)),
    (12, Visit("web", _PHONE)),
    (3, Visit("web", _TABLET)),
    (5, Visit("app", _APP)),
)


def _stable(*parts: object) -> int:
    """The same number for the same parts on every machine and in every run."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


@lru_cache(maxsize=100_000)
def visit(household: int, store: int) -> Visit:
    """The channel and browser of a household at a store (assigned)."""
    share = _stable("device", household, store) % 100
    for percent, kind in _VISITS:
        share -= percent
        if share < 0:
            return kind
    raise AssertionError(share)


def region(store: int) -> str:
    """A store's region; its name says that it is assigned."""
    return _REGIONS[_stable("region", store) % len(_REGIONS)]


def terminal(store: int, basket: int, channel: str) -> str:
    """The terminal of a basket: one of eight per store and channel (assigned)."""
    return f"{channel}-{1 + _stable('terminal', store, basket) % TERMINALS}"


def comes_back(basket: int) -> Literal["whole", "part"] | None:
    """Whether a basket is returned (assigned): one in fifty is as a whole, one in fifty in part."""
    draw = _stable("return", basket) % 50
    return "whole" if draw == 0 else "part" if draw == 1 else None


def product(
    product_id: int, brand: str | None, category: str | None, product_type: str | None
) -> Product:
    """A product from its row in the data set."""
    return Product(
        sku=str(product_id),
        group=category,
        brand=brand,
        fuel=(product_type or "").startswith(_FUEL),
        no_promo=category in _TOBACCO,
    )


def unknown_product(product_id: int) -> Product:
    """A product that the data set sells but does not describe."""
    return product(product_id, None, None, None)


def _is_goods(row: Row) -> bool:
    return row.quantity > 0 or row.paid > 0


def _price_groups(paid: int, pieces: int) -> list[tuple[int, int]]:
    """(pieces, price) that add up to ``paid`` exactly, in cents."""
    price, dearer = divmod(paid, pieces)
    groups = [(pieces - dearer, price), (dearer, price + 1)]
    return [(count, each) for count, each in groups if count]


def _discounts(coupon: int, pieces: int, part: int) -> list[dict[str, Any]]:
    amount = coupon * part // pieces
    return [{"kind": "other", "amount": amount}] if amount else []


def _goods(row: Row, goods: Product, *, replayed: bool) -> list[Line]:
    """The lines of one row, numbered from 0."""
    pieces = 1 if goods.fuel else max(row.quantity, 1)
    listed = row.paid + row.retail_discount + row.coupon_discount
    lines = []
    for count, price in _price_groups(row.paid, pieces):
        line: Line = {
            "sku": goods.sku,
            "quantity": count * 1000,
            "list_price": max(price, listed // pieces),
            "price": price,
            "amount": price * count,
        }
        if goods.group:
            line["group"] = goods.group
        if goods.brand:
            line["brand"] = goods.brand
        if goods.no_promo:
            line["no_promo"] = True
        if goods.fuel:
            line["attributes"] = {"volume": str(row.quantity)}
        if row.coupon_discount and not replayed:
            line["discounts"] = _discounts(row.coupon_discount, pieces, count)
        lines.append(line)
    return lines


def lines_of(
    rows: Sequence[Row], products: Sequence[Product], replayed: Collection[int] = ()
) -> list[Line]:
    """The cart lines of a basket, numbered from 1.

    ``products`` are those of the rows, one each; ``replayed`` the product ids of the coupons that
    the basket presents.
    """
    pairs = [pair for pair in zip(rows, products, strict=True) if _is_goods(pair[0])]
    if not pairs:
        pairs = [(rows[0], products[0])]
    lines = [
        line
        for row, goods in pairs
        for line in _goods(row, goods, replayed=row.product_id in replayed)
    ]
    for number, line in enumerate(lines, 1):
        line["line"] = number
    return lines


def total(lines: Sequence[Line]) -> int:
    """What instruments see of the receipt's total (cents).

    Without ``no_promo`` goods and lines with a discount from elsewhere.
    """
    return sum(
        line["amount"] for line in lines if not line.get("no_promo") and not line.get("discounts")
    )
