"""What deciding leaves behind."""

import gc

from services.evaluator.promotion.decision import decide
from tests.builders import all_free, basket, bonuses, campaign, code, instrument, line, ruleset


def test_a_cart_that_was_decided_is_freed_without_a_collection() -> None:
    """Circles would be kept until Python looks for them: that stands still, the longer the more there are."""
    rules = ruleset(
        campaign(
            instruments=[
                instrument(conditions=[code("WELCOME", cap=2)]),
                instrument("points", benefit=bonuses(percent=500)),
            ]
        )
    )
    cart = basket([line(), line(2)], codes=["WELCOME"], customer_id="C1")
    decide(cart, rules, all_free)  # what is made once is there
    gc.collect()
    gc.disable()
    try:
        decide(basket([line(), line(2)], codes=["WELCOME"], customer_id="C1"), rules, all_free)
        assert gc.collect() == 0
    finally:
        gc.enable()
