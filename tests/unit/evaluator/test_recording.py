"""What a decision was made with comes back as it was, also of what earlier versions kept."""

from datetime import UTC

import msgspec
import pytest
from msgspec.structs import replace

from services.evaluator import answer, receipt, recording
from services.evaluator.circumstances import Circumstances
from services.evaluator.promotion import judge
from services.evaluator.promotion.basket import PresentedCode
from services.evaluator.receipt import decision_of
from shared.events.checkout import Cart
from tests.builders import NOON, all_free, presented
from tests.unit.evaluator.test_receipt import WELCOME, circumstances, counters, welcome

MINE = presented("WELCOME")


def with_code(cart: Cart, code: PresentedCode) -> Circumstances:
    """What a cart is decided with whose code is known as this one."""
    at = NOON.astimezone(UTC)  # as the database's clock is
    given = circumstances(cart)
    basket = replace(given.considered.reading.basket, codes=(code,))
    return replace(given, considered=WELCOME.consider(basket), now=at, expires_at=at)


@pytest.mark.parametrize(
    ("code", "fields_known"),
    [
        pytest.param(MINE, None, id="plain"),
        pytest.param(replace(MINE, holder="c-1"), None, id="bound"),
        pytest.param(replace(MINE, valid_until=NOON.astimezone(UTC)), None, id="over"),
        pytest.param(MINE, 4, id="plain, earlier"),
        pytest.param(replace(MINE, holder="c-1"), 4, id="bound, earlier"),
    ],
)
def test_a_code_is_known_again_as_it_was(code: PresentedCode, fields_known: int | None) -> None:
    """Earlier versions kept four fields of a code: none of theirs had an end of its own."""
    cart = welcome()
    given = with_code(cart, code)
    made = receipt.answer(cart, receipt.open_receipt(cart), given, counters())
    kept = msgspec.msgpack.decode(
        recording.encode_facts(recording.facts_of(given, made.free or {}))
    )
    kept[10] = [one[:fields_known] for one in kept[10]]
    facts = recording.decode_facts(msgspec.msgpack.encode(kept))
    key = receipt.event_key_of(made.decision.decision_id)
    again = recording.circumstances_of(cart, key, facts, WELCOME)
    # Whose code it was that somebody else presented is nobody's business later.
    known = replace(code, holder=recording.SOMEBODY) if code.holder else code
    assert again.considered.reading.basket.codes == (known,)
    decision = decision_of(cart, again, judge(again.considered, all_free))
    assert answer.encode(decision) == answer.encode(made.decision)
    assert bool(decision.applied) == (code.valid_until is None)
