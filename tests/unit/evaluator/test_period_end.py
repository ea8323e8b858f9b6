"""Ends of periods: which have ended when, and what customers have earned in them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.evaluator.closing import Plan
from services.evaluator.promotion.history import Purchase, PurchasedLine
from services.evaluator.promotion.period_end import (
    GRACE,
    LATE,
    Buyer,
    PeriodEnd,
    come_late,
    compile_period_ends,
)
from services.evaluator.store.closing import Progress
from shared.events.conditions import (
    All,
    AnyOf,
    Condition,
    CustomerGroup,
    CustomerSegment,
    DaysSincePurchase,
    Not,
    ProductPurchases,
    PurchaseCount,
    PurchaseSum,
)
from shared.events.promotion import Calendar, Campaign, Consecutive, LimitRule, Repeat
from tests.builders import bonuses, campaign, compare, instrument, products, utc

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
FOUR = PurchaseCount(compare=compare(4))


def ends_of(
    conditions: Sequence[Condition] = (FOUR,),
    benefit: Any = None,
    period: Any = "campaign",
    fields: dict[str, Any] | None = None,
    **values: Any,
) -> PeriodEnd:
    """The only instrument of a campaign, 5 December to 1 January in Vienna: 50 points at its end."""
    one = instrument(
        conditions=conditions,
        benefit=benefit or bonuses(fixed=50),
        trigger="on_period_end",
        processing_period=period,
        **values,
    )
    [end] = compile_period_ends(campaign(instruments=[one], **(fields or {})))
    return end


def spans(end: PeriodEnd, after: datetime | None = None) -> list[tuple[str, str]]:
    """Its periods as UTC, to the minute."""
    return [(f"{w.start:%m-%dT%H:%M}", f"{w.end:%m-%dT%H:%M}") for w in end.windows(after=after)]


def bought(at: datetime, *amounts: int, **line: Any) -> Purchase:
    lines = tuple(PurchasedLine(sku="sku-1", quantity=1_000, amount=a, **line) for a in amounts)
    return Purchase(f"r-{at.isoformat()}", at, lines)


def buyer(*purchases: Purchase, groups: Sequence[str] = (), segments: Sequence[str] = ()) -> Buyer:
    return Buyer("c-1", frozenset(groups), frozenset(segments), purchases)


def visits(count: int, amount: int = 1_000) -> list[Purchase]:
    return [bought(utc(2026, 12, 6 + n), amount) for n in range(count)]


def earned(end: PeriodEnd, who: Buyer) -> int:
    window = end.window(utc(2026, 12, 10))
    assert window is not None
    return end.points(who, window)


def test_a_campaign_is_one_period() -> None:
    assert spans(ends_of()) == [("12-04T23:00", "12-31T23:00")]


def test_instruments_for_carts_have_no_periods_that_end() -> None:
    assert compile_period_ends(campaign()) == ()


@pytest.mark.parametrize(
    ("period", "starts_at", "ends_at", "expected"),
    [
        (
            Consecutive(days=10),
            utc(2026, 12, 4, 23),
            utc(2026, 12, 31, 23),
            [
                ("12-04T23:00", "12-14T23:00"),
                ("12-14T23:00", "12-24T23:00"),
                ("12-24T23:00", "12-31T23:00"),  # cut at the campaign's end
            ],
        ),
        (
            Calendar(unit="week"),
            utc(2026, 12, 9, 9, 30),  # a Wednesday, in the morning
            utc(2026, 12, 21, 23),
            [
                ("12-09T09:30", "12-13T23:00"),  # counts from the campaign's start
                ("12-13T23:00", "12-20T23:00"),
                ("12-20T23:00", "12-21T23:00"),
            ],
        ),
        (
            Calendar(unit="month"),
            utc(2026, 1, 30, 23),  # 31 January in Vienna
            utc(2026, 4, 29, 22),
            [
                ("01-30T23:00", "01-31T23:00"),
                ("01-31T23:00", "02-28T23:00"),
                ("02-28T23:00", "03-31T22:00"),  # the clocks went forward
                ("03-31T22:00", "04-29T22:00"),
            ],
        ),
        (
            Calendar(unit="day"),
            utc(2026, 3, 27, 23),
            utc(2026, 3, 30, 22),
            [
                ("03-27T23:00", "03-28T23:00"),
                ("03-28T23:00", "03-29T22:00"),  # 23 hours
                ("03-29T22:00", "03-30T22:00"),
            ],
        ),
        (
            Consecutive(days=1),
            utc(2026, 10, 23, 22),
            utc(2026, 10, 26, 23),
            [
                ("10-23T22:00", "10-24T22:00"),
                ("10-24T22:00", "10-25T23:00"),  # 25 hours
                ("10-25T23:00", "10-26T23:00"),
            ],
        ),
    ],
)
def test_periods_follow_each_other_by_the_campaigns_clock(
    period: Any, starts_at: datetime, ends_at: datetime, expected: list[tuple[str, str]]
) -> None:
    end = ends_of(period=period, fields={"starts_at": starts_at, "ends_at": ends_at})
    assert spans(end) == expected
    assert spans(end, after=starts_at) == expected
    second = end.window(starts_at)
    assert second is not None
    assert spans(end, after=second.end) == expected[1:]
    assert spans(end, after=second.end - INSTANT) == expected


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        (utc(2026, 12, 4, 23) - INSTANT, False),
        (utc(2026, 12, 4, 23), True),
        (utc(2026, 12, 31, 23) - INSTANT, True),
        (utc(2026, 12, 31, 23), False),
    ],
)
def test_there_are_no_periods_outside_the_campaign(at: datetime, inside: bool) -> None:
    assert (ends_of().window(at) is not None) is inside


@pytest.mark.parametrize(("count", "points"), [(3, 0), (4, 50), (5, 50)])
def test_four_purchases_earn_fifty_points(count: int, points: int) -> None:
    assert earned(ends_of(), buyer(*visits(count))) == points


def test_the_last_instant_of_a_period_counts() -> None:
    last = bought(utc(2026, 12, 31, 23) - INSTANT, 1_000)
    assert earned(ends_of(), buyer(*visits(3), last)) == 50


@pytest.mark.parametrize(
    ("condition", "points"),
    [
        (PurchaseSum(compare=compare(4_000)), 50),
        (PurchaseSum(compare=compare(4_001)), 0),
        (ProductPurchases(products=products(skus=["sku-1"]), compare=compare(4_000)), 50),
        (ProductPurchases(products=products(skus=["sku-1"]), compare=compare(4_001)), 0),
        (ProductPurchases(products=products(skus=["sku-2"]), compare=compare(1)), 0),
        (
            ProductPurchases(
                products=products(skus=["sku-1"]), measure="receipts", compare=compare(4, "=")
            ),
            50,
        ),
        (CustomerGroup(groups=("gold",)), 50),
        (CustomerGroup(groups=("silver",)), 0),
        (CustomerSegment(segments=("frequent",)), 50),
        (CustomerSegment(segments=("rare",)), 0),
        (Not(condition=PurchaseCount(compare=compare(5))), 50),
        (Not(condition=FOUR), 0),
        (AnyOf(conditions=(CustomerGroup(groups=("silver",)), FOUR)), 50),
        (All(conditions=(CustomerGroup(groups=("silver",)), FOUR)), 0),
        # From the 9th to the end of the 31st, Vienna time.
        (DaysSincePurchase(compare=compare(22)), 50),
        (DaysSincePurchase(compare=compare(23)), 0),
    ],
)
def test_conditions_look_at_the_purchases_of_the_period(condition: Condition, points: int) -> None:
    who = buyer(*visits(4), groups=["gold"], segments=["frequent"])
    assert earned(ends_of([condition]), who) == points


@pytest.mark.parametrize(
    ("benefit", "points"),
    [
        (bonuses(fixed=50), 50),
        (bonuses(percent=500), 250),
        (bonuses(fixed=10, percent=500), 260),
        (bonuses(percent=500, max_points=249), 249),
        (bonuses(percent=500, max_points=250), 250),
        (bonuses(percent=1), 1),  # 0.5 of 5,000, half up
        (bonuses(percent=500, products=products(skus=["sku-1"])), 200),
        (bonuses(percent=500, products=products(skus=["sku-9"])), 0),
        (bonuses(fixed=50, products=products(skus=["sku-9"])), 0),
    ],
)
def test_points_are_fixed_or_a_share_of_what_was_bought(benefit: Any, points: int) -> None:
    other = PurchasedLine(sku="sku-2", quantity=1_000, amount=1_000)
    more = Purchase("more", utc(2026, 12, 20), (other,))
    assert earned(ends_of(benefit=benefit), buyer(*visits(4), more)) == points


@pytest.mark.parametrize(
    ("count", "max_times", "points"),
    [(3, None, 0), (4, None, 50), (7, None, 50), (8, None, 100), (12, None, 150), (12, 2, 100)],
)
def test_points_repeat_for_every_full_multiple(
    count: int, max_times: int | None, points: int
) -> None:
    end = ends_of(repeat=Repeat(max_times=max_times))
    assert earned(end, buyer(*visits(count))) == points


@pytest.mark.parametrize(("include", "points"), [(False, 0), (True, 50)])
def test_goods_discounted_elsewhere_count_only_if_asked_for(include: bool, points: int) -> None:
    reduced = bought(utc(2026, 12, 20), 1_000, discounted=True)
    end = ends_of(include_discounted=include)
    assert earned(end, buyer(*visits(3), reduced)) == points


@pytest.mark.parametrize(
    ("fields", "points"),
    [
        ({"customer_groups": ("gold",)}, 50),
        ({"customer_groups": ("silver",)}, 0),
        ({"segments": ("frequent",)}, 50),
        ({"customer_groups": ("silver",), "segments": ("frequent",)}, 50),
        ({"segments": ("rare",)}, 0),
        ({"stores": ("store-9",)}, 50),
        ({"control_group": 10_000}, 0),
        ({"status": "paused"}, 50),
    ],
)
def test_the_campaign_says_for_whom_it_is(fields: dict[str, Any], points: int) -> None:
    who = buyer(*visits(4), groups=["gold"], segments=["frequent"])
    assert earned(ends_of(fields=fields), who) == points


def test_limits_are_taken_on_the_last_day_of_the_period() -> None:
    end = ends_of(
        period=Calendar(unit="week"),
        limits=(
            LimitRule(redemptions=3, per=("customer", "day")),
            LimitRule(redemptions=9),
            LimitRule(money=900),
        ),
        fields={"limits": (LimitRule(redemptions=99, per=("customer",)),)},
    )
    window = end.window(utc(2026, 12, 10))
    assert window is not None
    claims = end.claims("c-1", window)
    assert [(c.limit.limit_id, c.limit.cap, c.amount) for c in claims] == [
        ("campaign-1/instrument-1/~customer.day=c-1,2026-12-13@2026-12-07", 3, 1),
        ("campaign-1/instrument-1@2026-12-07", 9, 1),
        ("campaign-1/~customer=c-1", 99, 1),
    ]


WEEKS = ends_of(period=Consecutive(days=7))
FIRST, SECOND = utc(2026, 12, 11, 23), utc(2026, 12, 18, 23)
START = utc(2026, 12, 4, 23)


@pytest.mark.parametrize(
    ("reached", "stopped_at", "due"),
    [
        (None, None, FIRST),
        (Progress(START, FIRST, "c-1", closed=False), None, FIRST),
        (Progress(START, FIRST, "c-9", closed=True), None, SECOND),
        (None, FIRST, FIRST),  # it ended while the campaign was running
        (None, FIRST - INSTANT, None),
        (Progress(START, FIRST, "c-9", closed=True), FIRST, None),
        (Progress(utc(2026, 12, 25, 23), utc(2026, 12, 31, 23), "", closed=True), None, None),
    ],
)
def test_periods_are_closed_one_after_another_while_the_campaign_runs(
    reached: Progress | None, stopped_at: datetime | None, due: datetime | None
) -> None:
    window = Plan(WEEKS, stopped_at).next(reached)
    assert (window.end if window else None) == due


def test_a_campaign_that_is_prolonged_closes_its_period_again_for_what_was_added() -> None:
    def prolonged(ends_at: datetime) -> Plan:
        return Plan(ends_of(fields={"ends_at": ends_at}), None)

    first = prolonged(utc(2026, 12, 20)).next(None)
    assert first is not None
    reached = Progress(first.start, first.end, "c-9", closed=True)
    assert prolonged(utc(2026, 12, 20)).next(reached) is None
    again = prolonged(utc(2026, 12, 27)).next(reached)
    assert again is not None
    assert (again.start, again.end) == (first.start, utc(2026, 12, 27))


def test_purchases_are_late_before_their_period_can_have_been_closed() -> None:
    now = utc(2026, 12, 10)
    late = now - LATE - INSTANT
    came = [("r-1", "c-1", late), ("r-2", "c-2", now - LATE), ("r-3", None, now - DAY)]
    assert come_late(came, now) == [("r-1", "c-1", late)]
    assert LATE < GRACE


def test_windows_are_told_in_utc_whatever_zone_the_campaign_was_given_in() -> None:
    """Their start is part of the names that keep rewards from being given twice."""
    given: Campaign = campaign(
        instruments=[
            instrument(conditions=[FOUR], benefit=bonuses(fixed=50), trigger="on_period_end")
        ]
    )
    [end] = compile_period_ends(given)
    [window] = end.windows()
    assert (window.start.tzinfo, window.end.tzinfo) == (UTC, UTC)
