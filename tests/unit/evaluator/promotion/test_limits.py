"""What is left of limits while one cart is decided."""

from services.evaluator.promotion.limits import Capacity, Claim, Limit, of_code

LIMIT = Limit("c/i", 2)
ONE = Claim(LIMIT)


def test_what_a_decision_takes_is_gone_for_the_rest_of_it() -> None:
    capacity = Capacity(lambda limit: limit.cap)
    capacity.take([ONE])
    assert capacity.has(ONE)
    assert not capacity.has(ONE, besides=[ONE])
    assert capacity.has(ONE, besides=[Claim(Limit("c/j", 1))])
    capacity.take([ONE])
    assert not capacity.has(ONE)
    assert capacity.has(Claim(Limit("c/j", 1)))


def test_what_others_have_taken_is_asked_for() -> None:
    assert not Capacity(lambda _: 0).has(ONE)
    assert not Capacity(lambda _: -1).has(ONE)
    assert Capacity(lambda _: 1).has(ONE)


def test_the_limit_of_a_single_use_code_is_its_own() -> None:
    assert of_code(bytes([0, 255])) == Limit("code:00ff", 1)
