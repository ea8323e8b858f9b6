"""Rounding, floors and spreading."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.promotion.allocation import floor_of, round_half_up, spread
from tests.builders import line


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (0, 10, 0),
        (4, 10, 0),
        (5, 10, 1),
        (14, 10, 1),
        (15, 10, 2),
        (25, 10, 3),
        (1, 3, 0),
        (2, 3, 1),
    ],
)
def test_a_half_goes_up(numerator: int, denominator: int, expected: int) -> None:
    assert round_half_up(numerator, denominator) == expected


@pytest.mark.parametrize(
    ("amount", "weights", "expected"),
    [
        pytest.param(10, [100], [10], id="one line takes it all"),
        pytest.param(10, [1, 1], [5, 5], id="even"),
        pytest.param(10, [1, 1, 1], [4, 3, 3], id="a tie goes to the earlier line"),
        pytest.param(11, [1, 1, 1], [4, 4, 3], id="two cents over go to the first two"),
        pytest.param(100, [333, 667], [33, 67], id="the largest remainder is rounded up"),
        pytest.param(1, [1, 2], [0, 1], id="one cent goes to the heavier line"),
        pytest.param(10, [0, 5, 0, 5], [0, 5, 0, 5], id="no weight, no share"),
        pytest.param(0, [1, 2], [0, 0], id="nothing to spread"),
        pytest.param(0, [], [], id="no lines"),
    ],
)
def test_shares_follow_the_largest_remainder(
    amount: int, weights: list[int], expected: list[int]
) -> None:
    assert spread(amount, weights, [10**6] * len(weights)) == expected


def test_what_does_not_fit_moves_to_the_other_lines() -> None:
    assert spread(10, [1, 1, 1], [1, 100, 100]) == [1, 5, 4]


def test_a_fixed_amount_moves_as_far_as_there_is_room() -> None:
    assert spread(10**9, [10**6, 1, 0], [3, 10**9, 5]) == [3, 10**9 - 3, 0]


def test_more_than_all_rooms_is_refused() -> None:
    with pytest.raises(ValueError, match="11 does not fit into 10"):
        spread(11, [1, 1, 0], [5, 5, 5])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=40),
    st.data(),
)
def test_shares_add_up_and_stay_within_their_rooms(
    lines: list[tuple[int, int]], data: st.DataObject
) -> None:
    weights, rooms = zip(*lines, strict=True)
    amount = data.draw(st.integers(0, sum(rooms)))
    shares = spread(amount, weights, rooms)
    assert sum(shares) == amount
    assert all(0 <= share <= room for share, room in zip(shares, rooms, strict=True))


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40), st.integers(0, 10**6))
def test_a_share_is_within_one_unit_of_the_exact_one(weights: list[int], amount: int) -> None:
    whole = sum(weights)
    if not whole:
        return
    shares = spread(amount, weights, [amount] * len(weights))
    assert all(
        abs(share * whole - amount * weight) < whole
        for share, weight in zip(shares, weights, strict=True)
    )


@pytest.mark.parametrize(
    ("min_line_amount", "min_unit_price", "quantity", "expected"),
    [
        (0, 0, 1_000, 0),
        (150, 0, 1_000, 150),
        (0, 99, 3_000, 297),
        (0, 99, 1_501, 149),  # 148.599: a legal minimum is never undercut
        (0, 100, 1_250, 125),
        (200, 100, 1_250, 200),
        (100, 100, 1_250, 125),
    ],
)
def test_the_floor_is_the_greater_minimum_rounded_up(
    min_line_amount: int, min_unit_price: int, quantity: int, expected: int
) -> None:
    item = line(quantity=quantity, min_line_amount=min_line_amount, min_unit_price=min_unit_price)
    assert floor_of(item) == expected
