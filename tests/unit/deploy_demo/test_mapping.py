"""The data set's rows become lines that the contract accepts and that add up to the cent."""

from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.mapping import (
    Product,
    Row,
    comes_back,
    lines_of,
    product,
    region,
    terminal,
    total,
    unknown_product,
    visit,
)
from shared.codec import decode
from shared.events.checkout import CartLine

APPLES = product(1, "National", "APPLES", "APPLES GALA")
GASOLINE = product(2, None, "COUPON/MISC ITEMS", "GASOLINE-REG UNLEADED")
CIGARETTES = product(3, "National", "CIGARETTES", "CIGARETTES")


def row(quantity: int = 1, paid: int = 100, retail: int = 0, coupon: int = 0, item: int = 1) -> Row:
    return Row(item, quantity, paid, retail, coupon)


def lines(
    one: Row, goods: Product = APPLES, replayed: tuple[int, ...] = ()
) -> list[dict[str, Any]]:
    return lines_of([one], [goods], replayed)


@given(
    quantity=st.integers(1, 50),
    paid=st.integers(0, 100_000),
    retail=st.integers(0, 5_000),
    coupon=st.integers(0, 5_000),
)
def test_the_lines_of_a_row_meet_the_contract_and_add_up(
    quantity: int, paid: int, retail: int, coupon: int
) -> None:
    made = lines(row(quantity, paid, retail, coupon))
    checked = [decode(CartLine, orjson.dumps(line)) for line in made]
    assert sum(line.amount for line in checked) == paid
    assert sum(line.quantity for line in checked) == quantity * 1000
    assert all(line.amount * 1000 == line.price * line.quantity for line in checked)
    assert all(line.list_price >= line.price for line in checked)
    assert sum(other.amount for line in checked for other in line.discounts) in range(
        max(0, coupon - 1), coupon + 1
    )


def test_pieces_that_do_not_divide_become_two_lines() -> None:
    made = lines(row(3, 100))
    assert [(line["line"], line["quantity"], line["price"]) for line in made] == [
        (1, 2000, 33),
        (2, 1000, 34),
    ]


def test_gasoline_is_one_line_with_its_volume() -> None:
    (line,) = lines(row(10_182, 2_511), GASOLINE)
    assert (line["quantity"], line["amount"]) == (1000, 2_511)
    assert line["attributes"] == {"volume": "10182"}


def test_what_the_data_took_off_shows_in_the_list_price() -> None:
    (line,) = lines(row(1, 100, 30, 20))
    assert line["list_price"] == 150


def test_the_weeks_shelf_price_is_no_discount_from_elsewhere() -> None:
    (line,) = lines(row(1, 100, 30))
    assert "discounts" not in line


def test_a_coupon_of_others_is_a_discount_from_elsewhere() -> None:
    (line,) = lines(row(1, 100, 0, 20))
    assert line["discounts"] == [{"kind": "other", "amount": 20}]


def test_a_replayed_coupon_is_not_counted_twice() -> None:
    (line,) = lines(row(1, 100, 0, 20), replayed=(1,))
    assert "discounts" not in line


def test_rows_where_nothing_was_bought_are_left_out() -> None:
    made = lines_of([row(0, 0), row(1, 99)], [APPLES, APPLES])
    assert [line["amount"] for line in made] == [99]


def test_a_basket_of_nothing_else_keeps_one_piece_for_nothing() -> None:
    made = lines_of([row(0, 0), row(0, 0)], [APPLES, APPLES])
    assert [(line["quantity"], line["amount"]) for line in made] == [(1000, 0)]


def test_a_quantity_of_zero_with_a_value_is_one_piece() -> None:
    (line,) = lines(row(0, 250))
    assert (line["quantity"], line["price"]) == (1000, 250)


def test_tobacco_takes_part_in_no_promotion() -> None:
    (line,) = lines(row(), CIGARETTES)
    assert line["no_promo"] is True


@pytest.mark.parametrize(
    ("one", "goods", "seen"),
    [
        (row(1, 100), APPLES, 100),
        (row(1, 100), CIGARETTES, 0),
        (row(1, 100, 0, 20), APPLES, 0),
        (row(1, 100, 20, 0), APPLES, 100),
    ],
)
def test_totals_are_of_goods_that_promotions_may_look_at(
    one: Row, goods: Product, seen: int
) -> None:
    assert total(lines(one, goods)) == seen


def test_what_is_assigned_is_the_same_in_every_run() -> None:
    assert (region(367), terminal(367, 40436231624, "till")) == (
        region(367),
        terminal(367, 40436231624, "till"),
    )
    assert region(367) == "East (assigned)"
    assert terminal(367, 40436231624, "till") == "till-7"


def test_every_kind_of_visit_is_assigned() -> None:
    seen = {
        (visit(household, 367).channel, visit(household, 367).user_agent)
        for household in range(500)
    }
    assert {channel for channel, _ in seen} == {"till", "web", "app"}
    assert all((agent is None) == (channel == "till") for channel, agent in seen)


def test_a_product_that_is_not_described_has_its_id_alone() -> None:
    assert unknown_product(7) == Product("7", None, None, fuel=False, no_promo=False)


def test_one_basket_in_fifty_comes_back_as_a_whole_and_one_in_part() -> None:
    drawn = Counter(comes_back(basket) for basket in range(50_000))
    assert drawn["whole"] == pytest.approx(1_000, rel=0.1)
    assert drawn["part"] == pytest.approx(1_000, rel=0.1)
