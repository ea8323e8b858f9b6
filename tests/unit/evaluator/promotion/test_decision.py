"""The examples that must always work, as tills would see them."""

from datetime import timedelta
from typing import Any

import pytest

from services.evaluator.promotion import (
    Basket,
    Claim,
    DecidedLine,
    Granted,
    Limit,
    NearMiss,
    Refused,
    decide,
    judge,
)
from services.evaluator.promotion.history import Purchase, PurchasedLine
from shared.events.benefits import AmountOff, Tier, Tiers
from shared.events.conditions import (
    DaysSincePurchase,
    LineCount,
    PurchaseCount,
    TimeOfDay,
    Weekday,
)
from shared.events.promotion import Instrument, LimitRule, Rolling
from tests.builders import (
    NOON,
    all_free,
    basket,
    campaign,
    code,
    compare,
    instrument,
    left,
    line,
    percent_off,
    products,
    quantity_of,
    ruleset,
    total,
    utc,
)

WELCOME = ruleset(
    campaign(
        "december",
        [
            instrument(
                "ten-percent", [total(30_000), code("WELCOME", cap=1_000)], percent_off(1_000)
            )
        ],
        stores=("store-1",),
    )
)
"""Emission WELCOME, 10% off receipts of 300.00 or more, 1000 activations, 5–31 December."""


@pytest.mark.parametrize(
    ("amount", "discount", "missing"),
    [
        (30_000, 3_000, None),
        (30_001, 3_000, None),
        (30_005, 3_001, None),
        (29_999, 0, 1),
        (25_750, 0, 4_250),
    ],
)
def test_welcome_takes_ten_percent_off_300_or_more(
    amount: int, discount: int, missing: int | None
) -> None:
    found = decide(basket([line(amount=amount)], codes=["WELCOME"]), WELCOME, all_free)
    assert (found.total, found.discount) == (amount, discount)
    assert [refused.missing for refused in found.refused] == ([missing] if missing else [])


def test_all_of_a_decision() -> None:
    goods = [line(2, amount=10_001), line(1, amount=20_002), line(3, amount=500, no_promo=True)]
    found = decide(basket(goods, codes=["FRIDAY", "WELCOME"]), WELCOME, all_free)
    assert found.lines == (
        DecidedLine(2, 10_001, 1_000),
        DecidedLine(1, 20_002, 2_000),
        DecidedLine(3, 500, 0),
    )
    assert found.granted == (
        Granted(
            campaign_id="december",
            instrument_id="ten-percent",
            discount=3_000,
            lines=((1, 2_000), (2, 1_000)),
            bonuses=0,
            gifts=(),
            choose=None,
            code=1,
            emission_id="WELCOME",
            times=1,
            limits=(Claim(Limit("december/ten-percent/code", 1_000)),),
        ),
    )
    assert (found.refused, found.total, found.discount, found.bonuses) == ((), 30_503, 3_000, 0)


def test_the_receipt_after_the_thousandth_gets_none() -> None:
    shopper = basket([line(amount=30_000)], codes=["WELCOME"])
    assert decide(shopper, WELCOME, left(code=1)).discount == 3_000
    found = decide(shopper, WELCOME, left(code=0))
    assert found.discount == 0
    assert found.refused == (
        Refused("december", "ten-percent", "limit_reached", "code", None, None, 0, None),
    )


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"store_id": "store-2"}, "wrong_store"),
        ({"occurred_at": utc(2026, 12, 31, 23)}, "campaign_not_active"),
    ],
)
def test_welcome_elsewhere_or_too_late(values: dict[str, Any], reason: str) -> None:
    shopper = basket([line(amount=30_000)], codes=["WELCOME"], **values)
    found = decide(shopper, WELCOME, all_free)
    assert [refused.reason for refused in found.refused] == [reason]


def test_without_the_code_nothing_is_said_of_it() -> None:
    found = decide(basket([line(amount=30_000)]), WELCOME, all_free)
    assert (found.granted, found.refused) == ((), ())


