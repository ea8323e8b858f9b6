from datetime import UTC, date, datetime

import numpy as np
import pytest

from services.customers.forecast.model import Expected
from services.customers.forecast.outlook import Outlook, outlooks

NOW = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)


def told(trips: float, probability: float, wait: float, now: datetime = NOW) -> Outlook:
    expected = Expected(np.array([trips]), np.array([probability]), np.array([wait]))
    (found,) = outlooks(["c-1"], expected, now)
    return found


def test_probabilities_are_told_to_a_percent() -> None:
    assert told(1, 0.12345, 1).probability == 1200
    assert told(1, 0.996, 1).probability == 10_000


@pytest.mark.parametrize(
    ("trips", "purchases"), [(0.0, 0), (0.0042, 4), (0.0477, 48), (1.2345, 1200), (12.51, 13_000)]
)
def test_purchases_are_told_to_two_figures(trips: float, purchases: int) -> None:
    assert told(trips, 0.5, 1).purchases == purchases


def test_the_day_is_that_in_the_middle_of_the_24_hours() -> None:
    assert told(1, 0.5, 1).expected_on == date(2026, 3, 4)
    assert told(1, 0.5, 3).expected_on == date(2026, 3, 6)
    assert told(1, 0.5, 1, NOW.replace(hour=18)).expected_on == date(2026, 3, 5)


def test_no_day_is_told_of_those_who_are_not_expected() -> None:
    assert told(0.1, 0.1, float("nan")).expected_on is None
