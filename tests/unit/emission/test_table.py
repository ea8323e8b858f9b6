"""A catalogue as a table: what it holds, and which cell is at fault."""

import io
from collections.abc import Iterator

import pytest

from services.emission.table import BadHeaderError, Row, rows
from shared.events.reference import Product
from shared.events.values import Currency


def table(text: str | bytes) -> list[Row]:
    """The rows of a file, read as the service reads one."""
    raw = text if isinstance(text, bytes) else text.encode()
    return list(rows(io.TextIOWrapper(io.BytesIO(raw), "utf-8", "surrogateescape", newline="")))


def products(text: str | bytes) -> list[Product]:
    found = table(text)
    assert [row.faults for row in found if row.faults] == []
    return [row.product for row in found if row.product is not None]


def faults(text: str | bytes) -> dict[str, str]:
    return {fault.field: fault.message for row in table(text) for fault in row.faults}


BOUNTY = Product(
    sku="482",
    name="Bounty, 57 g",
    group="sweets",
    brand="Bounty",
    attributes={"season": "winter", "Size": "S"},
    cost=2350,
    currency=Currency("UAH"),
)


@pytest.mark.parametrize(
    "text",
    [
        'sku,name,group,brand,cost,currency,attr:season,attr:Size\n482,"Bounty, 57 g",sweets,Bounty,23.50,UAH,winter,S\n',
        "sku;name;group;brand;cost;currency;attr:season;attr:Size\r\n482;Bounty, 57 g;sweets;Bounty;23,5;uah;winter;S\r\n",
        '\ufeffSKU , Name,GROUP,brand,cost,currency,ATTR: season,attr:Size\n\n 482 ,"Bounty, 57 g",sweets,Bounty,"23,50",UAH,winter,S',
        'attr:Size,attr:season,currency,cost,brand,group,name,sku\nS,winter,UAH,23.5,Bounty,sweets,"Bounty, 57 g",482',
    ],
    ids=["commas", "semicolons", "byte order mark and blanks", "columns in any order"],
)
def test_a_table_is_read_as_spreadsheets_write_it(text: str) -> None:
    assert products(text) == [BOUNTY]


def test_what_is_empty_is_left_out() -> None:
    text = "sku,name,group,brand,cost,currency,attr:season\n1,Bread,,,,,\n"
    assert products(text) == [Product(sku="1", name="Bread")]


@pytest.mark.parametrize(
    ("cost", "currency", "minor"),
    [
        ("0", "UAH", 0),
        ("1 234,50", "UAH", 123_450),
        ("1\u00a0234.5", "UAH", 123_450),
        ("1200", "JPY", 1200),
        ("1.234", "KWD", 1234),
    ],
)
def test_a_cost_is_a_decimal_in_the_units_of_its_currency(
    cost: str, currency: str, minor: int
) -> None:
    [one] = products(f"sku;name;cost;currency\n1;x;{cost};{currency}\n")
    assert one.cost == minor


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("1,x,23.505,UAH", "rows.2.cost"),
        ("1,x,1.5,JPY", "rows.2.cost"),
        ("1,x,-1,UAH", "rows.2.cost"),
        ("1,x,NaN,UAH", "rows.2.cost"),
        ("1,x,1e400,UAH", "rows.2.cost"),
        ("1,x,cheap,UAH", "rows.2.cost"),
        ("1,x,9999999999999,UAH", "rows.2.cost"),
        ("1,x,1,", "rows.2.currency"),
        ("1,x,,UAH", "rows.2.cost"),
        ("1,x,1,XXY", "rows.2.currency"),
        (",x,,", "rows.2.sku"),
        ("1,,,", "rows.2.name"),
        (f"1,{'x' * 201},,", "rows.2.name"),
        ("1,a\x00b,,", "rows.2.name"),
        ("1,x,", "rows.2"),
        ("1,x,,,", "rows.2"),
        ("1,x,,\n\n1,y,,", "rows.4.sku"),
        ('1,"x\ny",,\n2,,,', "rows.2.name"),
        (f'1,"{"x" * 200_000}",,', "rows.2"),
    ],
)
def test_a_fault_names_its_row_and_column(row: str, field: str) -> None:
    assert field in faults(f"sku,name,cost,currency\n{row}\n")


def test_what_is_not_utf_8_is_refused_in_its_cell() -> None:
    found = faults("sku,name\n1,Bread\n2,Хліб\n".encode("cp1251"))
    assert [*found] == ["rows.3.name"]


def test_every_fault_of_a_row_is_named() -> None:
    found = faults("sku,name,cost,currency,attr:a\n,,x,UAH," + "y" * 201)
    assert set(found) == {"rows.2.sku", "rows.2.name", "rows.2.cost", "rows.2.attr:a"}


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("", ["rows.1.sku", "rows.1.name"]),
        ("sku,title", ["rows.1.name", "rows.1.title"]),
        ("sku,name,NAME", ["rows.1.name"]),
        ("sku,name,attr:", ["rows.1.attr:"]),
        ("sku,name,attr:a b", ["rows.1.attr:a b"]),
    ],
)
def test_a_header_must_say_what_the_columns_are(header: str, fields: list[str]) -> None:
    with pytest.raises(BadHeaderError) as refused:
        table(f"{header}\n1,2,3\n")
    assert [fault.field for fault in refused.value.faults] == fields


def test_rows_are_read_as_they_are_asked_for() -> None:
    """A table is never in memory as a whole."""

    def endless() -> Iterator[str]:
        yield "sku,name\n"
        number = 0
        while True:
            number += 1
            yield f"{number},x\n"

    found = rows(endless())
    assert [next(found).number for _ in range(3)] == [2, 3, 4]
