import pytest

from services.customers.forecast.purchases import days_known, history, scale_of
from services.customers.profile import KEPT_DAYS
from tests.unit.customers.segments.customers import NOW, Trip, state_of


def test_days_are_counted_back_from_now() -> None:
    states = [state_of([Trip(days=9.5), Trip(days=1.2), Trip(days=0.2), Trip(days=0.1)])]

    found = history(states, NOW, 10, {})

    assert found.trips.tolist() == [[1, 0, 0, 0, 0, 0, 0, 0, 1, 2]]


def test_purchases_that_came_back_and_those_before_or_after_the_days_are_none() -> None:
    states = [state_of([Trip(days=12), Trip(days=3, returned=True), Trip(days=-0.1)])]

    assert history(states, NOW, 10, {}).trips.sum() == 0


def test_sums_are_in_mean_receipts_of_their_currency() -> None:
    states = [
        state_of([Trip(days=2, paid=300), Trip(days=1, paid=100)]),
        state_of([Trip(days=2, paid=50, currency="EUR")]),
    ]

    scale = scale_of(states)

    assert scale == {"UAH": 200, "EUR": 50}
    assert history(states, NOW, 2, scale).paid.tolist() == [[1.5, 0.5], [1, 0]]


def test_a_currency_that_nothing_is_known_of_counts_as_nothing_paid() -> None:
    found = history([state_of([Trip(days=1)])], NOW, 2, {"EUR": 50})

    assert found.trips.sum() == 1
    assert found.paid.sum() == 0


def test_the_days_known_begin_with_the_first_purchase() -> None:
    states = [state_of([Trip(days=30.5), Trip(days=2)]), state_of([Trip(days=3)]), state_of([])]

    assert days_known(states, NOW) == 31


def test_no_more_days_are_known_than_profiles_keep() -> None:
    assert days_known([state_of([Trip(days=3_000)])], NOW) == KEPT_DAYS
    assert days_known([state_of([Trip(days=30, returned=True)])], NOW) == 0
    assert days_known([], NOW) == 0


def test_the_mean_receipt_of_what_came_back_is_no_scale() -> None:
    assert scale_of([state_of([Trip(days=1, paid=0)])]) == pytest.approx({})
