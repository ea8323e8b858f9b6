"""Decisions in words that a person understands."""

import pytest

from services.evaluator.explanation import gap, money, near_miss, unused_code, what, why_not
from shared.events.outcome import Applied, InstrumentName, NearMiss, NotApplied, Unit
from shared.events.values import Gift

NAMES = {("c", "i"): "10% off from 300.00", ("c", "best"): "20% off"}


def refused(reason: str, **values: object) -> NotApplied:
    return NotApplied.model_validate(
        {"campaign_id": "c", "instrument_id": "i", "reason": reason, **values}
    )


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [(4_250, "UAH", "UAH 42.50"), (1, "EUR", "EUR 0.01"), (1_234_567, "JPY", "JPY 1,234,567")],
)
def test_money_has_the_decimals_of_its_currency(amount: int, currency: str, words: str) -> None:
    assert money(amount, currency) == words


@pytest.mark.parametrize(
    ("missing", "unit", "words"),
    [
        (4_250, "money", "UAH 42.50 more"),
        (1_250, "quantity", "1.25 more"),
        (2_000, "quantity", "2 more"),
        (1, "purchases", "1 more purchase"),
        (3, "lines", "3 more lines"),
        (2, "days", "2 more days"),
        (59, "seconds", "in 1 min"),
        (7_320, "seconds", "in 2 h 2 min"),
        (90_000, "seconds", "in 1 d 1 h"),
    ],
)
def test_a_gap_says_how_much_more(missing: int, unit: Unit, words: str) -> None:
    assert gap(missing, unit, "UAH") == words


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            refused("condition_not_met", condition="receipt_total", missing=4_250, unit="money"),
            "a condition is not met (receipt_total): UAH 42.50 more",
        ),
        (refused("wrong_store"), "it does not run in this store"),
        (refused("limit_reached", condition="limit.day"), "its limit is used up (limit.day)"),
        (
            refused(
                "outranked", outranked_by=InstrumentName(campaign_id="c", instrument_id="best")
            ),
            "20% off went before it",
        ),
        (
            refused("outranked", outranked_by=InstrumentName(campaign_id="x", instrument_id="y")),
            "x/y went before it",
        ),
    ],
)
def test_a_refusal_says_why(one: NotApplied, words: str) -> None:
    assert why_not(one, NAMES, "UAH") == words


def test_a_near_miss_is_an_invitation() -> None:
    miss = NearMiss(campaign_id="c", instrument_id="i", name="10% off", missing=4_250, unit="money")
    assert near_miss(miss, NAMES, "UAH") == "UAH 42.50 more gets 10% off from 300.00"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("receipt_total", "UAH 42.50 more gets 10% off from 300.00"),
        ("product_sum", "UAH 42.50 more of its products gets 10% off from 300.00"),
        ("purchase_sum", "UAH 42.50 more in purchases before this one gets 10% off from 300.00"),
    ],
)
def test_a_near_miss_says_where_more_is_needed(condition: str, words: str) -> None:
    miss = NearMiss(
        campaign_id="c",
        instrument_id="i",
        name="10% off",
        missing=4_250,
        unit="money",
        condition=condition,
    )
    assert near_miss(miss, NAMES, "UAH") == words


def test_all_that_is_given_is_told() -> None:
    gifts = (Gift(sku="cup"), Gift(sku="tea", quantity=500))
    given = Applied(
        campaign_id="c",
        instrument_id="i",
        discount=1_000,
        bonuses=50,
        gifts=gifts,
        choose=1,
        code=0,
        times=2,
    )
    assert what(given, "UAH") == (
        "UAH 10.00 off; 50 bonus points; 1 of: 1 × cup, 0.5 × tea; 2 times; with code no. 1"
    )


@pytest.mark.parametrize("reason", ["unknown_code", "no_campaign", "limit_reached", "wrong_store"])
def test_an_unused_code_is_told_why(reason: str) -> None:
    assert unused_code(reason) != "a condition is not met"
