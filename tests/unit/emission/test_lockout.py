"""Who guesses passwords waits longer each time."""

from datetime import timedelta

from services.emission.lockout import (
    FIRST_LOCK,
    FORGOTTEN,
    FREE,
    LONGEST_LOCK,
    Failures,
    Who,
    after_attempt,
    is_locked,
)
from tests.unit.web.tokens import NOW

SECOND = timedelta(seconds=1)


def after(attempts: int, who: Who = "login") -> Failures:
    """So many attempts within a moment."""
    failures = Failures()
    for _ in range(attempts):
        failures = after_attempt(failures, who, NOW)
    return failures


def test_a_few_mistakes_are_free() -> None:
    assert not is_locked(after(FREE["login"] - 1), NOW)
    assert not is_locked(after(FREE["login"], "address"), NOW)


def test_each_further_mistake_locks_out_for_twice_as_long() -> None:
    first = after(FREE["login"])
    assert first.locked_until == NOW + FIRST_LOCK
    assert after(FREE["login"] + 2).locked_until == NOW + 4 * FIRST_LOCK
    assert after(FREE["login"] + 1_000).locked_until == NOW + LONGEST_LOCK
    assert is_locked(first, NOW + FIRST_LOCK - SECOND)
    assert not is_locked(first, NOW + FIRST_LOCK)


def test_mistakes_are_forgotten_after_a_while() -> None:
    later = NOW + FORGOTTEN
    assert after_attempt(after(FREE["login"] - 1), "login", later) == Failures(1, later)