@pytest.mark.parametrize(("grams", "discount"), [(1_000, 90), (1_250, 113), (999, 0), (2_500, 225)])
def test_a_kilo_of_bounty_sweets_with_bounty10(grams: int, discount: int) -> None:
    bounty = products(brands=["Bounty"])
    sweets = instrument(
        "bounty",
        [code("BOUNTY10"), quantity_of(bounty, 1_000)],
        percent_off(1_000, products=bounty),
    )
    by_weight = (900 * grams + 500) // 1000
    goods = [line(1, brand="Bounty", quantity=grams, amount=by_weight), line(2, amount=5_000)]
    found = decide(
        basket(goods, codes=["BOUNTY10"]), ruleset(campaign(instruments=[sweets])), all_free
    )
    assert [decided.discount for decided in found.lines] == [discount, 0]


def test_chips_with_chips10() -> None:
    chips = products(groups=["chips"])
    asked = instrument("chips", [code("CHIPS10")], percent_off(1_000, products=chips))
    goods = [line(1, group="chips", amount=199), line(2, group="chips", amount=249), line(3)]
    found = decide(
        basket(goods, codes=["CHIPS10"]), ruleset(campaign(instruments=[asked])), all_free
    )
    assert [decided.discount for decided in found.lines] == [20, 25, 0]


def test_opening_day_the_first_thousand_buyers_get_twelve_percent() -> None:
    opening = campaign(
        "opening",
        [instrument("all", benefit=percent_off(1_200), max_redemptions=1_000)],
        stores=("store-1",),
        starts_at=utc(2026, 12, 9, 23),
        ends_at=utc(2026, 12, 10, 23),
    )
    assert decide(basket(), ruleset(opening), left(all=1)).discount == 120
    assert decide(basket(), ruleset(opening), left(all=0)).discount == 0
    late = basket(occurred_at=NOON.replace(day=11, hour=0))
    assert decide(late, ruleset(opening), all_free).discount == 0


def test_a_cart_without_lines() -> None:
    found = decide(basket([], codes=["WELCOME"]), WELCOME, all_free)
    assert (found.lines, found.total, found.granted) == ((), 0, ())


def misses(*instruments: Instrument, of: Basket | None = None) -> list[tuple[str, int, str]]:
    found = decide(of or basket(), ruleset(campaign(instruments=instruments)), all_free)
    return [(miss.instrument_id, miss.missing, miss.unit) for miss in found.near_misses]


def test_near_misses_say_what_a_little_more_would_get() -> None:
    ten = instrument("ten", [total(5_250)], name="10% off")
    found = decide(basket(), ruleset(campaign("c", [ten])), all_free)
    assert found.near_misses == (NearMiss("c", "ten", "10% off", 4_250, "money", "receipt_total"),)


def test_near_misses_come_by_the_share_that_is_missing_whatever_the_unit() -> None:
    assert misses(
        instrument("half", [total(2_000)]),
        instrument("tenth", [quantity_of(products(), 1_111)]),
        instrument("most", [LineCount(compare=compare(10))]),
        instrument("third", [total(1_500)]),
    ) == [
        ("tenth", 111, "quantity"),
        ("third", 500, "money"),
        ("half", 1_000, "money"),
        ("most", 9, "lines"),
    ]


def test_near_misses_as_near_as_each_other_come_in_the_order_they_are_tried() -> None:
    assert misses(
        instrument("b", [total(2_000)]),
        instrument("a", [total(2_000)]),
        instrument("first", [total(2_000)], priority=1),
    ) == [("first", 1_000, "money"), ("b", 1_000, "money"), ("a", 1_000, "money")]


def test_of_many_near_misses_the_ten_nearest_are_told() -> None:
    some = [instrument(f"i-{n:02}", [total(5_000 - n)]) for n in range(15)]
    found = misses(*some)
    assert found == [(f"i-{n:02}", 4_000 - n, "money") for n in range(14, 4, -1)]


def test_what_is_refused_for_another_reason_is_no_near_miss() -> None:
    assert (
        misses(
            instrument("two-gaps", [total(2_000), quantity_of(products(), 2_000)]),
            instrument("no-help", [total(2_000), LineCount(compare=compare(0, "="))]),
            instrument("too-much", [total(999, "<=")]),
            instrument("nothing", [], percent_off(products=products(skus=["x"]))),
            instrument("granted", [total(1_000)]),
        )
        == []
    )


