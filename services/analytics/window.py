"""Which time an answer is about, the buckets of a series over it, and what is read for it. Pure.

Windows are half-open and counted in minutes: a minute belongs to the window that its start is in.
A period such as ``7d`` has no upper bound: tills' clocks may run ahead of ours, and what they sold
must not vanish until our clock gets there.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Step = Literal["minute", "hour", "day"]
Period = Literal["15m", "hour", "today", "yesterday", "7d", "30d", "90d", "all"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_MINUTES: dict[Period, int] = {"15m": 15, "hour": 60}
_DAYS: dict[Period, int] = {"today": 1, "yesterday": 1, "7d": 7, "30d": 30, "90d": 90}
_MINUTE_STEPS_WITHIN = 6 * _HOUR
_HOUR_STEPS_WITHIN = 14 * 24 * _HOUR
_MOST_BUCKETS = 5_000


@dataclass(frozen=True)
class Window:
    """``since`` ≤ minute < ``until``; None is unbounded."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Span:
    """A time that is read from the sums per so many ``hours``; 0: from those per minute."""

    hours: int
    since: datetime | None
    until: datetime | None


def spans(window: Window, hours: Sequence[int]) -> Iterator[Span]:
    """The window as spans one after another, each of the longest of ``hours`` that fit: longest first.

    Hours and days are those of UTC.
    """
    if not hours:
        if window.since is None or window.until is None or window.since < window.until:
            yield Span(0, window.since, window.until)
        return
    length, shorter = timedelta(hours=hours[0]), hours[1:]
    since = window.since and -(-(window.since - _EPOCH) // length) * length + _EPOCH
    until = window.until and (window.until - _EPOCH) // length * length + _EPOCH
    if since and until and since >= until:
        yield from spans(window, shorter)
        return
    if since:
        yield from spans(Window(window.since, since), shorter)
    yield Span(hours[0], since, until)
    if until:
        yield from spans(Window(until, window.until), shorter)


def spans_of_series(
    window: Window, hours: Sequence[int], *, step: Step, zone: ZoneInfo
) -> Iterator[Span]:
    """The window as spans of which no hour or day is in two points of a series.

    A window without both ends, or of very many points, is read per minute.
    """
    if step == "minute" or window.since is None or window.until is None:
        yield from spans(window, ())
        return
    parts: list[Span] = []
    start = window.since
    at = floor(window.since, step, zone)
    for _ in range(_MOST_BUCKETS):
        at = _following(at, step, zone)
        parts += spans(Window(start, min(at, window.until)), hours)
        start = at
        if at >= window.until:
            yield from _joined(parts)
            return
    yield from spans(window, ())


def _joined(parts: Iterable[Span]) -> Iterator[Span]:
    """Spans of the same sums that follow each other made one."""
    latest: dict[int, Span] = {}
    for part in parts:
        before = latest.get(part.hours)
        if before is not None and before.until == part.since:
            latest[part.hours] = replace(before, until=part.until)
        else:
            if before is not None:
                yield before
            latest[part.hours] = part
    yield from latest.values()


def of_period(period: Period, now: datetime, zone: ZoneInfo) -> Window:
    """The window of a period that ends now; days are those of ``zone``, today's included."""
    if period == "all":
        return Window()
    if period in _MINUTES:
        return Window(floor(now, "minute", zone) - (_MINUTES[period] - 1) * _MINUTE)
    if period == "yesterday":
        return Window(_midnight(now, zone, 1), _midnight(now, zone, 0))
    return Window(_midnight(now, zone, _DAYS[period] - 1))


def before(window: Window, period: Period | None, now: datetime, zone: ZoneInfo) -> Window | None:
    """The window to compare with: as long, just before; None when there is nothing before.

    Today until 14:00 is compared with yesterday until 14:00, seven days with the seven before.
    """
    if window.since is None:
        return None
    until = floor(now, "minute", zone) + _MINUTE if window.until is None else window.until
    if until <= window.since:
        return None
    if period in _DAYS:
        days = _DAYS[period]
        return Window(_midnight(window.since, zone, days), _days_earlier(until, zone, days))
    length = _MINUTES[period] * _MINUTE if period in _MINUTES else until - window.since
    return Window(window.since - length, until - length)


def step_of(window: Window, period: Period | None, now: datetime) -> Step:
    """A step that gives a readable number of points."""
    if period is not None:
        hourly = period in ("today", "yesterday", "7d")
        return "minute" if period in _MINUTES else "hour" if hourly else "day"
    if window.since is None:
        return "day"
    length = (window.until or now) - window.since
    if length <= _MINUTE_STEPS_WITHIN:
        return "minute"
    return "hour" if length <= _HOUR_STEPS_WITHIN else "day"


def floor(instant: datetime, step: Step, zone: ZoneInfo) -> datetime:
    """The start (UTC) of the minute, hour or day of ``zone`` that the instant is in.

    Where the clocks go back over a start, it comes twice: the first begins the hour or day.
    """
    local = instant.astimezone(zone)
    if step == "day":
        return _midnight(instant, zone, 0)
    start = local.replace(second=0, microsecond=0)
    if step == "hour":
        start = start.replace(minute=0)
    return start.astimezone(UTC)


def buckets(
    filled: Collection[datetime],
    window: Window,
    *,
    now: datetime,
    step: Step,
    zone: ZoneInfo,
    most: int,
) -> list[datetime]:
    """The starts of a series' points, ascending: without gaps, if they are no more than ``most``.

    Otherwise the latest ``most`` of those that hold something. A window without a beginning begins
    and ends with what it holds; any other ends now, or later if it holds something later.
    """
    held = sorted(filled)
    first = floor(window.since, step, zone) if window.since else held[0] if held else None
    if first is None:
        return []
    end = min(window.until - timedelta(microseconds=1), now) if window.until else now
    last = floor(end, step, zone) if window.since else first
    last = max(last, held[-1]) if held else last
    points: list[datetime] = []
    at = first
    while at <= last:
        if len(points) == most:
            return held[-most:]
        points.append(at)
        at = _following(at, step, zone)
    return points


def _following(at: datetime, step: Step, zone: ZoneInfo) -> datetime:
    if step == "day":
        return _midnight(at, zone, -1)
    if step == "minute":
        return at + _MINUTE
    following = floor(at + _HOUR, step, zone)
    # Clocks that go back by half an hour make an hour of ninety minutes.
    return following if following > at else floor(at + 2 * _HOUR, step, zone)


def _midnight(instant: datetime, zone: ZoneInfo, days_earlier: int) -> datetime:
    day = instant.astimezone(zone).date() - timedelta(days=days_earlier)
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _days_earlier(instant: datetime, zone: ZoneInfo, days: int) -> datetime:
    """The same time of the day in ``zone``, some days earlier."""
    # Arithmetic within a zone is that of its wall clock.
    return (instant.astimezone(zone) - timedelta(days=days)).astimezone(UTC)
