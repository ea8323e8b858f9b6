"""What each condition of a segment means, at its boundaries."""

from datetime import UTC, date, datetime

import pytest

from services.customers.profile import DAY_S, CodeCount, Points
from services.customers.segments.check import NEVER, View
from services.customers.segments.definition import (
    All,
    AnyOf,
    AverageReceipt,
    BonusBalance,
    Bought,
    Condition,
    DaysSinceFirstPurchase,
    DaysSinceLastPurchase,
    Expected,
    Hours,
    InRfm,
    Not,
    Only,
    PersonalCodes,
    Purchases,
    PurchaseShare,
    Returns,
    Spent,
)
from shared.events.customers import Forecast, Rfm
from shared.events.values import Currency
from tests.unit.customers.segments.customers import (
    NOW,
    Trip,
    ask,
    compare,
    holds,
    state_of,
    view_of,
)

UAH = Currency("UAH")
SECOND = 1 / DAY_S


def test_what_is_exactly_as_old_as_the_window_is_out_of_it() -> None:
    one = Purchases(compare=compare(">=", 1), days=7)
    assert not holds(one, view_of(Trip(days=7)))
    assert holds(one, view_of(Trip(days=7 - SECOND)))


@pytest.mark.parametrize(
    ("op", "value", "upper", "met"),
    [
        (">=", 2, None, [False, False, True, True]),
        (">", 1, None, [False, False, True, True]),
        ("=", 1, None, [False, True, False, False]),
        ("<", 2, None, [True, True, False, False]),
        ("<=", 1, None, [True, True, False, False]),
        ("between", 1, 2, [False, True, True, False]),
    ],
)
def test_purchases_are_counted_in_the_window_and_of_all_time(
    op: str, value: int, upper: int | None, met: list[bool]
) -> None:
    for days in (30, None):
        one = Purchases(compare=compare(op, value, upper), days=days)
        assert [holds(one, view_of(*[Trip(days=3)] * n)) for n in range(4)] == met


def test_a_purchase_that_came_back_is_none() -> None:
    came_back = view_of(Trip(days=1, returned=True))
    for condition in (
        Purchases(compare=compare(">=", 1), days=30),
        Purchases(compare=compare(">=", 1)),
        Spent(currency=UAH, compare=compare(">=", 1), days=30),
        Spent(currency=UAH, compare=compare(">=", 1)),
        DaysSinceLastPurchase(compare=compare(">=", 0)),
        DaysSinceFirstPurchase(compare=compare(">=", 0)),
    ):
        assert not holds(condition, came_back)
    assert holds(Returns(compare=compare("=", 1)), came_back)


@pytest.mark.parametrize(
    ("only", "days"),
    [
        (Only(promo=True), [1]),
        (Only(promo=False), [2, 3, 4]),
        (Only(with_code=True), [2]),
        (Only(with_code=False), [1, 3, 4]),
        (Only(stores=("s2",)), [3]),
        (Only(stores=("s2", "unheard-of")), [3]),
        (Only(devices=("app",)), [4]),
        (Only(promo=False, devices=("till",)), [2, 3]),
    ],
)
def test_only_such_purchases_count(only: Only, days: list[int]) -> None:
    trips = [
        Trip(days=1, promo=True),
        Trip(days=2, with_code=True),
        Trip(days=3, store="s2"),
        Trip(days=4, device="app"),
    ]
    for last in range(1, 6):
        expected = sum(day < last for day in days)
        assert holds(
            Purchases(compare=compare("=", expected), days=last, only=only), view_of(*trips)
        )
    if only.is_total:
        assert holds(Purchases(compare=compare("=", len(days)), only=only), view_of(*trips))
        share = PurchaseShare(compare=compare("=", len(days) * 2_500), only=only)
        assert holds(share, view_of(*trips))


@pytest.mark.parametrize(
    ("hours", "hour_met"),
    [
        (Hours(starts=9, ends=12), {9, 10, 11}),
        (Hours(starts=22, ends=2), {22, 23, 0, 1}),
        (Hours(starts=23, ends=24), {23}),
    ],
)
def test_hours_and_weekdays_are_by_the_stores_clock(hours: Hours, hour_met: set[int]) -> None:
    # NOW is Monday noon in UTC; the store is 13 hours ahead of it, where a day is counted from.
    at = [Trip(days=hour / 24 + SECOND, offset_minutes=13 * 60) for hour in range(24)]
    local = [(24 + 12 + 13 - 1 - hour) % 24 for hour in range(24)]
    one = Purchases(compare=compare(">=", 1), days=30, only=Only(hours=hours))
    met = {hour for hour, trip in zip(local, at, strict=True) if holds(one, view_of(trip))}
    assert met == hour_met
    tuesday = Purchases(compare=compare(">=", 1), days=30, only=Only(weekdays=("tue",)))
    assert holds(tuesday, view_of(Trip(days=0, offset_minutes=13 * 60)))
    assert not holds(tuesday, view_of(Trip(days=0, offset_minutes=11 * 60)))


def test_a_share_is_of_the_purchases_in_the_window_and_of_none_it_is_no_share() -> None:
    half = PurchaseShare(compare=compare(">=", 3_334), days=30, only=Only(promo=True))
    trips = [Trip(days=40), Trip(days=9, promo=True), Trip(days=5), Trip(days=2)]
    assert not holds(half, view_of(*trips))  # 1 of 3 is 3,333, rounded down
    assert holds(half, view_of(*trips[:-1]))
    nothing = PurchaseShare(compare=compare("<=", 10_000), days=30, only=Only(promo=True))
    assert not holds(nothing, view_of(Trip(days=40)))
    assert not holds(PurchaseShare(compare=compare(">=", 0), only=Only(promo=True)), view_of())


