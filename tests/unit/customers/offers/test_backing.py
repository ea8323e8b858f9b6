"""What running campaigns give for the codes of an emission, and whether a policy promises just that."""

from datetime import timedelta
from typing import Any

import pytest

from services.customers.offers.backing import Backing, backed, backings, check
from shared.events.benefits import AmountOff, Bonuses, PercentOff, Tier, Tiers
from shared.events.conditions import AnyOf, Not, PromoCode, ReceiptTotal
from shared.events.promotion import Campaign, EmissionSummary, Instrument
from shared.events.selection import Comparison
from tests.unit.customers.offers.examples import BACKINGS, DAY, NOON, backing, policy

ENDS = NOON + 30 * DAY


def instrument(**fields: Any) -> Instrument:
    values: dict[str, Any] = {
        "instrument_id": "i1",
        "name": "5%",
        "conditions": (PromoCode(emission_id="e5"),),
        "benefit": PercentOff(percent=500),
    }
    return Instrument(**(values | fields))


def campaign(*instruments: Instrument, **fields: Any) -> Campaign:
    values: dict[str, Any] = {
        "campaign_id": "c1",
        "version": 1,
        "name": "Codes",
        "status": "running",
        "time_zone": "Europe/Kyiv",
        "starts_at": NOON,
        "ends_at": ENDS,
        "instruments": instruments or (instrument(),),
        "emissions": (
            EmissionSummary(emission_id="e5", kind="personal", single_use=True, posted_codes=0),
        ),
    }
    return Campaign(**(values | fields))


def test_what_a_running_campaign_gives_for_codes_is_found_however_deep_they_are_asked_for() -> None:
    asked = AnyOf(
        conditions=(ReceiptTotal(compare=Comparison(value=1)), PromoCode(emission_id="e5"))
    )
    [found] = backings(campaign(instrument(conditions=(asked,)), stores=("s-1",), control_group=1))
    assert (found.emission_id, found.discounts_in, found.discounts) == ("e5", "percent", (500,))
    assert (found.starts_at, found.ends_at, found.stores) == (NOON, ENDS, ("s-1",))
    assert (found.personal, found.held_back, found.groups) == (True, 1, False)


def test_a_code_is_its_owners_if_one_condition_says_so() -> None:
    anybody = PromoCode(emission_id="e5", condition_id="any")
    owner = PromoCode(emission_id="e5", own=True)
    asked = [(anybody,), (owner,), (anybody, owner)]
    found = [backings(campaign(instrument(conditions=each)))[0].own for each in asked]
    assert found == [False, True, True]


@pytest.mark.parametrize("status", ["paused", "finished"])
def test_a_campaign_that_does_not_run_gives_nothing(status: str) -> None:
    assert backings(campaign(status=status)) == []


def test_a_code_that_must_not_be_there_is_not_asked_for() -> None:
    unwanted = Not(condition=PromoCode(emission_id="e5"))
    assert backings(campaign(instrument(conditions=(unwanted,)))) == []


@pytest.mark.parametrize(
    ("benefit", "kind", "discounts"),
    [
        (AmountOff(amount=5_000), "amount", (5_000,)),
        (Bonuses(fixed=10), "other", ()),
        (
            Tiers(
                tiers=(
                    Tier(at_least=100, benefit=PercentOff(percent=700)),
                    Tier(at_least=200, benefit=PercentOff(percent=500)),
                )
            ),
            "percent",
            (500, 700),
        ),
        (
            Tiers(
                tiers=(
                    Tier(at_least=100, benefit=PercentOff(percent=700)),
                    Tier(at_least=200, benefit=AmountOff(amount=500)),
                )
            ),
            "other",
            (),
        ),
    ],
)
def test_how_much_it_gives_is_known_where_that_is_a_figure(
    benefit: Any, kind: str, discounts: tuple[int, ...]
) -> None:
    [found] = backings(campaign(instrument(benefit=benefit)))
    assert (found.discounts_in, found.discounts) == (kind, discounts)


def found_of(**backed_by: Any) -> list[tuple[int, str]]:
    known = BACKINGS | {name: list(each) for name, each in backed_by.items()}
    return [(one.step, one.finding) for one in check(policy(), known, NOON)]


