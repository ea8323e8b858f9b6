"""Anonymous callers learn nothing of a code that does not apply: not by the answer, not by the work."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.evaluator import answer, discretion
from services.evaluator.promotion import Basket, Limit, PresentedCode, Ruleset, Verdict, judge
from services.evaluator.promotion.ruleset import Considered
from services.evaluator.promotion.verdict import UnusedCode
from shared.events.conditions import Condition, Not
from shared.events.promotion import Campaign, Instrument, LimitRule
from tests.builders import (
    NOON,
    all_free,
    basket,
    campaign,
    cart,
    code,
    emission,
    instrument,
    line,
    presented,
    ruleset,
    total,
    unknown_code,
)
from tests.unit.evaluator.promotion.strategies import (
    DESCRIBED,
    HELD,
    baskets,
    campaigns,
    capacities,
    instruments,
)

Free = Callable[[Limit], int]


def discreetly(considered: Considered, free: Free) -> Verdict:
    """As the service does it: without the dead codes, then without those that do not apply."""
    found = discretion.without_dead(considered, free)
    while True:
        verdict = judge(found, free)
        if not verdict.unused_codes:
            return verdict
        found = discretion.without(found, [unused.code for unused in verdict.unused_codes])


def told(of: Basket, rules: Ruleset, free: Free = all_free) -> Verdict:
    return discreetly(rules.consider(of), free)


BATCH = emission("BATCH", kind="personal", single_use=True)
WELCOME = ruleset(
    campaign(
        "c-1",
        [
            instrument("i-1", [code("WELCOME", cap=2), total(2_000)]),
            instrument("i-2", [code("BATCH")]),
            instrument("i-3", [code("THEIRS", own=True)]),
            instrument("i-4", [total(3_000)]),
            instrument("i-5", [code("PAST"), total(2_000)]),
        ],
        emissions=[BATCH, emission("PAST", valid_until=NOON)],
    ),
    campaign("c-2", [instrument("i-6", [code("ELSEWHERE")])], stores=("store-9",)),
)


def used_up(limit: Limit) -> int:
    """Nothing is left of any code, nor of any emission's cap."""
    return 0 if limit.limit_id.startswith("code:") or limit.limit_id.endswith("/code") else 9


def test_a_code_that_applies_does() -> None:
    verdict = told(basket([line(amount=2_000)], codes=["WELCOME"]), WELCOME)
    assert [(g.instrument_id, g.code) for g in verdict.granted] == [("i-1", 0)]


def test_of_a_code_that_does_not_nothing_is_told_nor_promised() -> None:
    """What is missing for i-4 is: no code leads there."""
    nothing = told(basket(), WELCOME)
    assert [r.instrument_id for r in nothing.refused] == ["i-4"]
    assert [m.instrument_id for m in nothing.near_misses] == ["i-4"]
    theirs = PresentedCode(0, presented("THEIRS").digest, "THEIRS", "c-2")
    for bad in ("WELCOME", "PAST", "ELSEWHERE", theirs, unknown_code("TYPO")):
        assert told(basket(codes=[bad]), WELCOME) == nothing
    assert told(basket(codes=["BATCH"]), WELCOME, used_up) == nothing
    assert told(basket([line(amount=2_500)], codes=["WELCOME"]), WELCOME, used_up) == told(
        basket([line(amount=2_500)]), WELCOME
    )


def test_a_dead_code_is_taken_off_before_purchases_and_limits_are_looked_at() -> None:
    considered = WELCOME.consider(basket([line(amount=2_000)], codes=["BATCH", "WELCOME"]))
    alive = discretion.without_dead(considered, all_free)
    assert [c.position for c in alive.reading.basket.codes] == [0, 1]
    assert discretion.without_dead(considered, used_up).reading.basket.codes == ()
    over = replace(presented("B1", "BATCH"), valid_until=NOON)
    considered = WELCOME.consider(basket([line(amount=2_000)], codes=[over]))
    assert discretion.without_dead(considered, all_free).reading.basket.codes == ()


def test_one_limit_is_asked_for_every_code_known_or_not() -> None:
    codes = ["BATCH", unknown_code("TYPO", 1), presented("PAST", position=2)]
    considered = WELCOME.consider(basket(codes=codes))
    asked = {limit.limit_id for limit in discretion.limits_of_codes(considered)}
    assert {f"code:{c.digest.hex()}" for c in considered.reading.basket.codes} <= asked


def test_a_code_that_another_limit_of_its_own_uses_up_is_dead() -> None:
    per_code = (LimitRule(per=("code",), redemptions=1),)
    rules = ruleset(campaign(instruments=[instrument(conditions=[code()], limits=per_code)]))
    considered = rules.consider(basket(codes=["WELCOME"]))
    alive = discretion.without_dead(considered, lambda limit: int("~code" not in limit.limit_id))
    assert alive.reading.basket.codes == ()


