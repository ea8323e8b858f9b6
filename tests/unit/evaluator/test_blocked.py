"""From whom promotions are withheld: what a receipt of theirs gets, and what it had before."""

from datetime import UTC, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from services.evaluator import answer, discretion, receipt, recording
from services.evaluator.circumstances import Circumstances
from services.evaluator.guessing import failed_codes
from services.evaluator.payment import Points
from services.evaluator.promotion import judge
from services.evaluator.promotion.blocks import Blocks, Span, Subject, SubjectKind
from services.evaluator.receipt import Receipt, decision_of
from shared.events.checkout import Cart, Sale
from tests.builders import (
    NOON,
    all_free,
    bonuses,
    campaign,
    cart,
    instrument,
    ruleset,
    unknown_code,
)
from tests.unit.evaluator.test_receipt import (
    WELCOME,
    answered,
    circumstances,
    counters,
    paid,
    slots_of,
    statuses,
    welcome,
)

SECOND = timedelta(seconds=1)
EARNS = ruleset(campaign(instruments=[instrument(benefit=bonuses(5))]))


def withheld(
    event: Cart | Sale, whose: SubjectKind = "customer", rules: Any = WELCOME
) -> Circumstances:
    """What an event is decided with whose customer, device or cashier is blocked."""
    at = NOON.astimezone(UTC)  # as the database's clock is
    given = circumstances(event, rules)
    basket = replace(given.considered.reading.basket, blocked=whose)
    return replace(given, considered=rules.consider(basket), now=at, expires_at=at + SECOND)


def asked(event: Cart, known: Receipt | None = None, slots: Any = None) -> receipt.Answer:
    before = known or receipt.open_receipt(event)
    return receipt.answer(event, before, withheld(event), slots or counters())


def test_nothing_is_given_held_or_told_of_codes() -> None:
    slots = counters()
    found = asked(welcome(), slots=slots)
    decision = found.decision
    assert (decision.outcome, decision.blocked) == ("decided", "customer")
    assert (decision.discount, decision.applied, decision.not_applied) == (0, (), ())
    assert [(u.code, u.reason) for u in decision.unused_codes] == [(0, "not_applied")]
    told = withheld(welcome())
    nobodys = replace(told.considered.reading.basket, codes=(unknown_code("NOSUCH"),))
    assert nobodys.unknown_codes == []
    assert replace(nobodys, blocked=None).unknown_codes == [0]
    assert found.receipt.redemptions == {}
    assert slots_of(slots) == (0, 0)


def test_a_revision_lets_go_of_what_was_held_before_the_block() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    assert slots_of(slots) == (1, 0)
    found = asked(welcome(revision=1), held, slots)
    assert statuses(found.receipt) == ["released"]
    assert slots_of(slots) == (0, 0)


def test_points_are_told_and_none_may_be_held() -> None:
    event = welcome(customer_id="c-1", pay_bonuses=500)
    points = Points(balance=900, available=900, share=5_000)
    told = replace(withheld(event), points=points)
    decision = receipt.answer(event, receipt.open_receipt(event), told, counters()).decision
    assert (decision.bonus_balance, decision.bonuses_payable, decision.bonuses_held) == (900, 0, 0)
    free = replace(circumstances(event), points=points)
    other = receipt.answer(event, receipt.open_receipt(event), free, counters()).decision
    assert other.bonuses_held == 500


def test_a_sale_that_was_never_decided_has_no_right_to_what_the_till_gave() -> None:
    event = paid()
    done = receipt.record(event, receipt.open_receipt(event), withheld(event), counters())
    [redemption] = done.record.redemptions
    assert (redemption.status, redemption.discount) == ("unauthorised", 1_000)
    assert done.receipt.decision is not None
    assert done.receipt.decision.blocked == "customer"


def test_a_sale_earns_nothing() -> None:
    event = paid(gave=False).model_copy(update={"customer_id": "c-1", "codes": ()})
    before = receipt.open_receipt(event)
    free = receipt.record(event, before, circumstances(event, EARNS), counters())
    assert free.record.bonuses == 5
    done = receipt.record(event, before, withheld(event, rules=EARNS), counters())
    assert (done.record.bonuses, done.record.redemptions) == (0, ())


