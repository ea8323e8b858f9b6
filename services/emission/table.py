"""A catalogue as CSV: products from the rows of a table, and what is wrong with which cell. Pure."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_precision
from pydantic import TypeAdapter, ValidationError

from shared.codec import FieldError
from shared.events.reference import Product
from shared.events.values import Currency

COLUMNS = ("sku", "name", "group", "brand", "cost", "currency")
_NEEDED = ("sku", "name")
_ATTRIBUTE = "attr:"
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_CURRENCY: TypeAdapter[str] = TypeAdapter(Currency)
_LONGEST_NAME = 40
_THOUSANDS = str.maketrans("", "", " \u00a0\u202f")

Cells = dict[str, str]


@dataclass(frozen=True)
class Row:
    """A row of the table: its number as a spreadsheet counts (1 is the header), and a product or faults."""

    number: int
    product: Product | None
    faults: tuple[FieldError, ...] = ()


class BadHeaderError(ValueError):
    """A table whose first row does not say what its columns are."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


def rows(lines: Iterable[str]) -> Iterator[Row]:
    """The table's rows but for empty ones; commas or semicolons, as its header has them.

    Raises ``BadHeaderError``.
    """
    numbered = iter(lines)
    header = next(numbered, "").removeprefix("\ufeff")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    [names] = csv.reader([header], delimiter=delimiter) if header.strip() else [[]]
    columns = [_column(name) for name in names]
    faults = [*_faults_of_header(columns)]
    if faults:
        raise BadHeaderError(faults)
    reader = csv.reader(numbered, delimiter=delimiter)
    seen: set[str] = set()
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(number, None, (_fault(number, "", f"cannot be read: {error}"),))
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _row(number, columns, cells, seen)


def _column(name: str) -> str:
    """A column's name; those of attributes keep their case."""
    name = name.strip()
    kind, colon, attribute = name.partition(":")
    return f"{_ATTRIBUTE}{attribute.strip()}" if colon and kind.lower() == "attr" else name.lower()


def _faults_of_header(columns: Sequence[str]) -> Iterator[FieldError]:
    for name in _NEEDED:
        if name not in columns:
            yield _fault(1, name, "the table has no such column, which every product needs")
    for position, name in enumerate(columns):
        shown = name[:_LONGEST_NAME]
        if name in columns[:position]:
            yield _fault(1, shown, "there are two columns of this name")
        elif name.startswith(_ATTRIBUTE):
            if not _ATTRIBUTE_NAME.fullmatch(name.removeprefix(_ATTRIBUTE)):
                yield _fault(1, shown, "not a name of an attribute, as attr:season")
        elif name not in COLUMNS:
            known = ", ".join(COLUMNS)
            yield _fault(1, shown, f"no such column: they are {known} and attr:<name>")


def _row(number: int, columns: Sequence[str], cells: Sequence[str], seen: set[str]) -> Row:
    if len(cells) != len(columns):
        message = f"has {len(cells)} values, and the table has {len(columns)} columns"
        return Row(number, None, (_fault(number, "", message),))
    given = {
        name: text for name, cell in zip(columns, cells, strict=True) if (text := cell.strip())
    }
    faults = [*_faults_of_money(number, given)]
    if given.get("sku") in seen:
        faults.append(_fault(number, "sku", "is in the table twice"))
    seen.add(given.get("sku", ""))
    product, others = _product(number, given, is_priced=not faults)
    faults += others
    return Row(number, None if faults else product, tuple(faults))


def _faults_of_money(number: int, given: Cells) -> Iterator[FieldError]:
    cost, currency = given.get("cost"), given.get("currency", "")
    if cost is None:
        if currency:
            yield _fault(number, "cost", "a currency needs a cost")
        return
    if not currency:
        yield _fault(number, "currency", "a cost needs a currency")
        return
    try:
        _CURRENCY.validate_python(currency.upper())
    except ValidationError:
        yield _fault(number, "currency", "not a currency of ISO 4217, as UAH")
        return
    if _minor(cost, currency.upper()) is None:
        digits = get_currency_precision(currency.upper())
        yield _fault(number, "cost", f"not an amount with at most {digits} decimals, as 23.50")


def _minor(text: str, currency: str) -> int | None:
    """A decimal in minor units of the currency; None for what is none."""
    plain = text.translate(_THOUSANDS)
    if "." not in plain:
        plain = plain.replace(",", ".")
    try:
        minor = Decimal(plain).scaleb(get_currency_precision(currency))
    except InvalidOperation:
        return None
    is_amount = minor.is_finite() and minor >= 0 and minor == minor.to_integral_value()
    return int(minor) if is_amount else None


def _product(
    number: int, given: Cells, *, is_priced: bool
) -> tuple[Product | None, list[FieldError]]:
    fields: dict[str, object] = {name: given.get(name) for name in ("group", "brand")}
    fields |= {name: given.get(name, "") for name in _NEEDED}
    fields["attributes"] = {
        name.removeprefix(_ATTRIBUTE): text
        for name, text in given.items()
        if name.startswith(_ATTRIBUTE)
    }
    if is_priced and "cost" in given:
        currency = given["currency"].upper()
        fields |= {"cost": _minor(given["cost"], currency), "currency": currency}
    try:
        return Product.model_validate(fields), []
    except ValidationError as error:
        return None, [
            _fault(number, _column_of(item["loc"]), item["msg"])
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        ]


def _column_of(location: Sequence[int | str]) -> str:
    first, *rest = location or ("",)
    return f"{_ATTRIBUTE}{rest[0]}" if first == "attributes" and rest else str(first)


def _fault(number: int, column: str, message: str) -> FieldError:
    return FieldError(f"rows.{number}.{column}" if column else f"rows.{number}", message, "table")
