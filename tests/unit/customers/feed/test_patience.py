"""How long a receiver that fails is left alone."""

import pytest

from services.customers.feed.patience import FIRST_S, LONGEST_S, delay_s


def test_each_failure_doubles_the_wait_up_to_a_bound() -> None:
    waits = [delay_s(failures, 1.0) for failures in range(1, 12)]
    assert waits[:4] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_S


def test_a_receiver_may_fail_for_months() -> None:
    assert delay_s(10_000_000, 0.5) == 0.75 * LONGEST_S


def test_half_of_the_wait_is_left_to_chance() -> None:
    """Else all that failed together would come back together."""
    assert delay_s(3, 0.0) == 2 * FIRST_S
    assert delay_s(3, 0.5) == 3 * FIRST_S


@pytest.mark.parametrize(("asked_s", "wait_s"), [(0.5, 4.0), (60.0, 60.0), (86_400.0, LONGEST_S)])
def test_a_receiver_may_ask_for_more_time_within_the_bound(asked_s: float, wait_s: float) -> None:
    assert delay_s(3, 1.0, asked_s) == wait_s
