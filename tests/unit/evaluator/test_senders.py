"""Who sent a cart or a sale – the device, the cashier, the address's hash – and what its store's clock said."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from services.evaluator import answer, outgoing, receipt, recording
from services.evaluator.circumstances import Circumstances
from services.evaluator.facts import Facts, incoming
from services.evaluator.promotion import judge
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.purchases import paid_receipt
from services.evaluator.receipt import Receipt, decision_of
from services.evaluator.record import ReceiptRecorded
from services.evaluator.regions import Whereabouts
from services.evaluator.reversal import reverse
from services.evaluator.store.reference import Place
from shared.codec import decode
from shared.events import outcome
from shared.events.checkout import Cart, Sale
from tests.builders import NOON, all_free, cart, line
from tests.unit.evaluator.test_receipt import (
    WELCOME,
    answered,
    circumstances,
    counters,
    paid,
    welcome,
)
from tests.unit.evaluator.test_reversal import a_return

SENDER: dict[str, Any] = {"device_id": "cookie-7", "cashier_id": "anna"}


def sent(event: Cart | Sale) -> Circumstances:
    """What an event is decided with that came from an address."""
    at = NOON.astimezone(UTC)  # as the database's clock is
    return msgspec.structs.replace(circumstances(event), address="a1", now=at, expires_at=at)


def decided(**values: Any) -> Receipt:
    cart = welcome(**values)
    return receipt.answer(cart, receipt.open_receipt(cart), sent(cart), counters()).receipt


def recorded(event: Sale, known: Receipt) -> ReceiptRecorded:
    return receipt.record(event, known, circumstances(event), counters()).record


def test_a_decision_says_who_asked() -> None:
    found = decided(**SENDER).decision
    assert found is not None
    assert (found.device_id, found.cashier_id, found.address) == ("cookie-7", "anna", "a1")


def test_a_cancelled_cart_is_told_with_its_sender() -> None:
    cart = welcome(revision=1, intent="cancel", **SENDER)
    found = receipt.answer(cart, answered(welcome()), sent(cart), counters()).decision
    assert (found.outcome, found.device_id, found.cashier_id) == ("cancelled", "cookie-7", "anna")


def test_a_receipt_says_who_sold_or_else_who_asked() -> None:
    found = recorded(paid(), decided(**SENDER))
    assert (found.device_id, found.cashier_id, found.address) == ("cookie-7", "anna", "a1")
    event = paid().model_copy(update={"cashier_id": "bert", "device_id": "kiosk"})
    told = msgspec.structs.replace(circumstances(event), address="b2")
    own = receipt.record(event, decided(**SENDER), told, counters()).record
    assert (own.device_id, own.cashier_id, own.address) == ("kiosk", "bert", "b2")
    assert recorded(paid(), answered(welcome())).device_id is None


def test_a_return_says_who_took_it_back() -> None:
    event = paid()
    done = receipt.record(event, answered(welcome()), circumstances(event), counters()).receipt
    assert done.decision is not None
    back = a_return().model_copy(update={"cashier_id": "cleo"})
    reversal = reverse(back, done, paid_receipt(event), counters())
    message = outgoing.returned_message(back, reversal, done.decision, b"key", (0, 0), NOON)
    assert isinstance(message.body, bytes)
    assert decode(outcome.Returned, message.body).cashier_id == "cleo"


def test_a_decision_is_made_again_with_its_sender_to_the_byte() -> None:
    cart = welcome(**SENDER)
    assert again(cart, sent(cart)) == kept(cart, sent(cart))


def test_one_of_an_earlier_version_is_made_again_without() -> None:
    """It did not say who asked, though its cart did, and its facts did not say whether it does."""
    cart = welcome(**SENDER)
    earlier = msgspec.structs.replace(sent(cart), names_senders=False, address=None)
    assert b"cookie-7" not in kept(cart, earlier)
    assert again(cart, earlier, fields_known=18) == kept(cart, earlier)


def test_a_decision_says_which_codes_are_bound_to_somebody_else() -> None:
    cart = welcome(customer_id="c-1")
    known = sent(cart)
    [code] = known.considered.reading.basket.codes
    bound = msgspec.structs.replace(
        known.considered.reading.basket, codes=(msgspec.structs.replace(code, holder="c-2"),)
    )
    told = msgspec.structs.replace(known, considered=known.considered.ruleset.consider(bound))
    assert b'"foreign_codes":[0]' in kept(cart, told)
    assert b"foreign" not in kept(cart, msgspec.structs.replace(told, names_senders=False))


def kept(cart: Cart, told: Circumstances) -> bytes:
    """The decision as it is kept."""
    return answer.encode(
        receipt.answer(cart, receipt.open_receipt(cart), told, counters()).decision
    )


def again(cart: Cart, told: Circumstances, fields_known: int | None = None) -> bytes:
    """The decision made again from its facts, of which an earlier version had so many fields."""
    made = receipt.answer(cart, receipt.open_receipt(cart), told, counters())
    facts = msgspec.msgpack.decode(
        recording.encode_facts(recording.facts_of(told, made.free or {}))
    )
    found = recording.decode_facts(msgspec.msgpack.encode(facts[:fields_known]))
    key = receipt.event_key_of(made.decision.decision_id)
    given = recording.circumstances_of(cart, key, found, WELCOME)
    return answer.encode(decision_of(cart, given, judge(given.considered, all_free)))


@pytest.mark.parametrize(
    ("zone", "at", "minutes"),
    [
        ("Europe/Vienna", datetime(2026, 7, 1, tzinfo=UTC), 120),
        ("Europe/Vienna", datetime(2026, 12, 1, tzinfo=UTC), 60),
        ("America/St_Johns", datetime(2026, 12, 1, tzinfo=UTC), -210),
        ("Asia/Kathmandu", datetime(2026, 12, 1, tzinfo=UTC), 345),
        ("UTC", datetime(2026, 12, 1, tzinfo=UTC), 0),
    ],
)
def test_a_receipt_says_how_far_its_store_s_clock_was_ahead(
    zone: str, at: datetime, minutes: int
) -> None:
    event = paid().model_copy(update={"occurred_at": at})
    assert told(event, zone).utc_offset_minutes == minutes
    record = receipt.record(event, decided(), told(event, zone), counters()).record
    assert record.utc_offset_minutes == minutes


def test_what_came_with_a_request_is_told_of_its_customer() -> None:
    found = told(cart([line()]), "UTC")
    assert (found.region, found.address) == ("Lviv", "a1")


def told(event: Cart | Sale, zone: str) -> Circumstances:
    """What an event is decided with in a store of the time zone."""
    place = Place("West", event.currency, zone)
    facts = Facts(NOON, Ruleset.empty(), {event.store_id: place}, {}, {}, {}, timedelta(0))
    came = incoming(event, "e", b"", seen_in=Whereabouts("Lviv", "a1"))
    return facts.circumstances(event, came, facts.consider_nothing())