def test_nobody_is_promised_what_is_used_up() -> None:
    capped = instrument("capped", [total(2_000)], max_redemptions=9, name="10% off")
    rules = ruleset(campaign(instruments=[capped]))
    of = basket([line(amount=1_000)])
    assert [x.missing for x in decide(of, rules, left(capped=1)).near_misses] == [1_000]
    used_up = decide(of, rules, left(capped=0))
    assert used_up.near_misses == ()
    assert [(x.reason, x.missing) for x in used_up.refused] == [("condition_not_met", 1_000)]


def test_nobody_is_promised_what_an_exclusive_one_blocks() -> None:
    only = instrument("only", stacking="exclusive", priority=1)
    rules = ruleset(campaign(instruments=[only, instrument("more", [total(2_000)])]))
    assert decide(basket([line(amount=1_000)]), rules, all_free).near_misses == ()


def test_nobody_is_promised_more_than_a_budget_has_left() -> None:
    fifty = instrument("i", [total(2_000)], AmountOff(amount=50), limits=(LimitRule(money=90),))
    rules = ruleset(campaign("c", [fifty]))
    of = basket([line(amount=1_000)])
    assert len(decide(of, rules, lambda _: 50).near_misses) == 1
    assert decide(of, rules, lambda _: 49).near_misses == ()


@pytest.mark.parametrize(("percent", "promised"), [(500, 0), (1_000, 0), (1_500, 1)])
def test_nobody_is_promised_less_than_the_best_of_its_group(percent: int, promised: int) -> None:
    group: dict[str, Any] = {"stacking": "best_of", "best_of": "percent"}
    best = instrument("best", [total(1_000)], percent_off(1_000), **group)
    more = instrument("more", [total(2_000)], percent_off(percent), **group)
    assert len(misses(best, more)) == promised


TEA = PurchasedLine(sku="tea", quantity=1_000, amount=100)


@pytest.mark.parametrize(("days", "promised"), [(21, 1), (22, 0)])
def test_nobody_is_told_to_come_back_when_the_campaign_is_over(days: int, promised: int) -> None:
    since = DaysSincePurchase(compare=compare(days))
    now = basket(customer_id="c")  # 10 December, noon; the campaign ends with the 31st
    considered = ruleset(
        campaign(instruments=[instrument("i", [since], processing_period=Rolling(days=90))])
    ).consider(now)
    considered.remember([Purchase("r", NOON - timedelta(hours=1), (TEA,))])
    assert len(judge(considered, all_free).near_misses) == promised


@pytest.mark.parametrize(("day", "promised"), [("sat", 1), ("mon", 0)])
def test_nobody_is_told_of_a_day_on_which_the_campaign_is_over(day: str, promised: int) -> None:
    one = instrument("i", [Weekday.model_validate({"days": (day,)})])
    # 10 December is a Thursday.
    ends_on_sunday = campaign(instruments=[one], ends_at=utc(2026, 12, 13, 12))
    found = decide(basket(time_zone="UTC"), ruleset(ends_on_sunday), all_free)
    assert len(found.near_misses) == promised


def test_a_higher_tier_of_what_is_granted_is_a_near_miss() -> None:
    tiers = Tiers(
        tiers=tuple(
            Tier(at_least=at, benefit=percent_off(at // 2)) for at in (500, 1_000, 1_250, 2_000)
        )
    )
    found = decide(basket(), ruleset(campaign(instruments=[instrument("t", [], tiers)])), all_free)
    assert found.discount == 50
    assert [(miss.missing, miss.unit) for miss in found.near_misses] == [(250, "money")]


def test_time_and_visits_and_days_are_gaps_too() -> None:
    later = basket(customer_id="c", time_zone="UTC")
    assert misses(
        instrument("visit", [PurchaseCount(compare=compare(3))]),
        instrument("hour", [TimeOfDay(starts="12:00", ends="13:00")]),
        of=later,
    ) == [("hour", 3_600, "seconds"), ("visit", 3, "purchases")]
