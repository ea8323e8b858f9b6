"""What is sent without building the contract's models says the same as they do."""

from datetime import timedelta

import msgspec
import pytest

from services.evaluator import answer, outgoing, record
from services.evaluator.promotion import UnusedCode, Verdict, judge, verdict
from shared import codec
from shared.events import outcome
from shared.events.benefits import GiftGoods
from shared.events.checkout import Cart
from shared.events.values import Event, Gift
from tests.builders import (
    NOON,
    all_free,
    basket,
    campaign,
    cart,
    instrument,
    line,
    ruleset,
    total,
)

MODELS: list[tuple[type[Event], type[msgspec.Struct]]] = [
    (outcome.Decision, answer.Decision),
    (outcome.Applied, answer.Applied),
    (outcome.NotApplied, verdict.Refused),
    (outcome.NearMiss, verdict.NearMiss),
    (outcome.DecidedLine, verdict.DecidedLine),
    (outcome.LineDiscount, answer.LineDiscount),
    (outcome.PriceGroup, verdict.PriceGroup),
    (outcome.UnusedCode, verdict.UnusedCode),
    (outcome.InstrumentName, verdict.InstrumentName),
    (Gift, answer.Gift),
    (outcome.Redemption, outgoing.RedemptionChanged),
    (outcome.Receipt, record.ReceiptRecorded),
    (outcome.RecordedLine, record.RecordedLine),
    (outcome.ReceiptRedemption, record.ReceiptRedemption),
]


@pytest.mark.parametrize(("model", "struct"), MODELS, ids=lambda one: one.__name__)
def test_every_field_of_the_contract_is_there_in_its_order(
    model: type[Event], struct: type[msgspec.Struct]
) -> None:
    assert struct.__struct_fields__ == tuple(model.model_fields)


def answer_to(event: Cart, verdict: Verdict | None) -> answer.Decision:
    return answer.of(
        event,
        verdict,
        decision_id="d-1",
        outcome="decided" if verdict else "cancelled",
        region="Vienna",
        device="till",
        decided_at=NOON + timedelta(microseconds=5),
        expires_at=NOON + timedelta(minutes=15) if verdict else None,
        ruleset_version=7,
        ruleset_hash="00ff",
        unknown_codes=[1] if verdict else [],
    )


def decided() -> answer.Decision:
    """A decision with something in every field."""
    event = cart(
        [line(1, amount=1_001, quantity=3_000), line(2, amount=500)],
        customer_id="c-1",
        price_groups=True,
        codes=["NONE", "NEVER"],
    )
    gift = GiftGoods(gifts=(Gift(sku="cup"),))
    instruments = [
        instrument("i-1"),
        instrument("i-2", benefit=gift),
        instrument("i-3", [total(2_000)]),
        instrument("i-4", stacking="exclusive"),
    ]
    rules = ruleset(campaign(instruments=instruments))
    found = judge(rules.consider(basket(event.lines, customer_id="c-1")), all_free)
    return answer_to(
        event, msgspec.structs.replace(found, unused_codes=(UnusedCode(0, "no_campaign"),))
    )


@pytest.mark.parametrize(("model", "struct"), MODELS, ids=lambda one: one.__name__)
def test_what_is_left_out_is_what_the_contract_has_as_default(
    model: type[Event], struct: type[msgspec.Struct]
) -> None:
    for field in msgspec.structs.fields(struct):
        if field.default is not msgspec.NODEFAULT:
            assert model.model_fields[field.name].default == field.default


def test_whoever_reads_it_by_the_model_reads_the_same() -> None:
    found = decided()
    body = answer.encode(found)
    model = codec.decode(outcome.Decision, body)
    assert answer.decode(codec.encode(model)) == found
    assert model.discount == found.discount > 0
    assert model.applied[0].lines[0].discount == found.applied[0].lines[0].discount
    assert model.near_misses[0].missing == found.near_misses[0].missing
    assert model.not_applied[-1].outranked_by is not None
    assert model.lines[0].price_groups
    assert model.occurred_at == found.occurred_at


def test_what_is_not_decided_has_neither_benefits_nor_reasons() -> None:
    found = answer_to(cart([line(amount=700)], intent="cancel"), None)
    model = codec.decode(outcome.Decision, answer.encode(found))
    assert answer.decode(codec.encode(model)) == found
    assert (found.total, found.discount, found.applied, found.not_applied) == (700, 0, (), ())


def test_it_is_read_as_it_was_written() -> None:
    found = decided()
    assert answer.decode(answer.encode(found)) == found
