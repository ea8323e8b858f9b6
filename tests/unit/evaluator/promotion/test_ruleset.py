"""Which instruments a cart meets, when campaigns are active, and which limits it may need."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.evaluator.promotion import Basket, Limit, Ruleset, decide
from shared.events.conditions import Condition, CustomerSegment, InRegion
from shared.events.promotion import Campaign, LimitRule
from tests.builders import (
    NOON,
    Operator,
    all_free,
    basket,
    campaign,
    code,
    emission,
    instrument,
    line,
    presented,
    products,
    quantity_of,
    ruleset,
    sum_of,
    total,
    utc,
)


def met(rules: Ruleset, of: Basket) -> list[str]:
    return [candidate.campaign.campaign_id for candidate in rules.consider(of).candidates]


def asking(campaign_id: str, *conditions: Condition) -> Campaign:
    return campaign(campaign_id, [instrument(conditions=conditions)])


def refusals(rules: Ruleset, of: Basket) -> list[str]:
    return [refused.reason for refused in decide(of, rules, all_free).refused]


def test_the_empty_ruleset_gives_nothing() -> None:
    found = decide(basket(codes=["WELCOME"]), Ruleset.empty(), all_free)
    assert (found.granted, found.refused, found.total, found.discount) == ((), (), 1_000, 0)
    assert Ruleset.empty().version == 0


def test_instruments_are_met_by_what_they_cannot_do_without() -> None:
    rules = ruleset(
        asking("a-code", total(1), code("WELCOME")),
        asking("b-sku", quantity_of(products(skus=["s"]), 1_000)),
        asking("c-group", sum_of(products(groups=["g"]), 1)),
        asking("d-brand", total(1), sum_of(products(brands=["b"]), 5, "=")),
        asking("e-always", total(10**6)),
        asking("f-code-and-sku", quantity_of(products(skus=["s"]), 1_000), code("WELCOME")),
    )
    assert met(rules, basket()) == ["e-always"]
    assert met(rules, basket([line(sku="s", group="x", brand="g")])) == ["b-sku", "e-always"]
    assert met(rules, basket([line(group="g", brand="b")])) == ["c-group", "d-brand", "e-always"]
    assert met(rules, basket(codes=["WELCOME"])) == ["a-code", "e-always", "f-code-and-sku"]
    assert met(rules, basket([line(sku="s", no_promo=True)])) == ["e-always"]


@pytest.mark.parametrize(
    ("op", "value", "always"),
    [
        (">=", 0, True),
        ("<", 5, True),
        ("<=", 5, True),
        ("=", 0, True),
        (">", 0, False),
        ("=", 1, False),
    ],
)
def test_products_that_may_be_absent_are_no_way_in(op: Operator, value: int, always: bool) -> None:
    rules = ruleset(asking("c", quantity_of(products(skus=["s"]), value, op)))
    assert bool(met(rules, basket())) is always


def test_an_instrument_met_in_several_ways_is_considered_once() -> None:
    asked = quantity_of(products(skus=["s"], groups=["g"], brands=["b"]), 1_000)
    goods = [line(1, sku="s", group="g", brand="b"), line(2, sku="s")]
    assert met(ruleset(asking("c", asked)), basket(goods)) == ["c"]


def test_higher_priority_first_then_position_then_id() -> None:
    rules = ruleset(
        campaign("b", [instrument("z"), instrument("a"), instrument("m", priority=1)]),
        campaign("a", [instrument("q"), instrument("q2", priority=-1)]),
        campaign("c", [instrument("top", priority=-1000)], priority=1),
    )
    tried = [candidate.ids for candidate in rules.consider(basket()).candidates]
    assert tried == [("c", "top"), ("b", "m"), ("a", "q"), ("b", "z"), ("b", "a"), ("a", "q2")]


@pytest.mark.parametrize(
    ("at", "active"),
    [
        pytest.param(
            utc(2026, 12, 4, 22, 59, 59), False, id="a second before 5 December in Vienna"
        ),
        pytest.param(utc(2026, 12, 4, 23, 0, 0), True, id="5 December 00:00 in Vienna"),
        pytest.param(utc(2026, 12, 31, 22, 59, 59), True, id="the last second of 31 December"),
        pytest.param(utc(2026, 12, 31, 23, 0, 0), False, id="1 January 00:00"),
    ],
)
def test_a_period_is_half_open(at: datetime, active: bool) -> None:
    rules = ruleset(campaign("plain"), asking("with-code", code("WELCOME")))
    of = basket(occurred_at=at, codes=["WELCOME"])
    found = decide(of, rules, all_free)
    if active:
        assert [granted.campaign_id for granted in found.granted] == ["plain", "with-code"]
    else:
        assert found.granted == ()
        assert [(r.campaign_id, r.reason) for r in found.refused] == [
            ("with-code", "campaign_not_active")
        ]


def test_in_other_stores_only_a_code_is_answered() -> None:
    stores = ("store-1", "store-2")
    rules = ruleset(
        campaign("plain", stores=stores),
        campaign("with-code", [instrument(conditions=[code("WELCOME")])], stores=stores),
    )
    assert refusals(rules, basket(store_id="store-2", codes=["WELCOME"])) == []
    assert refusals(rules, basket(store_id="store-3", codes=["WELCOME"])) == ["wrong_store"]
    assert refusals(rules, basket(store_id="store-3")) == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"store_id": "other", "occurred_at": utc(2030, 1, 1)}, "campaign_not_active"),
        ({"store_id": "other"}, "wrong_store"),
        ({}, "customer_unknown"),
        ({"customer_id": "c-1"}, "wrong_customer_group"),
        ({"customer_id": "c-1", "customer_groups": {"gold"}}, "condition_not_met"),
    ],
)
def test_the_first_reason_is_given(values: dict[str, Any], reason: str) -> None:
    asked = instrument(conditions=[total(5_000), code("WELCOME")])
    rules = ruleset(campaign(instruments=[asked], stores=("s",), customer_groups=("gold",)))
    at_home: dict[str, Any] = {"store_id": "s", **values}
    assert refusals(rules, basket(codes=["WELCOME"], **at_home)) == [reason]


def test_a_paused_campaign_answers_only_codes() -> None:
    running = [campaign("plain"), asking("with-code", code("WELCOME"))]
    rules = ruleset(*running)
    paused = rules.with_campaigns([c.model_copy(update={"status": "paused"}) for c in running], 2)
    of = basket(codes=["WELCOME"])
    found = decide(of, paused, all_free)
    assert found.granted == ()
    assert [(r.campaign_id, r.reason) for r in found.refused] == [
        ("with-code", "campaign_not_active")
    ]
    assert len(decide(of, rules, all_free).granted) == 2
    assert len(decide(of, paused.with_campaigns(running, 3), all_free).granted) == 2


def test_a_finished_campaign_is_gone() -> None:
    running = asking("c", code("WELCOME"))
    finished = running.model_copy(update={"status": "finished", "version": 2})
    rules = ruleset(running).with_campaigns([finished], 7)
    assert met(rules, basket(codes=["WELCOME"])) == []
    assert rules.version == 7


def test_a_change_replaces_the_campaign_and_leaves_the_others() -> None:
    first, other = asking("c", sum_of(products(skus=["a"]), 1)), asking("o", total(1))
    before = ruleset(first, other)
    kept = before.consider(basket()).candidates
    after = before.with_campaigns([asking("c", sum_of(products(skus=["b"]), 1))], 2)
    assert met(after, basket([line(sku="a")])) == ["o"]
    assert met(after, basket([line(sku="b")])) == ["c", "o"]
    assert after.consider(basket()).candidates == kept, "what has not changed is not compiled again"
    assert met(before, basket([line(sku="a")])) == ["c", "o"], "the old ruleset stays as it was"


def test_the_last_state_of_a_campaign_counts() -> None:
    states = [campaign("c", stores=("x",)), campaign("c", version=2)]
    rules = Ruleset.empty().with_campaigns(states, 2)
    assert refusals(rules, basket()) == []


def test_a_campaign_waits_for_all_codes_of_its_emissions() -> None:
    asked = campaign(
        instruments=[instrument(conditions=[code("BATCH")])],
        emissions=(emission("BATCH", posted_codes=3), emission("MORE", posted_codes=1)),
    )
    of = basket(codes=["BATCH"])
    rules = Ruleset.empty().with_campaigns([asked], 1)
    for held in ({}, {"BATCH": 2, "MORE": 1}, {"BATCH": 3}):
        assert refusals(rules.with_codes(held), of) == ["campaign_not_active"]
    complete = rules.with_codes({"BATCH": 3, "MORE": 2})
    assert refusals(complete, of) == []
    assert refusals(complete.with_campaigns([asked], 2), of) == [], "held codes stay held"
    assert complete.version == 1


def test_a_draft_runs_beside_the_others_as_if_its_codes_were_there() -> None:
    live = campaign("live", [instrument("live")])
    draft = campaign(
        "draft", [instrument("i", [code("BATCH")])], emissions=(emission("BATCH", posted_codes=3),)
    )
    rules = Ruleset.empty().with_campaigns([live], 7).with_codes({"BATCH": 1})
    of = basket(codes=["BATCH"])
    assert met(rules, of) == ["live"]
    assert sorted(met(rules.with_draft(draft), of)) == ["draft", "live"]
    assert refusals(rules.with_draft(draft), of) == []
    assert rules.with_draft(draft).version == 7
    assert met(rules, of) == ["live"], "the rules themselves stay as they are"


@pytest.mark.parametrize(
    ("since", "until", "valid"),
    [
        (None, None, True),
        (0, 1, True),
        (-1, None, True),
        (None, 1, True),
        (1, None, False),
        (None, 0, False),
        (-2, -1, False),
    ],
)
def test_codes_are_valid_from_until(since: int | None, until: int | None, valid: bool) -> None:
    dates = [None if day is None else NOON + timedelta(days=day) for day in (since, until)]
    described = emission("WELCOME", valid_from=dates[0], valid_until=dates[1])
    asked = campaign(instruments=[instrument(conditions=[code()])], emissions=(described,))
    assert refusals(ruleset(asked), basket(codes=["WELCOME"])) == (
        [] if valid else ["code_not_valid"]
    )


def test_codes_of_an_emission_the_campaign_does_not_describe_are_not_valid() -> None:
    asked = asking("c", code("WELCOME")).model_copy(update={"emissions": ()})
    assert refusals(ruleset(asked), basket(codes=["WELCOME"])) == ["code_not_valid"]


def test_limits_are_those_of_the_instruments_that_the_cart_meets() -> None:
    batch = emission("BATCH", single_use=True)
    first, second = presented("B1", "BATCH", 0), presented("B2", "BATCH", 1)
    rules = ruleset(
        campaign(
            "c",
            [
                instrument("i", [code("BATCH", cap=9)], max_redemptions=5),
                instrument("uncapped", [code("BATCH", condition_id="x")]),
                instrument("nearly", [total(10**6), code("BATCH", 7, condition_id="y")]),
                instrument("not-met", [total(1, "<"), code("BATCH", 6, condition_id="z")]),
                instrument("opening", max_redemptions=1_000),
            ],
            emissions=(batch,),
        ),
        campaign("elsewhere", [instrument(max_redemptions=3)], stores=("other",)),
    )
    codes = sorted([first, second], key=lambda c: c.digest)
    assert rules.consider(basket(codes=[first, second])).limits() == (
        Limit("c/i", 5),
        Limit("c/i/code", 9),
        Limit("c/nearly/y", 7),
        Limit("c/opening", 1_000),
        *(Limit(f"code:{c.digest.hex()}", 1) for c in codes),
    )
    assert rules.consider(basket()).limits() == (Limit("c/opening", 1_000),)


def hash_of(*campaigns: Campaign) -> str:
    return ruleset(*campaigns).hash


def test_the_hash_is_the_same_in_whatever_order_campaigns_came() -> None:
    some = [campaign(f"c-{n}") for n in range(3)]
    one_by_one = Ruleset.empty()
    for version, item in enumerate(some):
        one_by_one = one_by_one.with_campaigns([campaign(item.campaign_id, priority=9)], version)
        one_by_one = one_by_one.with_campaigns([item], version)
    assert hash_of(*some) == hash_of(*reversed(some)) == one_by_one.hash
    assert ruleset(*some, version=9).hash == hash_of(*some)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "other"},
        {"version": 2},
        {"status": "paused"},
        {"priority": 1},
        {"time_zone": "Europe/Kyiv"},
        {"starts_at": utc(2026, 12, 5)},
        {"ends_at": utc(2026, 12, 31)},
        {"stores": ("s",)},
        {"customer_groups": ("g",)},
        {"segments": ("s",)},
        {"control_group": 1},
        {"limits": (LimitRule(redemptions=1),)},
        {"emissions": (emission("E"),)},
        {"instruments": [instrument(conditions=[total(1)])]},
        {"instruments": [instrument(conditions=[total(2)])]},
        {"instruments": [instrument("other")]},
    ],
)
def test_the_hash_changes_with_whatever_a_campaign_says(changed: dict[str, Any]) -> None:
    same, other = campaign("c"), campaign("c", **changed)
    assert hash_of(same) == hash_of(campaign("c"))
    assert hash_of(same) != hash_of(other)
    assert hash_of(same) != hash_of(campaign("d"))
    assert hash_of(campaign("c", [instrument(conditions=[total(1)])])) != hash_of(
        campaign("c", [instrument(conditions=[total(2)])])
    )


def test_finished_campaigns_leave_the_hash() -> None:
    kept, gone = campaign("kept"), campaign("gone")
    finished = gone.model_copy(update={"status": "finished", "version": 2})
    assert ruleset(kept, gone).with_campaigns([finished], 2).hash == hash_of(kept)
    assert ruleset(finished).hash == Ruleset.empty().hash


def test_instruments_are_met_by_groups_segments_stores_and_regions_too() -> None:
    rules = ruleset(
        campaign("a-groups", customer_groups=("gold",), segments=("rare",)),
        campaign("b-stores", stores=("s-1", "s-2")),
        asking("c-region", InRegion(regions=("east",))),
        asking("d-segment", CustomerSegment(segments=("rare",))),
        campaign("e-many-stores", stores=tuple(f"s-{n}" for n in range(101))),
    )
    values: dict[str, Any] = {"customer_id": "c-1", "store_id": "x"}
    assert met(rules, basket(**values)) == []
    assert met(rules, basket(**values, customer_groups={"gold"})) == ["a-groups"]
    rare = basket(**values, segments=frozenset({"rare"}))
    assert met(rules, rare) == ["a-groups", "d-segment"]
    assert met(rules, basket(store_id="s-2", region="east")) == [
        "b-stores",
        "c-region",
        "e-many-stores",
    ]
    unknown = basket(customer_groups={"gold"}, segments=frozenset({"rare"}), store_id="x")
    assert met(rules, unknown) == []
