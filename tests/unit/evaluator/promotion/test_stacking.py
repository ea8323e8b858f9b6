"""Several instruments on one cart: slots, codes, and what is tried again."""

from typing import Any

import pytest

from services.evaluator.promotion import Basket, InstrumentName, PresentedCode, Verdict, decide
from shared.events.benefits import Benefit, GiftGoods
from shared.events.promotion import Campaign, Instrument
from shared.events.values import Gift
from tests.builders import (
    all_free,
    basket,
    bonuses,
    campaign,
    code,
    emission,
    instrument,
    left,
    percent_off,
    presented,
    products,
    ruleset,
)

BATCH = emission("BATCH", kind="personal", single_use=True, posted_codes=2)
SMALL, LARGE = sorted(
    (presented("B1", "BATCH", 0), presented("B2", "BATCH", 1)), key=lambda c: c.digest
)


def batch_campaign(
    campaign_id: str = "c", *, instruments: int = 1, cap: int | None = None
) -> Campaign:
    """Instruments i-0, i-1… of 10%, each for a single-use code."""
    chosen = [instrument(f"i-{n}", [code("BATCH", cap=cap)]) for n in range(instruments)]
    return campaign(campaign_id, chosen, emissions=(BATCH,))


def full(item: PresentedCode) -> str:
    return f"code:{item.digest.hex()}"


def test_a_full_limit_drops_its_instrument_and_the_others_stay() -> None:
    rules = ruleset(
        campaign(
            instruments=[
                instrument("full", benefit=percent_off(5_000), max_redemptions=10, priority=9),
                instrument("free", benefit=percent_off(1_000), max_redemptions=10),
            ]
        )
    )
    found = decide(basket(), rules, left(full=0))
    assert [(g.instrument_id, g.discount) for g in found.granted] == [("free", 100)]
    assert [(r.instrument_id, r.reason) for r in found.refused] == [("full", "limit_reached")]


@pytest.mark.parametrize(("slots", "granted"), [(1_000, 1), (1, 1), (0, 0), (-3, 0)])
def test_the_cap_of_a_code_condition(slots: int, granted: int) -> None:
    rules = ruleset(campaign("c", [instrument("i", [code(cap=1_000)])]))
    found = decide(basket(codes=["WELCOME"]), rules, left(code=slots))
    assert len(found.granted) == granted
    if not granted:
        (refused,) = found.refused
        assert (refused.reason, refused.condition) == ("limit_reached", "code")


def test_limits_are_taken_together_or_not_at_all() -> None:
    rules = ruleset(
        campaign(
            "c",
            [
                instrument("both", [code("BATCH")], max_redemptions=1, priority=1),
                instrument("code", [code("BATCH")]),
            ],
            emissions=(BATCH,),
        )
    )
    found = decide(basket(codes=[SMALL]), rules, left(both=0))
    assert [g.instrument_id for g in found.granted] == ["code"], "the code's slot was not taken"


def test_the_slots_taken_are_named() -> None:
    rules = ruleset(
        campaign(
            "c", [instrument("i", [code("BATCH", cap=5)], max_redemptions=7)], emissions=(BATCH,)
        )
    )
    (granted,) = decide(basket(codes=[SMALL, LARGE]), rules, all_free).granted
    assert [claim.limit.limit_id for claim in granted.limits] == ["c/i/code", full(SMALL), "c/i"]


def test_a_mass_code_serves_every_instrument() -> None:
    rules = ruleset(campaign(instruments=[instrument(f"i-{n}", [code()]) for n in range(3)]))
    found = decide(basket(codes=["WELCOME"]), rules, all_free)
    assert [granted.code for granted in found.granted] == [0, 0, 0]


def test_one_condition_uses_one_code_the_smallest() -> None:
    for codes in ([SMALL, LARGE], [LARGE, SMALL]):
        (granted,) = decide(basket(codes=codes), ruleset(batch_campaign()), all_free).granted
        assert granted.code == SMALL.position


def test_a_used_code_gives_way_to_the_next() -> None:
    used = {full(SMALL)}
    (granted,) = decide(
        basket(codes=[SMALL, LARGE]),
        ruleset(batch_campaign()),
        lambda limit: 0 if limit.limit_id in used else limit.cap,
    ).granted
    assert granted.code == LARGE.position


def test_a_single_use_code_serves_one_instrument_over_all_campaigns() -> None:
    rules = ruleset(batch_campaign("a"), batch_campaign("b"))
    found = decide(basket(codes=[SMALL]), rules, all_free)
    assert [g.campaign_id for g in found.granted] == ["a"]
    assert [(r.campaign_id, r.reason) for r in found.refused] == [("b", "limit_reached")]


