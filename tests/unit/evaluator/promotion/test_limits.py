"""Limits: whose they are, over which period, and what is left while one cart is decided."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from services.evaluator.promotion import Claim, Limit, Verdict, decide
from services.evaluator.promotion.limits import Capacity, of_code
from shared.events.benefits import AmountOff
from shared.events.promotion import Calendar, Consecutive, LimitRule, Rolling
from tests.builders import (
    NOON,
    all_free,
    basket,
    bonuses,
    campaign,
    code,
    emission,
    instrument,
    presented,
    ruleset,
    utc,
)

LIMIT = Limit("c/i", 2)
ONE = Claim(LIMIT)


def test_what_a_decision_takes_is_gone_for_the_rest_of_it() -> None:
    capacity = Capacity(lambda limit: limit.cap)
    capacity.take([ONE])
    assert capacity.has(ONE)
    assert not capacity.has(ONE, besides=[ONE])
    assert capacity.has(ONE, besides=[Claim(Limit("c/j", 1))])
    capacity.take([ONE])
    assert not capacity.has(ONE)
    assert capacity.has(Claim(Limit("c/j", 1)))


def test_what_others_have_taken_is_asked_for() -> None:
    assert not Capacity(lambda _: 0).has(ONE)
    assert not Capacity(lambda _: -1).has(ONE)
    assert Capacity(lambda _: 1).has(ONE)


def test_money_is_taken_by_the_amount() -> None:
    money = Limit("c/i/~money", 1_000, money=True)
    capacity = Capacity(all_limits_free)
    capacity.take([Claim(money, 400)])
    assert capacity.has(Claim(money, 600))
    assert not capacity.has(Claim(money, 601))
    assert not capacity.has(Claim(money, 400), besides=[Claim(money, 201)])


def all_limits_free(limit: Limit) -> int:
    return limit.cap


def test_the_limit_of_a_single_use_code_is_its_own() -> None:
    assert of_code(bytes([0, 255])) == Limit("code:00ff", 1)


def verdict(
    rules: tuple[LimitRule, ...],
    free: Callable[[Limit], int] = all_free,
    *,
    over_campaign: bool = False,
    period: Any = "campaign",
    **values: Any,
) -> Verdict:
    """The decision on 100 off a receipt with WELCOME, with these limits."""
    of_instrument = () if over_campaign else rules
    asked = instrument(
        "i", [code()], AmountOff(amount=100), limits=of_instrument, processing_period=period
    )
    some = campaign("c", [asked], limits=rules if over_campaign else ())
    at: dict[str, Any] = {"codes": ["WELCOME"], "customer_id": "c-1", **values}
    return decide(basket(**at), ruleset(some), free)


def limits(*rules: LimitRule, **values: Any) -> list[tuple[str, int, int]]:
    (granted,) = verdict(rules, **values).granted
    return [(claim.limit.limit_id, claim.limit.cap, claim.amount) for claim in granted.limits]


HEX = presented("WELCOME").digest.hex()


@pytest.mark.parametrize(
    ("per", "name"),
    [
        ((), "c/i"),
        (("customer",), "c/i/~customer=c-1"),
        (("code",), f"c/i/~code={HEX}"),
        (("store",), "c/i/~store=store-1"),
        (("day",), "c/i/~day=2026-12-10"),
        (("day", "customer"), "c/i/~customer.day=c-1,2026-12-10"),
        (("store", "code", "customer"), f"c/i/~customer.code.store=c-1,{HEX},store-1"),
    ],
)
def test_whose_a_limit_is(per: Any, name: str) -> None:
    assert limits(LimitRule(per=per, redemptions=7)) == [(name, 7, 1)]
    words, _, whose = name.partition("=")
    by_money = f"{words}.money={whose}" if whose else f"{words}/~money"
    assert limits(LimitRule(per=per, money=700)) == [(by_money, 700, 100)]


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (LimitRule(redemptions=7), "c/~"),
        (LimitRule(money=700), "c/~money"),
        (LimitRule(per=("customer",), redemptions=7), "c/~customer=c-1"),
    ],
)
def test_a_campaigns_limits_are_over_all_its_instruments(rule: LimitRule, name: str) -> None:
    ((found, *_),) = limits(rule, over_campaign=True, period=Calendar(unit="day"))
    assert found == name, "from the campaign's start, whatever the instrument's period"


@pytest.mark.parametrize(
    ("period", "end", "since"),
    [
        ("campaign", "", None),
        (Calendar(unit="day"), "@2026-12-10", None),
        (Calendar(unit="week"), "@2026-12-07", None),
        (Calendar(unit="month"), "@2026-12-01", None),
        (Consecutive(days=4), "@2026-12-09", None),
        (Rolling(days=4), "@4d", NOON.replace(day=6)),
    ],
)
def test_limits_count_within_the_period(period: Any, end: str, since: datetime | None) -> None:
    rules = (LimitRule(redemptions=9), LimitRule(per=("store",), redemptions=9))
    (granted,) = verdict(rules, period=period).granted
    assert [claim.limit.limit_id for claim in granted.limits] == [
        f"c/i{end}",
        f"c/i/~store=store-1{end}",
    ]
    assert {claim.limit.since for claim in granted.limits} == {since}


def test_the_day_of_a_limit_is_the_campaigns() -> None:
    late = {"occurred_at": utc(2026, 12, 10, 23, 30), "time_zone": "America/Sao_Paulo"}
    assert limits(LimitRule(per=("day",), redemptions=1), **late) == [("c/i/~day=2026-12-11", 1, 1)]


@pytest.mark.parametrize(
    "rule",
    [
        LimitRule(per=("customer",), redemptions=9),
        LimitRule(per=("customer", "day"), money=900),
        LimitRule(per=("customer", "code"), redemptions=9),
    ],
)
@pytest.mark.parametrize("over_campaign", [False, True])
def test_without_a_customer_their_limits_refuse(rule: LimitRule, *, over_campaign: bool) -> None:
    found = verdict((rule,), customer_id=None, over_campaign=over_campaign)
    assert [refused.reason for refused in found.refused] == ["customer_unknown"]


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (LimitRule(redemptions=9), None),
        (LimitRule(money=900), "limit.money"),
        (LimitRule(per=("customer", "day"), redemptions=9), "limit.customer.day"),
        (LimitRule(per=("code",), redemptions=9), "code"),
    ],
)
def test_which_limit_is_full(rule: LimitRule, name: str | None) -> None:
    (refused,) = verdict((rule,), lambda _: 0).refused
    assert (refused.reason, refused.condition) == ("limit_reached", name)


def test_that_a_campaigns_limit_is_full() -> None:
    (refused,) = verdict((LimitRule(redemptions=9),), lambda _: 0, over_campaign=True).refused
    assert (refused.reason, refused.condition) == ("limit_reached", "campaign_limit")


@pytest.mark.parametrize(("free", "discount"), [(100, 100), (1_000, 100), (99, 0), (0, 0), (-5, 0)])
def test_a_money_limit_pays_a_benefit_whole_or_not_at_all(free: int, discount: int) -> None:
    found = verdict((LimitRule(money=1_000),), lambda _: free)
    assert found.discount == discount


def test_limits_are_taken_together_or_not_at_all() -> None:
    rules = (LimitRule(redemptions=9), LimitRule(money=900))
    two = [instrument(f"i-{n}", [], AmountOff(amount=100), limits=rules) for n in range(2)]
    some = ruleset(campaign("c", two, limits=(LimitRule(redemptions=1),)))
    asked: list[str] = []

    def free(limit: Limit) -> int:
        asked.append(limit.limit_id)
        return 0 if limit.limit_id == "c/i-0/~money" else limit.cap

    found = decide(basket(), some, free)
    assert [g.instrument_id for g in found.granted] == ["i-1"], "the campaign's slot was not taken"
    assert "c/~" in asked


def test_instruments_share_what_is_left_of_their_campaigns_limits() -> None:
    three = [instrument(f"i-{n}", [], AmountOff(amount=100)) for n in range(3)]
    for rule, granted in ((LimitRule(redemptions=2), 2), (LimitRule(money=250), 2)):
        found = decide(basket(), ruleset(campaign("c", three, limits=(rule,))), all_free)
        assert len(found.granted) == granted


def test_bonuses_take_no_money_limit() -> None:
    points = instrument("i", [], bonuses(50), limits=(LimitRule(money=1),))
    found = decide(basket(customer_id="c-1"), ruleset(campaign("c", [points])), lambda _: 0)
    assert [(g.bonuses, g.limits) for g in found.granted] == [(50, ())]


def test_a_limit_per_code_leaves_the_next_code() -> None:
    codes = sorted((presented(f"B{n}", "BATCH", n) for n in range(2)), key=lambda c: c.digest)
    asked = instrument("i", [code("BATCH")], limits=(LimitRule(per=("code",), redemptions=3),))
    rules = ruleset(campaign("c", [asked], emissions=(emission("BATCH", kind="personal"),)))
    full = f"c/i/~code={codes[0].digest.hex()}"
    found = decide(
        basket(codes=codes), rules, lambda limit: 0 if limit.limit_id == full else limit.cap
    )
    assert [granted.code for granted in found.granted] == [codes[1].position]