def test_a_policy_that_promises_what_is_given_has_nothing_to_be_said_of() -> None:
    assert found_of() == []


@pytest.mark.parametrize(
    ("backings_of_e10", "finding"),
    [
        ((), "no_campaign"),
        ((backing("e10", 1_000, ends_at=NOON),), "no_campaign"),
        ((backing("e10", 1_000, personal=False),), "not_personal"),
        ((backing("e10", 999),), "other_discount"),
        ((backing("e10", 1_000, discounts_in="amount"),), "other_discount"),
        ((backing("e10", 1_000, starts_at=NOON + DAY),), "not_begun"),
        ((backing("e10", 1_000, ends_at=NOON + 7 * DAY - timedelta(seconds=1)),), "ends_soon"),
        ((backing("e10", 1_000, stores=("s-1",)),), "for_some_stores"),
        ((backing("e10", 1_000, segments=("regulars",)),), "for_some_customers"),
        ((backing("e10", 1_000, groups=True),), "for_some_customers"),
        ((backing("e10", 1_000, held_back=500),), "has_control_group"),
        ((backing("e10", 1_000, own=False),), "for_whoever_has_it"),
    ],
)
def test_what_is_given_otherwise_is_told_with_its_step(
    backings_of_e10: tuple[Backing, ...], finding: str
) -> None:
    assert found_of(e10=backings_of_e10) == [(2, finding)]


def test_the_very_beginning_and_the_last_day_are_no_reason_for_a_note() -> None:
    assert found_of(e10=(backing("e10", 1_000, starts_at=NOON),)) == []
    assert found_of(e10=(backing("e10", 1_000, ends_at=NOON + 7 * DAY),)) == []


def test_a_note_says_what_is_given_instead_and_whether_the_policy_can_be_started() -> None:
    def note(*each: Backing) -> tuple[tuple[int, ...], bool]:
        [found] = check(policy(), BACKINGS | {"e10": list(each)}, NOON)
        return found.gives, found.stops

    assert note(backing("e10", 700, 900)) == ((700, 900), True)
    # An amount is no percentage that could be promised instead.
    assert note(backing("e10", 1_000, discounts_in="amount")) == ((), True)
    assert note(backing("e10", 1_000, held_back=5)) == ((), False)


def test_other_campaigns_for_the_same_codes_do_no_harm() -> None:
    assert found_of(e10=(backing("e10", 700), backing("e10", 1_000))) == []


def usable(
    *each: Backing, store_id: str | None = "s-1", segments: frozenset[str] = frozenset()
) -> Any:
    step, until = policy().step(1), NOON + 8 * DAY
    return backed(step, {"e5": each}, NOON, until, store_id=store_id, segments=segments)


def test_a_code_can_be_used_until_its_campaign_ends() -> None:
    assert usable(backing("e5")) == NOON + 8 * DAY
    assert usable(backing("e5", ends_at=NOON + 2 * DAY)) == NOON + 2 * DAY
    short, long = backing("e5", ends_at=NOON + 2 * DAY), backing("e5", ends_at=NOON + 3 * DAY)
    assert usable(short, long) == NOON + 3 * DAY


def test_a_code_is_of_no_use_where_its_campaign_does_not_run() -> None:
    elsewhere = backing("e5", stores=("s-2", "s-3"))
    assert usable(elsewhere) == "campaign_elsewhere"
    assert usable(elsewhere, store_id="s-3") == NOON + 8 * DAY
    assert usable(elsewhere, store_id=None) == NOON + 8 * DAY
    only = backing("e5", segments=("regulars",))
    assert usable(only) == "campaign_elsewhere"
    assert usable(only, segments=frozenset({"regulars"})) == NOON + 8 * DAY
    # Of groups nothing is known here: they may be in one.
    assert usable(backing("e5", segments=("regulars",), groups=True)) == NOON + 8 * DAY
    assert usable() == "no_campaign"
    assert usable(backing("e5", ends_at=NOON)) == "no_campaign"
    assert usable(backing("e5", personal=False)) == "no_campaign"