def test_two_single_use_codes_serve_two() -> None:
    found = decide(basket(codes=[LARGE, SMALL]), ruleset(batch_campaign(instruments=3)), all_free)
    assert [g.code for g in found.granted] == [SMALL.position, LARGE.position]
    assert [r.reason for r in found.refused] == ["limit_reached"]


def test_two_conditions_of_one_instrument_take_two_single_use_codes() -> None:
    asked = instrument("i", [code("BATCH"), code("BATCH", condition_id="second")])
    rules = ruleset(campaign("c", [asked], emissions=(BATCH,)))
    (granted,) = decide(basket(codes=[SMALL, LARGE]), rules, all_free).granted
    assert [claim.limit.limit_id for claim in granted.limits] == [full(SMALL), full(LARGE)]
    (refused,) = decide(basket(codes=[SMALL]), rules, all_free).refused
    assert (refused.reason, refused.condition) == ("limit_reached", "second")


def test_a_code_typed_twice_is_one_code_where_it_stands_first() -> None:
    again = PresentedCode(5, SMALL.digest, "BATCH")
    found = decide(basket(codes=[again, SMALL]), ruleset(batch_campaign(instruments=2)), all_free)
    assert [g.code for g in found.granted] == [SMALL.position]


def test_a_benefit_of_nothing_takes_no_slot() -> None:
    nothing = instrument("nothing", [code("BATCH")], percent_off(max_discount=0), priority=1)
    rules = ruleset(
        campaign("c", [nothing, instrument("ten", [code("BATCH")])], emissions=(BATCH,))
    )
    found = decide(basket(codes=[SMALL]), rules, all_free)
    assert [g.instrument_id for g in found.granted] == ["ten"]
    assert [(r.instrument_id, r.reason) for r in found.refused] == [
        ("nothing", "nothing_to_discount")
    ]


def test_bonuses_that_later_discounts_bring_to_nothing_give_their_code_back() -> None:
    points = instrument("points", [code("BATCH")], bonuses(percent=1_000), priority=2)
    free = instrument("free", [], percent_off(10_000), priority=1)
    late = instrument("late", [code("BATCH")], bonuses(50))
    rules = ruleset(campaign("c", [points, free, late], emissions=(BATCH,)))
    found = decide(basket(codes=[SMALL], customer_id="c-1"), rules, all_free)
    assert [(g.instrument_id, g.bonuses) for g in found.granted] == [("free", 0), ("late", 50)]
    assert [(r.instrument_id, r.reason) for r in found.refused] == [
        ("points", "nothing_to_discount")
    ]


def test_bonuses_take_their_code_in_their_turn() -> None:
    points = instrument("points", [code("BATCH")], bonuses(percent=1_000), priority=2)
    ten = instrument("ten", [code("BATCH")])
    rules = ruleset(campaign("c", [ten, points], emissions=(BATCH,)))
    found = decide(basket(codes=[SMALL], customer_id="c-1"), rules, all_free)
    assert [(g.instrument_id, g.bonuses) for g in found.granted] == [("points", 100)]


def verdict(*instruments: Instrument, of: Basket | None = None) -> Verdict:
    some = campaign("c", instruments)
    return decide(of or basket(customer_id="c-1"), ruleset(some), all_free)


def outcome(found: Verdict) -> tuple[list[str], dict[str, str]]:
    """(granted, why the others are refused)."""
    return (
        [granted.instrument_id for granted in found.granted],
        {refused.instrument_id: refused.reason for refused in found.refused},
    )


def exclusive(name: str, benefit: Benefit | None = None, **values: Any) -> Instrument:
    return instrument(name, [], benefit, stacking="exclusive", **values)


def best(name: str, benefit: Benefit, group: str = "g", **values: Any) -> Instrument:
    return instrument(name, [], benefit, stacking="best_of", best_of=group, **values)


def test_an_exclusive_instrument_that_comes_first_blocks_the_rest() -> None:
    found = verdict(instrument("late"), exclusive("alone", priority=1), exclusive("too"))
    assert outcome(found) == (["alone"], {"late": "outranked", "too": "outranked"})
    assert {refused.outranked_by for refused in found.refused} == {InstrumentName("c", "alone")}


def test_an_exclusive_instrument_applies_only_if_nothing_has() -> None:
    found = verdict(instrument("first"), exclusive("alone"), instrument("last"))
    assert outcome(found) == (["first", "last"], {"alone": "outranked"})
    assert [refused.outranked_by for refused in found.refused] == [InstrumentName("c", "first")]


