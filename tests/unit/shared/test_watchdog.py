"""The watchdog: lag without a move, for too long."""

import pytest

from shared.watchdog import StalledError, Watchdog


def test_lag_that_shrinks_is_fine_however_long_it_lasts() -> None:
    watchdog = Watchdog(patience_seconds=10)
    for second in range(0, 100, 5):
        watchdog = watchdog.observe(position=second, lag=50, now=second)


def test_nothing_to_do_is_fine() -> None:
    watchdog = Watchdog(patience_seconds=10).observe(position=5, lag=0, now=0)
    assert watchdog.observe(position=5, lag=0, now=1_000).observe(5, 3, 1_005)


def test_lag_without_a_move_ends_the_consumer() -> None:
    watchdog = Watchdog(patience_seconds=10).observe(position=5, lag=3, now=0)
    watchdog = watchdog.observe(position=5, lag=3, now=10)
    with pytest.raises(StalledError, match="3 records behind"):
        watchdog.observe(position=5, lag=3, now=10.5)