def test_what_only_who_has_no_code_gets_is_there_for_who_has_a_bad_one() -> None:
    refused = Not(condition=code("BATCH"))
    rules = ruleset(
        campaign(
            instruments=[instrument("i-1", [refused]), instrument("i-2", [code("BATCH")])],
            emissions=[BATCH],
        )
    )
    for one, free in ((unknown_code("B"), all_free), (presented("B", "BATCH"), used_up)):
        found = told(basket(codes=[one]), rules, free)
        assert [g.instrument_id for g in found.granted] == ["i-1"]


few = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@few
@given(baskets(), campaigns(), capacities(), instruments(8), instruments(9), st.integers(0, 4))
def test_whichever_way_a_code_is_bad_the_answer_is_the_same(
    of: Basket, some: list[Campaign], free: Free, one: Instrument, two: Instrument, at: int
) -> None:
    """Unknown, over, used up, somebody else's, of a campaign elsewhere: in the whole language."""
    digest = presented("BAD").digest

    def unless_used_up(limit: Limit) -> int:
        return 0 if digest.hex() in limit.limit_id else free(limit)

    led_to = _led_to_by_bad_codes(one, two)
    rules = Ruleset.empty().with_campaigns([*some, *led_to], 1)
    rules = rules.with_codes(HELD | dict.fromkeys(("THEIRS", "ELSEWHERE", "SINGLE"), 1))
    answers = []
    for emission_id, holder, ends in (
        (None, None, None),
        ("PAST", None, None),
        ("SINGLE", None, None),
        ("SINGLE", None, NOON),
        ("THEIRS", "c-9", None),
        ("ELSEWHERE", None, None),
    ):
        codes = list(of.codes)
        codes.insert(at, PresentedCode(0, digest, emission_id, holder, ends))
        numbered = tuple(replace(one, position=n) for n, one in enumerate(codes))
        assume(len(numbered) <= 10)
        considered = rules.consider(replace(of, codes=numbered))
        alive = discretion.without_dead(considered, unless_used_up)
        # What is loaded and decided follows from this.
        answers.append((alive.reading.basket, discreetly(considered, unless_used_up)))
    assert answers[1:] == answers[:-1]


def _led_to_by_bad_codes(one: Instrument, two: Instrument) -> Sequence[Campaign]:
    """What codes of each kind lead to, and what is for those who have none."""
    emissions = (
        *DESCRIBED,
        emission("SINGLE", kind="personal", single_use=True),
        emission("THEIRS"),
        emission("ELSEWHERE"),
    )
    theirs, others = code("THEIRS", own=True), [code(e) for e in ("SINGLE", "PAST")]
    seen = [Not(condition=code(e)) for e in ("SINGLE", "ELSEWHERE", "PAST")]
    asked = [_asking(one, theirs), *[_asking(two, other, n) for n, other in enumerate(others)]]
    free_of = [_asking(two, none, n + 5) for n, none in enumerate(seen)]
    return [
        campaign("x-1", [*asked, *free_of], priority=1, emissions=emissions),
        campaign("x-2", [_asking(one, code("ELSEWHERE"))], stores=("x",), emissions=emissions),
    ]


def _asking(one: Instrument, more: Condition, number: int = 9) -> Instrument:
    return one.model_copy(
        update={"instrument_id": f"x-{number}", "conditions": (*one.conditions, more)}
    )


def test_the_answer_says_which_codes_were_not_applied_and_no_more() -> None:
    asked = cart(codes=["A", "B", "C"])
    found = answer.of(
        asked,
        None,
        decision_id="d-1",
        outcome="decided",
        region="West",
        device="till",
        decided_at=NOON,
        expires_at=None,
        ruleset_version=1,
        ruleset_hash="00",
        unknown_codes=(2,),
        foreign_codes=(1,),
    )
    found = discretion.anonymous(replace(found, bonus_balance=5, bonuses_payable=2), [0, 2])
    assert found.unused_codes == (UnusedCode(0, "not_applied"), UnusedCode(2, "not_applied"))
    assert (found.unknown_codes, found.foreign_codes) == ((), ())
    assert (found.bonus_balance, found.bonuses_payable) == (None, 0)


@given(st.integers(0, 10**6))
def test_answers_leave_on_a_grid(microseconds: int) -> None:
    took = timedelta(microseconds=microseconds)
    wait = discretion.release(took)
    assert timedelta() <= wait < discretion.GRID
    assert (took + wait) % discretion.GRID == timedelta()
