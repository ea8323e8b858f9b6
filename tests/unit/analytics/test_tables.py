"""How sums become figures."""

from datetime import UTC, datetime

import pytest

from services.analytics import figures, tables

Rows = dict[tuple[str, ...], dict[str, int]]


def _receipts(count: int, paid: int) -> dict[str, int]:
    return {"receipts": count, "total": paid, "discount": 0, "paid": paid, "bonuses": 0}


@pytest.mark.parametrize(
    ("count", "paid", "average"), [(0, 0, None), (2, 3, 2), (3, 4, 1), (3, 5, 2), (1, 7, 7)]
)
def test_the_average_receipt_is_rounded_half_up_to_a_minor_unit(
    count: int, paid: int, average: int | None
) -> None:
    assert tables.receipts_of(_receipts(count, paid)).average == average


def test_no_sums_are_zeros_without_an_average() -> None:
    assert tables.receipts_of({}) == figures.Receipts(receipts=0, paid=0, average=None)


def test_activations_discount_and_bonuses_are_shown_before_and_after_returns() -> None:
    uses = tables.uses_of(
        {
            "activations": 5,
            "returned": 2,
            "discount": 900,
            "returned_discount": 250,
            "bonuses": 10,
            "returned_bonuses": 4,
        }
    )
    assert (uses.gross_activations, uses.returned, uses.activations) == (5, 2, 3)
    assert (uses.discount, uses.returned_discount, uses.net_discount) == (900, 250, 650)
    assert (uses.bonuses, uses.returned_bonuses, uses.net_bonuses) == (10, 4, 6)


def test_a_time_in_which_more_came_back_than_was_sold_is_negative() -> None:
    assert tables.uses_of({"activations": 1, "returned": 3}).activations == -2


def test_refusals_go_from_the_most_frequent_reason_to_the_rarest_then_by_name() -> None:
    sums: Rows = {("b",): {"refusals": 1}, ("a",): {"refusals": 1}, ("c",): {"refusals": 5}}
    assert [row.reason for row in tables.refusals_of(sums)] == ["c", "a", "b"]


def test_a_place_that_only_sold_and_one_that_only_decided_both_have_a_row() -> None:
    rows = tables.place_rows(
        {("s1",): _receipts(3, 900)}, {("s2",): {"carts": 4, "activations": 1}}
    )
    assert [(row.id, row.name, row.receipts.receipts, row.instruments.carts) for row in rows] == [
        ("s2", "s2", 0, 4),
        ("s1", "s1", 3, 0),
    ]


def test_an_instrument_that_was_only_refused_has_a_row_with_its_reasons() -> None:
    (row,) = tables.instrument_rows(
        {},
        {
            ("c", "i", "limit_reached"): {"refusals": 2},
            ("c", "i", "code_missing"): {"refusals": 3},
        },
        {"c": "Welcome"},
        {("c", "i"): "10% off"},
    )
    assert (row.campaign, row.name, row.activations, row.refusals) == ("Welcome", "10% off", 0, 5)
    assert [reason.reason for reason in row.reasons] == ["code_missing", "limit_reached"]


def test_instruments_go_from_the_most_used_to_the_least_then_by_id() -> None:
    uses: Rows = {
        ("c", "a"): {"activations": 1},
        ("c", "b"): {"activations": 2},
        ("b", "z"): {"activations": 1},
    }
    rows = tables.instrument_rows(uses, {}, {}, {})
    assert [(row.campaign_id, row.instrument_id) for row in rows] == [
        ("c", "b"),
        ("b", "z"),
        ("c", "a"),
    ]


def test_a_point_without_anything_counted_is_zeros() -> None:
    start = datetime(2026, 12, 10, tzinfo=UTC)
    (point,) = tables.points_of([start], {}, {})
    assert (point.at, point.receipts.receipts, point.instruments.activations) == (start, 0, 0)


def test_the_average_receipt_is_told_with_and_without_a_promotion() -> None:
    sums = _receipts(3, 1_000) | {"promo_receipts": 1, "promo_paid": 501}
    receipts = tables.receipts_of(sums)
    assert (receipts.average_with, receipts.average_without) == (501, 250)


@pytest.mark.parametrize(
    ("decided", "paid", "conversion"), [(0, 0, None), (3, 1, 3_333), (3, 2, 6_667), (2, 3, 15_000)]
)
def test_conversion_is_what_was_paid_of_what_was_decided(
    decided: int, paid: int, conversion: int | None
) -> None:
    assert tables.uses_of({"decided": decided, "activations": paid}).conversion == conversion


def test_sums_by_part_of_their_keys_add_up() -> None:
    uses: Rows = {("c", "i", ""): {"carts": 3}, ("c", "i", "e"): {"carts": 1, "decided": 1}}
    assert tables.by(uses, 0, 1) == {("c", "i"): {"carts": 4, "decided": 1}}
    assert tables.by(uses, 2) == {("",): {"carts": 3}, ("e",): {"carts": 1, "decided": 1}}