def test_money_is_of_its_currency_and_less_what_was_refunded() -> None:
    view = view_of(
        Trip(days=1, paid=500), Trip(days=2, paid=300, currency="EUR"), Trip(days=50, paid=201)
    )
    view.state.spent["UAH"].refunded += 1
    assert holds(Spent(currency=UAH, compare=compare("=", 500), days=30), view)
    assert holds(Spent(currency=UAH, compare=compare("=", 700)), view)
    assert holds(Spent(currency=Currency("USD"), compare=compare("=", 0)), view)
    assert holds(AverageReceipt(currency=UAH, compare=compare("=", 350)), view)
    assert holds(AverageReceipt(currency=UAH, compare=compare("=", 350), days=60), view)
    assert holds(AverageReceipt(currency=UAH, compare=compare("=", 500), days=30), view)
    none = AverageReceipt(currency=Currency("USD"), compare=compare("<=", 100), days=30)
    assert not holds(none, view)
    app = Spent(currency=UAH, compare=compare("=", 0), days=30, only=Only(devices=("app",)))
    assert holds(app, view)


def test_what_was_bought_of_groups_is_measured_three_ways() -> None:
    tea, all_back = ("tea", 2_000, 90), ("coffee", 0, 0)
    view = view_of(
        Trip(days=1, goods=(tea, ("bread", 1_000, 20))),
        Trip(days=2, goods=(("coffee", 500, 70), tea)),
        Trip(days=3, goods=(all_back,)),
        Trip(days=4, goods=(tea,), currency="EUR"),
        Trip(days=31, goods=(tea,)),
    )
    groups = ("tea", "coffee", "never sold")
    for more, value in (
        ({"measure": "receipts"}, 3),
        ({"measure": "quantity"}, 6_500),
        ({"measure": "sum", "currency": UAH}, 250),
    ):
        condition = Bought.model_validate(
            {"groups": groups, "compare": compare("=", value), "days": 30, **more}
        )
        assert holds(condition, view), more
    assert holds(Bought(groups=("milk",), compare=compare("=", 0), days=30), view)


def test_days_since_purchases_are_whole_days() -> None:
    view = view_of(Trip(days=3 - SECOND), Trip(days=10))
    assert holds(DaysSinceLastPurchase(compare=compare("=", 2)), view)
    assert holds(DaysSinceFirstPurchase(compare=compare("=", 10)), view)
    long_ago = View(state_of([]))
    long_ago.state.forgotten_at = NOW - 500 * DAY_S
    assert holds(DaysSinceLastPurchase(compare=compare(">=", 500)), long_ago)
    assert not holds(DaysSinceLastPurchase(compare=compare(">=", 0)), view_of())


def test_points_and_personal_codes() -> None:
    view = view_of()
    view.state.points = Points(balance=-5)
    view.state.codes = {
        "given": CodeCount(offered=3, used=1),
        "used": CodeCount(offered=1, used=2),
        "mass": CodeCount(offered=0, used=7),
    }
    assert holds(BonusBalance(compare=compare("<", 0)), view)
    for measure, value in (("offered", 4), ("used", 2), ("unused", 2)):
        of = {"measure": measure, "compare": compare("=", value)}
        assert holds(PersonalCodes.model_validate(of), view), measure
    assert holds(PersonalCodes(emissions=("used",), compare=compare("=", 0)), view)


def test_classes_and_fifths() -> None:
    view = view_of()
    any_recency = InRfm(recency=compare(">=", 1))
    assert not holds(any_recency, view)
    view.rfm = Rfm(recency=5, frequency=4, monetary=2, rfm_class="potential-loyalists")
    view.rfm_until = NOW + 77
    assert ask(InRfm(classes=("new", "potential-loyalists")), view) == (True, NOW + 77)
    assert ask(InRfm(classes=("new",)), view) == (False, NOW + 77)
    assert holds(InRfm(recency=compare("=", 5), frequency=compare(">", 3)), view)
    assert not holds(InRfm(recency=compare("=", 5), monetary=compare(">", 2)), view)


def test_forecasts_are_asked_for_probability_and_days() -> None:
    forecast = Forecast(
        model="m",
        made_at=datetime.fromtimestamp(NOW, UTC),
        days=28,
        probability=6_000,
        expected_purchases=1_000,
        expected_on=date(2025, 12, 4),
    )
    view = View(state_of([]), forecast)
    assert holds(Expected(probability=compare(">=", 6_000)), view)
    assert not holds(Expected(probability=compare(">", 6_000)), view)
    midnight = NOW + DAY_S // 2
    soon = Expected(expected_in_days=compare("between", 0, 2))
    assert ask(soon, view) == (False, midnight)
    assert ask(soon, view, midnight) == (True, midnight + 3 * DAY_S)
    assert ask(soon, view, midnight + 3 * DAY_S) == (False, NEVER)
    overdue = Expected(expected_in_days=compare("<=", 0))
    assert ask(overdue, view, midnight + 3 * DAY_S) == (True, NEVER)
    unknown = forecast.model_copy(update={"expected_on": None})
    assert not holds(soon, View(view.state, unknown))
    assert not holds(Expected(probability=compare(">=", 0)), View(view.state))


def test_combinations() -> None:
    view = view_of(Trip(days=1))
    yes: Condition = Purchases(compare=compare("=", 1))
    no: Condition = Purchases(compare=compare("=", 2))
    assert holds(All(conditions=(yes, yes)), view)
    assert not holds(All(conditions=(yes, no)), view)
    assert holds(AnyOf(conditions=(no, yes)), view)
    assert not holds(AnyOf(conditions=(no, no)), view)
    assert holds(Not(condition=no), view)
    assert not holds(Not(condition=yes), view)
