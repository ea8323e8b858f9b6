"""Which time an answer is about."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.analytics.window import (
    Period,
    Span,
    Step,
    Window,
    before,
    buckets,
    floor,
    of_period,
    spans,
    spans_of_series,
    step_of,
)

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 12, 10, 13, 30, 20, tzinfo=UTC)  # 14:30:20 in Warsaw


def utc(*parts: int) -> datetime:
    year, month, day, *rest = parts
    hour, minute = (*rest, 0, 0)[:2]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "since"),
    [
        ("15m", utc(2026, 12, 10, 13, 16)),
        ("hour", utc(2026, 12, 10, 12, 31)),
        ("today", utc(2026, 12, 9, 23)),
        ("7d", utc(2026, 12, 3, 23)),
        ("90d", utc(2026, 9, 11, 22)),  # summer time then
        ("all", None),
    ],
)
def test_a_period_begins_at_a_local_midnight_and_has_no_end(
    period: Period, since: datetime | None
) -> None:
    assert of_period(period, NOW, WARSAW) == Window(since, None)


def test_yesterday_is_a_whole_local_day_compared_with_the_one_before() -> None:
    yesterday = of_period("yesterday", NOW, WARSAW)
    assert yesterday == Window(utc(2026, 12, 8, 23), utc(2026, 12, 9, 23))
    assert before(yesterday, "yesterday", NOW, WARSAW) == Window(
        utc(2026, 12, 7, 23), utc(2026, 12, 8, 23)
    )


def test_fifteen_minutes_are_compared_with_the_fifteen_before() -> None:
    window = of_period("15m", NOW, WARSAW)
    assert before(window, "15m", NOW, WARSAW) == Window(
        utc(2026, 12, 10, 13, 1), utc(2026, 12, 10, 13, 16)
    )


def test_today_is_compared_with_yesterday_until_the_same_minute() -> None:
    today = of_period("today", NOW, WARSAW)
    assert before(today, "today", NOW, WARSAW) == Window(
        utc(2026, 12, 8, 23), utc(2026, 12, 9, 13, 31)
    )


def test_ninety_days_are_compared_with_the_ninety_before_across_the_change_of_clocks() -> None:
    window = of_period("90d", NOW, WARSAW)
    assert before(window, "90d", NOW, WARSAW) == Window(
        utc(2026, 6, 13, 22), utc(2026, 9, 11, 12, 31)
    )


def test_a_window_is_compared_with_as_long_a_one_before() -> None:
    window = Window(utc(2026, 12, 5), utc(2026, 12, 8))
    assert before(window, None, NOW, WARSAW) == Window(utc(2026, 12, 2), utc(2026, 12, 5))


def test_what_has_no_beginning_is_compared_with_nothing() -> None:
    assert before(Window(until=NOW), None, NOW, WARSAW) is None


def test_what_begins_later_is_compared_with_nothing() -> None:
    assert before(Window(NOW + timedelta(days=1)), None, NOW, WARSAW) is None


@pytest.mark.parametrize(
    ("days", "step"), [(0.2, "minute"), (1.0, "hour"), (14.0, "hour"), (15.0, "day")]
)
def test_the_step_follows_the_length_of_the_window(days: float, step: Step) -> None:
    assert step_of(Window(NOW - timedelta(days=days), NOW), None, NOW) == step


def test_days_begin_at_midnight_of_the_zone() -> None:
    assert floor(utc(2026, 12, 9, 23, 30), "day", WARSAW) == utc(2026, 12, 9, 23)


def test_hours_of_a_zone_off_by_thirty_minutes_are_its_own() -> None:
    assert floor(utc(2026, 12, 9, 10, 15), "hour", ZoneInfo("Asia/Kolkata")) == utc(
        2026, 12, 9, 9, 30
    )


def _buckets(
    filled: list[datetime], window: Window, step: Step = "day", most: int = 100
) -> list[datetime]:
    return buckets(filled, window, now=NOW, step=step, zone=WARSAW, most=most)


def test_days_follow_each_other_over_the_change_of_clocks() -> None:
    window = Window(utc(2026, 10, 23, 22), utc(2026, 10, 26, 23))
    assert _buckets([], window) == [
        utc(2026, 10, 23, 22),
        utc(2026, 10, 24, 22),
        utc(2026, 10, 25, 23),
    ]


def test_hours_follow_each_other_where_the_clocks_go_back_by_half_an_hour() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    window = Window(utc(2026, 4, 4, 13), utc(2026, 4, 4, 17))
    assert buckets([], window, now=NOW, step="hour", zone=zone, most=100) == [
        utc(2026, 4, 4, 13),
        utc(2026, 4, 4, 14),
        utc(2026, 4, 4, 15, 30),
        utc(2026, 4, 4, 16, 30),
    ]


def test_gaps_are_filled_until_now() -> None:
    window = Window(utc(2026, 12, 10, 11))
    assert _buckets([utc(2026, 12, 10, 12)], window, "hour") == [
        utc(2026, 12, 10, 11),
        utc(2026, 12, 10, 12),
        utc(2026, 12, 10, 13),
    ]


def test_what_a_fast_clock_sold_extends_the_series() -> None:
    window = Window(utc(2026, 12, 10, 13))
    assert _buckets([utc(2026, 12, 10, 14)], window, "hour")[-1] == utc(2026, 12, 10, 14)


def test_all_begins_and_ends_with_what_there_is() -> None:
    held = [utc(2025, 1, 3, 23), utc(2025, 1, 1, 23)]
    assert _buckets(held, Window()) == [
        utc(2025, 1, 1, 23),
        utc(2025, 1, 2, 23),
        utc(2025, 1, 3, 23),
    ]
    assert _buckets([], Window()) == []


def test_too_many_points_are_not_filled_and_the_latest_stay() -> None:
    held = [utc(2020, 1, 1), utc(2022, 1, 1), utc(2024, 1, 1)]
    assert _buckets(held, Window(utc(2019, 1, 1)), "minute", most=2) == held[1:]


def test_a_window_is_days_with_hours_and_minutes_at_its_edges() -> None:
    window = Window(utc(2026, 12, 8, 22, 30), utc(2026, 12, 11, 1, 1))
    assert set(spans(window, (24, 1))) == {
        Span(0, utc(2026, 12, 8, 22, 30), utc(2026, 12, 8, 23)),
        Span(1, utc(2026, 12, 8, 23), utc(2026, 12, 9)),
        Span(24, utc(2026, 12, 9), utc(2026, 12, 11)),
        Span(1, utc(2026, 12, 11), utc(2026, 12, 11, 1)),
        Span(0, utc(2026, 12, 11, 1), utc(2026, 12, 11, 1, 1)),
    }


def test_what_has_no_beginning_or_no_end_is_days_there() -> None:
    assert list(spans(Window(), (24, 1))) == [Span(24, None, None)]
    assert list(spans(Window(since=utc(2026, 12, 9)), (24, 1))) == [
        Span(24, utc(2026, 12, 9), None)
    ]


def test_days_of_a_zone_are_read_per_hour_in_one_piece() -> None:
    window = Window(utc(2026, 10, 23, 22), utc(2026, 10, 26, 23))
    assert list(spans_of_series(window, (24, 1), step="day", zone=WARSAW)) == [
        Span(1, *_of(window))
    ]


def test_days_of_utc_are_read_per_day() -> None:
    window = Window(utc(2026, 10, 23), utc(2026, 10, 26))
    zone = ZoneInfo("UTC")
    assert list(spans_of_series(window, (24, 1), step="day", zone=zone)) == [Span(24, *_of(window))]


def test_days_of_a_zone_off_by_thirty_minutes_are_hours_but_for_their_edges() -> None:
    window = Window(utc(2026, 12, 8, 18, 30), utc(2026, 12, 10, 18, 30))
    zone = ZoneInfo("Asia/Kolkata")
    found = set(spans_of_series(window, (24, 1), step="day", zone=zone))
    assert Span(0, utc(2026, 12, 9, 18), utc(2026, 12, 9, 19)) in found
    assert Span(1, utc(2026, 12, 8, 19), utc(2026, 12, 9, 18)) in found


def test_a_series_of_very_many_points_is_read_per_minute() -> None:
    window = Window(utc(1970, 1, 1), utc(2970, 1, 1))
    assert list(spans_of_series(window, (24, 1), step="hour", zone=WARSAW)) == [
        Span(0, *_of(window))
    ]


def _of(window: Window) -> tuple[datetime | None, datetime | None]:
    return window.since, window.until


_START = utc(2026, 3, 27)
_minutes = st.integers(0, 10 * 24 * 60).map(lambda n: _START + timedelta(minutes=n))
_zones = st.sampled_from(
    ["UTC", "Europe/Warsaw", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"]
).map(ZoneInfo)
_lengths = st.sampled_from([(), (1,), (24,), (24, 1)])


def _starts(minute: datetime, hours: int) -> datetime:
    """The start of the minute, or of the hour or day (UTC) that it is in."""
    if hours:
        minute = minute.replace(minute=0)
    return minute.replace(hour=0) if hours == 24 else minute


def _read(minute: datetime, those: list[Span]) -> list[datetime]:
    """The rows that a minute is read in: once or never, if the spans are right."""
    return [
        _starts(minute, span.hours)
        for span in those
        if (span.since is None or span.since <= _starts(minute, span.hours))
        and (span.until is None or _starts(minute, span.hours) < span.until)
    ]


@given(_minutes, st.none() | _minutes, st.none() | _minutes, _lengths)
@example(_START, _START, _START, (24, 1))
def test_every_minute_of_a_window_is_read_once_and_no_other(
    minute: datetime, since: datetime | None, until: datetime | None, hours: tuple[int, ...]
) -> None:
    inside = (since is None or since <= minute) and (until is None or minute < until)
    assert len(_read(minute, list(spans(Window(since, until), hours)))) == inside


@given(_minutes, _minutes, _minutes, _lengths, st.sampled_from(["hour", "day"]), _zones)
def test_every_minute_of_a_series_is_read_once_at_its_own_point(
    minute: datetime,
    since: datetime,
    until: datetime,
    hours: tuple[int, ...],
    step: Step,
    zone: ZoneInfo,
) -> None:
    those = list(spans_of_series(Window(since, until), hours, step=step, zone=zone))
    rows = _read(minute, those)
    assert len(rows) == (since <= minute < until)
    assert [floor(row, step, zone) for row in rows] == [floor(minute, step, zone)] * len(rows)
