"""Who guesses passwords is locked out, for twice as long each time. Pure.

Attempts are counted before the password is looked at, so that a hundred at once are a hundred; one that
succeeds clears the login's. A login that nobody has is counted as well: an answer says nothing about it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Who = Literal["login", "address"]
FREE: dict[Who, int] = {"login": 5, "address": 30}
"""Failures before the first lock-out; many people may come from one address."""
FORGOTTEN = timedelta(hours=1)
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)


@dataclass(frozen=True)
class Failures:
    """What is held against a login or an address."""

    count: int = 0
    last_at: datetime | None = None
    locked_until: datetime | None = None


def is_locked(failures: Failures, now: datetime) -> bool:
    """Whether no attempt is heard now."""
    return failures.locked_until is not None and now < failures.locked_until


def after_attempt(failures: Failures, who: Who, now: datetime) -> Failures:
    """What is held against it after one more attempt, until that succeeds."""
    forgotten = failures.last_at is None or now - failures.last_at >= FORGOTTEN
    count = 1 if forgotten else failures.count + 1
    beyond = count - FREE[who]
    if beyond < 0:
        return Failures(count, now)
    # Doubling ends long before the power would be too large to add.
    lock = min(FIRST_LOCK * 2 ** min(beyond, 10), LONGEST_LOCK)
    return Failures(count, now, now + lock)
