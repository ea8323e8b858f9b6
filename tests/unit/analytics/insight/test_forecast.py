"""When a cap is used up, foretold from what was used of it."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.analytics.insight.forecast import SEEN, Forecast, Use, forecast
from tests.builders import utc

NOW = utc(2026, 11, 30, 12)  # a Monday
SINCE = NOW - SEEN
FAR = NOW + timedelta(days=200)
HOUR = timedelta(hours=1)
KYIV = ZoneInfo("Europe/Kyiv")


def steady(
    amount: int = 2, since: datetime = SINCE, uses: int | None = None
) -> dict[datetime, Use]:
    """The same in every hour until now."""
    hours = (NOW - since) // HOUR
    each = Use(amount, amount if uses is None else uses)
    return {since + n * HOUR: each for n in range(hours)}


def tell(
    used: dict[datetime, Use],
    remaining: int,
    *,
    since: datetime = SINCE,
    now: datetime = NOW,
    until: datetime = FAR,
    zone: ZoneInfo = KYIV,
) -> Forecast:
    return forecast(used, since=since, now=now, until=until, remaining=remaining, zone=zone)


def test_a_steady_rate_uses_up_what_remains_in_proportion() -> None:
    found = tell(steady(2), 96)
    assert (found.state, found.at) == ("expected", NOW + timedelta(hours=48))
    assert found.per_day == pytest.approx(48)
    assert found.earliest is not None
    assert found.latest is not None
    assert found.earliest < NOW + timedelta(hours=48) < found.latest


def test_what_is_used_up_needs_no_forecast() -> None:
    assert tell(steady(), 0) == Forecast("used_up")
    assert tell(steady(), -1) == Forecast("used_up")


def test_of_few_uses_nothing_is_foretold() -> None:
    nine = {SINCE + n * HOUR: Use(1, 1) for n in range(9)}
    assert tell(nine, 1) == Forecast("too_little_data")
    assert tell(nine | {NOW - HOUR: Use(1, 1)}, 1).state != "too_little_data"


def test_hours_of_the_week_are_told_apart_on_the_campaign_s_clock() -> None:
    """All is used on Saturdays from ten to noon: what remains lasts until the one after the next."""
    used = {}
    for n in range((NOW - SINCE) // HOUR):
        local = (SINCE + n * HOUR).astimezone(KYIV)
        if local.weekday() == 5 and local.hour in (10, 11):
            used[SINCE + n * HOUR] = Use(100, 100)
    found = tell(used, 270)
    assert found.at is not None
    at = found.at.astimezone(KYIV)
    assert (at.weekday(), at.hour) == (5, 10) or (at.weekday(), at.hour) == (5, 11)
    assert timedelta(days=11) < found.at - NOW < timedelta(days=13)


def test_the_latest_rate_counts_more_than_that_of_weeks_ago() -> None:
    used = steady(1)
    used |= {hour: Use(4, 4) for hour in used if hour >= NOW - timedelta(days=7)}
    slow, now = tell(steady(1), 400).at, tell(used, 400).at
    assert slow is not None
    assert now is not None
    assert now - NOW == pytest.approx((slow - NOW) / 4, abs=timedelta(hours=6))


def test_what_has_stopped_is_not_foretold_to_go_on() -> None:
    used = {hour: use for hour, use in steady().items() if hour < NOW - timedelta(days=7)}
    assert tell(used, 1) == Forecast("not_within", per_day=0.0)


def test_it_may_be_that_the_campaign_ends_before() -> None:
    found = tell(steady(2), 96, until=NOW + timedelta(hours=48))
    assert (found.state, found.at, found.latest) == ("not_within", None, None)
    assert found.earliest is not None
    assert tell(steady(2), 10**6).earliest is None


def test_days_that_differ_widen_the_interval() -> None:
    wild = {
        SINCE + n * HOUR: Use(4, 4) if n // 24 % 2 else Use() for n in range((NOW - SINCE) // HOUR)
    }
    calm, uncertain = tell(steady(2), 2_000), tell(wild, 2_000)
    for found in (calm, uncertain):
        assert found.earliest is not None
        assert found.latest is not None
    assert calm.latest is not None
    assert uncertain.latest is not None
    assert uncertain.latest - NOW > calm.latest - NOW


def test_money_is_as_uncertain_as_the_uses_it_is_given_in() -> None:
    few, many = tell(steady(1_000, uses=1), 96_000), tell(steady(1_000, uses=10), 96_000)
    assert few.at == many.at
    assert few.latest is not None
    assert many.latest is not None
    assert few.latest > many.latest


@pytest.mark.parametrize("hours", [0, 1, 5, 30])
def test_a_campaign_that_has_just_begun_is_foretold_by_what_there_is(hours: int) -> None:
    since = NOW - hours * HOUR
    used = steady(20, since) if hours else {since: Use(20, 20)}
    found = tell(used, 40, since=since, now=NOW + timedelta(minutes=30))
    assert found.state == "expected"


def test_the_interval_holds_the_truth_most_of_the_time() -> None:
    dice = random.Random(6)  # noqa: S311 - to be the same every time
    right = 0
    for _ in range(200):
        used = {SINCE + n * HOUR: _uses(dice, n) for n in range((NOW - SINCE) // HOUR)}
        found = tell(used, 150)
        hour, left = 0, 150
        while left > 0:
            left -= _uses(dice, (NOW - SINCE) // HOUR + hour).amount
            hour += 1
        happened = NOW + (hour - 0.5) * HOUR
        assert found.earliest is not None
        assert found.latest is not None
        right += found.earliest - HOUR <= happened <= found.latest + HOUR
    assert 0.9 <= right / 200 <= 0.995


def _uses(dice: random.Random, hour: int) -> Use:
    """A Poisson number with a mean that follows the hour of the day."""
    mean, count = 0.2 + 2 * (9 <= (NOW + hour * HOUR).hour < 18), 0
    left = dice.expovariate(1)
    while left < mean:
        count += 1
        left += dice.expovariate(1)
    return Use(count, count)
