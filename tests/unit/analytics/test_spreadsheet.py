"""Answers as tables of a spreadsheet."""

import csv
from datetime import UTC, datetime
from typing import Any

import pytest

from services.analytics import figures, spreadsheet

NOON = datetime(2026, 12, 10, 12, tzinfo=UTC)
HEAD: dict[str, Any] = {
    "as_of": NOON,
    "counted_until": None,
    "sources": (),
    "from_": NOON,
    "to": None,
    "period": None,
    "time_zone": "UTC",
    "currency": "EUR",
    "currencies": (),
}


def table(answer: figures.Figures) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(spreadsheet.lines(answer)).splitlines()))


def store(name: str) -> figures.PlacesAnswer:
    row = figures.PlaceRow(
        id="s1",
        name=name,
        receipts=figures.Receipts(receipts=2, paid=999, discount=10, average=500),
        instruments=figures.Uses(activations=-1, discount=7),
    )
    return figures.PlacesAnswer(**HEAD, rows=(row,), truncated=False)


def test_a_row_has_what_it_is_about_then_its_figures_in_plain_words() -> None:
    (row,) = table(store("Main street"))
    assert list(row)[:2] == ["Id", "Name"]
    assert row["Name"] == "Main street"
    assert row["Paid (minor units)"] == "999"
    assert row["Discount on receipts (minor units)"] == "10"
    assert row["Discount before returns (minor units)"] == "7"
    assert row["Currency"] == "EUR"


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    (row,) = table(store("Main street"))
    assert row["Activations"] == "-1"
    assert row["Conversion (hundredths of a percent)"] == ""


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_a_formula(name: str) -> None:
    text = "".join(spreadsheet.lines(store(name)))
    (_, row) = csv.reader(text.splitlines(keepends=True))
    assert row[1] == f"'{name}"


def test_a_text_with_commas_and_quotes_is_one_cell() -> None:
    (row,) = table(store('Main "street", 5'))
    assert row["Name"] == 'Main "street", 5'


def test_totals_have_a_line_of_the_time_before() -> None:
    answer = figures.TotalsAnswer(
        **HEAD,
        totals=figures.Totals(receipts=figures.Receipts(receipts=2)),
        previous=figures.Previous(
            from_=NOON,
            to=NOON,
            receipts=figures.Receipts(receipts=1),
            instruments=figures.UsesAndRefusals(refusals=3),
        ),
    )
    rows = table(answer)
    assert [(row["Time"], row["Receipts"], row["Refusals"]) for row in rows] == [
        ("asked for", "2", "0"),
        ("before", "1", "3"),
    ]
    assert rows[0]["From (UTC)"] == "2026-12-10 12:00:00"


def test_a_series_has_a_line_for_each_point() -> None:
    point = figures.Point(at=NOON, receipts=figures.Receipts(), instruments=figures.Uses())
    answer = figures.SeriesAnswer(**HEAD, step="hour", points=(point, point))
    assert [row["Time (UTC)"] for row in table(answer)] == ["2026-12-10 12:00:00"] * 2


def test_reasons_of_an_instrument_are_no_cell_of_it() -> None:
    row = figures.InstrumentRow(
        campaign_id="c",
        campaign="C",
        instrument_id="i",
        name="I",
        refusals=2,
        reasons=(figures.Refusals(reason="code_missing", refusals=2),),
    )
    answer = figures.InstrumentsAnswer(**HEAD, rows=(row,), truncated=False)
    (found,) = table(answer)
    assert (found["Campaign id"], found["Refusals"]) == ("c", "2")
    assert not [name for name in found if "easons" in name]


def test_nothing_is_an_empty_table() -> None:
    assert list(spreadsheet.lines(figures.PlacesAnswer(**HEAD, rows=(), truncated=False))) == []
