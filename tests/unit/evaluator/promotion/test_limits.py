"""What is left of limits while one cart is decided."""

from services.evaluator.promotion.limits import (
    Capacity,
    Limit,
    of_code,
    of_condition,
    of_instrument,
)

LIMIT = Limit("c/i", 2)


def test_what_a_decision_takes_is_gone_for_the_rest_of_it() -> None:
    capacity = Capacity(lambda limit: limit.cap)
    capacity.take((LIMIT,))
    assert capacity.has(LIMIT)
    assert not capacity.has(LIMIT, besides=1)
    capacity.take((LIMIT,))
    assert not capacity.has(LIMIT)
    assert capacity.has(Limit("c/j", 1))


def test_what_others_have_taken_is_asked_for() -> None:
    assert not Capacity(lambda _: 0).has(LIMIT)
    assert not Capacity(lambda _: -1).has(LIMIT)
    assert Capacity(lambda _: 1).has(LIMIT)


def test_a_counter_belongs_to_campaign_instrument_and_condition() -> None:
    assert of_condition("c", "i", "code", 9) == Limit("c/i/code", 9)
    assert of_instrument("c", "i", 9) == Limit("c/i", 9)
    assert of_code(bytes([0, 255])) == Limit("code:00ff", 1)
