"""Windows: which instants count together, on clocks that jump."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.promotion.period import Window, compile_period, day_of, midnight
from shared.events.promotion import Calendar, Consecutive, ProcessingPeriod, Rolling
from tests.builders import utc

KYIV = "Europe/Kyiv"  # clocks go at 03:00 to 04:00 (March), at 04:00 to 03:00 (October)
SAO_PAULO = "America/Sao_Paulo"  # until 2019 they went at midnight: 2018-11-04 began at 01:00
STARTS_AT, ENDS_AT = utc(2026, 1, 1), utc(2027, 1, 1)


def at(zone: str, *parts: int) -> datetime:
    year, month, day, *rest = parts
    hour, minute = (*rest, 0, 0)[:2]
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone))


def window(
    period: ProcessingPeriod, instant: datetime, zone: str, starts_at: datetime = STARTS_AT
) -> Window:
    return compile_period(period, starts_at, ENDS_AT, zone)(instant)


def hours(found: Window) -> int:
    return (found.end - found.start) // timedelta(hours=1)


def test_the_period_of_the_campaign_is_one_window() -> None:
    for instant in (utc(2025, 1, 1), utc(2026, 6, 1), utc(2030, 1, 1)):
        assert window("campaign", instant, KYIV) == Window(STARTS_AT, ENDS_AT, "")


@pytest.mark.parametrize(
    ("zone", "instant", "start", "length"),
    [
        pytest.param(KYIV, (2026, 6, 10, 12), (2026, 6, 9, 21), 24, id="a day in summer"),
        pytest.param(KYIV, (2026, 3, 29, 12), (2026, 3, 28, 22), 23, id="the short day"),
        pytest.param(KYIV, (2026, 10, 25, 12), (2026, 10, 24, 21), 25, id="the long day"),
        pytest.param(KYIV, (2026, 3, 28, 23, 59), (2026, 3, 27, 22), 24, id="the last minute"),
        pytest.param(KYIV, (2026, 3, 29, 0), (2026, 3, 28, 22), 23, id="midnight is the new day's"),
        pytest.param(
            SAO_PAULO, (2018, 11, 4, 12), (2018, 11, 4, 3), 23, id="a day without its midnight"
        ),
        pytest.param(SAO_PAULO, (2018, 11, 3, 12), (2018, 11, 3, 3), 24, id="the day before it"),
        pytest.param(
            SAO_PAULO, (2018, 2, 17, 12), (2018, 2, 17, 2), 25, id="23:00 to 24:00 comes twice"
        ),
        pytest.param(
            SAO_PAULO, (2018, 2, 18, 12), (2018, 2, 18, 3), 24, id="and midnight only after that"
        ),
    ],
)
def test_a_day_is_the_campaign_clocks(
    zone: str, instant: tuple[int, ...], start: tuple[int, ...], length: int
) -> None:
    found = window(Calendar(unit="day"), at(zone, *instant), zone)
    assert (found.start, hours(found)) == (utc(*start), length)
    assert found.name == date(*instant[:3]).isoformat()


@pytest.mark.parametrize("fold", [0, 1])
def test_both_hours_that_are_called_three_are_of_the_same_day(fold: int) -> None:
    instant = at(KYIV, 2026, 10, 25, 3, 30).replace(fold=fold)
    assert window(Calendar(unit="day"), instant, KYIV).name == "2026-10-25"


@pytest.mark.parametrize(
    ("unit", "instant", "first", "after"),
    [
        ("week", (2026, 12, 7), (2026, 12, 7), (2026, 12, 14)),
        ("week", (2026, 12, 13, 23, 59), (2026, 12, 7), (2026, 12, 14)),
        ("week", (2027, 1, 1), (2026, 12, 28), (2027, 1, 4)),
        ("week", (2026, 3, 29, 12), (2026, 3, 23), (2026, 3, 30)),
        ("month", (2026, 1, 31, 23, 59), (2026, 1, 1), (2026, 2, 1)),
        ("month", (2026, 2, 28, 23, 59), (2026, 2, 1), (2026, 3, 1)),
        ("month", (2028, 2, 29, 23, 59), (2028, 2, 1), (2028, 3, 1)),
        ("month", (2026, 3, 1), (2026, 3, 1), (2026, 4, 1)),
        ("month", (2026, 4, 30, 12), (2026, 4, 1), (2026, 5, 1)),
        ("month", (2026, 12, 31, 23, 59), (2026, 12, 1), (2027, 1, 1)),
    ],
)
def test_weeks_begin_on_mondays_and_months_on_the_first(
    unit: str, instant: tuple[int, ...], first: tuple[int, ...], after: tuple[int, ...]
) -> None:
    period = Calendar.model_validate({"unit": unit})
    found = window(period, at(KYIV, *instant), KYIV)
    assert (found.start, found.end) == (at(KYIV, *first), at(KYIV, *after))
    assert found.name == date(*first).isoformat()


def test_the_week_of_the_short_day_has_an_hour_less() -> None:
    assert hours(window(Calendar(unit="week"), at(KYIV, 2026, 3, 29, 12), KYIV)) == 7 * 24 - 1


def test_the_instant_is_told_by_the_campaigns_clock_not_by_its_own_zone() -> None:
    late = utc(2026, 6, 10, 21, 30)  # half past midnight in Kyiv
    assert window(Calendar(unit="day"), late, KYIV).name == "2026-06-11"
    assert day_of(late, KYIV) == "2026-06-11"
    assert day_of(late, "UTC") == "2026-06-10"


@pytest.mark.parametrize(
    ("days", "instant", "first", "after"),
    [
        (14, (2026, 3, 20), (2026, 3, 20), (2026, 4, 3)),
        (14, (2026, 4, 2, 23, 59), (2026, 3, 20), (2026, 4, 3)),
        (14, (2026, 4, 3), (2026, 4, 3), (2026, 4, 17)),
        (1, (2026, 3, 29, 12), (2026, 3, 29), (2026, 3, 30)),
        (7, (2026, 10, 25, 3, 30), (2026, 10, 23), (2026, 10, 30)),
    ],
)
def test_windows_of_days_follow_one_another_from_the_start(
    days: int, instant: tuple[int, ...], first: tuple[int, ...], after: tuple[int, ...]
) -> None:
    found = window(Consecutive(days=days), at(KYIV, *instant), KYIV, at(KYIV, 2026, 3, 20))
    assert (found.start, found.end) == (at(KYIV, *first), at(KYIV, *after))
    assert found.name == date(*first).isoformat()


@pytest.mark.parametrize(
    ("instant", "first"),
    [((2026, 3, 27, 9, 59), (2026, 3, 20, 10)), ((2026, 3, 27, 10), (2026, 3, 27, 10))],
)
def test_windows_of_days_begin_at_the_time_of_day_of_the_start(
    instant: tuple[int, ...], first: tuple[int, ...]
) -> None:
    found = window(Consecutive(days=7), at(KYIV, *instant), KYIV, at(KYIV, 2026, 3, 20, 10))
    assert found.start == at(KYIV, *first)


@pytest.mark.parametrize(
    ("instant", "start"),
    [
        pytest.param((2026, 6, 10, 12), (2026, 6, 9, 12), id="a day"),
        pytest.param((2026, 3, 29, 12), (2026, 3, 28, 11), id="over the hour that is left out"),
        pytest.param((2026, 10, 25, 12), (2026, 10, 24, 13), id="over the hour that is twice"),
    ],
)
def test_the_last_day_is_24_hours(instant: tuple[int, ...], start: tuple[int, ...]) -> None:
    found = window(Rolling(days=1), at(KYIV, *instant), KYIV)
    assert (found.start, found.end) == (at(KYIV, *start), at(KYIV, *instant))
    assert (hours(found), found.slides, found.name) == (24, True, "1d")


def test_a_later_instant_never_has_an_earlier_window() -> None:
    """By the clock on the wall it would, in the hour that comes twice: the cap would be exceeded."""
    instants = [utc(2026, 10, 26, 0, minute) for minute in range(60)]
    instants += [utc(2026, 10, 26, 1, minute) for minute in range(60)]
    starts = [window(Rolling(days=1), instant, KYIV).start for instant in instants]
    assert starts == sorted(set(starts))


def test_thirty_days_may_be_more_than_a_month() -> None:
    found = window(Rolling(days=30), at(KYIV, 2026, 3, 10, 8), KYIV)
    assert found.start == at(KYIV, 2026, 2, 8, 8)


_ZONES = st.sampled_from([KYIV, SAO_PAULO, "America/Havana", "Australia/Lord_Howe", "Asia/Gaza"])
_INSTANTS = st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - made UTC
    lambda naive: naive.replace(tzinfo=UTC)
)
_WINDOWED = st.builds(Calendar, unit=st.sampled_from(["day", "week", "month"])) | st.builds(
    Consecutive, days=st.integers(1, 31)
)


@settings(max_examples=100, deadline=None)
@given(_WINDOWED, _INSTANTS, _INSTANTS, _ZONES)
def test_every_instant_lies_in_one_window_and_the_next_begins_where_it_ends(
    period: ProcessingPeriod, instant: datetime, starts_at: datetime, zone: str
) -> None:
    window_at = compile_period(period, starts_at, starts_at + timedelta(days=400), zone)
    found = window_at(instant)
    assert found.start <= instant < found.end
    assert window_at(found.start) == found
    assert window_at(found.end - timedelta(microseconds=1)) == found
    after = window_at(found.end)
    assert (after.start, after.name != found.name) == (found.end, True)


@settings(max_examples=50, deadline=None)
@given(st.dates(date(2015, 1, 2), date(2030, 1, 1)), _ZONES)
def test_a_day_begins_at_the_first_instant_that_has_its_date(day: date, zone: str) -> None:
    begins, clock = midnight(day, ZoneInfo(zone)), ZoneInfo(zone)
    assert begins.astimezone(clock).date() == day
    assert (begins - timedelta(microseconds=1)).astimezone(clock).date() < day
