"""Whole days: those of UTC that have the dates of a window's days. Pure.

What is kept by days knows no hours. Asked for today in Kyiv it tells the day of UTC with that date, which
begins two or three hours later.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.analytics.window import Window

_MOMENT = timedelta(microseconds=1)
_FIRST, _LAST = date(1970, 1, 1), date(3000, 1, 1)


class Days(NamedTuple):
    """``first`` ≤ day ≤ ``last``; None is unbounded."""

    first: date | None = None
    last: date | None = None

    @property
    def bounds(self) -> tuple[date, date]:
        """The same with the ends of all that is counted where there is no bound."""
        return self.first or _FIRST, self.last or _LAST

    @property
    def window(self) -> Window:
        """The time that they are, in UTC."""
        return Window(
            _start(self.first) if self.first else None,
            _start(self.last + timedelta(days=1)) if self.last else None,
        )


def days_of(window: Window, zone: ZoneInfo) -> Days:
    """The days that a window touches, by the calendar of ``zone``."""
    return Days(
        window.since.astimezone(zone).date() if window.since else None,
        (window.until - _MOMENT).astimezone(zone).date() if window.until else None,
    )


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
