"""Campaigns that hold back some customers, and what is asked first."""

import pytest

from services.evaluator.promotion import Ruleset, decide
from shared.events.conditions import CustomerGroup
from tests.builders import (
    NOON,
    all_free,
    basket,
    bonuses,
    campaign,
    code,
    instrument,
    ruleset,
    total,
    utc,
)

SHOPPERS = [f"customer-{n}" for n in range(2_000)]


def held_back(rules: Ruleset) -> set[str]:
    return {who for who in SHOPPERS if not decide(basket(customer_id=who), rules, all_free).granted}


@pytest.mark.parametrize(
    ("control_group", "least", "most"), [(1_000, 160, 240), (5_000, 920, 1_080)]
)
def test_about_so_many_are_held_back(control_group: int, least: int, most: int) -> None:
    assert least <= len(held_back(ruleset(campaign(control_group=control_group)))) <= most


def test_none_or_all_are_held_back() -> None:
    assert held_back(ruleset(campaign(control_group=0))) == set()
    assert held_back(ruleset(campaign(control_group=10_000))) == set(SHOPPERS)


def test_the_same_customers_are_held_back_whatever_else_the_campaign_says() -> None:
    first = held_back(ruleset(campaign("c", control_group=1_000)))
    other = [instrument("other", benefit=bonuses(1))]
    assert held_back(ruleset(campaign("c", other, version=9, control_group=1_000))) == first
    assert held_back(ruleset(campaign("c", control_group=2_000))) >= first, (
        "more: the same and more"
    )
    assert held_back(ruleset(campaign("d", control_group=1_000))) != first, "others in another"


def test_who_is_held_back_is_told_so_only_if_they_would_have_got_it() -> None:
    rules = ruleset(
        campaign(instruments=[instrument(conditions=[total(1_000)])], control_group=10_000)
    )
    (refused,) = decide(basket(customer_id="c-1"), rules, all_free).refused
    assert (refused.reason, refused.condition) == ("control_group", None)
    more = ruleset(
        campaign(instruments=[instrument(conditions=[total(1_001)])], control_group=10_000)
    )
    (refused,) = decide(basket(customer_id="c-1"), more, all_free).refused
    assert (refused.reason, refused.missing) == ("condition_not_met", 1)


def test_nobody_is_promised_what_they_would_be_held_back_from() -> None:
    asked = [instrument(conditions=[total(1_001)])]
    of = basket(customer_id="c-1")
    for control_group, promised in ((10_000, 0), (0, 1)):
        rules = ruleset(campaign(instruments=asked, control_group=control_group))
        assert len(decide(of, rules, all_free).near_misses) == promised


def test_who_is_not_known_is_not_held_back() -> None:
    assert decide(basket(), ruleset(campaign(control_group=10_000)), all_free).granted


def test_before_a_campaign_begins_the_time_until_then_is_told() -> None:
    some = campaign(instruments=[instrument(conditions=[code()])], starts_at=utc(2026, 12, 10, 12))
    (refused,) = decide(basket(codes=["WELCOME"]), ruleset(some), all_free).refused
    assert (refused.reason, refused.missing, refused.unit) == (
        "campaign_not_active",
        3_600,
        "seconds",
    )
    over = campaign(instruments=[instrument(conditions=[code()])], ends_at=NOON)
    (refused,) = decide(basket(codes=["WELCOME"]), ruleset(over), all_free).refused
    assert (refused.reason, refused.missing) == ("campaign_not_active", None)


def test_an_instrument_at_the_end_of_a_period_gives_nothing_on_a_cart() -> None:
    later = instrument(benefit=bonuses(50), trigger="on_period_end")
    found = decide(basket(customer_id="c-1"), ruleset(campaign(instruments=[later])), all_free)
    assert (found.granted, found.refused) == ((), ())


def test_points_ask_for_a_customer_before_conditions_are_looked_at() -> None:
    points = instrument(conditions=[code(), CustomerGroup(groups=("g",))], benefit=bonuses(50))
    found = decide(basket(codes=["WELCOME"]), ruleset(campaign(instruments=[points])), all_free)
    assert [(r.reason, r.condition) for r in found.refused] == [("customer_unknown", None)]
