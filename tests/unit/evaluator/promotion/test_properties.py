"""What holds for every cart and every set of campaigns, in the whole language."""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from services.evaluator.promotion import Basket, Limit, Ruleset, Verdict, decide
from shared.events.promotion import Campaign, Instrument
from tests.builders import (
    NOON,
    all_free,
    basket,
    campaign,
    code,
    instrument,
    line,
    percent_off,
    ruleset,
)
from tests.unit.evaluator.promotion.reference import grants
from tests.unit.evaluator.promotion.strategies import (
    DESCRIBED,
    HELD,
    baskets,
    campaigns,
    capacities,
    instruments,
)

Free = Callable[[Limit], int]

# The whole language takes long to generate, not long to decide.
quietly = [HealthCheck.too_slow, HealthCheck.data_too_large]
few = settings(max_examples=12, deadline=None, suppress_health_check=quietly)
many = settings(max_examples=45, deadline=None, suppress_health_check=quietly)


def compiled(some: Sequence[Campaign], version: int = 1) -> Ruleset:
    return Ruleset.empty().with_campaigns(some, version).with_codes(HELD)


def by_line(found: Verdict) -> dict[int, int]:
    return {decided.line: decided.discount for decided in found.lines}


@few
@given(baskets(), campaigns(), capacities())
def test_everything_adds_up(of: Basket, some: list[Campaign], free: Free) -> None:
    found = decide(of, compiled(some), free)
    shares: Counter[int] = Counter()
    for granted in found.granted:
        assert granted.discount == sum(share for _, share in granted.lines)
        assert all(share > 0 for _, share in granted.lines)
        shares.update(dict(granted.lines))
    assert {number: shares[number] for number in by_line(found)} == by_line(found)
    assert found.discount == sum(by_line(found).values()) == sum(g.discount for g in found.granted)
    assert found.total == sum(item.amount for item in of.lines)
    assert found.bonuses == sum(granted.bonuses for granted in found.granted)


@few
@given(baskets(), campaigns())
def test_no_line_goes_below_zero_or_its_floor(of: Basket, some: list[Campaign]) -> None:
    discounts = by_line(decide(of, compiled(some), all_free))
    for item in of.lines:
        discount = discounts[item.line]
        assert 0 <= discount <= item.amount
        if discount:
            assert item.amount - discount >= item.min_line_amount
            assert (item.amount - discount) * 1_000 >= item.min_unit_price * item.quantity
            assert not item.no_promo


@few
@given(baskets(), campaigns(), capacities())
def test_every_redemption_gives_something_and_every_refusal_nothing(
    of: Basket, some: list[Campaign], free: Free
) -> None:
    found = decide(of, compiled(some), free)
    assert all(granted.discount or granted.bonuses or granted.gifts for granted in found.granted)
    answered = [(g.campaign_id, g.instrument_id) for g in found.granted]
    answered += [(r.campaign_id, r.instrument_id) for r in found.refused]
    assert len(set(answered)) == len(answered)


@few
@given(baskets(), campaigns(), capacities())
def test_no_more_is_taken_of_limits_than_is_free_and_only_of_announced_ones(
    of: Basket, some: list[Campaign], free: Free
) -> None:
    rules = compiled(some)
    announced = set(rules.consider(of).limits())
    asked: set[Limit] = set()

    def asking(limit: Limit) -> int:
        asked.add(limit)
        return free(limit)

    found = decide(of, rules, asking)
    taken: Counter[Limit] = Counter()
    for granted in found.granted:
        for claim in granted.limits:
            taken[claim.limit] += claim.amount
            assert claim.amount == (granted.discount if claim.limit.money else 1)
    assert asked <= announced
    assert all(amount <= free(limit) for limit, amount in taken.items())


@few
@given(baskets(), campaigns(), capacities())
def test_limits_are_announced_before_purchases_are_remembered(
    of: Basket, some: list[Campaign], free: Free
) -> None:
    considered = compiled(some).consider(replace(of, purchases=()))
    announced = set(considered.limits())
    if considered.since is not None:
        considered.remember([p for p in of.purchases if p.occurred_at >= considered.since])
    assert set(considered.limits()) <= announced


@few
@given(baskets(), campaigns(), capacities())
def test_purchases_from_before_those_asked_for_change_nothing(
    of: Basket, some: list[Campaign], free: Free
) -> None:
    since = compiled(some).consider(of).since
    kept = () if since is None else tuple(p for p in of.purchases if p.occurred_at >= since)
    assert decide(replace(of, purchases=kept), compiled(some), free) == decide(
        of, compiled(some), free
    )


@few
@given(baskets(), campaigns(), capacities(), st.randoms(use_true_random=False))
def test_the_order_of_lines_campaigns_and_codes_changes_nothing(
    of: Basket, some: list[Campaign], free: Free, chance: Any
) -> None:
    def shuffled(items: Sequence[Any]) -> list[Any]:
        return chance.sample(list(items), len(items))  # type: ignore[no-any-return]

    first = decide(of, compiled(some), free)
    other = replace(of, lines=shuffled(of.lines), codes=tuple(shuffled(of.codes)))
    second = decide(other, compiled(shuffled(some)), free)
    assert by_line(first) == by_line(second)
    assert structs.replace(first, lines=()) == structs.replace(second, lines=())


