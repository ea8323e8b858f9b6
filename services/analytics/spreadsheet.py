"""Answers as CSV: headers in plain words, amounts in minor units. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import get_args

from services.analytics.figures import (
    Figures,
    Receipts,
    SeriesAnswer,
    TotalsAnswer,
    Uses,
    UsesAndRefusals,
)
from services.analytics.insight.figures import CustomersAnswer, CustomersFigures

Cell = tuple[str, object]
_ABOUT = (str, datetime)
_WORDS = {
    "at": "Time (UTC)",
    "counted_at": "Counted at (UTC)",
    "from_": "From (UTC)",
    "to": "To (UTC)",
    "average": "Average receipt",
    "average_with": "Average receipt with a promotion",
    "average_without": "Average receipt without one",
    "total": "Before discounts",
    "promo_receipts": "Receipts with a promotion",
    "promo_paid": "Paid on receipts with a promotion",
    "carts": "Carts considered",
    "decided": "Carts given a benefit",
    "conversion": "Conversion (hundredths of a percent)",
    "gross_activations": "Activations before returns",
    "returned": "Activations returned",
    "discount": "Discount before returns",
    "net_discount": "Discount after returns",
    "bonuses": "Bonuses before returns",
    "net_bonuses": "Bonuses after returns",
    "unauthorised": "Given without right",
    "unauthorised_discount": "Discount given without right",
    "returned_unauthorised_discount": "Returned discount given without right",
    "emission_id": "Emission of the code",
    "units": "Units (thousandths)",
    "units_per_receipt": "Units per receipt (thousandths)",
    "quantity": "Quantity (thousandths)",
    "average_receipt": "Average receipt",
    "control_group": "Control group (hundredths of a percent)",
    "uplift": "Uplift (hundredths of a percent)",
    "margin_share": "Margin (hundredths of a percent)",
    "covered": "Revenue with known costs (hundredths of a percent)",
    "covered_revenue": "Revenue with known costs",
    "per": "For each",
    "cap": "Limit",
    "counts": "Limit on",
}
_OF_RECEIPTS = {
    "discount": "Discount on receipts",
    "bonuses": "Bonuses on receipts",
    "paid": "Paid",
}
_MONEY = {
    *("total", "discount", "paid", "average", "promo_paid", "average_with", "average_without"),
    *("refunded", "returned_discount", "net_discount", "revenue", "unauthorised_discount"),
    *("returned_unauthorised_discount", "average_receipt", "net_revenue", "incremental_revenue"),
    *("incremental_lower", "incremental_upper", "amount", "covered_revenue", "cost", "margin"),
}
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(answer: Figures) -> Iterator[str]:
    """A header and a line for each row: of a table, a series, or totals and those of the time before."""
    rows = _rows(answer)
    currency = getattr(answer, "currency", None)
    of_all = [("Currency", currency)] if currency else []
    for number, row in enumerate(rows):
        cells = [*_cells(row), *of_all]
        if not number:
            yield _line(name for name, _ in cells)
        yield _line(_shown(value) for _, value in cells)


def _rows(answer: Figures) -> Iterator[Figures]:
    if isinstance(answer, TotalsAnswer):
        yield _Time(
            time="asked for",
            from_=answer.from_,
            to=answer.to,
            receipts=answer.totals.receipts,
            instruments=answer.totals.instruments,
        )
        if answer.previous:
            yield _Time(time="before", **dict(answer.previous))
    elif isinstance(answer, SeriesAnswer):
        yield from answer.points
    elif isinstance(answer, CustomersAnswer):
        yield _Bought(customers=answer.customers)
        yield from (_Bought(**dict(row)) for row in (*answer.campaigns, *answer.days))
    else:
        yield from getattr(answer, "rows", ())


class _Time(Figures):
    """The totals of a time."""

    time: str
    from_: datetime | None
    to: datetime | None
    receipts: Receipts
    instruments: UsesAndRefusals


class _Bought(Figures):
    """How many customers bought: with a campaign, on a day, or at all."""

    campaign_id: str | None = None
    campaign: str | None = None
    day: date | None = None
    customers: CustomersFigures


def _cells(row: Figures) -> Iterator[Cell]:
    """What a row is about, then its figures; lists within it are left out, but for those of texts."""
    fields = type(row).model_fields
    texts = {name for name, one in fields.items() if one.annotation == tuple[str, ...]}
    own = [(name, value) for name, value in row if name in texts or not isinstance(value, tuple)]
    for name, value in sorted(own, key=lambda cell: not isinstance(cell[1], _ABOUT)):
        if isinstance(value, Receipts):
            yield from ((_words(n, _OF_RECEIPTS), v) for n, v in value)
        elif isinstance(value, Uses):
            yield from ((_words(n), v) for n, v in value if not isinstance(v, tuple))
        elif inner := _figures_of(fields[name].annotation):
            yield from _within(_plain(name), inner, value)
        else:
            yield _words(name), value


def _within(whose: str, model: type[Figures], row: object) -> Iterator[Cell]:
    """The figures of a part of a row, which have their columns also where there is none."""
    for name, field in model.model_fields.items():
        value = getattr(row, name, None)
        words = f"{whose}: {_words(name)}"
        inner = _figures_of(field.annotation)
        yield from _within(words, inner, value) if inner else [(words, value)]


def _figures_of(annotation: object) -> type[Figures] | None:
    """The model of what may be none of it."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, Figures):
            return one
    return None


def _words(name: str, special: Mapping[str, str] = _WORDS) -> str:
    plain = special.get(name) or _WORDS.get(name) or _plain(name)
    return f"{plain} (minor units)" if name in _MONEY else plain


def _plain(name: str) -> str:
    return name.removesuffix("_").replace("_", " ").capitalize()


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
