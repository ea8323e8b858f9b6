"""All, any and not, nested; and which reason and gap are told."""

import pytest

from services.evaluator.promotion import Basket, NearMiss, Refused, Verdict, decide
from shared.events.conditions import (
    All,
    AnyOf,
    Condition,
    CustomerGroup,
    CustomerKnown,
    LineCount,
    Not,
    PurchaseCount,
    ReceiptTotal,
    ViaChannel,
)
from tests.builders import all_free, basket, campaign, code, compare, instrument, ruleset, total

GOLD = CustomerGroup(groups=("gold",))
KNOWN, UNKNOWN = CustomerKnown(), CustomerKnown(known=False)
YES, NO, WEB = total(1_000), total(1_000, "<"), ViaChannel(channels=("web",))
SEVEN_MORE = LineCount(compare=compare(8))  # of 8 lines there is 1


def both(*conditions: Condition) -> All:
    return All(conditions=conditions)


def either(*conditions: Condition) -> AnyOf:
    return AnyOf(conditions=conditions)


def no(condition: Condition) -> Not:
    return Not(condition=condition)


def verdict(*conditions: Condition, of: Basket | None = None) -> Verdict:
    rules = ruleset(campaign(instruments=[instrument(conditions=conditions)]))
    return decide(of or basket(), rules, all_free)


def refusal(*conditions: Condition, of: Basket | None = None) -> Refused:
    (refused,) = verdict(*conditions, of=of).refused
    return refused


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        (both(YES, YES), True),
        (both(YES, NO), False),
        (either(NO, YES), True),
        (either(NO, NO), False),
        (no(NO), True),
        (no(YES), False),
        (no(no(YES)), True),
        (no(both(YES, NO)), True),
        (no(either(YES, NO)), False),
        (both(either(NO, both(YES, no(NO))), YES), True),
        (both(either(NO, both(YES, no(YES))), YES), False),
        (both(no(either(no(both(YES, YES))))), True),
    ],
)
def test_nested_conditions(condition: Condition, met: bool) -> None:
    assert bool(verdict(condition).granted) is met


def test_what_more_would_not_help_comes_first_in_the_order_written() -> None:
    assert refusal(total(5_000), WEB, NO).condition == "channel"
    assert refusal(both(total(5_000), NO), WEB).condition == "receipt_total"


def test_of_gaps_the_greatest_share_is_told_and_is_no_near_miss() -> None:
    found = verdict(total(2_000), SEVEN_MORE)
    assert [(r.condition, r.missing, r.unit) for r in found.refused] == [("line_count", 7, "lines")]
    assert found.near_misses == ()


def test_a_gap_alone_is_a_near_miss() -> None:
    found = verdict(total(2_000), YES, no(NO))
    assert found.near_misses == (
        NearMiss("campaign-1", "instrument-1", "instrument-1", 1_000, "money", "receipt_total"),
    )


def test_of_alternatives_the_nearest_is_told() -> None:
    found = verdict(either(SEVEN_MORE, total(1_250), total(9_000), WEB))
    assert [(r.condition, r.missing) for r in found.refused] == [("receipt_total", 250)]
    assert [miss.missing for miss in found.near_misses] == [250]


def test_of_alternatives_one_with_a_single_gap_is_nearer_than_one_with_two() -> None:
    found = verdict(either(both(total(1_001), LineCount(compare=compare(2))), SEVEN_MORE))
    assert [(r.condition, r.missing) for r in found.refused] == [("line_count", 7)]


def test_alternatives_that_all_lack_more_than_one_thing_are_not_near() -> None:
    found = verdict(either(both(total(1_001), SEVEN_MORE)))
    assert [(r.condition, r.missing) for r in found.refused] == [("line_count", 7)]
    assert found.near_misses == ()


def test_not_has_no_gap() -> None:
    found = refusal(no(YES))
    assert (found.reason, found.missing) == ("condition_not_met", None)


def test_what_must_not_be_is_named() -> None:
    assert refusal(no(total(1))).condition == "not.receipt_total"
    assert refusal(no(no(NO))).condition == "not.not"


COUNT = PurchaseCount(compare=compare(0))


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        pytest.param(no(GOLD), False, id="nobody knows whether they are gold"),
        pytest.param(no(no(GOLD)), False, id="nor after two negations"),
        pytest.param(no(COUNT), False, id="nor what they bought before"),
        pytest.param(either(no(GOLD), YES), True, id="but another alternative will do"),
        pytest.param(no(both(GOLD, NO)), True, id="nor does it matter if the rest decides"),
        pytest.param(no(both(GOLD, YES)), False, id="it matters if the rest does not"),
        pytest.param(no(either(GOLD, YES)), False, id="either decides"),
        pytest.param(no(either(GOLD, NO)), False, id="either does not decide"),
        pytest.param(no(KNOWN), True, id="not known is unknown"),
        pytest.param(UNKNOWN, True, id="unknown"),
        pytest.param(no(UNKNOWN), False, id="not unknown"),
        pytest.param(no(both(KNOWN, GOLD)), True, id="unknown, or known and not gold"),
        pytest.param(no(both(GOLD, KNOWN)), True, id="in whichever order"),
    ],
)
def test_without_a_customer_conditions_on_customers_refuse_however_nested(
    condition: Condition, met: bool
) -> None:
    assert bool(verdict(condition).granted) is met


def test_not_of_a_group_says_that_the_customer_is_unknown() -> None:
    assert refusal(no(GOLD)).reason == "customer_unknown"
    known = basket(customer_id="c-1", customer_groups={"gold"})
    assert refusal(no(GOLD), of=known).reason == "condition_not_met"
    assert verdict(no(GOLD), of=basket(customer_id="c-1")).granted


def test_a_code_is_not_asked_for_within_not() -> None:
    without = no(code("WELCOME"))
    (granted,) = verdict(without).granted
    assert granted.code is None
    assert refusal(without, of=basket(codes=["WELCOME"])).condition == "not.promo_code"


def test_a_condition_deep_down_is_checked() -> None:
    deep: Condition = ReceiptTotal(compare=compare(1_001))
    for _ in range(5):
        deep = both(deep)
    assert refusal(deep).missing == 1
