"""When a cap will be used up: the week's pattern, scaled to the latest rate, with an interval. Pure.

**Pattern.** What was used in each hour of the week over the last four weeks, per time that the hour was
there, drawn towards the mean of all hours as if that had been seen once more: a pattern of one week is half
believed, one of four weeks four parts in five.

**Rate.** What was used in the last week over what the pattern expects of it.

**Interval.** Uses come in clusters and vary in size, so they are taken as quasi-Poisson (McCullagh and Nelder
1989): the variance of a sum is ``φ`` times its mean, with ``φ`` from how days differ from the pattern, no less
than the mean size of a use. The rate was seen in ``Y``, and ``R`` remains: the logarithm of how fast it goes varies
by ``φ / Y + φ / R``, and the interval (95%) is when it would be used up at ``exp(±1.96 · √)`` times the rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, sqrt
from typing import Literal
from zoneinfo import ZoneInfo

SEEN = timedelta(days=28)
"""How far back the pattern looks."""
LEAST_USES = 10
"""Of fewer nothing is foretold."""
_LATEST = timedelta(days=7)
_HOUR, _HOURS_A_WEEK, _HOURS_A_DAY = timedelta(hours=1), 7 * 24, 24
_Z = 1.959964

State = Literal["used_up", "expected", "not_within", "too_little_data"]


@dataclass(frozen=True, slots=True)
class Use:
    """What was used in an hour: of the cap (redemptions or money), in so many redemptions."""

    amount: int = 0
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """``at`` it is expected to be used up, 95%: ``earliest`` … ``latest``; None: not by then.

    ``per_day`` is what is used of it a day at the latest rate.
    """

    state: State
    at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    per_day: float | None = None


def forecast(
    used: Mapping[datetime, Use],
    *,
    since: datetime,
    now: datetime,
    until: datetime,
    remaining: int,
    zone: ZoneInfo,
) -> Forecast:
    """When ``remaining`` will be used, if it is before ``until``.

    ``used`` is by the start of each hour, from ``since`` (the start of an hour); hours without are missing.
    """
    if remaining <= 0:
        return Forecast("used_up")
    hours = _hours(since, now)
    told = [used.get(hour, Use()) for hour in hours]
    if sum(one.uses for one in told) < LEAST_USES:
        return Forecast("too_little_data")
    amounts = [one.amount for one in told]
    first = _hour_of_week(since, zone)
    pattern = _pattern(amounts, first)
    latest = min(len(hours), _LATEST // _HOUR)
    expected = sum(pattern[(first + n) % _HOURS_A_WEEK] for n in range(len(hours)))
    lately = sum(
        pattern[(first + n) % _HOURS_A_WEEK] for n in range(len(hours) - latest, len(hours))
    )
    seen = sum(amounts[-latest:])
    if not seen or not lately or not expected:
        return Forecast("not_within", per_day=0.0)
    pattern = [seen / lately * one for one in pattern]
    spread = _spread(amounts, told, first, pattern)
    factor = exp(_Z * sqrt(spread / seen + spread / remaining))
    reached = _reached(
        pattern, now, until, zone, [remaining / factor, float(remaining), remaining * factor]
    )
    earliest, at, last = reached
    return Forecast(
        "expected" if at else "not_within",
        at=at,
        earliest=earliest,
        latest=last,
        per_day=sum(pattern) / 7,
    )


def _hours(since: datetime, now: datetime) -> list[datetime]:
    """The starts of the hours that are over; of less than one the hour itself."""
    return [since + n * _HOUR for n in range(max(1, (now - since) // _HOUR))]


def _hour_of_week(at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.weekday() * _HOURS_A_DAY + local.hour


def _pattern(amounts: Sequence[int], first: int) -> list[float]:
    """What an hour of the week uses; ``amounts`` begin with the hour ``first``.

    Clocks that change within the four weeks shift the rest by an hour, which the pattern bears.
    """
    sums, times = [0] * _HOURS_A_WEEK, [0] * _HOURS_A_WEEK
    for n, amount in enumerate(amounts):
        hour = (first + n) % _HOURS_A_WEEK
        sums[hour] += amount
        times[hour] += 1
    mean = sum(amounts) / len(amounts)
    return [(total + mean) / (count + 1) for total, count in zip(sums, times, strict=True)]


def _spread(
    amounts: Sequence[int], told: Sequence[Use], first: int, pattern: Sequence[float]
) -> float:
    """``φ``: how much days differ from what is expected of them."""
    least = sum(amounts) / max(1, sum(one.uses for one in told))
    squares, days = 0.0, 0
    for start in range(0, len(amounts) - _HOURS_A_DAY + 1, _HOURS_A_DAY):
        hours = range(start, start + _HOURS_A_DAY)
        expected = sum(pattern[(first + n) % _HOURS_A_WEEK] for n in hours)
        if expected > 0:
            squares += (sum(amounts[n] for n in hours) - expected) ** 2 / expected
            days += 1
    return max(least, squares / (days - 1)) if days > 1 else least


def _reached(
    pattern: Sequence[float],
    now: datetime,
    until: datetime,
    zone: ZoneInfo,
    sums: Sequence[float],
) -> list[datetime | None]:
    """When each of the sums, ascending, is used from now on; None: not before ``until``."""
    found: list[datetime | None] = []
    hour = _hour_of_week(now, zone)
    at, total, end = 0.0, 0.0, (until - now) / _HOUR  # in hours from now
    # The first step is what is left of this hour.
    step = 1 - (now - now.replace(minute=0, second=0, microsecond=0)) / _HOUR
    for wanted in sums:
        while at < end and total + pattern[hour] * step < wanted:
            total += pattern[hour] * step
            at, hour, step = at + step, (hour + 1) % _HOURS_A_WEEK, 1.0
        reached = at
        if pattern[hour] > 0 and at < end:
            reached += (wanted - total) / pattern[hour]
        found.append(now + reached * _HOUR if reached < end else None)
    return found
