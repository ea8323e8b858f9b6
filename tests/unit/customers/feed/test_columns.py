"""Exports as CSV."""

import csv
import io

import pytest

from services.customers.feed.columns import COLUMNS, csv_header, csv_lines
from shared.events.customers import Profile
from tests.unit.customers.feed.profiles import a_profile, favourite, nobody


def table(*profiles: Profile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_header() + csv_lines(profiles))))


def test_a_customer_is_a_row() -> None:
    [row] = table(a_profile())
    assert row == {
        "customer_id": "c-1",
        "version": "7",
        "as_of": "2026-03-04T12:00:00Z",
        "purchases": "4",
        "purchases_90_days": "2",
        "first_purchase_at": "2026-01-04T12:00:00Z",
        "last_purchase_at": "2026-03-01T12:00:00Z",
        "currency": "UAH",
        "paid": "-50",
        "refunded": "20",
        "discount": "10",
        "currencies": "EUR; UAH",
        "promo_purchases": "1",
        "promo_share": "2500",
        "returns": "1",
        "favourite_groups": "dairy; bread; rolls",
        "stores": "s-1",
        "devices": "till",
        "busiest_hour": "17",
        "busiest_weekday": "6",
        "codes_offered": "3",
        "codes_used": "1",
        "codes_unused": "2",
        "receipts_with_code": "1",
        "bonuses_earned": "100",
        "bonuses_spent": "20",
        "bonuses_expired": "0",
        "bonuses_taken_back": "90",
        "bonuses_balance": "-10",
        "segments": "frequent; loyal",
        "rfm_recency": "5",
        "rfm_frequency": "4",
        "rfm_monetary": "3",
        "rfm_class": "loyal",
        "forecast_model": "bg-nbd",
        "forecast_made_at": "2026-03-04T12:00:00Z",
        "forecast_days": "28",
        "forecast_probability": "8000",
        "forecast_expected_purchases": "1500",
        "forecast_expected_on": "2026-03-11",
    }


def test_what_is_not_known_is_empty() -> None:
    [row] = table(nobody())
    empty = {name for name, value in row.items() if not value}
    assert {"currency", "paid", "last_purchase_at", "busiest_hour", "busiest_weekday"} <= empty
    assert {name for name in row if name.startswith(("rfm_", "forecast_"))} <= empty
    assert row["purchases"] == "0"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t"])
def test_no_spreadsheet_takes_a_text_for_a_formula(begin: str) -> None:
    """Names of groups come from tills; numbers may well be negative."""
    formula = f"{begin}HYPERLINK(A1)"
    named = favourite("dairy").model_copy(update={"group": formula})
    [row] = table(a_profile(favourites=(named,)))
    assert row["favourite_groups"] == f"'{formula}"
    assert row["bonuses_balance"] == "-10"


def test_commas_quotes_and_line_ends_stay_within_their_cell() -> None:
    named = favourite("dairy").model_copy(update={"group": 'a, "b"\r\nc'})
    assert [row["favourite_groups"] for row in table(a_profile(favourites=(named,)))] == [
        'a, "b"\r\nc'
    ]


def test_each_line_has_as_many_cells_as_the_header() -> None:
    assert len(csv_header().split(",")) == len(COLUMNS)
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