def test_an_exclusive_instrument_that_gives_nothing_blocks_nothing() -> None:
    nothing = exclusive("nothing", percent_off(products=products(skus=["x"])), priority=1)
    found = verdict(nothing, instrument("next"))
    assert outcome(found) == (["next"], {"nothing": "nothing_to_discount"})


def test_an_exclusive_instrument_whose_limit_is_full_blocks_nothing() -> None:
    rules = ruleset(
        campaign(instruments=[exclusive("full", max_redemptions=1), instrument("next")])
    )
    found = decide(basket(), rules, left(full=0))
    assert outcome(found) == (["next"], {"full": "limit_reached"})


def test_worthless_bonuses_block_no_exclusive_instrument() -> None:
    points = instrument("points", [], bonuses(percent=1))  # of 10.00 there is no tenth of a point
    found = verdict(points, exclusive("alone"))
    assert outcome(found) == (["alone"], {"points": "nothing_to_discount"})


def test_gifts_and_bonuses_block_an_exclusive_instrument_as_discounts_do() -> None:
    for benefit in (bonuses(1), GiftGoods(gifts=(Gift(sku="mug"),))):
        found = verdict(instrument("first", [], benefit), exclusive("alone"))
        assert outcome(found) == (["first"], {"alone": "outranked"})


@pytest.mark.parametrize(
    ("benefits", "winner"),
    [
        pytest.param({"a": percent_off(100), "b": percent_off(200)}, "b", id="more discount"),
        pytest.param({"a": bonuses(900), "b": percent_off(10)}, "b", id="discount before bonuses"),
        pytest.param({"a": bonuses(5), "b": bonuses(6)}, "b", id="then more bonuses"),
        pytest.param({"b": percent_off(100), "a": percent_off(100)}, "a", id="then the lower id"),
        pytest.param(
            {"b": GiftGoods(gifts=(Gift(sku="mug"),)), "a": bonuses(1)}, "a", id="gifts last"
        ),
    ],
)
def test_the_best_of_a_group_applies(benefits: dict[str, Benefit], winner: str) -> None:
    found = verdict(*[best(name, benefit) for name, benefit in benefits.items()])
    (loser,) = set(benefits) - {winner}
    assert outcome(found) == ([winner], {loser: "outranked"})
    assert [refused.outranked_by for refused in found.refused] == [InstrumentName("c", winner)]


def test_a_group_has_its_turn_when_its_first_one_has() -> None:
    found = verdict(
        best("first", percent_off(100), priority=3),
        instrument("between", [], percent_off(5_000), priority=2),
        best("best", percent_off(1_000), priority=1),
    )
    assert [(g.instrument_id, g.discount) for g in found.granted] == [
        ("best", 100),
        ("between", 450),
    ]


def test_groups_are_apart_and_reach_over_campaigns() -> None:
    one = campaign("one", [best("a", percent_off(100)), best("b", percent_off(100), "h")])
    two = campaign("two", [best("c", percent_off(200))])
    found = decide(basket(), ruleset(one, two), all_free)
    assert outcome(found) == (["c", "b"], {"a": "outranked"})


def test_of_a_group_one_whose_limit_is_full_leaves_it_to_the_next_best() -> None:
    rules = ruleset(
        campaign(
            instruments=[
                best("full", percent_off(5_000), max_redemptions=1),
                best("next", percent_off(200)),
                best("last", percent_off(100)),
            ]
        )
    )
    found = decide(basket(), rules, left(full=0))
    assert outcome(found) == (["next"], {"full": "limit_reached", "last": "outranked"})


def test_what_loses_in_its_group_takes_nothing_of_its_limits() -> None:
    loser = best("loser", percent_off(100), max_redemptions=1)
    found = verdict(loser, best("winner", percent_off(200)))
    assert [claim for granted in found.granted for claim in granted.limits] == []


def test_bonuses_that_win_and_come_to_nothing_leave_it_to_the_next_best() -> None:
    found = verdict(
        best("points", bonuses(percent=10_000), priority=2),
        best("fixed", bonuses(1), priority=2),
        instrument("free", [], percent_off(10_000)),
    )
    assert outcome(found) == (["fixed", "free"], {"points": "nothing_to_discount"})


def test_an_exclusive_instrument_blocks_a_group_and_is_blocked_by_one() -> None:
    group = [best("a", percent_off(100)), best("b", percent_off(200))]
    found = verdict(*group, exclusive("alone", priority=1))
    assert outcome(found) == (["alone"], {"a": "outranked", "b": "outranked"})
    found = verdict(*group, exclusive("alone"))
    assert outcome(found) == (["b"], {"a": "outranked", "alone": "outranked"})
