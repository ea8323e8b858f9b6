"""Which codes an instrument uses, where its conditions can be met in several ways."""

import pytest
from msgspec.structs import replace

from services.evaluator.promotion import PresentedCode, UnusedCode, Verdict, decide
from shared.events.conditions import All, AnyOf, Condition, Not
from tests.builders import (
    all_free,
    basket,
    campaign,
    code,
    emission,
    instrument,
    left,
    presented,
    ruleset,
    total,
)

BATCH = emission("BATCH", kind="personal", single_use=True)
PLUS = code("PLUS", condition_id="plus")
WELCOME = code("WELCOME", condition_id="welcome")
MET, NOT_MET = total(1_000), total(1_001)


def verdict(codes: list[str], *conditions: Condition, **slots: int) -> Verdict:
    rules = ruleset(campaign("c", [instrument("i", conditions)]))
    return decide(basket(codes=codes), rules, left(**slots))


def either(*conditions: Condition) -> AnyOf:
    return AnyOf(conditions=conditions)


def both(*conditions: Condition) -> All:
    return All(conditions=conditions)


@pytest.mark.parametrize(
    ("condition", "codes", "used"),
    [
        pytest.param(either(WELCOME, PLUS), ["WELCOME"], 0, id="the one that is there"),
        pytest.param(either(WELCOME, PLUS), ["PLUS", "WELCOME"], 1, id="the first written"),
        pytest.param(either(PLUS, WELCOME), ["PLUS", "WELCOME"], 0, id="the other first"),
        pytest.param(either(MET, WELCOME), ["WELCOME"], None, id="none if none is needed"),
        pytest.param(either(NOT_MET, WELCOME), ["WELCOME"], 0, id="one if it is needed"),
        pytest.param(both(either(NOT_MET, both(MET, WELCOME))), ["WELCOME"], 0, id="nested"),
        pytest.param(
            either(both(NOT_MET, WELCOME), PLUS), ["WELCOME", "PLUS"], 1, id="of what is met"
        ),
        pytest.param(
            both(Not(condition=WELCOME), PLUS), ["PLUS"], 0, id="none for what must not be there"
        ),
    ],
)
def test_the_first_way_that_is_met(
    condition: Condition, codes: list[str], used: int | None
) -> None:
    (granted,) = verdict(codes, condition).granted
    assert granted.code == used


CAPPED = code("WELCOME", 5, condition_id="welcome")
ALSO_CAPPED = code("PLUS", 5, condition_id="plus")


@pytest.mark.parametrize(
    ("condition", "welcome", "used", "claims"),
    [
        pytest.param(either(CAPPED, ALSO_CAPPED), 1, 0, ["c/i/welcome"], id="room: the first"),
        pytest.param(either(CAPPED, ALSO_CAPPED), 0, 1, ["c/i/plus"], id="full: the next"),
        pytest.param(either(CAPPED, MET), 1, 0, ["c/i/welcome"], id="a code before none"),
        pytest.param(either(CAPPED, MET), 0, None, [], id="full: none is needed"),
        pytest.param(
            either(both(ALSO_CAPPED, CAPPED), PLUS.model_copy(update={"condition_id": "x"})),
            0,
            1,
            [],
            id="both or neither: a slot alone is not taken",
        ),
    ],
)
def test_a_way_whose_cap_is_full_gives_way_to_the_next(
    condition: Condition, welcome: int, used: int | None, claims: list[str]
) -> None:
    (granted,) = verdict(["WELCOME", "PLUS"], condition, welcome=welcome).granted
    assert granted.code == used
    assert [claim.limit.limit_id for claim in granted.limits] == claims


def test_when_every_way_is_full_the_first_is_the_reason() -> None:
    found = verdict(["WELCOME", "PLUS"], either(CAPPED, ALSO_CAPPED), welcome=0, plus=0)
    assert [(r.reason, r.condition) for r in found.refused] == [("limit_reached", "welcome")]


def test_caps_within_all_are_taken_together() -> None:
    both_codes = both(CAPPED, ALSO_CAPPED)
    (granted,) = verdict(["WELCOME", "PLUS"], both_codes).granted
    assert [claim.limit.limit_id for claim in granted.limits] == ["c/i/welcome", "c/i/plus"]
    assert verdict(["WELCOME", "PLUS"], both_codes, plus=0).granted == ()


