"""Whom a campaign with a control group is for: what its two arms are compared by."""

from typing import Any

import pytest

from services.evaluator.promotion.exposure import NOT_EXPOSED
from tests.builders import (
    basket,
    campaign,
    code,
    emission,
    instrument,
    ruleset,
    total,
    utc,
)


def test_every_receipt_of_who_it_is_for_counts_whatever_is_bought() -> None:
    rules = ruleset(campaign(instruments=[instrument(conditions=[total(10**9)])], control_group=1))
    assert rules.exposure(basket(customer_id="c")) == (("campaign-1",), ())


def test_those_held_back_are_those_who_get_nothing() -> None:
    rules = ruleset(campaign("all", control_group=10_000), campaign("few", control_group=1))
    assert rules.exposure(basket(customer_id="c")) == (("all", "few"), ("all",))


@pytest.mark.parametrize(
    "asked",
    [
        {"customer_id": None, "customer_groups": ("vip",)},
        {"store_id": "other"},
        {"customer_groups": ("other",)},
        {"occurred_at": utc(2026, 12, 4)},
        {"occurred_at": utc(2027, 1, 1)},
    ],
)
def test_others_are_no_part_of_the_comparison(asked: dict[str, Any]) -> None:
    one = campaign(stores=("store-1",), customer_groups=("vip",), control_group=10_000)
    rules = ruleset(one)
    meant: dict[str, Any] = {"customer_id": "c", "customer_groups": ("vip",)}
    assert rules.exposure(basket(**meant)).held_back == ("campaign-1",)
    assert rules.exposure(basket(**(meant | asked))) == NOT_EXPOSED


def test_a_campaign_compares_while_it_runs_and_has_a_control_group() -> None:
    running = ruleset(campaign(control_group=10_000))
    asked = basket(customer_id="c")
    assert running.exposure(asked) != NOT_EXPOSED
    for change in ({"control_group": 0}, {"status": "paused"}, {"status": "finished"}):
        changed = campaign(**({"control_group": 10_000} | change), version=2)
        assert running.with_campaigns([changed], 2).exposure(asked) == NOT_EXPOSED


def test_nobody_is_exposed_before_all_codes_are_there() -> None:
    missing = emission("WELCOME", posted_codes=2)
    asked = campaign(
        instruments=[instrument(conditions=[code()])], emissions=[missing], control_group=1
    )
    rules = ruleset(asked)
    assert rules.exposure(basket(customer_id="c")) != NOT_EXPOSED
    assert rules.with_codes({"WELCOME": 1}).exposure(basket(customer_id="c")) == NOT_EXPOSED


def test_rewards_at_the_end_of_a_period_are_compared_too() -> None:
    later = instrument(
        trigger="on_period_end", processing_period={"kind": "calendar", "unit": "week"}
    )
    rules = ruleset(campaign(instruments=[later], control_group=1))
    assert rules.exposure(basket(customer_id="c")).exposed == ("campaign-1",)