@few
@given(baskets(), campaigns(), capacities())
def test_the_same_again_gives_the_same(of: Basket, some: list[Campaign], free: Free) -> None:
    read_again = [Campaign.model_validate_json(item.model_dump_json()) for item in some]
    assert decide(of, compiled(some), free) == decide(of, compiled(read_again), free)
    assert compiled(some).hash == compiled(read_again).hash


@few
@given(baskets(), campaigns(), capacities())
def test_a_ruleset_built_step_by_step_decides_as_one_built_at_once(
    of: Basket, some: list[Campaign], free: Free
) -> None:
    rules = compiled([])
    for version, item in enumerate(some):
        finished = item.model_copy(update={"status": "finished"})
        draft = item.model_copy(update={"instruments": some[0].instruments})
        rules = rules.with_campaigns([draft], version)
        rules = rules.with_campaigns([finished], version).with_campaigns([item], version)
    assert decide(of, rules, free) == decide(of, compiled(some), free)
    assert rules.hash == compiled(some).hash


@few
@given(baskets(), campaigns(), capacities(), instruments(9))
def test_a_campaign_that_does_not_match_changes_nothing(
    of: Basket, some: list[Campaign], free: Free, more: Instrument
) -> None:
    coded = more.model_copy(update={"conditions": (*more.conditions, code("OTHER"))})
    strangers = [
        campaign("s-1", [coded], priority=9, emissions=DESCRIBED),
        campaign("s-2", [more], priority=9, stores=("x",), emissions=DESCRIBED),
        campaign("s-3", [more], priority=9, status="paused", emissions=DESCRIBED),
        campaign("s-4", [more], priority=9, ends_at=NOON, emissions=DESCRIBED),
        campaign("s-5", [more], priority=9, segments=("nobody",), emissions=DESCRIBED),
    ]
    alone, among = compiled(some), compiled([*some, *strangers])
    before, after = decide(of, alone, free), decide(of, among, free)
    refused = tuple(r for r in after.refused if not r.campaign_id.startswith("s-"))
    near = tuple(miss for miss in after.near_misses if not miss.campaign_id.startswith("s-"))
    # A code that led nowhere now led to a stranger: it is still unused.
    assert [x.code for x in after.unused_codes] == [x.code for x in before.unused_codes]
    unused = before.unused_codes
    after = structs.replace(after, refused=refused, unused_codes=unused, near_misses=near)
    assert after == before
    assert alone.hash != among.hash


@many
@given(baskets(), campaigns(), capacities())
def test_the_index_and_plain_reading_agree_on_what_is_granted(
    of: Basket, some: list[Campaign], free: Free
) -> None:
    found = decide(of, compiled(some), free)
    numbers = sorted(item.line for item in of.lines)
    slowly = [
        (
            one.ids,
            tuple((numbers[position], share) for position, share in one.given.shares),
            (one.given.points, one.given.gifts, one.given.choose),
            one.times,
            one.codes[0] if one.codes else None,
            one.claims,
        )
        for one in grants(of, some, HELD, free)
    ]
    assert slowly == [
        (
            (granted.campaign_id, granted.instrument_id),
            granted.lines,
            (granted.bonuses, granted.gifts, granted.choose),
            granted.times,
            granted.code,
            {claim.limit.limit_id: claim.amount for claim in granted.limits},
        )
        for granted in found.granted
    ]


@few
@given(baskets(), campaigns())
def test_an_instrument_repeats_at_most_as_often_as_it_says(
    of: Basket, some: list[Campaign]
) -> None:
    repeats = {
        (item.campaign_id, one.instrument_id): one.repeat
        for item in some
        for one in item.instruments
    }
    for granted in decide(of, compiled(some), all_free).granted:
        repeat = repeats[granted.campaign_id, granted.instrument_id]
        most = repeat.max_times if repeat else 1
        assert granted.times >= 1
        assert most is None or granted.times <= most


@few
@given(baskets(), campaigns(), capacities())
def test_near_misses_are_few_in_order_and_of_instruments_that_were_considered(
    of: Basket, some: list[Campaign], free: Free
) -> None:
    found = decide(of, compiled(some), free)
    answered = {(g.campaign_id, g.instrument_id) for g in found.granted}
    gaps = {(r.campaign_id, r.instrument_id): (r.missing, r.unit) for r in found.refused}
    assert len(found.near_misses) <= 10
    for miss in found.near_misses:
        ids = (miss.campaign_id, miss.instrument_id)
        assert miss.missing > 0
        assert ids in answered or gaps[ids] == (miss.missing, miss.unit)


@few
@given(baskets(), campaigns(), capacities())
def test_every_code_is_used_or_answered(of: Basket, some: list[Campaign], free: Free) -> None:
    found = decide(of, compiled(some), free)
    used = {granted.code for granted in found.granted} - {None}
    unused = [one.code for one in found.unused_codes]
    assert unused == sorted(set(unused))
    assert used.isdisjoint(unused)
    assert {c.position for c in of.codes if c.emission_id is None} <= set(unused)


@few
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.integers(1, 10_000))
def test_a_percentage_is_that_of_decimal_arithmetic(amounts: list[int], percent: int) -> None:
    goods = [line(n, amount=amount) for n, amount in enumerate(amounts, 1)]
    rules = ruleset(campaign(instruments=[instrument(benefit=percent_off(percent))]))
    exact = Decimal(sum(amounts)) * percent / 10_000
    expected = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert decide(basket(goods), rules, all_free).discount == expected
