"""When a crashed process is started again."""

from deploy.local.restart import Restarts


def _crashed(times: int, every_s: float) -> Restarts:
    restarts = Restarts()
    for number in range(times):
        restarts = restarts.crashed(now=number * every_s)
    return restarts


def test_the_first_restart_is_at_once() -> None:
    """A test, or a till, that waits for a killed service waits for its start only."""
    assert _crashed(1, 1.0).delay_s == 0.0


def test_restarts_back_off() -> None:
    """Each crash in a row waits longer, up to a limit."""
    delays = [_crashed(times, 1.0).delay_s for times in range(1, 8)]
    assert delays == sorted(delays)
    assert delays[-1] == delays[-2] == 2.0


def test_six_crashes_within_a_minute_are_the_end() -> None:
    """Five may still be bad luck."""
    assert not _crashed(5, 1.0).gives_up
    assert _crashed(6, 1.0).gives_up


def test_old_crashes_are_forgotten() -> None:
    """A crash every half a minute goes on for ever, and each restart is at once or nearly so."""
    restarts = _crashed(20, 30.0)
    assert not restarts.gives_up
    assert restarts.delay_s <= 0.25
    assert restarts.count == 20


def test_kills_from_outside_are_no_crashes() -> None:
    """A fault test may kill a service as often as it likes."""
    restarts = Restarts()
    for _ in range(50):
        restarts = restarts.interrupted()
    assert (restarts.gives_up, restarts.delay_s, restarts.count) == (False, 0.0, 50)
