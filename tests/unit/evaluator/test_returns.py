"""Returns: never more than was bought, and every cent accounted for however it is cut."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.evaluator.purchases import BoughtLine
from services.evaluator.receipt import ConflictError
from services.evaluator.returns import Returned, portion, take_back
from shared.events.checkout import ReturnedLine
from shared.events.values import MAX_MONEY, MAX_QUANTITY


def sold(number: int = 1, *, quantity: int = 3_000, paid: int = 1_000) -> BoughtLine:
    """Three pieces for 10.00 after discounts, unless said otherwise."""
    return BoughtLine(sku="sku-1", quantity=quantity, amount=paid, line=number, paid=paid)


def back(number: int = 1, quantity: int = 1_000) -> ReturnedLine:
    """One piece comes back, unless said otherwise."""
    return ReturnedLine(line=number, quantity=quantity)


def test_a_part_is_refunded_in_proportion_half_up() -> None:
    assert take_back([sold(paid=1_001)], {}, [back()]) == {1: Returned(1_000, 334)}
    assert take_back([sold(quantity=2_000, paid=5)], {}, [back()]) == {1: Returned(1_000, 3)}


def test_the_last_part_takes_the_remainder() -> None:
    once = take_back([sold()], {}, [back()])
    twice = take_back([sold()], once, [back()])
    thrice = take_back([sold()], twice, [back()])
    refunds = [each[1].refund for each in (once, twice, thrice)]
    assert refunds == [333, 667, 1_000]


def test_a_return_that_names_no_lines_takes_all_that_is_left() -> None:
    lines = [sold(1), sold(2, paid=500)]
    before = {1: Returned(1_000, 333)}
    assert take_back(lines, before, []) == {1: Returned(3_000, 1_000), 2: Returned(3_000, 500)}


def test_lines_that_a_return_does_not_touch_are_not_in_its_answer() -> None:
    assert take_back([sold(1), sold(2)], {2: Returned(1_000, 333)}, [back(1)]) == {
        1: Returned(1_000, 333)
    }


@pytest.mark.parametrize(
    ("before", "asked", "reason", "field"),
    [
        ({}, [back(1, 3_001)], "returned_too_much", "lines.0.quantity"),
        ({1: Returned(2_001, 667)}, [back(2), back(1)], "returned_too_much", "lines.1.quantity"),
        ({}, [back(1), back(7)], "unknown_line", "lines.1.line"),
        (
            {1: Returned(3_000, 1_000), 2: Returned(3_000, 1_000)},
            [],
            "returned_too_much",
            "receipt_id",
        ),
    ],
    ids=["more than bought", "more than is left", "no such line", "nothing is left"],
)
def test_what_was_not_bought_or_came_back_before_is_refused_by_its_field(
    before: dict[int, Returned], asked: list[ReturnedLine], reason: str, field: str
) -> None:
    with pytest.raises(ConflictError, match=f"^{field}: ") as refused:
        take_back([sold(1), sold(2)], before, asked)
    assert refused.value.reason == reason


@st.composite
def splits(draw: st.DrawFn) -> tuple[BoughtLine, list[int]]:
    """A line and the parts in which all of it comes back."""
    quantity = draw(st.integers(1, MAX_QUANTITY))
    cuts = draw(st.sets(st.integers(1, quantity), max_size=8)) | {quantity}
    edges = [0, *sorted(cuts)]
    parts = [after - before for before, after in pairwise(edges)]
    return sold(quantity=quantity, paid=draw(st.integers(0, MAX_MONEY))), draw(
        st.permutations(parts)
    )


@given(splits())
def test_refunded_and_kept_are_what_was_paid_however_a_line_comes_back(
    split: tuple[BoughtLine, list[int]],
) -> None:
    line, parts = split
    returned: dict[int, Returned] = {}
    refunded = 0
    for part in parts:
        before = returned[1].refund if returned else 0
        returned = take_back([line], returned, [back(quantity=part)])
        refund = returned[1].refund - before
        assert refund >= 0
        refunded += refund
        # What is kept is worth its share of what was paid, to half a minor unit.
        kept = line.quantity - returned[1].quantity
        assert abs(2 * ((line.paid - refunded) * line.quantity - line.paid * kept)) <= line.quantity
    assert refunded == line.paid


@given(st.integers(0, MAX_MONEY), st.integers(1, MAX_QUANTITY), st.data())
def test_a_portion_is_the_exact_one_rounded_half_up(
    amount: int, whole: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(0, whole))
    found = portion(amount, part, whole)
    assert found == int((Fraction(amount * part, whole) + Fraction(1, 2)) // 1)
    assert portion(amount, whole, whole) == amount
    assert portion(amount, 0, whole) == 0
