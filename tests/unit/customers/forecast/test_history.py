import numpy as np

from services.customers.forecast.history import gather


def test_purchases_are_counted_by_customer_and_day() -> None:
    found = gather(3, 2, [(0, 0, 5.0), (0, 0, 2.0), (1, 2, 1.0)])

    assert found.trips.tolist() == [[2, 0, 0], [0, 0, 1]]
    assert found.paid.tolist() == [[7, 0, 0], [0, 0, 1]]


def test_purchases_outside_its_days_are_left_out() -> None:
    found = gather(3, 1, [(0, -1, 1.0), (0, 3, 1.0), (0, 2, 1.0)])

    assert found.trips.tolist() == [[0, 0, 1]]


def test_a_history_that_is_cut_has_nothing_after() -> None:
    found = gather(4, 2, [(0, 3, 1.0), (1, 1, 1.0)]).until(3)

    assert found.days == 3
    assert found.known().tolist() == [1]


def test_trips_are_counted_between_days() -> None:
    found = gather(5, 1, [(0, day, 1.0) for day in range(5)])

    assert found.counted(1, 4).tolist() == [3]


def test_customers_are_picked_in_the_order_asked_for() -> None:
    found = gather(1, 3, [(2, 0, 1.0)]).of(np.array([2, 0]))

    assert found.trips.tolist() == [[1], [0]]
