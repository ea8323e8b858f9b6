"""A profile is what happened to a customer, whatever order it came in."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.customers import profile, profiles
from services.customers.messages import Message
from services.customers.profile import KEPT_DAYS, MOST_VISITS, State, readable
from tests.unit.customers.facts import (
    DAY,
    HOUR,
    NOON,
    a_bonus,
    a_line,
    a_receipt,
    a_redemption,
    a_return,
)

CODE = a_redemption(discount=100, emission_id="welcome")


def folded(*facts: Message) -> State:
    """The state of c-1 after the facts, each in a batch of its own; every receipt is known to returns."""
    states = {"c-1": State()}
    changes = profiles.sorted_out(facts)
    kept = {receipt.receipt_id: profile.kept(receipt) for receipt in changes.receipts}
    for fact in facts:
        profiles.fold(states, profiles.sorted_out([fact]), kept)
    return states["c-1"]


def test_purchases_add_up() -> None:
    state = folded(
        a_receipt(1, lines=(a_line(1, amount=700), a_line(2, amount=300, group="bakery"))),
        a_receipt(2, occurred_at=NOON + DAY, redemptions=(CODE,)),
    )
    assert (state.purchases, state.promo_purchases, state.with_code) == (2, 1, 1)
    assert state.spent["EUR"].paid == 2_000
    assert [visit.at for visit in state.visits] == [
        profile.seconds(NOON),
        profile.seconds(NOON + DAY),
    ]
    assert state.codes["welcome"].used == 1


def test_what_was_given_without_right_is_no_promotion() -> None:
    state = folded(a_receipt(redemptions=(a_redemption(status="unauthorised", discount=5),)))
    assert (state.purchases, state.promo_purchases) == (1, 0)


def test_a_purchase_that_came_back_as_a_whole_is_none() -> None:
    receipt = a_receipt(redemptions=(CODE,))
    state = folded(receipt, a_return(receipt))
    assert (state.purchases, state.promo_purchases, state.with_code, state.returns) == (0, 0, 0, 1)
    assert state.codes["welcome"].used == 0
    assert list(state.live()) == []
    spent = state.spent["EUR"]
    assert (spent.purchases, spent.discount, spent.paid - spent.refunded) == (0, -100, 0)


def test_a_code_that_a_return_does_not_free_stays_used() -> None:
    receipt = a_receipt(redemptions=(CODE,))
    [taken_back] = a_return(receipt).redemptions
    kept_slot = type(taken_back)(
        **{name: getattr(taken_back, name) for name in taken_back.__struct_fields__}
        | {"released": False}
    )
    state = folded(receipt, a_return(receipt, redemptions=(kept_slot,)))
    assert state.codes["welcome"].used == 1


def test_parts_that_come_back_leave_the_rest() -> None:
    receipt = a_receipt(lines=(a_line(1, quantity=3_000, amount=900), a_line(2, group="bakery")))
    [first, _] = a_return(receipt).lines
    part = type(first)(line=1, quantity=1_000, refund=300)
    state = folded(receipt, a_return(receipt, complete=False, refund=300, lines=(part,)))
    assert (state.purchases, state.returns) == (1, 1)
    [visit] = state.live()
    assert visit.paid == receipt.paid - 300
    goods = {state.names[b.group]: (b.quantity, b.paid) for b in visit.goods}
    assert goods == {"dairy": (2_000, 600), "bakery": (1_000, 1_000)}


def test_points_add_up_to_the_balance() -> None:
    points = folded(
        a_bonus(50),
        a_bonus(-20, "spend"),
        a_bonus(5, "refund"),
        a_bonus(-10, "take_back"),
        a_bonus(-7, "expiry"),
    ).points
    assert (points.earned, points.spent, points.taken_back, points.expired) == (50, 15, 10, 7)
    assert points.balance == 18


def test_visits_are_kept_for_as_long_as_they_may_be_returned() -> None:
    oldest = a_receipt(1, occurred_at=NOON - DAY * KEPT_DAYS - HOUR)
    edge = a_receipt(2, occurred_at=NOON - DAY * KEPT_DAYS)
    state = folded(oldest, edge, a_receipt(3))
    assert [visit.at for visit in state.visits] == [
        profile.seconds(edge.occurred_at),
        profile.seconds(NOON),
    ]
    assert state.purchases == 3
    assert state.forgotten_at == profile.seconds(oldest.occurred_at)
    assert folded(a_receipt(3), oldest, edge).forgotten_at == state.forgotten_at


def test_a_card_that_everybody_uses_does_not_grow_without_end() -> None:
    many = [a_receipt(n, occurred_at=NOON + timedelta(minutes=n)) for n in range(MOST_VISITS + 50)]
    state = folded(*many)
    assert len(state.visits) == MOST_VISITS
    assert state.purchases == MOST_VISITS + 50


def test_a_state_is_the_same_after_it_was_stored() -> None:
    receipt = a_receipt(redemptions=(CODE,))
    state = folded(receipt, a_return(receipt), a_receipt(2), a_bonus(5))
    assert profile.unpack(profile.pack(state)) == state


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """Receipts over two years, some returned, some in parts; points, codes."""
    facts: list[Message] = []
    for number in range(draw(st.integers(1, 8))):
        receipt = a_receipt(
            number,
            occurred_at=NOON + HOUR * draw(st.integers(0, 24 * 800)),
            store_id=draw(st.sampled_from(["a", "b"])),
            currency=draw(st.sampled_from(["EUR", "UAH"])),
            lines=tuple(
                a_line(n, group=draw(st.sampled_from(["dairy", "bakery", None])), amount=100 * n)
                for n in range(1, draw(st.integers(2, 4)))
            ),
            redemptions=draw(st.sampled_from([(), (CODE,)])),
        )
        facts.append(receipt)
        match draw(st.sampled_from(["no", "no", "all", "part"])):
            case "all":
                facts.append(a_return(receipt))
            case "part":
                [first, *_] = a_return(receipt).lines
                facts.append(a_return(receipt, complete=False, refund=first.refund, lines=(first,)))
    return [*facts, a_bonus(50), a_bonus(-20, "spend")]


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_in_which_things_come_does_not_matter(
    facts: list[Message], chance: Random
) -> None:
    """Receipts of four partitions, and returns, of other topics: only a return comes after its receipt."""
    shuffled = sorted(facts, key=lambda fact: (hasattr(fact, "return_id"), chance.random()))
    assert readable(folded(*shuffled)) == readable(folded(*facts))


@pytest.mark.parametrize("hours", [0, 5])
def test_two_visits_at_one_time_are_both_kept(hours: int) -> None:
    state = folded(a_receipt(1), a_receipt(2, occurred_at=NOON + hours * HOUR))
    assert len(state.visits) == 2
