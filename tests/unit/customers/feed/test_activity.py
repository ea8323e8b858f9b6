"""When a customer buys, as the customer's page shows it."""

from datetime import UTC, date, datetime, timedelta

from services.customers.feed.activity import Week, heat, main_currency, weeks
from services.customers.profile import State, add_receipt, add_return, kept, seconds
from tests.unit.customers.facts import DAY, HOUR, NOON, a_line, a_receipt, a_redemption, a_return


def bought(*receipts: object) -> State:
    state = State()
    for receipt in receipts:
        add_receipt(state, receipt)  # type: ignore[arg-type]
    return state


def test_weeks_begin_on_monday_and_those_without_purchase_are_there() -> None:
    state = bought(
        a_receipt(1, occurred_at=NOON, lines=(a_line(amount=500),)),
        a_receipt(2, occurred_at=NOON + 4 * DAY, redemptions=(a_redemption(),)),  # Sunday
        a_receipt(3, occurred_at=NOON + 14 * DAY),
    )
    assert weeks(state, seconds(NOON + 22 * DAY)) == [
        Week(date(2026, 3, 2), 2, 1, 1_500),
        Week(date(2026, 3, 9), 0, 0, 0),
        Week(date(2026, 3, 16), 1, 0, 1_000),
        Week(date(2026, 3, 23), 0, 0, 0),
    ]


def test_a_week_begins_by_the_stores_clock() -> None:
    """Half past eleven on Sunday evening, UTC, is Monday in Kyiv."""
    at = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    [week] = weeks(bought(a_receipt(1, occurred_at=at, utc_offset_minutes=120)), seconds(at))
    assert week.monday == date(2026, 3, 9)


def test_the_week_that_has_just_begun_is_there() -> None:
    monday = datetime(2026, 3, 9, 0, 30, tzinfo=UTC)
    state = bought(a_receipt(1, occurred_at=monday - HOUR))
    assert [one.monday.day for one in weeks(state, seconds(monday))] == [2, 9]


def test_what_came_back_is_no_purchase() -> None:
    state = bought(a_receipt(1), a_receipt(2, occurred_at=NOON + DAY))
    add_return(state, a_return(a_receipt(1)), kept(a_receipt(1)))
    [week] = weeks(state, seconds(NOON + 2 * DAY))
    assert week.purchases == 1
    assert sum(map(sum, heat(state.live()))) == 1


def test_who_never_bought_has_no_weeks() -> None:
    assert weeks(State(), seconds(NOON)) == []


def test_amounts_are_of_the_currency_of_most_purchases() -> None:
    """Hryvnias and euros do not add up."""
    state = bought(
        a_receipt(1, currency="UAH"),
        a_receipt(2, currency="EUR"),
        a_receipt(3, currency="UAH"),
    )
    assert main_currency(state) == "UAH"
    [week] = weeks(state, seconds(NOON))
    assert (week.purchases, week.paid) == (3, 2_000)
    assert main_currency(State()) is None


def test_there_are_no_more_weeks_than_a_chart_can_show() -> None:
    state = bought(a_receipt(1))
    found = weeks(state, seconds(NOON + timedelta(weeks=100)))
    assert len(found) == 60
    assert found[-1].monday == date(2026, 3, 2) + timedelta(weeks=100)


def test_the_pattern_is_by_weekday_from_monday_and_hour() -> None:
    state = bought(
        a_receipt(1),  # Wednesday, 12
        a_receipt(2, occurred_at=NOON + 7 * DAY),
        a_receipt(3, occurred_at=NOON + 12 * HOUR, utc_offset_minutes=60),  # Thursday, 1
    )
    found = heat(state.live())
    assert (len(found), {len(row) for row in found}) == (7, {24})
    assert (found[2][12], found[3][1], sum(map(sum, found))) == (2, 1, 3)
