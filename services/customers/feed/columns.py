"""A profile as a row of a table: what an export has of each customer.

Amounts are in minor units of the main currency, that of most purchases; ``currencies`` names all there are. Shares and
probabilities are in basis points, expected purchases in thousandths. Weekdays are 1 (Monday) to 7.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

from shared.events.customers import Profile, Spending

Kind = Literal["text", "number", "time", "date", "texts"]
Cell = str | int | datetime | date | tuple[str, ...] | None
_TEXTS_BETWEEN = "; "
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Column(NamedTuple):
    """A column: its name, what is in it, and how it is read from a profile."""

    name: str
    kind: Kind
    read: Callable[[Profile], Cell]


def main_spending(profile: Profile) -> Spending | None:
    """What was spent in the currency of most purchases; of two, the first by name."""
    ranked = sorted(profile.spending, key=lambda one: (-one.purchases, one.currency))
    return ranked[0] if ranked else None


def _spent(name: str) -> Callable[[Profile], Cell]:
    return lambda profile: getattr(main_spending(profile), name, None)


def _of(part: str, name: str) -> Callable[[Profile], Cell]:
    return lambda profile: getattr(getattr(profile, part), name, None)


def _own(name: str) -> Callable[[Profile], Cell]:
    return lambda profile: getattr(profile, name)


def _busiest(counts: Sequence[int]) -> int | None:
    """The place of the largest count, the first of several; none where nothing is counted."""
    return counts.index(max(counts)) if any(counts) else None


def _busiest_weekday(profile: Profile) -> int | None:
    place = _busiest(profile.weekdays)
    return None if place is None else place + 1


_PARTS: tuple[tuple[str, Sequence[tuple[str, Kind]]], ...] = (
    (
        "rfm",
        (
            ("recency", "number"),
            ("frequency", "number"),
            ("monetary", "number"),
            ("rfm_class", "text"),
        ),
    ),
    (
        "forecast",
        (
            ("model", "text"),
            ("made_at", "time"),
            ("days", "number"),
            ("probability", "number"),
            ("expected_purchases", "number"),
            ("expected_on", "date"),
        ),
    ),
)

COLUMNS: tuple[Column, ...] = (
    Column("customer_id", "text", _own("customer_id")),
    Column("version", "number", _own("version")),
    Column("as_of", "time", _own("as_of")),
    Column("purchases", "number", _own("purchases")),
    Column("purchases_90_days", "number", _own("purchases_90_days")),
    Column("first_purchase_at", "time", _own("first_purchase_at")),
    Column("last_purchase_at", "time", _own("last_purchase_at")),
    Column("currency", "text", _spent("currency")),
    *(Column(name, "number", _spent(name)) for name in ("paid", "refunded", "discount")),
    Column("currencies", "texts", lambda p: tuple(str(one.currency) for one in p.spending)),
    Column("promo_purchases", "number", _own("promo_purchases")),
    Column("promo_share", "number", _own("promo_share")),
    Column("returns", "number", _own("returns")),
    Column("favourite_groups", "texts", lambda p: tuple(one.group for one in p.favourites)),
    Column("stores", "texts", lambda p: tuple(one.store_id for one in p.stores)),
    Column("devices", "texts", lambda p: tuple(one.device for one in p.devices)),
    Column("busiest_hour", "number", lambda p: _busiest(p.hours)),
    Column("busiest_weekday", "number", _busiest_weekday),
    *(
        Column(f"codes_{name}", "number", _of("codes", name))
        for name in ("offered", "used", "unused")
    ),
    Column("receipts_with_code", "number", _of("codes", "receipts_with_code")),
    *(
        Column(f"bonuses_{name}", "number", _of("bonuses", name))
        for name in ("earned", "spent", "expired", "taken_back", "balance")
    ),
    Column("segments", "texts", _own("segments")),
    *(
        Column(name if name.startswith(part) else f"{part}_{name}", kind, _of(part, name))
        for part, fields in _PARTS
        for name, kind in fields
    ),
)


def csv_header() -> str:
    """The first line of the table."""
    return _line(column.name for column in COLUMNS)


def csv_lines(profiles: Iterable[Profile]) -> str:
    """A line for each profile."""
    return "".join(
        _line(_written(column.read(profile)) for column in COLUMNS) for profile in profiles
    )


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(cell, int | date):
        return str(cell)
    text = _TEXTS_BETWEEN.join(cell) if isinstance(cell, tuple) else cell
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
