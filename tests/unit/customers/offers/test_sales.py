"""What is counted of sales by day, and what a rule about their volume says."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from services.customers.messages import Line, Receipt, Returned
from services.customers.offers.policy import SalesRule
from services.customers.offers.sales import Asked, Cell, Place, Sold, asked, fold, holds, share
from tests.unit.customers.offers.examples import KYIV

TODAY = date(2026, 3, 10)


def receipt(**fields: Any) -> Receipt:
    values: dict[str, Any] = {
        "receipt_id": "r1",
        "store_id": "s-1",
        "terminal_id": "t",
        "region": "North",
        "device": "till",
        "currency": "UAH",
        "occurred_at": datetime(2026, 3, 10, 12, tzinfo=UTC),
        "discount": 0,
        "paid": 9_000,
        "lines": (
            Line(1, "milk", 1_000, 5_000, 500, "dairy"),
            Line(2, "kefir", 1_000, 2_500, 0, "dairy"),
            Line(3, "bag", 1_000, 2_000, 0),
        ),
        "redemptions": (),
        "utc_offset_minutes": 120,
    }
    return Receipt(**(values | fields))


def returned(**fields: Any) -> Returned:
    values: dict[str, Any] = {
        "return_id": "b1",
        "receipt_id": "r1",
        "store_id": "s-2",
        "sold_at": datetime(2026, 3, 10, 12, tzinfo=UTC),
        "occurred_at": datetime(2026, 3, 12, 12, tzinfo=UTC),
        "currency": "UAH",
        "complete": True,
        "refund": 9_000,
        "lines": (),
        "redemptions": (),
        "sold_in": "s-1",
        "region": "North",
    }
    return Returned(**(values | fields))


def test_a_receipt_counts_for_the_chain_its_region_its_store_and_its_groups() -> None:
    assert fold([receipt(), receipt(receipt_id="r2", lines=(), paid=100)]) == {
        Cell(TODAY, "chain", "", "UAH"): Sold(2, 9_100),
        Cell(TODAY, "region", "North", "UAH"): Sold(2, 9_100),
        Cell(TODAY, "store", "s-1", "UAH"): Sold(2, 9_100),
        Cell(TODAY, "group", "dairy", "UAH"): Sold(1, 7_000),
    }


def test_the_day_is_the_stores_not_that_of_greenwich() -> None:
    late = receipt(occurred_at=datetime(2026, 3, 10, 22, 30, tzinfo=UTC))
    assert {cell.day for cell in fold([late])} == {date(2026, 3, 11)}
    elsewhere = timezone(timedelta(hours=9))
    stated = receipt(occurred_at=datetime(2026, 3, 11, 7, tzinfo=elsewhere))  # midnight in Kyiv
    assert {cell.day for cell in fold([stated])} == {date(2026, 3, 11)}
    stated = receipt(occurred_at=datetime(2026, 3, 11, 6, 59, tzinfo=elsewhere))
    assert {cell.day for cell in fold([stated])} == {TODAY}
    west = receipt(occurred_at=datetime(2026, 3, 10, 2, tzinfo=UTC), utc_offset_minutes=-420)
    assert {cell.day for cell in fold([west])} == {date(2026, 3, 9)}


def test_what_comes_back_counts_where_and_when_it_was_sold() -> None:
    assert fold([returned()]) == {
        Cell(TODAY, "chain", "", "UAH"): Sold(-1, -9_000),
        Cell(TODAY, "region", "North", "UAH"): Sold(-1, -9_000),
        Cell(TODAY, "store", "s-1", "UAH"): Sold(-1, -9_000),
    }
    late = returned(sold_at=datetime(2026, 3, 9, 22, 30, tzinfo=UTC))
    assert {cell.day for cell in fold([late], {"s-1": KYIV})} == {TODAY}
    assert {cell.day for cell in fold([late], {"s-2": KYIV})} == {date(2026, 3, 9)}
    nowhere = fold([returned(region=None)])
    assert {cell.kind for cell in nowhere} == {"chain"}
    part = fold([returned(complete=False, refund=100)])
    assert part[Cell(TODAY, "chain", "", "UAH")] == Sold(0, -100)


def rule(**fields: Any) -> SalesRule:
    return SalesRule(**({"below": 9_000} | fields))


def ask(one: SalesRule) -> Asked | None:
    return asked(one, TODAY, store_id="s-1", region="North")


def test_whole_days_are_compared_with_as_many_before_them() -> None:
    found = ask(rule(days=7))
    assert found == Asked(
        Place("chain"),
        "purchases",
        (date(2026, 3, 3), date(2026, 3, 10)),
        (date(2026, 2, 24), date(2026, 3, 3)),
    )


def test_a_year_ago_the_weekdays_are_the_same() -> None:
    found = ask(rule(days=7, against="year_ago"))
    assert found is not None
    assert found.base == (date(2025, 3, 4), date(2025, 3, 11))
    assert found.base[0].weekday() == found.recent[0].weekday()


def test_without_a_name_the_store_and_the_region_are_the_customers_own() -> None:
    places = [ask(rule(of=of)) for of in ("store", "region")]
    assert [one and one.place for one in places] == [
        Place("store", "s-1"),
        Place("region", "North"),
    ]
    named = ask(rule(of="store", id="s-9"))
    assert named is not None
    assert named.place == Place("store", "s-9")
    assert asked(rule(of="store"), TODAY, store_id=None, region=None) is None


@pytest.mark.parametrize(
    ("recent", "base", "found"),
    [
        (90, 100, 9_000),
        (1, 3, 3_333),
        (2, 3, 6_667),
        (0, 5, 0),
        (1, 1, 10_000),
        (-1, 5, 0),
        (5, 0, None),
        (5, -1, None),
    ],
)
def test_a_share_is_in_basis_points_rounded_half_up(
    recent: int, base: int, found: int | None
) -> None:
    assert share(recent, base) == found


def test_a_share_must_be_at_least_and_below() -> None:
    found = [n for n in (7_999, 8_000, 8_999, 9_000) if holds(rule(at_least=8_000), n)]
    assert found == [8_000, 8_999]
    assert holds(SalesRule(at_least=11_000), 11_000)
