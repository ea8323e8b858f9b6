"""Which time an answer is about."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.analytics.window import (
    Period,
    Step,
    Window,
    before,
    buckets,
    floor,
    of_period,
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
