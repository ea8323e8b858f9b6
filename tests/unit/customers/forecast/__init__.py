"""Customers who are made up, with habits that are known."""

import numpy as np

from services.customers.forecast.history import History


def history(*customers: dict[int, int] | set[int], days: int) -> History:
    """Customers by their trips a day, or by the days with one; each trip costs 10."""
    trips = np.zeros((len(customers), days), np.float32)
    for row, bought in enumerate(customers):
        for day in bought:
            trips[row, day] = bought[day] if isinstance(bought, dict) else 1
    return History(trips, trips * 10)


def shoppers(count: int, days: int, seed: int) -> History:
    """Regulars of very different rates, each with days of the week of their own; now and then one leaves for good."""
    random = np.random.default_rng(seed)
    rates = random.gamma(1.5, 0.2, count)
    weekdays = random.dirichlet(np.full(7, 0.7), count) * 7
    left = random.exponential(200, count)
    day = np.arange(days)
    expected = rates[:, None] * weekdays[:, day % 7] * (day < left[:, None])
    trips = random.poisson(expected).astype(np.float32)
    return History(trips, trips * 10)
