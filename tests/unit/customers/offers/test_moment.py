"""When something is sent: the usual hour, quiet hours, seasons, and days on which the clocks change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.customers.offers.moment import (
    after_days,
    after_quiet,
    end_of,
    sending_time,
    usual_hour,
    windows,
)
from services.customers.offers.policy import QuietHours, Season, Sending, Step
from tests.unit.customers.offers.examples import KYIV

NIGHT = QuietHours(starts="21:00", ends="09:00")
EVENING = tuple(5 if hour == 18 else 0 for hour in range(24))
NEVER = (0,) * 24


def kyiv(day: int, hour: int, minute: int = 0, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=KYIV)


def hours(**counts: int) -> tuple[int, ...]:
    return tuple(counts.get(f"h{hour}", 0) for hour in range(24))


def sent(earliest: datetime, **fields: Any) -> datetime | None:
    values: dict[str, Any] = {
        "sending": Sending(),
        "quiet": None,
        "season": Season(),
        "expected_on": None,
        "hours": EVENING,
        "zone": KYIV,
    }
    return sending_time(earliest=earliest, **(values | fields))


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        (hours(h18=3), 18),
        (hours(h18=2), None),  # too few
        (hours(h17=2, h18=2, h19=2, h9=3), 18),  # around it more were made than at 9
        (hours(h23=2, h0=2, h1=2, h12=3), 0),  # midnight tears nothing apart
        (hours(h8=3, h20=3), 8),  # of two the earlier
        (hours(h9=2, h10=3, h20=4), 10),  # both sides count, but less than the hour itself
        (hours(h10=3, h11=2, h20=4), 10),
    ],
)
def test_the_usual_hour_is_where_most_purchases_are(
    counts: tuple[int, ...], found: int | None
) -> None:
    assert usual_hour(counts) == found


def test_an_hour_before_the_usual_one_today_or_tomorrow_if_that_is_over() -> None:
    assert sent(kyiv(10, 12)) == kyiv(10, 17)
    assert sent(kyiv(10, 17)) == kyiv(10, 17)
    assert sent(kyiv(10, 17, 1)) == kyiv(11, 17)


def test_without_a_usual_hour_the_clock_of_the_policy_counts() -> None:
    assert sent(kyiv(10, 8), hours=NEVER) == kyiv(10, 10)
    assert sent(kyiv(10, 8), sending=Sending(at="clock", clock="12:30")) == kyiv(10, 12, 30)


def test_so_many_days_before_the_expected_purchase_but_not_in_the_past() -> None:
    before = Sending(days_before_expected=3)
    assert sent(kyiv(10, 12), sending=before, expected_on=date(2026, 3, 20)) == kyiv(17, 17)
    assert sent(kyiv(10, 12), sending=before, expected_on=date(2026, 3, 11)) == kyiv(10, 17)
    assert sent(kyiv(10, 12), sending=before, expected_on=None) == kyiv(10, 17)


def test_what_would_come_in_quiet_hours_comes_at_their_end() -> None:
    assert after_quiet(kyiv(10, 21), NIGHT, KYIV) == kyiv(11, 9)
    assert after_quiet(kyiv(10, 23, 59), NIGHT, KYIV) == kyiv(11, 9)
    assert after_quiet(kyiv(11, 0), NIGHT, KYIV) == kyiv(11, 9)
    assert after_quiet(kyiv(11, 8, 59), NIGHT, KYIV) == kyiv(11, 9)
    assert after_quiet(kyiv(11, 9), NIGHT, KYIV) == kyiv(11, 9)
    assert after_quiet(kyiv(10, 20, 59), NIGHT, KYIV) == kyiv(10, 20, 59)
    noon = QuietHours(starts="12:00", ends="14:00")
    assert after_quiet(kyiv(10, 13), noon, KYIV) == kyiv(10, 14)


def test_at_once_waits_for_nothing_but_the_quiet_hours() -> None:
    at_once = Sending(at="at_once")
    assert sent(kyiv(10, 12, 34), sending=at_once, quiet=NIGHT) == kyiv(10, 12, 34)
    assert sent(kyiv(10, 22), sending=at_once, quiet=NIGHT) == kyiv(11, 9)


def test_quiet_hours_are_those_of_the_customers_store() -> None:
    late_there = datetime(2026, 3, 10, 22, tzinfo=UTC)  # 15:00 in Denver, midnight in Kyiv
    denver = ZoneInfo("America/Denver")
    assert sent(late_there, sending=Sending(at="at_once"), quiet=NIGHT, zone=denver) == late_there
    assert sent(late_there, sending=Sending(at="at_once"), quiet=NIGHT) == kyiv(11, 9)


def test_on_the_day_on_which_the_clocks_go_forward_quiet_hours_still_end_at_nine() -> None:
    # In Kyiv 03:00 on 29 March 2026 is followed by 04:00.
    found = after_quiet(kyiv(28, 22), NIGHT, KYIV)
    assert found == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert found - kyiv(28, 22).astimezone(UTC) == timedelta(hours=10)
    skipped = QuietHours(starts="21:00", ends="03:30")
    assert after_quiet(kyiv(28, 22), skipped, KYIV).astimezone(KYIV).hour == 4


def test_on_the_day_on_which_the_clocks_go_back_the_night_is_an_hour_longer() -> None:
    # In Kyiv 04:00 on 25 October 2026 is 03:00 again.
    found = after_quiet(kyiv(24, 22, month=10), NIGHT, KYIV)
    assert found == datetime(2026, 10, 25, 7, tzinfo=UTC)
    assert found - kyiv(24, 22, month=10).astimezone(UTC) == timedelta(hours=12)


def test_a_day_of_the_season_is_waited_for_two_weeks() -> None:
    fridays = Season(weekdays=("fri",))
    assert sent(kyiv(10, 12), season=fridays) == kyiv(13, 17)
    assert sent(kyiv(13, 18), season=fridays) == kyiv(20, 17)
    april = Season(months=(4,))
    assert sent(kyiv(18, 12), season=april) == kyiv(1, 17, month=4)
    assert sent(kyiv(17, 12), season=april) is None


def test_what_quiet_hours_move_out_of_the_season_waits_for_the_next_day_of_it() -> None:
    late = Sending(at="clock", clock="22:00")
    fridays = Season(weekdays=("fri",))
    assert sent(kyiv(10, 12), sending=late, quiet=NIGHT, season=fridays) is None
    both = Season(weekdays=("fri", "sat"))
    assert sent(kyiv(10, 12), sending=late, quiet=NIGHT, season=both) == kyiv(14, 9)


def test_a_code_is_valid_for_whole_days_of_the_store() -> None:
    step = Step(emission_id="e", discount=500, valid_days=1)
    assert end_of(step, kyiv(10, 17), KYIV) == kyiv(12, 0)
    assert end_of(step, kyiv(10, 0), KYIV) == kyiv(12, 0)
    # Over the day that has 23 hours it is still the midnight.
    assert end_of(step, kyiv(28, 17), KYIV) == kyiv(30, 0)


def test_windows_follow_one_another_whoever_uses_what() -> None:
    steps = [Step(emission_id=e, discount=n, valid_days=n) for n, e in enumerate("abc", start=1)]
    found = windows(steps, 2, kyiv(10, 17), KYIV)
    assert found == [
        (kyiv(10, 17), kyiv(12, 0)),
        (kyiv(14, 0), kyiv(17, 0)),
        (kyiv(19, 0), kyiv(23, 0)),
    ]
    assert windows(steps[:2], 0, kyiv(10, 17), KYIV)[1][0] == kyiv(12, 0)


def test_days_later_is_a_midnight_and_no_days_later_is_now() -> None:
    assert after_days(kyiv(10, 17), 0, KYIV) == kyiv(10, 17)
    assert after_days(kyiv(10, 17), 1, KYIV) == kyiv(11, 0)
