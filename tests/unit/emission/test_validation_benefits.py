"""Benefits, limits, repeats and triggers that go with nothing are refused by their field."""

from typing import Any

import pytest

from services.emission.validation import faults_of_definition
from tests.unit.emission.definitions import (
    BIRTHDAY,
    BONUSES,
    FIRST,
    MUG,
    OFF,
    STRANGER,
    Json,
    any_of,
    code,
    compared,
    days_since,
    every,
    faulty,
    group,
    instrument,
    mix,
    no,
    presence_of,
    quantity_of,
    store,
    sum_of,
    total,
    visits,
)

A: Json = {"products": {"brands": ["A"]}}
NO_A = no(presence_of("A"))
AMOUNT: Json = {"kind": "amount_off", "amount": 500}
PRICE: Json = {"kind": "fixed_price", "price": 9_900}
BUY: Json = {"kind": "buy_get", "buy": 2_000, "get": 1_000}
CHEAPEST: Json = {"kind": "cheapest_free", "of": 3_000}


def tiers(*steps: tuple[int, int | None, Json], **fields: Any) -> Json:
    """Tiers of (at least, below, benefit)."""
    return {
        "kind": "tiers",
        "tiers": [
            {"at_least": least, "benefit": benefit} | ({} if below is None else {"below": below})
            for least, below, benefit in steps
        ],
    } | fields


