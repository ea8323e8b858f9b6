"""What is counted, where, and what can't be."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiokafka.structs import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from services.analytics import stream
from services.analytics.rollup import InstrumentSums, ReceiptSums, ReturnSums, Rollup, TakeBackSums
from shared.codec import encode
from shared.events.reference import Store
from shared.events.values import Currency
from shared.outbox import REPEATS_HEADER
from shared.topics import BY_NAME, CAMPAIGNS, RECEIPTS, RETURNS, STORES
from tests import builders
from tests.unit.analytics.records import (
    MINUTE,
    NOON,
    OFFER,
    PLACE,
    applied,
    decision,
    fold,
    not_applied,
    receipt,
    record,
    redemption,
    returned,
    taken_back,
)


def test_receipts_of_a_minute_and_place_add_up() -> None:
    rollup = fold(
        [
            receipt(total=1_000, discount=100, bonuses=5),
            receipt(total=500, occurred_at=NOON.replace(second=59)),
        ]
    )
    assert rollup.receipts == {(MINUTE, PLACE): ReceiptSums(2, 1_500, 100, 1_400, 5)}


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"store_id": "store-2"}, ("store-2", "till", "North", "EUR")),
        ({"device": "mobile"}, ("store-1", "mobile", "North", "EUR")),
        ({"region": "South"}, ("store-1", "till", "South", "EUR")),
        ({"currency": Currency("USD")}, ("store-1", "till", "North", "USD")),
    ],
)
def test_each_dimension_has_cells_of_its_own(values: dict[str, Any], place: object) -> None:
    assert fold([receipt(), receipt(**values)]).receipts == {
        (MINUTE, PLACE): ReceiptSums(1, 1_000, 0, 1_000, 0),
        (MINUTE, place): ReceiptSums(1, 1_000, 0, 1_000, 0),
    }


def test_the_minute_is_that_of_occurred_at_in_utc() -> None:
    zone = builders.ZONE
    records = [
        receipt(occurred_at=NOON.replace(second=0)),
        receipt(occurred_at=(NOON + timedelta(seconds=29)).astimezone(zone)),
        receipt(occurred_at=NOON + timedelta(seconds=30)),
        receipt(occurred_at=NOON - timedelta(seconds=31)),
    ]
    assert {minute: sums.receipts for (minute, _), sums in fold(records).receipts.items()} == {
        MINUTE: 2,
        MINUTE + 1: 1,
        MINUTE - 1: 1,
    }


def test_an_activation_counts_its_discount_bonuses_and_what_was_paid() -> None:
    rollup = fold(
        [receipt(total=1_000, discount=100, redemptions=(redemption(discount=100, bonuses=7),))]
    )
    assert rollup.instruments == {
        (MINUTE, PLACE, OFFER): InstrumentSums(activations=1, discount=100, revenue=900, bonuses=7)
    }


def test_what_was_given_without_right_is_no_activation() -> None:
    rollup = fold(
        [
            receipt(
                discount=100,
                redemptions=(redemption(status="unauthorised", discount=100),),
            )
        ]
    )
    assert rollup.instruments == {
        (MINUTE, PLACE, OFFER): InstrumentSums(unauthorised=1, unauthorised_discount=100)
    }


def test_a_return_counts_when_it_came_in_and_where_the_sale_was() -> None:
    rollup = fold([returned(refund=900), returned(refund=50, complete=False)])
    assert rollup.returns == {(MINUTE, PLACE): ReturnSums(2, 950)}
    assert rollup.receipts == {}


def test_an_activation_whose_slot_is_released_is_returned_with_its_discount_and_bonuses() -> None:
    rollup = fold([returned(redemptions=(taken_back(discount=100, bonuses=7),))])
    assert rollup.take_backs == {
        (MINUTE, PLACE, OFFER): TakeBackSums(returned=1, returned_discount=100, returned_bonuses=7)
    }


@pytest.mark.parametrize("status", ["committed", "returned"])
def test_an_activation_that_keeps_its_slot_stands_whatever_is_taken_back(status: str) -> None:
    rollup = fold([returned(redemptions=(taken_back(status=status, released=False, discount=40),))])
    assert rollup.take_backs == {(MINUTE, PLACE, OFFER): TakeBackSums(returned_discount=40)}


def test_what_was_given_without_right_is_no_activation_when_it_comes_back() -> None:
    rollup = fold(
        [returned(redemptions=(taken_back(status="unauthorised", released=False, discount=100),))]
    )
    assert rollup.take_backs == {
        (MINUTE, PLACE, OFFER): TakeBackSums(returned_unauthorised_discount=100)
    }


def test_what_was_sold_stays_as_it_was() -> None:
    sold = receipt(discount=100, redemptions=(redemption(discount=100),))
    back = returned(refund=900, redemptions=(taken_back(discount=100),))
    rollup, alone = fold([back, sold]), fold([sold])
    assert (rollup.receipts, rollup.instruments) == (alone.receipts, alone.instruments)


def test_a_cart_counts_for_every_instrument_it_considered_and_for_those_that_gave() -> None:
    rollup = fold([decision(applied=(applied(),), not_applied=(not_applied("instrument-2"),))])
    assert rollup.instruments == {
        (MINUTE, PLACE, OFFER): InstrumentSums(carts=1, decided=1),
        (MINUTE, PLACE, ("campaign-1", "instrument-2", "")): InstrumentSums(carts=1),
    }
    assert rollup.refusals == {(MINUTE, PLACE, ("campaign-1", "instrument-2", "code_missing")): 1}


def test_two_reasons_of_one_instrument_are_two_refusals_of_one_cart() -> None:
    both = (
        not_applied("instrument-1", "code_missing"),
        not_applied("instrument-1", "condition_not_met"),
    )
    rollup = fold([decision(not_applied=both)])
    assert rollup.instruments[MINUTE, PLACE, OFFER].carts == 1
    assert sorted(kind[2] for _, _, kind in rollup.refusals) == [
        "code_missing",
        "condition_not_met",
    ]


def test_every_revision_counts_as_a_cart() -> None:
    rollup = fold([decision(applied=(applied(),), revision=number) for number in (1, 2)])
    assert rollup.instruments[MINUTE, PLACE, OFFER].carts == 2


def test_a_decision_that_is_said_again_counts_once() -> None:
    """A till that hears nothing asks again, and is answered again."""
    said = decision(applied=(applied(),))
    again = replace(said, headers=((REPEATS_HEADER, b"1"),))
    assert fold([said, again]) == fold([said])


@pytest.mark.parametrize(
    "values",
    [
        {"intent": "quote"},
        {"intent": "cancel", "outcome": "cancelled"},
        {"outcome": "superseded"},
        {"outcome": "paid"},
    ],
)
def test_only_decided_checkouts_count(values: dict[str, Any]) -> None:
    rollup = fold(
        [decision(applied=(applied(),), not_applied=(not_applied("instrument-2"),), **values)]
    )
    assert rollup == Rollup()


def test_the_latest_version_of_a_campaign_is_kept_whatever_the_order() -> None:
    versions = [
        record(CAMPAIGNS.name, encode(builders.campaign(version=n, name=f"version {n}")))
        for n in (2, 3, 1)
    ]
    rollup = fold(versions)
    assert rollup.campaigns["campaign-1"].name == "version 3"
    assert [i.instrument_id for i in rollup.campaigns["campaign-1"].instruments] == ["instrument-1"]


def test_the_last_state_of_a_store_is_kept() -> None:
    def store(name: str) -> ConsumerRecord:
        state = Store(
            store_id="store-1",
            name=name,
            region="North",
            time_zone="Europe/Vienna",
            currency=Currency("EUR"),
        )
        return record(STORES.name, encode(state))

    assert fold([store("first"), store("second")]).stores["store-1"].name == "second"


@pytest.mark.parametrize("topic", [CAMPAIGNS.name, STORES.name])
def test_a_deleted_campaign_or_store_keeps_its_name(topic: str) -> None:
    assert fold([record(topic, None)]) == Rollup()


def altered(**values: Any) -> bytes:
    good = receipt().value
    assert good is not None
    return msgspec.json.encode({**msgspec.json.decode(good), **values})


@pytest.mark.parametrize(
    ("value", "reason", "named"),
    [
        (None, "no_value", "value"),
        (b"", "invalid_json", "JSON"),
        (b'{"store_id": ', "invalid_json", "JSON"),
        (b'{"store_id": "\xff"}', "invalid_json", "JSON"),
        (b"[]", "invalid_field", "array"),
        (altered(total="a lot"), "invalid_field", "$.total"),
        (altered(total=-1), "invalid_field", "$.total"),
        (altered(total=1.5), "invalid_field", "$.total"),
        (altered(total=10**13), "invalid_field", "$.total"),
        (altered(total=10**30), "invalid_field", "$.total"),
        (altered(store_id=""), "invalid_field", "$.store_id"),
        (altered(region="x" * 201), "invalid_field", "$.region"),
        (altered(store_id="a\0b"), "invalid_field", "null byte"),
        (altered(occurred_at="2026-12-10T12:00:00"), "invalid_field", "$.occurred_at"),
        (altered(occurred_at="0001-01-01T00:00:00Z"), "implausible_time", "occurred_at"),
        (altered(occurred_at="9999-12-31T23:59:59-12:00"), "implausible_time", "occurred_at"),
        (altered(redemptions=[{"status": "secret"}]), "invalid_field", "$.redemptions[0]"),
    ],
)
def test_what_cannot_be_used_is_named_and_the_rest_is_counted(
    value: bytes | None, reason: str, named: str
) -> None:
    bad = record(RECEIPTS.name, value, offset=1)
    rollup, dead = stream.fold([receipt(), bad, receipt()])
    assert [(letter.record, letter.reason) for letter in dead] == [(bad, reason)]
    assert named in dead[0].detail
    assert rollup.receipts == {(MINUTE, PLACE): ReceiptSums(2, 2_000, 0, 2_000, 0)}


def test_the_reason_quotes_nothing_of_the_message() -> None:
    redemptions = [{**msgspec.to_builtins(redemption().model_dump()), "status": "secret"}]
    _, (letter,) = stream.fold([record(RECEIPTS.name, altered(redemptions=redemptions))])
    assert "secret" not in letter.detail


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"refund": -1}, "invalid_field"),
        ({"sold_in": ""}, "invalid_field"),
        ({"occurred_at": "9999-12-31T23:59:59Z"}, "implausible_time"),
        ({"redemptions": [{"status": "held"}]}, "invalid_field"),
    ],
)
def test_a_return_that_cannot_be_used_counts_nowhere(values: dict[str, Any], reason: str) -> None:
    good = msgspec.json.decode(returned(redemptions=(taken_back(),)).value)
    bad = record(RETURNS.name, msgspec.json.encode({**good, **values}))
    rollup, dead = stream.fold([bad])
    assert [letter.reason for letter in dead] == [reason]
    assert rollup == Rollup()


def test_unknown_fields_and_escapes_in_texts_are_no_reason() -> None:
    rollup = fold([record(RECEIPTS.name, altered(new_field=[1], region='No"rth\\u0000'))])
    assert [place for _, place in rollup.receipts] == [("store-1", "till", 'No"rth\\u0000', "EUR")]


receipts = st.builds(
    lambda store, second, total, given_discount: receipt(
        store_id=store,
        occurred_at=NOON + timedelta(seconds=second),
        total=total,
        discount=min(total, given_discount),
        redemptions=(redemption(discount=min(total, given_discount)),) if given_discount else (),
    ),
    st.sampled_from(["store-1", "store-2"]),
    st.integers(0, 180),
    st.integers(0, 10**12),
    st.integers(0, 500),
)
decisions = st.builds(
    lambda names, refused: decision(
        applied=tuple(map(applied, sorted(names))),
        not_applied=tuple(map(not_applied, sorted(refused - names))),
    ),
    st.sets(st.sampled_from(["instrument-1", "instrument-2"])),
    st.sets(st.sampled_from(["instrument-2", "instrument-3"])),
)


returns = st.builds(
    lambda second, refund, released, discount: returned(
        occurred_at=NOON + timedelta(seconds=second),
        refund=refund,
        redemptions=(taken_back(released=released, discount=discount),),
    ),
    st.integers(0, 180),
    st.integers(0, 10**12),
    st.booleans(),
    st.integers(0, 500),
)


@given(st.lists(receipts | returns | decisions, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(
    records: list[ConsumerRecord], chance: random.Random
) -> None:
    shuffled = records.copy()
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(records)


@given(st.lists(receipts, max_size=30))
def test_nothing_is_lost_between_the_cells(records: list[ConsumerRecord]) -> None:
    rollup = fold(records)
    bodies = [msgspec.json.decode(item.value) for item in records]
    sums = rollup.receipts.values()
    assert sum(s.receipts for s in sums) == len(records)
    assert sum(s.total for s in sums) == sum(body["total"] for body in bodies)
    assert sum(s.paid for s in sums) == sum(body["paid"] for body in bodies)


def test_every_topic_that_is_folded_is_declared() -> None:
    assert set(stream.TOPICS) <= set(BY_NAME)
