"""What is told of a forecast: no finer than it is true, so that what stays the same is not told again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from services.customers.forecast.model import Expected

_PERCENT = 100
_ALL = 10_000
_THOUSANDTHS = 1_000
_FIGURES = 2


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of one customer. ``probability`` in basis points, to a percent; ``purchases`` in thousandths, to two figures.

    ``expected_on``: the day (UTC) in the middle of the 24 hours in which the next purchase is expected.
    """

    customer_id: str
    probability: int
    purchases: int
    expected_on: date | None


def outlooks(customer_ids: Sequence[str], expected: Expected, now: datetime) -> list[Outlook]:
    """What is told of customers, in their order."""
    return [
        Outlook(
            customer_id,
            min(_ALL, round(probability * _PERCENT) * _PERCENT),
            _rounded(round(trips * _THOUSANDTHS)),
            None if np.isnan(wait) else (now + timedelta(days=float(wait) - 0.5)).date(),
        )
        for customer_id, probability, trips, wait in zip(
            customer_ids, expected.probability, expected.trips, expected.wait, strict=True
        )
    ]


def _rounded(number: int) -> int:
    """To two figures."""
    step: int = 10 ** max(0, len(str(number)) - _FIGURES)
    return round(number / step) * step
