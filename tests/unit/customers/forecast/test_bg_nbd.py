import numpy as np
import pytest

from services.customers.forecast.bg_nbd import BgNbd, FittedBgNbd, Seen, log_likelihood, seen
from services.customers.forecast.history import History
from tests.unit.customers.forecast import history

R, ALPHA, A, B = 0.243, 4.414, 0.793, 2.426
"""Of CDNOW, in weeks: table 2 of the paper."""
PUBLISHED = Seen(np.array([2.0]), np.array([30.43]), np.array([38.86]))
"""The customer whom the authors' spreadsheet shows."""


@pytest.fixture
def cdnow(monkeypatch: pytest.MonkeyPatch) -> FittedBgNbd:
    monkeypatch.setattr("services.customers.forecast.bg_nbd.seen", lambda _: PUBLISHED)
    return FittedBgNbd(R, ALPHA, A, B)


def test_expected_purchases_are_those_that_the_authors_publish(cdnow: FittedBgNbd) -> None:
    assert cdnow.trips(history({0}, days=1), 39) == pytest.approx([1.226], abs=5e-4)


def test_the_chance_grows_to_the_probability_of_still_coming(cdnow: FittedBgNbd) -> None:
    still = 1 / (1 + A / (B + 1) * ((ALPHA + 38.86) / (ALPHA + 30.43)) ** (R + 2))

    chance = cdnow.chance(history({0}, days=1), [1, 39, 10**9])

    assert still == pytest.approx(0.7266, abs=5e-4)
    assert chance[0] == pytest.approx(
        [
            still * (1 - ((ALPHA + 38.86) / (ALPHA + 39.86)) ** (R + 2)),
            still * (1 - ((ALPHA + 38.86) / (ALPHA + 77.86)) ** (R + 2)),
            still,
        ],
        abs=1e-6,
    )


def test_purchases_after_the_first_and_the_days_between_are_what_it_sees() -> None:
    found = seen(history({2: 1, 5: 2}, {9}, days=10))

    assert found.x.tolist() == [2, 0]
    assert found.t_x.tolist() == [3, 0]
    assert found.known.tolist() == [7.5, 0.5]


def made_up(random: np.random.Generator, count: int, days: int) -> History:
    """Customers as the model thinks of them: r 1.2, α 10, a 1, b 4."""
    trips = np.zeros((count, days), np.float32)
    rates, leaving = random.gamma(1.2, 1 / 10, count), random.beta(1, 4, count)
    for row in range(count):
        first = at = random.uniform(0, days / 3)
        while at < days:
            trips[row, int(at)] += 1
            if at > first and random.random() < leaving[row]:
                break
            at += random.exponential(1 / rates[row])
    return History(trips, trips)


def test_parameters_are_found_again_and_foretell_what_comes() -> None:
    whole = made_up(np.random.default_rng(3), 4_000, 300)
    before = whole.until(200)
    before, whole = before.of(before.known()), whole.of(before.known())

    fitted = BgNbd().fit(before)

    assert fitted.r == pytest.approx(1.2, rel=0.2)
    assert fitted.alpha == pytest.approx(10, rel=0.25)
    assert fitted.a / (fitted.a + fitted.b) == pytest.approx(1 / 5, rel=0.2)
    real = whole.counted(200, 300)
    assert fitted.trips(before, 100).mean() == pytest.approx(real.mean(), rel=0.05)
    came = (real > 0).mean()
    assert fitted.chance(before, [100]).mean() == pytest.approx(came, abs=0.02)


def test_what_is_found_is_more_likely_than_what_is_near() -> None:
    found = made_up(np.random.default_rng(4), 500, 200)
    known = found.of(found.known())
    fitted = BgNbd().fit(known)
    best = np.array([fitted.r, fitted.alpha, fitted.a, fitted.b])

    near = [best * factor for n in range(4) for factor in _factors(n)]

    assert all(
        log_likelihood(one, seen(known)) <= log_likelihood(best, seen(known)) for one in near
    )


def _factors(n: int) -> list[np.ndarray]:
    return [np.where(np.arange(4) == n, factor, 1.0) for factor in (0.9, 1.1)]


def test_customers_with_hundreds_of_purchases_stay_finite() -> None:
    found = history(dict.fromkeys(range(365), 3), days=365)

    assert np.isfinite(FittedBgNbd(R, ALPHA, 1.0, B).trips(found, 91)).all()
    assert FittedBgNbd(0.5, 3.0, 0.001, B).trips(found, 91) == pytest.approx([3 * 91], rel=0.02)