def test_every_code_that_might_be_used_is_announced() -> None:
    codes = [presented("B1", "BATCH", 0), presented("B2", "BATCH", 1), "WELCOME"]
    asked = either(code("BATCH", 3, condition_id="batch"), CAPPED, MET)
    rules = ruleset(campaign("c", [instrument("i", [asked])], emissions=(BATCH,)))
    limits = rules.consider(basket(codes=codes)).limits()
    digests = sorted(f"code:{c.digest.hex()}" for c in codes if isinstance(c, PresentedCode))
    assert [limit.limit_id for limit in limits] == ["c/i/batch", "c/i/welcome", *digests]


def test_of_single_use_codes_the_smallest_unused_one_is_taken_whichever_way() -> None:
    codes = [presented(f"B{n}", "BATCH", n) for n in range(3)]
    small, middle, large = sorted(codes, key=lambda c: c.digest)
    asked = either(both(code("BATCH"), NOT_MET), code("BATCH", condition_id="second"))
    rules = ruleset(campaign("c", [instrument("i", [asked])], emissions=(BATCH,)))

    def used_with(*gone: PresentedCode) -> int | None:
        full = {f"code:{c.digest.hex()}" for c in gone}
        found = decide(basket(codes=codes), rules, lambda x: 0 if x.limit_id in full else x.cap)
        return found.granted[0].code if found.granted else None

    assert used_with() == small.position
    assert used_with(small) == middle.position
    assert used_with(small, middle) == large.position
    assert used_with(small, middle, large) is None


def test_many_alternatives_are_no_explosion() -> None:
    choices = [
        either(*[code("WELCOME", condition_id=f"c-{n}-{m}") for m in range(9)]) for n in range(10)
    ]
    (granted,) = verdict(["WELCOME"], *choices).granted
    assert granted.code == 0


def test_why_codes_stay_unused() -> None:
    some = campaign(
        "c",
        [
            instrument("a", [code("WELCOME"), total(5_000)]),
            instrument("b", [code("PLUS")], max_redemptions=1),
            instrument("d", [code("ELSEWHERE")]),
        ],
    )
    gone = campaign("p", [instrument("a", [code("PAUSED")])], status="paused")
    away = campaign("s", [instrument("a", [code("AWAY")])], stores=("store-9",))
    codes = ["NONE", "WELCOME", "PLUS", "PAUSED", "AWAY", "ELSEWHERE"]
    found = decide(basket(codes=codes), ruleset(some, gone, away), left(b=0))
    assert [(x.code, x.reason) for x in found.unused_codes] == [
        (0, "no_campaign"),
        (1, "condition_not_met"),
        (2, "limit_reached"),
        (3, "campaign_not_active"),
        (4, "wrong_store"),
    ]
    nobodys = PresentedCode(0, b"x", None)
    assert decide(basket(codes=[nobodys]), ruleset(some), all_free).unused_codes == (
        UnusedCode(0, "unknown_code"),
    )
    assert decide(basket(), ruleset(some), all_free).unused_codes == ()


def test_codes_that_are_bound_to_another_customer_are_foreign_whether_they_may_be_used_or_not() -> (
    None
):
    own, others, anybodys = (
        PresentedCode(0, b"x", "e", "c-1"),
        PresentedCode(1, b"y", "e", "c-2"),
        PresentedCode(2, b"z", "e"),
    )
    presented = basket(codes=[own, others, anybodys])
    assert replace(presented, customer_id="c-1").foreign_codes == [1]
    assert replace(presented, customer_id=None).foreign_codes == [0, 1]


def test_codes_that_were_not_looked_at_are_locked_out_and_not_unknown() -> None:
    of = basket(codes=[PresentedCode(0, b"x", None), PresentedCode(1, b"y", None)])
    locked = replace(of, locked_out=True)
    assert (of.unknown_codes, locked.unknown_codes) == ([0, 1], [])
    found = decide(locked, ruleset(campaign()), all_free)
    assert found.unused_codes == (UnusedCode(0, "locked_out"), UnusedCode(1, "locked_out"))
