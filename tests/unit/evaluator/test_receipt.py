"""The life of a receipt: revisions, holds, payment, expiry. One counter, no servers."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.evaluator import receipt
from services.evaluator.answer import encode
from services.evaluator.circumstances import Circumstances
from services.evaluator.counters import Counter, Counters
from services.evaluator.facts import incoming
from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.receipt import ConflictError, Receipt
from shared import codes
from shared.events.checkout import Cart, Sale
from tests.builders import (
    CODE_KEY,
    NOON,
    bonuses,
    campaign,
    cart,
    code,
    given,
    instrument,
    line,
    percent_off,
    ruleset,
    sale,
    sold_line,
)

CAP = "campaign-1/instrument-1/code"
HOLD = timedelta(minutes=15)
WELCOME = ruleset(
    campaign(instruments=[instrument(conditions=[code("WELCOME", cap=2)])]),
)


def counters(**more: Counter) -> Counters:
    return Counters({CAP: Counter(cap=2), **more})


def circumstances(
    event: Cart | Sale, rules: Ruleset = WELCOME, event_id: str = "e"
) -> Circumstances:
    came = incoming(event, event_id, event.model_dump_json().encode())
    presented = tuple(
        PresentedCode(n, codes.digest(text, CODE_KEY), text) for n, text in enumerate(event.codes)
    )
    return Circumstances(
        event_key=came.key,
        body_digest=came.body_digest,
        considered=rules.consider(
            Basket(
                store_id=event.store_id,
                occurred_at=event.occurred_at,
                lines=event.lines,
                region="West",
                customer_id=event.customer_id,
                codes=presented,
            )
        ),
        region="West",
        device="till",
        now=NOON,
        expires_at=NOON + HOLD,
    )


def welcome(revision: int = 0, receipt_id: str = "receipt-1", **values: object) -> Cart:
    return cart(
        [line(amount=10_000)], codes=["WELCOME"], revision=revision, receipt_id=receipt_id, **values
    )


def paid(discount: int = 1_000, receipt_id: str = "receipt-1", *, gave: bool = True) -> Sale:
    benefits = [given(discount=discount)] if gave else []
    sold = sold_line(amount=10_000, discount=discount if gave else 0)
    return sale([sold], benefits, codes=["WELCOME"], receipt_id=receipt_id)


def answered(event: Cart, known: Receipt | None = None, slots: Counters | None = None) -> Receipt:
    before = known or receipt.open_receipt(event)
    return receipt.answer(event, before, circumstances(event), slots or counters()).receipt


def statuses(known: Receipt) -> list[str]:
    return [redemption.status for redemption in known.redemptions.values()]


def slots_of(slots: Counters) -> tuple[int, int]:
    return slots[CAP].held, slots[CAP].used


def test_a_checkout_holds_the_slots_it_needs_until_it_expires() -> None:
    slots = counters()
    answer = receipt.answer(
        welcome(), receipt.open_receipt(welcome()), circumstances(welcome()), slots
    )
    [held] = answer.receipt.redemptions.values()
    assert slots_of(slots) == (1, 0)
    assert (held.status, held.discount, held.expires_at) == ("held", 1_000, NOON + HOLD)
    assert answer.decision.expires_at == NOON + HOLD
    assert answer.decision.applied[0].redemption_id == held.redemption_id


def test_a_quote_holds_nothing_and_changes_nothing() -> None:
    slots = counters()
    asked = welcome(intent="quote")
    known = receipt.open_receipt(asked)
    answer = receipt.answer(asked, known, circumstances(asked), slots)
    assert answer.receipt is known
    assert slots_of(slots) == (0, 0)
    assert (answer.decision.discount, answer.decision.expires_at) == (1_000, None)


def test_a_quote_on_a_held_receipt_counts_its_own_slot_as_free() -> None:
    slots = Counters({CAP: Counter(cap=1)})
    held = answered(welcome(), slots=slots)
    asked = welcome(intent="quote", revision=1)
    answer = receipt.answer(asked, held, circumstances(asked), slots)
    assert answer.decision.discount == 1_000
    assert slots_of(slots) == (1, 0)


def test_a_sale_commits_what_its_cart_held() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    recorded = receipt.record(paid(), held, circumstances(paid()), slots)
    assert slots_of(slots) == (0, 1)
    assert statuses(recorded.receipt) == ["committed"]
    record = recorded.record
    assert (record.total, record.discount, record.paid) == (10_000, 1_000, 9_000)
    assert [(r.status, r.discount) for r in record.redemptions] == [("committed", 1_000)]


def test_a_higher_revision_replaces_decision_and_holds_in_one_step() -> None:
    """With a cap of one, the receipt keeps its own slot."""
    slots = Counters({CAP: Counter(cap=1)})
    held = answered(welcome(), slots=slots)
    more = cart([line(amount=20_000)], codes=["WELCOME"], revision=1)
    after = answered(more, held, slots)
    assert slots_of(slots) == (1, 0)
    assert [(r.status, r.discount) for r in after.redemptions.values()] == [("held", 2_000)]


def test_a_revision_that_no_longer_qualifies_releases_its_slot() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    without = answered(cart([line(amount=10_000)], revision=1), held, slots)
    assert slots_of(slots) == (0, 0)
    assert statuses(without) == ["released"]


def test_a_lower_revision_is_superseded() -> None:
    slots = counters()
    held = answered(welcome(revision=2), slots=slots)
    late = welcome(revision=1)
    answer = receipt.answer(late, held, circumstances(late), slots)
    assert (answer.decision.outcome, answer.decision.discount) == ("superseded", 0)
    assert answer.receipt is held
    assert slots_of(slots) == (1, 0)


def test_the_same_revision_under_another_event_id_gets_the_same_answer() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    again = circumstances(welcome(), event_id="retry")
    answer = receipt.answer(welcome(), held, again, slots)
    assert answer.decision == held.decision
    assert slots_of(slots) == (1, 0)


def test_the_same_revision_with_another_body_is_a_conflict() -> None:
    held = answered(welcome())
    other = cart([line(amount=7_000)], codes=["WELCOME"])
    with pytest.raises(ConflictError, match="revision: 0 of this receipt") as raised:
        receipt.answer(other, held, circumstances(other), counters())
    assert raised.value.reason == "conflicting_revision"


def test_a_receipt_belongs_to_its_terminal() -> None:
    held = answered(welcome())
    foreign = welcome(revision=1, terminal_id="till-2")
    with pytest.raises(ConflictError, match="another store or terminal"):
        receipt.answer(foreign, held, circumstances(foreign), counters())


def test_an_answer_too_large_to_be_sent_is_refused_and_changes_nothing() -> None:
    """It would stop the relay, or the consumer at every start."""
    many = [instrument(f"i-{n}", benefit=percent_off(100), max_redemptions=9) for n in range(25)]
    rules = ruleset(campaign(instruments=many))
    slots = Counters({f"campaign-1/i-{n}": Counter(9) for n in range(25)})
    small = cart([line(amount=10_000)])
    held = receipt.answer(small, receipt.open_receipt(small), circumstances(small, rules), slots)
    large = cart([line(n, amount=10_000) for n in range(1, 1_001)], revision=1)
    with pytest.raises(ConflictError, match="lines: 25000 shares"):
        receipt.answer(large, held.receipt, circumstances(large, rules), slots)
    assert {slots[f"campaign-1/i-{n}"].held for n in range(25)} == {1}


def test_cancel_frees_the_slots() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    cancel = cart([], intent="cancel", revision=1)
    answer = receipt.answer(cancel, held, circumstances(cancel), slots)
    assert slots_of(slots) == (0, 0)
    assert (answer.decision.outcome, statuses(answer.receipt)) == ("cancelled", ["released"])


def test_after_payment_every_revision_is_answered_with_what_was_paid_and_holds_nothing() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    recorded = receipt.record(paid(), held, circumstances(paid()), slots)
    late = welcome(revision=5)
    answer = receipt.answer(late, recorded.receipt, circumstances(late, event_id="late"), slots)
    assert (answer.decision.outcome, answer.decision.discount) == ("paid", 1_000)
    assert answer.receipt is recorded.receipt
    assert slots_of(slots) == (0, 1)


def test_a_second_sale_of_a_receipt_is_a_conflict() -> None:
    slots = counters()
    recorded = receipt.record(paid(), receipt.open_receipt(paid()), circumstances(paid()), slots)
    with pytest.raises(ConflictError, match="already paid"):
        receipt.record(paid(), recorded.receipt, circumstances(paid(), event_id="2"), slots)


def test_a_sale_before_its_cart_is_decided_and_commits_at_once() -> None:
    slots = counters()
    recorded = receipt.record(paid(), receipt.open_receipt(paid()), circumstances(paid()), slots)
    assert statuses(recorded.receipt) == ["committed"]
    assert slots_of(slots) == (0, 1)
    answer = receipt.answer(welcome(), recorded.receipt, circumstances(welcome()), slots)
    assert (answer.decision.outcome, answer.decision.discount) == ("paid", 1_000)
    assert slots_of(slots) == (0, 1)


def test_a_sale_after_its_hold_takes_a_free_slot() -> None:
    slots = counters()
    expired = receipt.expire(answered(welcome(), slots=slots), slots)
    assert (slots_of(slots), statuses(expired)) == ((0, 0), ["expired"])
    recorded = receipt.record(paid(), expired, circumstances(paid()), slots)
    assert (slots_of(slots), statuses(recorded.receipt)) == ((0, 1), ["committed"])


def test_a_sale_after_its_hold_without_a_free_slot_is_unauthorised_and_outside_the_cap() -> None:
    slots = Counters({CAP: Counter(cap=1)})
    expired = receipt.expire(answered(welcome(), slots=slots), slots)
    answered(welcome(receipt_id="receipt-2"), slots=slots)
    recorded = receipt.record(paid(), expired, circumstances(paid()), slots)
    assert slots_of(slots) == (1, 0)
    assert [(r.status, r.discount) for r in recorded.record.redemptions] == [
        ("unauthorised", 1_000)
    ]


def test_what_was_decided_and_not_given_is_released() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    without = paid(gave=False)
    recorded = receipt.record(without, held, circumstances(without), slots)
    assert (slots_of(slots), statuses(recorded.receipt)) == ((0, 0), ["released"])
    assert recorded.record.redemptions == ()


def test_what_was_given_differs_and_is_recorded_so() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    recorded = receipt.record(paid(discount=900), held, circumstances(paid(discount=900)), slots)
    [redemption] = recorded.receipt.redemptions.values()
    assert (redemption.status, redemption.discount, redemption.mismatch) == ("committed", 900, -100)


def test_what_was_given_without_right_is_unauthorised() -> None:
    slots = Counters({CAP: Counter(cap=2)})
    known = answered(cart([line(amount=10_000)]), slots=slots)
    recorded = receipt.record(paid(), known, circumstances(paid()), slots)
    assert slots_of(slots) == (0, 0)
    assert [(r.status, r.discount) for r in recorded.record.redemptions] == [
        ("unauthorised", 1_000)
    ]


def test_number_cap_plus_one_gets_none() -> None:
    slots = counters()
    for number in range(4):
        event = welcome(receipt_id=f"receipt-{number}")
        answer = receipt.answer(event, receipt.open_receipt(event), circumstances(event), slots)
        expected = 1_000 if number < 2 else 0
        assert answer.decision.discount == expected
    assert slots_of(slots) == (2, 0)
    assert answer.decision.not_applied[0].reason == "limit_reached"


def test_bonuses_are_ours_to_give_so_the_sale_need_not_name_them() -> None:
    rules = ruleset(campaign(instruments=[instrument(benefit=bonuses(fixed=50))]))
    slots = Counters({})
    bought = sale([sold_line()], customer_id="c-1")
    recorded = receipt.record(
        bought, receipt.open_receipt(bought), circumstances(bought, rules), slots
    )
    assert [(r.status, r.bonuses) for r in recorded.record.redemptions] == [("committed", 50)]
    assert recorded.record.bonuses == 50


def test_a_hold_keeps_its_slot_when_the_cap_is_lowered_meanwhile() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    slots[CAP].cap, slots[CAP].used = 1, 5
    recorded = receipt.record(paid(), held, circumstances(paid()), slots)
    assert statuses(recorded.receipt) == ["committed"]


def test_a_benefit_given_as_zero_is_no_redemption() -> None:
    slots = counters()
    held = answered(welcome(), slots=slots)
    nothing = sale([sold_line(amount=10_000)], [given(discount=0)])
    recorded = receipt.record(nothing, held, circumstances(nothing), slots)
    assert (slots_of(slots), statuses(recorded.receipt)) == ((0, 0), ["released"])


def test_what_was_never_held_is_not_released() -> None:
    """A sale without a cart that gave nothing leaves no redemption."""
    without = paid(gave=False)
    recorded = receipt.record(
        without, receipt.open_receipt(without), circumstances(without), counters()
    )
    assert recorded.receipt.redemptions == {}


@pytest.mark.parametrize(
    ("customer", "amount", "earned"),
    [
        ("c-1", 10_000, 50),
        ("c-1", 5_000, 25),
        ("c-1", 20_000, 50),
        ("c-2", 10_000, 0),
        (None, 10_000, 0),
    ],
)
def test_bonuses_are_earned_on_money_paid_by_whom_they_were_promised_to(
    customer: str | None, amount: int, earned: int
) -> None:
    rules = ruleset(campaign(instruments=[instrument(benefit=bonuses(fixed=50))]))
    asked = cart([line(amount=10_000)], customer_id="c-1")
    held = receipt.answer(
        asked, receipt.open_receipt(asked), circumstances(asked, rules), Counters({})
    ).receipt
    bought = sale([sold_line(amount=amount)], customer_id=customer)
    recorded = receipt.record(bought, held, circumstances(bought, rules), Counters({}))
    assert recorded.record.bonuses == earned


def test_the_positions_of_unknown_codes_are_told() -> None:
    asked = cart([line(amount=10_000)], codes=["WELCOME", "WELCOM"])
    known = circumstances(asked)
    first, second = known.considered.reading.basket.codes
    codes_known = (first, replace(second, emission_id=None))
    considered = WELCOME.consider(replace(known.considered.reading.basket, codes=codes_known))
    answer = receipt.answer(
        asked, receipt.open_receipt(asked), replace(known, considered=considered), counters()
    )
    assert answer.decision.unknown_codes == (1,)
    assert [(x.code, x.reason) for x in answer.decision.unused_codes] == [(1, "unknown_code")]


def test_the_same_event_and_facts_give_the_same_decision_byte_for_byte() -> None:
    first = receipt.answer(
        welcome(), receipt.open_receipt(welcome()), circumstances(welcome()), counters()
    )
    again = receipt.answer(
        welcome(), receipt.open_receipt(welcome()), circumstances(welcome()), counters()
    )
    assert encode(first.decision) == encode(again.decision)


def test_percent_off_is_what_the_builder_says() -> None:
    """Guards the other tests: the campaign they use gives 10%."""
    assert instrument().benefit == percent_off(1_000)