def test_what_was_decided_before_the_block_is_committed_all_the_same() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    done = receipt.record(paid(), held, withheld(paid()), slots)
    assert statuses(done.receipt) == ["committed"]
    assert slots_of(slots) == (0, 1)


def test_what_was_decided_while_it_lasted_stands_once_it_is_lifted() -> None:
    known = asked(welcome()).receipt
    done = receipt.record(paid(), known, circumstances(paid()), counters())
    assert statuses(done.receipt) == ["unauthorised"]


@pytest.mark.parametrize("whose", ["the customer", "the cart's device"])
def test_a_card_that_is_shown_late_earns_nothing(whose: str) -> None:
    event = cart(receipt_id="receipt-1")
    free = receipt.answer(event, receipt.open_receipt(event), circumstances(event), counters())
    late = paid(gave=False).model_copy(update={"customer_id": "c-1", "codes": ()})
    told = circumstances(late, EARNS)
    assert receipt.record(late, free.receipt, told, counters()).record.bonuses == 5
    known = free.receipt
    if whose == "the customer":
        told = withheld(late, rules=EARNS)
    else:
        known = receipt.answer(
            event, receipt.open_receipt(event), withheld(event, "device"), counters()
        ).receipt
    assert receipt.record(late, known, told, counters()).record.redemptions == ()


def test_codes_that_were_not_looked_at_are_no_guesses() -> None:
    event = cart(codes=["WELCOME", "NOSUCH"])
    found = asked(event)
    assert failed_codes([b"1" * 16, b"2" * 16], found.decision, found.free or {}) == []


def test_anonymous_callers_are_not_told_why() -> None:
    decision = asked(welcome()).decision
    told = discretion.anonymous(decision, [0])
    assert told.blocked is None
    assert b"blocked" not in answer.encode(told)


@pytest.mark.parametrize("intent", ["cancel", "checkout"])
def test_only_what_was_decided_says_it(intent: str) -> None:
    known = answered(welcome(revision=2))
    event = welcome(revision=3 if intent == "cancel" else 1, intent=intent)
    assert asked(event, known).decision.blocked is None


def test_it_is_made_again_to_the_byte() -> None:
    event = welcome()
    told = withheld(event, "cashier")
    made = receipt.answer(event, receipt.open_receipt(event), told, counters())
    kept = recording.encode_facts(recording.facts_of(told, made.free or {}))
    facts = recording.decode_facts(kept)
    key = receipt.event_key_of(made.decision.decision_id)
    given = recording.circumstances_of(event, key, facts, WELCOME)
    again = answer.encode(decision_of(event, given, judge(given.considered, all_free)))
    assert again == answer.encode(made.decision)
    assert b'"blocked":"cashier"' in again
    earlier = msgspec.msgpack.encode(msgspec.msgpack.decode(kept)[:-1])
    assert recording.decode_facts(earlier).blocked is None


BLOCKS = Blocks(
    {
        Subject("customer", "c-1"): Span(NOON, NOON + SECOND),
        Subject("device", "cookie-7"): Span(NOON),
        Subject("cashier", "store-1:anna"): Span(NOON),
    }
)


@pytest.mark.parametrize(
    ("values", "whose"),
    [
        ({"customer_id": "c-1"}, "customer"),
        ({"customer_id": "c-1", "occurred_at": NOON + SECOND}, None),
        ({"customer_id": "c-1", "occurred_at": NOON - SECOND}, None),
        ({"customer_id": "c-2"}, None),
        ({"device_id": "cookie-7"}, "device"),
        ({"device_id": "cookie-7", "occurred_at": NOON + timedelta(days=399)}, "device"),
        ({"cashier_id": "anna"}, "cashier"),
        ({"cashier_id": "anna", "store_id": "store-2"}, None),
        ({"customer_id": "c-2", "device_id": "cookie-7", "cashier_id": "anna"}, "device"),
        ({"customer_id": "c-1", "device_id": "cookie-7"}, "customer"),
        ({}, None),
    ],
)
def test_whose_block_an_event_meets(values: dict[str, Any], whose: str | None) -> None:
    assert BLOCKS.on(cart(**values)) == whose
    assert Blocks().on(cart(**values)) is None
