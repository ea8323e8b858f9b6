"""What is folded for marketers: whatever the order, and nothing of what is refused."""

from itertools import permutations
from typing import Any

import pytest

from services.analytics import stream
from services.analytics.insight.folding import CampaignSums, Paid, customer_of
from shared.events.outcome import RecordedLine
from shared.topics import RECEIPTS
from tests.unit.analytics.records import (
    NOON,
    PLACE,
    fold,
    receipt,
    record,
    redemption,
    returned,
    taken_back,
)

DAY = 20_797  # 2026-12-10


def bought(**values: Any) -> Any:
    return receipt(redemptions=(redemption(discount=7),), discount=7, **values)


def test_a_receipt_counts_once_for_a_campaign_whose_instruments_it_met() -> None:
    both = (redemption(discount=3), redemption(instrument_id="other", discount=4))
    found = fold([receipt(redemptions=both, discount=7, customer_id="c")]).insight
    assert found.campaign_days == {
        (DAY, PLACE, "campaign-1"): CampaignSums(1, units=1_000, discount=7, revenue=993)
    }


def test_what_was_given_without_right_is_no_benefit_of_the_campaign() -> None:
    given = (redemption(status="unauthorised", discount=5),)
    assert fold([receipt(redemptions=given)]).insight.campaign_days == {}


def test_customers_of_both_arms_are_counted_with_all_they_paid() -> None:
    found = fold(
        [
            receipt(customer_id="c", exposed=("a", "b"), held_back=("b",)),
            receipt(customer_id="c", exposed=("a",), total=50),
            receipt(customer_id="c"),
        ]
    ).insight
    who = customer_of("c")
    assert found.participants == {
        ("a", "EUR", False, who): Paid(2, 1_050),
        ("b", "EUR", True, who): Paid(1, 1_000),
    }


def test_customers_are_numbers_that_tell_nothing_of_their_ids() -> None:
    assert -(2**63) <= customer_of("c-1") < 2**63
    assert len({customer_of(f"c-{n}") for n in range(1_000)}) == 1_000


def test_the_order_of_the_records_does_not_matter() -> None:
    back = returned(refund=5, customer_id="c", sold_at=NOON, redemptions=(taken_back(discount=2),))
    records = [bought(customer_id="c", exposed=("a",)), bought(), back]
    first = fold(records).insight
    assert first.refunds == {(customer_of("c"), "EUR", 29_948_400): 5}
    for other in permutations(records):
        assert fold(list(other)).insight == first


@pytest.mark.parametrize(
    "line",
    [
        b'{"line":1,"sku":"a\\u0000","quantity":1,"amount":1,"discount":0}',
        b'{"line":1,"sku":"a","quantity":"many","amount":1,"discount":0}',
    ],
)
def test_nothing_is_counted_of_a_receipt_whose_lines_cannot_be_read(line: bytes) -> None:
    good = bought(lines=(RecordedLine(line=1, sku="a", quantity=1, amount=1, discount=0),))
    value = good.value.replace(good.value.split(b'"lines":[')[1].split(b"]")[0], line)
    rollup, [dead] = stream.fold([record(RECEIPTS.name, value)])
    assert (rollup.receipts, rollup.insight.campaign_days) == ({}, {})
    assert dead.reason == "invalid_field"


def test_lines_that_nobody_asks_for_are_not_read() -> None:
    value = receipt().value
    assert value is not None
    broken = value.replace(b'"quantity":1000', b'"quantity":"many"')
    assert broken != value
    assert fold([record(RECEIPTS.name, broken)]).receipts
