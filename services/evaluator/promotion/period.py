"""Processing periods: from when until when history and limits are counted.

Days, weeks and months are those of the campaign's clock: they begin when its midnight does; where
the clocks skip midnight, at the skip (PEP 495: ``fold=0`` gives a skipped time the offset from
before, which is that very instant).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import assert_never
from zoneinfo import ZoneInfo

import msgspec

from shared.events.promotion import Calendar, Consecutive, ProcessingPeriod, Rolling


class Window(msgspec.Struct, frozen=True):
    """``start`` ≤ t < ``end``, in UTC. ``name`` tells windows of one instrument apart.

    ``slides``: there is one for every instant, and it ends with it.
    """

    start: datetime
    end: datetime
    name: str = ""
    slides: bool = False


WindowAt = Callable[[datetime], Window]
"""The window in which an instant lies."""


def compile_period(
    period: ProcessingPeriod, starts_at: datetime, ends_at: datetime, time_zone: str
) -> WindowAt:
    """The windows of a campaign's instrument. Raises ``ZoneInfoNotFoundError``."""
    match period:
        case "campaign":
            return _whole(starts_at, ends_at)
        case Rolling():
            return _rolling(period.days)
        case Calendar():
            return _calendar(period.unit, ZoneInfo(time_zone))
        case Consecutive():
            return _consecutive(period.days, starts_at, ZoneInfo(time_zone))
        case _:
            assert_never(period)


@lru_cache(maxsize=10_000)  # many campaigns begin and end with a month or a week
def _whole(starts_at: datetime, ends_at: datetime) -> WindowAt:
    whole = Window(starts_at.astimezone(UTC), ends_at.astimezone(UTC))
    return lambda _: whole


def _rolling(days: int) -> WindowAt:
    name, length = f"{days}d", timedelta(days=days)

    def window(at: datetime) -> Window:
        # Of 24 hours each: by the clock on the wall, the hour that comes twice in autumn would make a
        # window that begins earlier at a later instant, and let in more than the cap.
        end = at.astimezone(UTC)
        return Window(end - length, end, name, slides=True)

    return window


def _calendar(unit: str, zone: ZoneInfo) -> WindowAt:
    return lambda at: _calendar_window(unit, at.astimezone(zone).date(), zone)


@lru_cache(maxsize=1_000)  # nearly every cart is of the same few days
def _calendar_window(unit: str, day: date, zone: ZoneInfo) -> Window:
    first, after = _days_of(unit, day)
    return Window(midnight(first, zone), midnight(after, zone), first.isoformat())


def _days_of(unit: str, day: date) -> tuple[date, date]:
    """The first day of the day, week or month, and of the next."""
    if unit == "day":
        return day, day + timedelta(days=1)
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _consecutive(days: int, starts_at: datetime, zone: ZoneInfo) -> WindowAt:
    # They begin at the time of day at which the campaign does, whatever the clocks do.
    begins = starts_at.astimezone(zone)
    origin, clock = begins.date(), begins.time()

    def start(number: int) -> datetime:
        day = origin + timedelta(days=number * days)
        return datetime.combine(day, clock, zone).astimezone(UTC)

    def window(at: datetime) -> Window:
        number = (at.astimezone(zone).date() - origin).days // days
        if at < start(number):
            number -= 1
        first = origin + timedelta(days=number * days)
        return Window(start(number), start(number + 1), first.isoformat())

    return window


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins there, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_of(at: datetime, time_zone: str) -> str:
    """The date of an instant on the zone's clock, as ISO 8601."""
    return at.astimezone(ZoneInfo(time_zone)).date().isoformat()


def offset_minutes(at: datetime, time_zone: str) -> int:
    """By how many whole minutes the zone's clocks were ahead of UTC then."""
    ahead = at.astimezone(ZoneInfo(time_zone)).utcoffset()
    return ahead // timedelta(minutes=1) if ahead else 0
