"""Of which emission a used code is: said by the decision, the receipt's record, and its return."""

from datetime import UTC

import msgspec
import pytest

from services.evaluator import answer, outgoing, receipt, recording
from services.evaluator.promotion import judge
from services.evaluator.promotion.exposure import Exposure
from services.evaluator.purchases import paid_receipt
from services.evaluator.receipt import Receipt, decision_of
from services.evaluator.record import ReceiptRecorded
from services.evaluator.reversal import reverse
from shared.codec import decode
from shared.events import outcome
from shared.events.checkout import Sale
from tests.builders import (
    NOON,
    all_free,
    bonuses,
    campaign,
    code,
    given,
    instrument,
    ruleset,
    sale,
    sold_line,
)
from tests.unit.evaluator.test_receipt import (
    WELCOME,
    answered,
    circumstances,
    counters,
    paid,
    welcome,
)
from tests.unit.evaluator.test_reversal import a_return


def recorded(event: Sale, known: Receipt | None = None) -> receipt.Recorded:
    before = known or receipt.open_receipt(event)
    return receipt.record(event, before, circumstances(event), counters())


@pytest.mark.parametrize("decided_before", [True, False])
def test_a_sale_is_recorded_with_it_also_when_its_cart_was_never_decided(
    decided_before: bool,
) -> None:
    known = answered(welcome()) if decided_before else None
    [redemption] = recorded(paid(), known).record.redemptions
    assert (redemption.status, redemption.emission_id) == ("committed", "WELCOME")


def test_what_a_till_gave_without_right_is_of_no_emission() -> None:
    event = sale([sold_line(discount=10)], [given("other", "other", discount=10)])
    [redemption] = recorded(event).record.redemptions
    assert (redemption.status, redemption.emission_id) == ("unauthorised", None)


def test_points_of_a_card_shown_late_are_of_the_code_that_was_there_before() -> None:
    rules = ruleset(campaign(instruments=[instrument(conditions=[code()], benefit=bonuses(5))]))
    cart = welcome()
    slots = counters()
    known = receipt.answer(
        cart, receipt.open_receipt(cart), circumstances(cart, rules), slots
    ).receipt
    assert known.decision is not None
    assert known.decision.applied == ()
    event = paid(gave=False).model_copy(update={"customer_id": "c-1"})
    record = receipt.record(event, known, circumstances(event, rules), slots).record
    assert [r.emission_id for r in record.redemptions] == ["WELCOME"]


def test_a_return_says_it_too() -> None:
    event = paid()
    done = recorded(event)
    assert done.receipt.decision is not None
    reversal = reverse(a_return(), done.receipt, paid_receipt(event), counters())
    message = outgoing.returned_message(
        a_return(), reversal, done.receipt.decision, b"key", (0, 0), NOON
    )
    assert isinstance(message.body, bytes)
    [back] = decode(outcome.Returned, message.body).redemptions
    assert (back.status, back.emission_id) == ("returned", "WELCOME")


def test_a_decision_of_an_earlier_version_is_made_again_to_the_byte() -> None:
    """It did not say the emission, and its facts did not say whether it did."""
    cart = welcome()
    at = NOON.astimezone(UTC)  # as the database's clock is
    told = msgspec.structs.replace(circumstances(cart), now=at, expires_at=at)
    now = receipt.answer(cart, receipt.open_receipt(cart), told, counters())
    facts = recording.facts_of(told, now.free or {})
    [applied] = now.decision.applied
    then = msgspec.structs.replace(
        now.decision, applied=(msgspec.structs.replace(applied, emission_id=None),)
    )
    older = msgspec.msgpack.encode(msgspec.msgpack.decode(recording.encode_facts(facts))[:16])

    def again(kept: bytes) -> bytes:
        circumstances = recording.circumstances_of(
            cart, receipt.event_key_of(then.decision_id), recording.decode_facts(kept), WELCOME
        )
        return answer.encode(
            decision_of(cart, circumstances, judge(circumstances.considered, all_free))
        )

    assert again(older) == answer.encode(then)
    assert again(recording.encode_facts(facts)) == answer.encode(now.decision)
    assert b"emission_id" not in answer.encode(then)
    assert answer.decode(answer.encode(then)) == then


def test_a_record_tells_of_control_groups_what_the_sale_was_exposed_to() -> None:
    event = paid().model_copy(update={"customer_id": "c-1"})
    given_ = msgspec.structs.replace(circumstances(event), exposure=Exposure(("a", "b"), ("b",)))
    record = receipt.record(event, receipt.open_receipt(event), given_, counters()).record
    assert (record.exposed, record.held_back) == (("a", "b"), ("b",))
    body = outgoing.receipt_message(record).body
    assert isinstance(body, bytes)
    model = decode(outcome.Receipt, body)
    assert (model.exposed, model.held_back) == (("a", "b"), ("b",))


def test_a_record_without_control_groups_is_as_it_was() -> None:
    record = recorded(paid()).record
    assert isinstance(record, ReceiptRecorded)
    body = outgoing.receipt_message(record).body
    assert isinstance(body, bytes)
    assert b"exposed" not in body
    assert b"held_back" not in body