BENEFITS: list[tuple[str, tuple[Json, ...], Json, list[str]]] = [
    ("at most 0 off", (), OFF | {"max_discount": 0}, ["benefit.max_discount"]),
    ("at most a cent off", (), OFF | {"max_discount": 1}, []),
    ("at most 0 bonuses", (), BONUSES | {"max_points": 0}, ["benefit.max_points"]),
    ("3 for 99, at most 2 pieces", (), PRICE | {"units": 3000, "max_units": 2000}, ["benefit.max_units"]),
    ("3 for 99, at most 3 pieces", (), PRICE | {"units": 3000, "max_units": 3000}, []),
    ("half a kilogram at a price", (), PRICE | {"max_units": 500}, []),
    ("buy a kilogram, get 250 g", (), BUY | {"buy": 1000, "get": 250}, []),
    ("off A, where there is no A", (NO_A,), OFF | A, ["benefit.products"]),
    ("off A, where there is no B", (no(presence_of("B")),), OFF | A, []),
    ("bonuses for A, where there is no A", (NO_A,), BONUSES | A, ["benefit.products"]),
    ("a mug, where there is nothing", (compared("line_count", "=", 0),), MUG, ["benefit.gifts"]),
    ("a mug, where there is no A", (NO_A,), MUG, []),
    ("3 for 99, of at most 2", (quantity_of("A", "<=", 2000),), PRICE | A | {"units": 3000}, ["benefit.products"]),
    ("3 for 99, of at most 3", (quantity_of("A", "<=", 3000),), PRICE | A | {"units": 3000}, []),
    ("2 + 1, of at most 2", (quantity_of("A", "<=", 2000),), BUY | A, ["benefit.buy"]),
    ("2 + 1, of at most 3", (quantity_of("A", "<=", 3000),), BUY | A, []),
    ("2 and 1 of B, of at most 2", (quantity_of("A", "<=", 2000),), BUY | A | {"rewards": {"brands": ["B"]}}, []),
    ("2 and 1 of B, where there is no B", (no(presence_of("B")),), BUY | A | {"rewards": {"brands": ["B"]}}, ["benefit.rewards"]),
    ("cheapest of 3, of at most 2", (quantity_of("A", "<", 3000),), CHEAPEST | A, ["benefit.of"]),
    ("cheapest of 3, of 3", (quantity_of("A", "=", 3000),), CHEAPEST | A, []),
    ("excluded from the benefit", (), OFF | {"products": {"brands": ["A"], "exclude": {"brands": ["A"]}}}, ["benefit.products.exclude"]),
    ("excluded from the rewards", (), BUY | {"rewards": {"skus": ["1"], "exclude": {"skus": ["1", "2"]}}}, ["benefit.rewards.exclude"]),
    ("named twice", (), OFF | {"products": {"brands": ["A", "A"]}}, ["benefit.products.brands.1"]),
    ("bonuses for strangers", (STRANGER,), BONUSES, ["benefit"]),
    ("a mug for strangers", (STRANGER,), MUG, []),
    ("bonuses for those who are no strangers", (no(STRANGER),), BONUSES, []),
    ("bonuses in a tier, for strangers", (STRANGER,), tiers((1, None, OFF), (9, None, BONUSES)), ["benefit.tiers.1.benefit"]),
    ("tiers 300, 500", (), tiers((300, None, OFF), (500, None, OFF)), []),
    ("tiers 300–500, 500", (), tiers((300, 500, OFF), (500, None, OFF)), []),
    ("tiers with a gap", (), tiers((300, 400, OFF), (500, None, OFF)), []),
    ("tiers overlap by a cent", (), tiers((300, 501, OFF), (500, None, OFF)), ["benefit.tiers.1.at_least"]),
    ("tiers begin together", (), tiers((300, None, OFF), (300, None, OFF)), ["benefit.tiers.1.at_least"]),
    ("tiers in the wrong order", (), tiers((500, None, OFF), (300, None, OFF)), ["benefit.tiers.1.at_least"]),
    ("a tier that ends where it begins", (), tiers((300, 300, OFF), (500, None, OFF)), ["benefit.tiers.0.below"]),
    ("a tier of a cent", (), tiers((300, 301, OFF)), []),
    ("a tier below what is asked for", (total(">=", 500),), tiers((300, None, OFF), (500, None, OFF)), ["benefit.tiers.0.at_least"]),
    ("a tier just reached", (total(">=", 499),), tiers((300, None, OFF), (500, None, OFF)), []),
    ("a tier above what is asked for", (total("<", 500),), tiers((300, None, OFF), (500, None, OFF)), ["benefit.tiers.1.at_least"]),
    ("asked for in one way of two", (any_of(total(">=", 500), store("s1")),), tiers((300, None, OFF), (500, None, OFF)), []),
    ("tiers of A, much of all", (total(">=", 500),), tiers((300, None, OFF), (500, None, OFF), **A), []),
    ("tiers of A, much of A", (sum_of("A", ">=", 500),), tiers((300, None, OFF), (500, None, OFF), **A), ["benefit.tiers.0.at_least"]),
    ("tiers by quantity", (total(">=", 500),), tiers((300, None, OFF), (500, None, OFF), by="quantity"), []),
    ("tiers by quantity, asked for", (compared("receipt_quantity", ">=", 500),), tiers((300, None, OFF), (500, None, OFF), by="quantity"), ["benefit.tiers.0.at_least"]),
    ("a tier off A, where there is no A", (NO_A,), tiers((300, None, OFF | A), (500, None, OFF)), ["benefit.tiers.0.benefit.products"]),
    ("a tier at most 0 off", (), tiers((300, None, OFF | {"max_discount": 0})), ["benefit.tiers.0.benefit.max_discount"]),
    ("a tier's products named twice", (), tiers((300, None, OFF | {"products": {"brands": ["A", "A"]}})), ["benefit.tiers.0.benefit.products.brands.1"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "benefit", "fields"),
    [line[1:] for line in BENEFITS],
    ids=[line[0] for line in BENEFITS],
)
def test_a_benefit(conditions: tuple[Json, ...], benefit: Json, fields: list[str]) -> None:
    assert faulty(*conditions, benefit=benefit) == fields


def money(most: int) -> Json:
    """A limit of money."""
    return {"money": most}


def per(*names: str) -> Json:
    """A limit for each of what is named."""
    return {"per": list(names), "redemptions": 5}


LIMITS: list[tuple[str, tuple[Json, ...], Json, Json, list[str]]] = [
    ("per code, without one", (), OFF, per("code"), ["limits.0.per"]),
    ("per code and day, without one", (), OFF, per("day", "code"), ["limits.0.per"]),
    ("per code", (code(),), OFF, per("code"), []),
    ("per code, one of two ways", (any_of(code(), store("s1")),), OFF, per("code"), []),
    ("per code that must not be there", (no(code()),), OFF, per("code"), ["limits.0.per"]),
    ("per customer, of strangers", (STRANGER,), OFF, per("customer"), ["limits.0.per"]),
    ("per customer, of whoever comes", (), OFF, per("customer"), []),
    ("per store and day", (), OFF, per("store", "day"), []),
    ("money for bonuses", (), BONUSES, money(500), ["limits.0.money"]),
    ("money for gifts", (), MUG, money(500), ["limits.0.money"]),
    ("money for tiers of gifts and bonuses", (), tiers((1, None, MUG), (2, None, BONUSES)), money(500), ["limits.0.money"]),
    ("money for tiers, one of them a discount", (), tiers((1, None, MUG), (2, None, OFF)), money(500), []),
    ("redemptions for gifts", (), MUG, per(), []),
    ("5.00 off, from 4.99", (), AMOUNT, money(499), ["limits.0.money"]),
    ("5.00 off, from 5.00", (), AMOUNT, money(500), []),
    ("5.00 off at most 4.99, from 4.99", (), AMOUNT | {"max_discount": 499}, money(499), []),
    ("5.00 off a piece, from 4.99", (), AMOUNT | {"per_unit": True}, money(499), []),
    ("5.00 off in a tier, from 4.99", (), tiers((1, None, OFF), (2, None, AMOUNT)), money(499), ["limits.0.money"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "benefit", "limit", "fields"),
    [line[1:] for line in LIMITS],
    ids=[line[0] for line in LIMITS],
)
def test_a_limit(
    conditions: tuple[Json, ...], benefit: Json, limit: Json, fields: list[str]
) -> None:
    assert faulty(*conditions, benefit=benefit, limits=[limit]) == fields


KILO = quantity_of("A", ">=", 1000)
REPEATS: list[tuple[str, tuple[Json, ...], Json, bool]] = [
    ("5.00 off for each kilogram", (KILO,), AMOUNT, True),
    ("5.00 off for each 100.00", (total(">=", 10_000),), AMOUNT, True),
    ("50 bonuses for each fourth purchase", (visits(">=", 4),), BONUSES, True),
    ("a mug for each two of A and one of B", (mix((A["products"], 2000), ({"brands": ["B"]}, 1000)),), MUG, True),
    ("for each, inside all", (every(store("s1"), KILO),), MUG, True),
    ("for each, one of two ways", (any_of(store("s1"), KILO),), MUG, True),
    ("for each nothing", (total(">=", 0),), AMOUNT, False),
    ("for each more than a kilogram", (quantity_of("A", ">", 1000),), AMOUNT, False),
    ("for each exactly a kilogram", (quantity_of("A", "=", 1000),), AMOUNT, False),
    ("for each up to a kilogram", (no(quantity_of("A", ">=", 1000)),), AMOUNT, False),
    ("for each some A", (presence_of("A"),), AMOUNT, False),
    ("for each, without conditions", (), AMOUNT, False),
    ("10% off for each", (KILO,), OFF, False),
    ("10% off a kilogram for each", (KILO,), OFF | {"max_units": 1000}, True),
    ("a price for each", (KILO,), PRICE, False),
    ("a price of a kilogram for each", (KILO,), PRICE | {"max_units": 1000}, True),
    ("1% in bonuses for each", (KILO,), {"kind": "bonuses", "percent": 100}, False),
    ("2 + 1 for each", (KILO,), BUY, False),
    ("2 + 1 once for each", (KILO,), BUY | {"max_times": 1}, True),
    ("cheapest of 3 for each", (KILO,), CHEAPEST, False),
    ("cheapest of 3 once for each", (KILO,), CHEAPEST | {"max_times": 1}, True),
    ("tiers, one of which grows", (KILO,), tiers((1, None, OFF), (2, None, AMOUNT)), True),
    ("tiers, none of which grows", (KILO,), tiers((1, None, OFF)), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "benefit", "is_kept"),
    [line[1:] for line in REPEATS],
    ids=[line[0] for line in REPEATS],
)
def test_a_repeat(conditions: tuple[Json, ...], benefit: Json, is_kept: bool) -> None:
    assert faulty(*conditions, benefit=benefit, repeat={}) == ([] if is_kept else ["repeat"])
    assert faulty(*conditions, benefit=benefit) == []


FOUR = visits(">=", 4)
SEGMENT: Json = {"kind": "customer_segment", "segments": ["rare"]}
ENDS: list[tuple[str, tuple[Json, ...], Json, list[str]]] = [
    ("four purchases", (FOUR,), {}, []),
    ("in two weeks", (FOUR,), {"processing_period": {"kind": "consecutive", "days": 14}}, []),
    ("in a month", (FOUR,), {"processing_period": {"kind": "calendar", "unit": "month"}}, []),
    ("in the last two weeks, sliding", (FOUR,), {"processing_period": {"kind": "rolling", "days": 14}}, ["processing_period"]),
    ("1% of what was bought", (FOUR,), {"benefit": {"kind": "bonuses", "percent": 100}}, []),
    ("10% off what?", (FOUR,), {"benefit": OFF}, ["benefit"]),
    ("a mug where?", (FOUR,), {"benefit": MUG}, ["benefit"]),
    ("tiers of bonuses", (FOUR,), {"benefit": tiers((1, None, BONUSES))}, ["benefit"]),
    ("of a group and a segment", (FOUR, group("a"), no(SEGMENT)), {}, []),
    ("on a birthday", (FOUR, BIRTHDAY), {}, ["conditions.1"]),
    ("of 100.00 or more", (FOUR, total(">=", 10_000)), {}, ["conditions.1"]),
    ("in a store, one of two ways", (any_of(FOUR, every(store("s1"), FOUR)),), {}, ["conditions.0.conditions.1.conditions.0"]),
    ("with a code", (FOUR, code()), {}, ["conditions.1"]),
    ("first purchase", (FIRST,), {}, ["conditions.0", "conditions"]),
    ("days since", (FOUR, days_since(">=", 1)), {}, ["conditions.1"]),
    ("whatever was bought", (), {}, ["conditions"]),
    ("a group, whatever was bought", (group("a"),), {}, ["conditions"]),
    ("at least nothing", (visits(">=", 0),), {}, ["conditions"]),
    ("few purchases", (visits("<", 4),), {}, ["conditions"]),
    ("some purchases, but few", (visits("between", 1, 4),), {}, []),
    ("exactly four", (visits("=", 4),), {}, []),
    ("more than none", (visits(">", 0),), {}, []),
    ("not fewer than four", (no(visits("<", 4)),), {}, []),
    ("four, or 1000.00", (any_of(FOUR, compared("purchase_sum", ">=", 100_000)),), {}, []),
    ("four, or in a group", (any_of(FOUR, group("a")),), {}, ["conditions"]),
    ("a group, and four or five", (every(group("a"), any_of(FOUR, visits("=", 5))),), {}, []),
    ("two kilograms of A", (compared("product_purchases", ">=", 2000, **A),), {}, []),
    ("exclusive of what?", (FOUR,), {"stacking": "exclusive"}, ["stacking"]),
    ("best of what?", (FOUR,), {"stacking": "best_of", "best_of": "g"}, ["stacking"]),
    ("per customer", (FOUR,), {"limits": [per("customer")]}, []),
    ("per store", (FOUR,), {"limits": [per("customer"), per("store")]}, ["limits.1.per"]),
    ("per code", (FOUR,), {"limits": [per("code")]}, ["limits.0.per", "limits.0.per"]),
    ("50 bonuses for each four", (FOUR,), {"repeat": {}}, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "fields", "refused"), [line[1:] for line in ENDS], ids=[line[0] for line in ENDS]
)
def test_the_end_of_a_period(
    conditions: tuple[Json, ...], fields: Json, refused: list[str]
) -> None:
    definition = {"benefit": BONUSES, "trigger": "on_period_end"} | fields
    assert faulty(*conditions, **definition) == refused


@pytest.mark.parametrize(
    ("benefit", "advice"),
    [
        (
            {"kind": "tiers", "tiers": [{"at_least": 1, "benefit": BONUSES}]},
            "one instrument per tier",
        ),
        (OFF, "only bonuses"),
    ],
)
def test_at_the_end_of_a_period_tiers_are_instruments(benefit: Json, advice: str) -> None:
    one = instrument(FOUR, benefit=benefit, trigger="on_period_end")
    [fault] = faults_of_definition(one)
    assert fault.field == "benefit"
    assert advice in fault.message
