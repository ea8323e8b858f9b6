"""Conditions that can never be met are refused by the path of their field; all others are kept.

Each line: what an author asks for, and the fields that are refused (none: it is kept).
"""

import pytest

from services.emission.validation import faults_of_definition
from tests.unit.emission.definitions import (
    BIRTHDAY,
    FIRST,
    OFF,
    STRANGER,
    Json,
    any_of,
    code,
    compared,
    days,
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

VALUE = "compare.value"
ALONE: list[tuple[str, Json, list[str]]] = [
    ("less than nothing", total("<", 0), [f"conditions.0.{VALUE}"]),
    ("nothing", total("<=", 0), []),
    ("less than a cent", total("<", 1), []),
    ("at least nothing is always met", total(">=", 0), []),
    ("not at least nothing is never met", no(total(">=", 0)), [f"conditions.0.condition.{VALUE}"]),
    ("not at least a cent", no(total(">=", 1)), []),
    ("not not less than nothing", no(no(total("<", 0))), [f"conditions.0.condition.condition.{VALUE}"]),
    ("not less than nothing is always met", no(total("<", 0)), []),
    ("more than any receipt", total(">", 10**12), [f"conditions.0.{VALUE}"]),
    ("the largest receipt", total(">=", 10**12), []),
    ("more lines than a receipt may have", compared("line_count", ">", 1000), [f"conditions.0.{VALUE}"]),
    ("as many lines as it may have", compared("line_count", "=", 1000), []),
    ("less than no purchases", visits("<", 0), [f"conditions.0.{VALUE}"]),
    ("no purchases", visits("=", 0), []),
    ("not at least no purchases: without a customer", no(visits(">=", 0)), []),
    ("not any day since a purchase: none so far", no(days_since(">=", 0)), []),
    ("never, in an alternative", any_of(total("<", 0), total(">", 5)), [f"conditions.0.conditions.0.{VALUE}"]),
    ("never, deep inside", every(any_of(every(total("<", 0)))), [f"conditions.0.conditions.0.conditions.0.conditions.0.{VALUE}"]),
    ("no weekday is left", no(days("mon", "tue", "wed", "thu", "fri", "sat", "sun")), ["conditions.0.condition.days"]),
    ("one weekday is left", no(days("mon", "tue", "wed", "thu", "fri", "sat")), []),
    ("no channel is left", no({"kind": "channel", "channels": ["till", "web", "app"]}), ["conditions.0.condition.channels"]),
    ("no device is known", no({"kind": "device", "devices": ["till", "desktop", "mobile", "tablet", "app", "other"]}), []),
    ("a day given twice", days("mon", "tue", "mon"), ["conditions.0.days.2"]),
    ("a store given twice, inside a not", no(store("s1", "s1")), ["conditions.0.condition.stores.1"]),
    ("a sku given twice", presence_of("A", skus=["1", "2", "1"]), ["conditions.0.products.skus.2"]),
    ("the same name as sku and as brand", presence_of("A", skus=["A"]), []),
    ("all that is selected is excluded", presence_of("A", exclude={"brands": ["B", "A"]}), ["conditions.0.products.exclude"]),
    ("some of it is excluded", presence_of("A", "B", exclude={"brands": ["A"]}), []),
    ("a sku of the brand is excluded", presence_of("A", exclude={"skus": ["A"]}), []),
    ("everything but a brand", presence_of(exclude={"brands": ["A"]}), []),
    ("an attribute's values are excluded", presence_of(attributes=[{"name": "c", "values": ["x"]}], exclude={"attributes": [{"name": "c", "values": ["x", "y"]}]}), ["conditions.0.products.exclude"]),
    ("another attribute's values are", presence_of(attributes=[{"name": "c", "values": ["x"]}], exclude={"attributes": [{"name": "d", "values": ["x"]}]}), []),
    ("two of A and one of B", mix(({"brands": ["A"]}, 2000), ({"brands": ["B"]}, 1000)), []),
    ("A in both parts", mix(({"brands": ["A"]}, 2000), ({"brands": ["B", "A"]}, 1000)), ["conditions.0.parts.1.products.brands.1"]),
    ("A less something, and A", mix(({"brands": ["A"], "exclude": {"skus": ["1"]}}, 2000), ({"brands": ["A"]}, 1000)), []),
    ("anything, then A", mix(({}, 2000), ({"brands": ["A"]}, 1000)), ["conditions.0.parts.1.products"]),
    ("A, then anything else", mix(({"brands": ["A"]}, 1000), ({}, 2000)), []),
    ("a cap of a code that must not be there", no(code(cap=5)), ["conditions.0.condition.cap"]),
    ("a code that must not be there", no(code()), []),
    ("a cap of a code that must be there", no(no(code(cap=5))), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "fields"), [line[1:] for line in ALONE], ids=[line[0] for line in ALONE]
)
def test_a_condition_alone(condition: Json, fields: list[str]) -> None:
    assert faulty(condition) == fields


SECOND = f"conditions.1.{VALUE}"
BOUGHT: Json = {"products": {"brands": ["A"]}, "measure": "receipts"}
CARD, CASH = ({"kind": "payment_method", "methods": [m]} for m in ("card", "cash"))
NIGHT = {"kind": "time_of_day", "starts": "22:00", "ends": "06:00"}
NOON = {"kind": "time_of_day", "starts": "11:00", "ends": "13:00"}
EARLY = {"kind": "time_of_day", "starts": "05:59", "ends": "12:00"}
NEAR = {"kind": "near", "latitude_e6": 1, "longitude_e6": 1, "radius_m": 500}
SEGMENT = {"kind": "customer_segment", "segments": ["rare"]}
TOGETHER: list[tuple[str, tuple[Json, ...], list[str]]] = [
    ("over 5 and under 6", (total(">", 5), total("<", 6)), [SECOND]),
    ("over 5 and under 7", (total(">", 5), total("<", 7)), []),
    ("from 300 and up to 300", (total(">=", 300), total("<=", 300)), []),
    ("from 300 and below 300", (total(">=", 300), total("<", 300)), [SECOND]),
    ("between, apart", (total("between", 1, 5), total("between", 6, 9)), [SECOND]),
    ("between, touching", (total("between", 1, 5), total("between", 5, 9)), []),
    ("a gap cut out by nots", (no(total("<", 5)), no(total(">=", 5))), [f"conditions.1.condition.{VALUE}"]),
    ("all but one cut out by nots", (no(total("<", 5)), no(total(">", 5))), []),
    ("300 inside all, below 300 outside", (every(total(">=", 300)), total("<", 300)), [SECOND]),
    ("inside any it is one way of two", (any_of(total(">=", 300), store("s1")), total("<", 300)), [f"conditions.0.conditions.0.{VALUE}"]),
    ("not all of both leaves the other", (no(every(total(">=", 300), store("s1"))), total(">=", 300)), []),
    ("not all of what both must hold", (total(">=", 300), store("s1"), no(every(total(">=", 200), store("s1", "s2")))), ["conditions.2.condition"]),
    ("neither", (no(any_of(total(">=", 300), store("s1"))), total(">=", 300)), [SECOND]),
    ("goods for more than the receipt", (sum_of("A", ">=", 500), total("<", 500)), [SECOND]),
    ("goods for all of the receipt", (sum_of("A", ">=", 500), total("<=", 500)), []),
    ("few goods on a large receipt", (sum_of("A", "<", 500), total(">=", 900)), []),
    ("the same goods", (quantity_of("A", ">=", 3000), quantity_of("A", "<", 3000)), [SECOND]),
    ("other goods", (quantity_of("A", ">=", 3000), quantity_of("B", "<", 3000)), []),
    ("a kilogram of A, none of A or B", (quantity_of("A", ">=", 1000), no(presence_of("A", "B"))), ["conditions.1.condition"]),
    ("a kilogram of A or B, none of A", (presence_of("A", "B"), no(presence_of("A"))), []),
    ("none of it, and 5.00 of it", (quantity_of("A", "=", 0), sum_of("A", ">=", 500)), [SECOND]),
    ("some of it, for nothing", (presence_of("A"), sum_of("A", "=", 0)), []),
    ("A less a sku, and none of A", (presence_of("A", exclude={"skus": ["1"]}), no(presence_of("A"))), ["conditions.1.condition"]),
    ("A, and none of A less a sku", (presence_of("A"), no(presence_of("A", exclude={"skus": ["1"]}))), []),
    ("a mix larger than the receipt", (mix(({"brands": ["A"]}, 2000), ({"brands": ["B"]}, 1000)), compared("receipt_quantity", "<", 3000)), [SECOND]),
    ("a mix that is the receipt", (mix(({"brands": ["A"]}, 2000), ({"brands": ["B"]}, 1000)), compared("receipt_quantity", "<=", 3000)), []),
    ("no lines, but goods", (compared("line_count", "=", 0), compared("receipt_quantity", ">", 0)), [SECOND, "benefit.products"]),
    ("in two stores at once", (store("s1", "s2"), store("s3")), ["conditions.1.stores"]),
    ("in the store that both have", (store("s1", "s2"), store("s2", "s3")), []),
    ("in a store and not in it", (store("s1"), no(store("s1", "s2"))), ["conditions.1.condition.stores"]),
    ("in one of two and not in the other", (store("s1", "s2"), no(store("s1"))), []),
    ("a store and a region", (store("s1"), {"kind": "region", "regions": ["North"]}), []),
    ("two regions at once", ({"kind": "region", "regions": ["North"]}, {"kind": "region", "regions": ["South"]}), ["conditions.1.regions"]),
    ("two channels at once", ({"kind": "channel", "channels": ["web"]}, {"kind": "channel", "channels": ["till"]}), ["conditions.1.channels"]),
    ("two devices at once", ({"kind": "device", "devices": ["mobile"]}, {"kind": "device", "devices": ["tablet"]}), ["conditions.1.devices"]),
    ("two currencies at once", ({"kind": "currency", "currencies": ["UAH"]}, {"kind": "currency", "currencies": ["EUR"]}), ["conditions.1.currencies"]),
    ("weekend and weekday", (days("sat", "sun"), days("mon")), ["conditions.1.days"]),
    ("weekend and Sunday", (days("sat", "sun"), days("sun", "mon")), []),
    ("night and noon", (NIGHT, NOON), ["conditions.1.starts"]),
    ("night and early morning", (NIGHT, EARLY), []),
    ("not night, but noon", (no(NIGHT), NOON), []),
    ("by card alone and by cash alone", (CARD, CASH), ["conditions.1.methods"]),
    ("by card alone and not by card alone", (CARD, no(CARD)), ["conditions.1.condition.methods"]),
    ("neither by card alone nor by cash alone", (no(CARD), no(CASH)), []),
    ("a place and not the place", (NEAR, no(NEAR)), ["conditions.1.condition"]),
    ("a place and not another", (NEAR, no(NEAR | {"radius_m": 100})), []),
    ("two groups: a customer may be in both", (group("a"), group("b")), []),
    ("in a group and not in it", (group("a"), no(group("a", "b"))), ["conditions.1.condition.groups"]),
    ("in one of two groups and not in one", (group("a", "b"), no(group("a"))), []),
    ("in a segment and not in it", (SEGMENT, no(SEGMENT)), ["conditions.1.condition.segments"]),
    ("a code and not the code", (code(), no(code(condition_id="x"))), ["conditions.1.condition.emission_id"]),
    ("a code and not another", (code(), no(code("E2"))), []),
    ("a code, but not one's own", (code(), no(code(condition_id="x", own=True))), []),
    ("one's own code, but none", (code(own=True), no(code(condition_id="x"))), ["conditions.1.condition.emission_id"]),
    ("first purchase after others", (FIRST, visits(">=", 1)), [SECOND]),
    ("first purchase after none", (FIRST, visits("=", 0)), []),
    ("first purchase long after the last", (FIRST, days_since(">=", 30)), [SECOND]),
    ("first purchase, having bought A", (FIRST, compared("product_purchases", ">=", 1, **BOUGHT)), [SECOND]),
    ("A on more receipts than there were", (visits("<", 5), compared("product_purchases", ">=", 5, **BOUGHT)), [SECOND]),
    ("A on every receipt", (visits("<=", 5), compared("product_purchases", ">=", 5, **BOUGHT)), []),
    ("a kilogram of A on one receipt", (visits("=", 1), compared("product_purchases", ">=", 1000, **(BOUGHT | {"measure": "quantity"}))), []),
    ("spent without a purchase", (visits("=", 0), compared("purchase_sum", ">", 0)), [SECOND]),
    ("neither bought nor not: without a customer", (no(visits(">=", 1)), no(visits("<", 1))), []),
    ("neither bought nor not, of a customer", (group("a"), no(visits(">=", 1)), no(visits("<", 1))), [f"conditions.2.condition.{VALUE}"]),
    ("days since, apart", (days_since(">=", 10), days_since("<", 10)), [SECOND]),
    ("a stranger in a group", (STRANGER, group("a")), ["conditions.1"]),
    ("a stranger in a segment", (STRANGER, SEGMENT), ["conditions.1"]),
    ("a stranger's birthday", (STRANGER, BIRTHDAY), ["conditions.1"]),
    ("a stranger's first purchase", (STRANGER, FIRST), ["conditions.1"]),
    ("a stranger who has bought", (STRANGER, visits(">=", 1)), ["conditions.1"]),
    ("a stranger's own code", (STRANGER, code(own=True)), ["conditions.1"]),
    ("a stranger with a code", (STRANGER, code()), []),
    ("a stranger is in no group", (STRANGER, no(group("a"))), []),
    ("a birthday of a stranger", (BIRTHDAY, STRANGER), ["conditions.1.known"]),
    ("a known customer's birthday", (no(STRANGER), BIRTHDAY), []),
    ("known and unknown", ({"kind": "customer_known"}, STRANGER), ["conditions.1.known"]),
    ("two choices, none of which go together", (any_of(store("s1"), store("s2")), any_of(store("s3"), store("s4"))), ["conditions.1"]),
    ("two choices, one pair of which goes together", (any_of(store("s1"), store("s2")), any_of(store("s3"), store("s2", "s4"))), []),
    ("choices within choices", (any_of(every(store("s1"), any_of(days("mon"), days("tue"))), days("mon")), any_of(days("wed"), days("thu"))), ["conditions.1"]),
    ("the only way that is left", (store("s1"), no(every(store("s1"), total(">=", 300))), total(">=", 300)), ["conditions.1.condition"]),
    ("the only way that is left, and a benefit", (store("s1"), no(every(store("s1", "s2"), compared("line_count", ">", 0)))), ["benefit.products"]),
    ("a stranger, or a regular", (any_of(STRANGER, group("a")),), []),
    ("a stranger, or one inside a group", (any_of(every(STRANGER, group("a")), store("s1")),), ["conditions.0.conditions.0.conditions.1"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "fields"), [line[1:] for line in TOGETHER], ids=[line[0] for line in TOGETHER]
)
def test_conditions_together(conditions: tuple[Json, ...], fields: list[str]) -> None:
    assert faulty(*conditions) == fields


@pytest.mark.parametrize(
    ("period", "least", "is_kept"),
    [
        ("campaign", 10_000, True),
        ({"kind": "rolling", "days": 30}, 30, True),
        ({"kind": "rolling", "days": 30}, 31, False),
        ({"kind": "consecutive", "days": 14}, 15, False),
        ({"kind": "calendar", "unit": "day"}, 2, False),
        ({"kind": "calendar", "unit": "week"}, 6, True),
        ({"kind": "calendar", "unit": "month"}, 31, True),
        ({"kind": "calendar", "unit": "month"}, 32, False),
    ],
)
def test_days_since_a_purchase_fit_the_processing_period(
    period: Json, least: int, is_kept: bool
) -> None:
    found = faulty(days_since(">=", least), processing_period=period)
    assert found == ([] if is_kept else [f"conditions.0.{VALUE}"])


def test_the_message_names_the_other_condition_and_says_what_to_do() -> None:
    (fault,) = faults_of_definition(instrument(total(">=", 300), store("s1"), total("<", 300)))
    assert fault.message == "contradicts conditions.0, and both must hold: change one of them"
    (fault,) = faults_of_definition(instrument(total("<", 0)))
    assert fault.message == "can never be met: change it, or take the condition out"


def test_every_contradiction_is_named_at_once() -> None:
    assert faulty(total("<", 0), store("s1"), store("s2"), days("mon", "mon"), benefit=OFF) == [
        "conditions.3.days.1",
        "conditions.0.compare.value",
        "conditions.2.stores",
    ]


def test_a_large_definition_is_judged_in_no_time() -> None:
    skus = [f"sku-{n}" for n in range(1_000)]
    many = [
        compared("product_sum", ">=", n, products={"skus": skus[n:], "brands": [f"b{n}"]})
        for n in range(100)
    ]
    assert faulty(*many) == []
