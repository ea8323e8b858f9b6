"""Who is made an offer, which one, and why others are not: each rule, and its boundary."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.customers.offers.plan import (
    Customer,
    Earlier,
    Plan,
    Raise,
    Situation,
    Skip,
    asked_of,
    decide,
    every_rule,
    held_back,
)
from services.customers.offers.policy import Cap, Policy
from tests.unit.customers.offers.examples import (
    BACKINGS,
    DAY,
    KYIV,
    NOON,
    SITUATION,
    backing,
    customer,
    earlier,
    policy,
)


def decided(
    of: Policy | None = None,
    who: Customer | None = None,
    before: tuple[Earlier, ...] = (),
    situation: Situation = SITUATION,
    **values: Any,
) -> Plan | str:
    """The plan, or why there is none."""
    found = decide(of or policy(), who or customer(), before, situation, NOON, **values)
    return found.reason if isinstance(found, Skip) else found


def plan(*asked: Any, **values: Any) -> Plan:
    found = decided(*asked, **values)
    assert isinstance(found, Plan)
    return found


def test_who_meets_everything_is_made_the_first_offer() -> None:
    found = plan()
    assert (found.step, found.emission_id, found.discount, found.cost) == (1, "e5", 500, 2_000)
    assert found.send_at == NOON
    assert found.valid_until == (NOON + 8 * DAY).astimezone(KYIV).replace(hour=0)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ({"all_of": ("regulars",)}, None),
        ({"all_of": ("regulars", "rich")}, "not_in_segments"),
        ({"any_of": ("rich", "regulars")}, None),
        ({"any_of": ("rich",)}, "not_in_segments"),
        ({"none_of": ("rich",)}, None),
        ({"none_of": ("rich", "regulars")}, "in_excluded_segment"),
    ],
)
def test_segments(who: dict[str, Any], reason: str | None) -> None:
    found = decided(policy(who=who))
    assert (found if isinstance(found, str) else None) == reason


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ({"probability": {"at_least": 7_000}}, None),
        ({"probability": {"at_least": 7_001}}, "probability"),
        ({"probability": {"at_most": 7_000}}, None),
        ({"probability": {"at_most": 6_999}}, "probability"),
        ({"days_to_expected": {"at_least": 3, "at_most": 3}}, None),
        ({"days_to_expected": {"at_most": 2}}, "expected_date"),
        ({"days_since_purchase": {"at_least": 20, "at_most": 20}}, None),
        ({"days_since_purchase": {"at_least": 21}}, "days_since_purchase"),
        ({"purchases": {"at_least": 12}}, None),
        ({"purchases": {"at_most": 11}}, "purchases"),
        ({"promo_share": {"at_most": 2_500}}, None),
        ({"promo_share": {"at_least": 2_501}}, "promo_share"),
    ],
)
def test_forecast_and_history(when: dict[str, Any], reason: str | None) -> None:
    found = decided(policy(when=when))
    assert (found if isinstance(found, str) else None) == reason


def test_days_are_counted_by_the_calendar_of_the_store() -> None:
    just_before_midnight = (NOON - DAY).astimezone(KYIV).replace(hour=23, minute=59)
    who = customer(last_purchase_at=just_before_midnight)
    assert isinstance(decided(policy(when={"days_since_purchase": {"at_least": 1}}), who), Plan)
    overdue = customer(expected_on=(NOON - 2 * DAY).date())
    assert isinstance(decided(policy(when={"days_to_expected": {"at_most": -2}}), overdue), Plan)


def test_what_is_not_known_of_a_customer_is_not_met() -> None:
    nobody = Customer("c-2", zone=KYIV)
    asks = {"probability": {"at_least": 0}}
    assert decided(policy(when=asks), nobody) == "no_forecast"
    assert decided(policy(when={"days_to_expected": {"at_most": 9}}), nobody) == "no_forecast"
    asks = {"days_since_purchase": {"at_least": 0}}
    assert decided(policy(when=asks), nobody) == "no_purchases"
    assert plan(policy(), nobody).cost == 0
    assert decided(policy(), customer(blocked=True)) == "blocked"


def test_never_two_offers_at_once_for_one_reason_of_whichever_policy() -> None:
    of_another = earlier(policy_id="another", open=True)
    assert decided(before=(of_another,)) == "open_offer"
    other_reason = earlier(policy_id="another", reason="Happy birthday", emission_id="x", open=True)
    assert isinstance(decided(before=(other_reason,)), Plan)


def test_between_the_end_of_a_code_and_the_next_offer_there_is_a_pause() -> None:
    ended = (NOON - 30 * DAY).astimezone(KYIV).replace(hour=0)
    assert isinstance(decided(before=(earlier(valid_until=ended),)), Plan)
    assert decided(before=(earlier(valid_until=ended + DAY),)) == "pausing"
    # Used long before its end: until then a return may bring it back.
    unpaused = policy(pause_days=0)
    assert decided(unpaused, before=(earlier(valid_until=NOON + DAY),)) == "pausing"
    assert isinstance(decided(unpaused, before=(earlier(valid_until=NOON),)), Plan)


def test_a_receipt_tells_only_the_emission_so_no_two_policies_have_codes_of_one_out() -> None:
    other = earlier(policy_id="another", reason="else", valid_until=NOON + timedelta(seconds=1))
    assert decided(before=(other,)) == "emission_in_use"
    assert isinstance(decided(before=(replace(other, valid_until=NOON),)), Plan)


def test_a_cap_counts_any_span_of_its_days_also_with_what_is_planned() -> None:
    capped = policy(cap={"offers": 1, "days": 10}, pause_days=0)
    past = earlier(send_at=NOON - 10 * DAY, valid_until=NOON - DAY)
    assert isinstance(decided(capped, before=(past,)), Plan)
    assert decided(capped, before=(replace(past, send_at=NOON - 10 * DAY + DAY / 24),)) == "capped"
    planned = replace(past, reason="else", emission_id="x", send_at=NOON + 9 * DAY)
    assert decided(capped, before=(planned,)) == "capped"
    assert isinstance(decided(capped, before=(replace(planned, send_at=NOON + 10 * DAY),)), Plan)
    of_another = replace(past, policy_id="another", send_at=NOON - DAY)
    assert isinstance(decided(capped, before=(of_another,)), Plan)


def test_the_cap_over_all_policies_counts_those_of_all() -> None:
    situation = replace(SITUATION, cap=Cap(offers=2, days=7))
    others = tuple(
        earlier(
            offer_id=f"o-{n}",
            policy_id="another",
            reason="else",
            emission_id="x",
            send_at=NOON - n * DAY,
        )
        for n in (1, 2)
    )
    assert decided(before=others, situation=situation) == "capped_over_all"
    assert isinstance(decided(before=others[:1], situation=situation), Plan)


def test_the_budget_in_codes_and_in_money_is_not_exceeded() -> None:
    assert isinstance(decided(policy(budget={"codes": 1, "cost": 2_000})), Plan)
    limited = policy(budget={"codes": 100})
    assert isinstance(decided(limited, situation=replace(SITUATION, codes={"win-back": 99})), Plan)
    assert decided(limited, situation=replace(SITUATION, codes={"win-back": 100})) == "budget_codes"
    limited = policy(budget={"cost": 10_000})
    assert isinstance(
        decided(limited, situation=replace(SITUATION, cost={"win-back": 8_000})), Plan
    )
    assert decided(limited, situation=replace(SITUATION, cost={"win-back": 8_001})) == "budget_cost"


def test_an_amount_costs_what_it_is_and_a_percentage_that_of_an_average_receipt() -> None:
    backings = {"e5": [backing("e5", 5_000, discounts_in="amount")]}
    step = {"emission_id": "e5", "discount": 5_000}
    of_amounts = policy(discounts_in="amount", max_discount=9_000, steps=(step,))
    assert plan(of_amounts, situation=replace(SITUATION, backings=backings)).cost == 5_000
    assert plan(who=customer(average={"UAH": 30})).cost == 2  # 1.5, half up
    assert plan(who=customer(average={"EUR": 40_000})).cost == 0


def shares(of: Policy, who: Customer, found: int | None) -> Situation:
    asked = asked_of(every_rule(of), who, NOON, KYIV)
    return replace(SITUATION, shares={one: found for one in asked if one is not None})


def test_offers_are_made_while_sales_are_as_the_rule_says() -> None:
    slow = policy(sales=({"of": "store", "below": 9_000},))
    who = customer()
    assert isinstance(decided(slow, who, situation=shares(slow, who, 8_999)), Plan)
    assert decided(slow, who, situation=shares(slow, who, 9_000)) == "sales_volume"
    assert decided(slow, who, situation=shares(slow, who, None)) == "sales_unknown"
    assert decided(slow, customer(store_id=None)) == "sales_unknown"


def test_season_and_sales_may_have_offers_begin_with_a_bigger_discount() -> None:
    beginning = {"step": 2, "season": {"months": (3,)}, "sales": ({"below": 8_000},)}
    bigger = policy(beginnings=(beginning,))
    who = customer()
    assert plan(bigger, who, situation=shares(bigger, who, 7_999)).step == 2
    assert plan(bigger, who, situation=shares(bigger, who, 8_000)).step == 1
    in_april = policy(beginnings=(beginning | {"season": {"months": (4,)}},))
    assert plan(in_april, who, situation=shares(in_april, who, 7_999)).step == 1


def test_out_of_season_nothing_is_sent_and_nothing_is_planned_long_ahead() -> None:
    assert decided(policy(season={"months": (6,)})) == "out_of_season"
    friday = plan(policy(season={"weekdays": ("fri",)}))
    assert friday.send_at.astimezone(KYIV).isoweekday() == 5
    before = policy(sending={"at": "usual_hour", "days_before_expected": 3})
    noon = {"at": "clock", "clock": "12:00", "days_before_expected": 3}
    in_ten_days = customer(expected_on=(NOON + 10 * DAY).date())
    assert plan(policy(sending=noon), in_ten_days).send_at == NOON + 7 * DAY
    assert decided(policy(sending=noon | {"clock": "12:01"}), in_ten_days) == "too_early"
    far = customer(expected_on=(NOON + 11 * DAY).date())
    assert decided(before, far) == "too_early"
    assert plan(before, customer(expected_on=(NOON + 9 * DAY).date())).send_at > NOON + 6 * DAY


def test_no_code_is_sent_that_no_campaign_will_take() -> None:
    assert decided(situation=replace(SITUATION, backings={})) == "no_campaign"
    soon = {"e5": [backing("e5", ends_at=NOON + DAY - timedelta(seconds=1))]}
    assert decided(situation=replace(SITUATION, backings=soon)) == "campaign_ends"
    day = {"e5": [backing("e5", ends_at=NOON + DAY)]}
    assert plan(situation=replace(SITUATION, backings=day)).valid_until == NOON + DAY
    elsewhere = {"e5": [backing("e5", stores=("s-2",))]}
    assert decided(situation=replace(SITUATION, backings=elsewhere)) == "campaign_elsewhere"


UNUSED = Raise(2, sent_at=NOON - 8 * DAY, earliest=NOON)


def test_unused_is_followed_by_more_whatever_the_forecast_says_by_then() -> None:
    asks = policy(who={"all_of": ("rich",)}, when={"probability": {"at_least": 9_000}})
    found = plan(asks, after=UNUSED)
    assert (found.step, found.emission_id, found.discount) == (2, "e10", 1_000)
    later = replace(UNUSED, earliest=NOON + 20 * DAY)
    assert plan(after=later).send_at == NOON + 20 * DAY


def test_who_has_bought_without_the_code_is_offered_no_more() -> None:
    on_the_way = customer(last_purchase_at=UNUSED.sent_at)
    assert decided(who=on_the_way, after=UNUSED) == "bought_anyway"
    before = customer(last_purchase_at=UNUSED.sent_at - timedelta(seconds=1))
    assert isinstance(decided(who=before, after=UNUSED), Plan)


def test_a_bigger_discount_is_bound_by_everything_else() -> None:
    assert decided(policy(who={"none_of": ("regulars",)}), after=UNUSED) == "in_excluded_segment"
    assert decided(who=customer(blocked=True), after=UNUSED) == "blocked"
    assert decided(policy(season={"months": (6,)}), after=UNUSED) == "out_of_season"
    assert (
        decided(after=UNUSED, situation=replace(SITUATION, backings={"e5": BACKINGS["e5"]}))
        == "no_campaign"
    )
    spent = replace(SITUATION, codes={"win-back": 1})
    assert decided(policy(budget={"codes": 1}), after=UNUSED, situation=spent) == "budget_codes"
    assert decided(after=replace(UNUSED, step=3)) == "no_such_step"


def test_the_control_group_is_the_same_every_time_and_as_large_as_it_should_be() -> None:
    everybody = [f"c-{n}" for n in range(20_000)]
    held = [one for one in everybody if held_back("win-back", one, 1_000)]
    assert 1_850 <= len(held) <= 2_150  # 10% ± 3.5 standard deviations
    assert held == [one for one in everybody if held_back("win-back", one, 1_000)]
    # More of them are held back, none of these fewer; another policy draws anew.
    assert all(held_back("win-back", one, 2_000) for one in held)
    assert sum(held_back("birthday", one, 1_000) for one in held) < 400
    assert not any(held_back("win-back", one, 0) for one in everybody)
