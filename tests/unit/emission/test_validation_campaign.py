"""Instruments that can never apply in a campaign that uses them; limits of the whole campaign."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.emission.campaigns import CampaignPlan, Places
from services.emission.validation import faults_in_campaign, faults_of_campaign, faults_of_codes
from shared.events.promotion import EmissionSummary, LimitRule
from tests.unit.emission.definitions import (
    BIRTHDAY,
    BONUSES,
    MUG,
    OFF,
    STRANGER,
    Json,
    any_of,
    code,
    days,
    days_since,
    every,
    instrument,
    no,
    store,
    total,
)


def plan(**fields: Any) -> CampaignPlan:
    """5–31 December 2026, Kyiv time: 27 days, 4 December 22:00 to 31 December 22:00 UTC."""
    known: dict[str, Any] = {
        "campaign_id": "december",
        "name": "December",
        "time_zone": "Europe/Kyiv",
        "first_day": date(2026, 12, 5),
        "last_day": date(2026, 12, 31),
        "instruments": ("i1",),
    }
    return CampaignPlan(**(known | fields))


def emission(valid_from: datetime | None = None, valid_until: datetime | None = None) -> Any:
    """The emission E1, by its id."""
    one = EmissionSummary(
        emission_id="E1",
        kind="mass",
        single_use=False,
        posted_codes=1,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    return {"E1": one}


def window(length: int) -> Json:
    """Windows of so many days, one after another."""
    return {"processing_period": {"kind": "consecutive", "days": length}}


STARTS, ENDS = datetime(2026, 12, 4, 22, tzinfo=UTC), datetime(2026, 12, 31, 22, tzinfo=UTC)
HERE = {"stores": ("s1", "s2")}
MEMBERS = {"customer_groups": ("regulars",)}
SATURDAY = {"first_day": date(2026, 12, 5), "last_day": date(2026, 12, 5)}
IN_CAMPAIGN: list[tuple[str, tuple[Json, ...], Json, Json, list[str]]] = [
    ("windows as long as the campaign", (), window(27), {}, []),
    ("windows longer than the campaign", (), window(28), {}, ["processing_period.days"]),
    ("a sliding window longer than it", (), {"processing_period": {"kind": "rolling", "days": 90}}, {}, []),
    ("in one of its stores", (store("s2", "s3"),), {}, HERE, []),
    ("in none of its stores", (store("s3"),), {}, HERE, ["conditions.0.stores"]),
    ("in none of its stores, deep inside", (every(any_of(store("s3"), total(">", 0))),), {}, HERE, ["conditions.0.conditions.0.conditions.0.stores"]),
    ("not in one of its stores", (no(store("s1")),), {}, HERE, []),
    ("not in any of its stores", (no(store("s1", "s2", "s3")),), {}, HERE, ["conditions.0.condition.stores"]),
    ("not both in a store that is not its own and rich", (no(every(store("s3"), total(">", 0))),), {}, HERE, []),
    ("a campaign everywhere", (store("s3"),), {}, {}, []),
    ("strangers among its members", (STRANGER,), {}, MEMBERS, ["conditions.0.known"]),
    ("strangers among its segments", (STRANGER,), {}, {"segments": ("rare",)}, ["conditions.0.known"]),
    ("strangers among everybody", (STRANGER,), {}, {}, []),
    ("birthdays of its members", (BIRTHDAY,), {}, MEMBERS, []),
    ("more days since than it has", (days_since(">", 27),), {}, {}, ["conditions.0.compare.value"]),
    ("as many days since as it has", (days_since(">=", 27),), {}, {}, []),
    ("longer ago, in a sliding window", (days_since(">=", 40),), {"processing_period": {"kind": "rolling", "days": 90}}, {}, []),
    ("Wednesday, on one Saturday only", (days("wed"),), {}, SATURDAY, ["conditions.0.days"]),
    ("Sunday, on one Saturday: stores have their own clocks", (days("sun"),), {}, SATURDAY, []),
    ("Wednesday, in weeks", (days("wed"),), {}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "fields", "planned", "refused"),
    [line[1:] for line in IN_CAMPAIGN],
    ids=[line[0] for line in IN_CAMPAIGN],
)
def test_an_instrument_in_a_campaign(
    conditions: tuple[Json, ...], fields: Json, planned: Json, refused: list[str]
) -> None:
    one = instrument(*conditions, **fields)
    found = faults_in_campaign(plan(**planned), one, {})
    assert [fault.field for fault in found] == refused
    assert all(fault.message.startswith("in campaign december, ") for fault in found)


UAH: Json = {"kind": "currency", "currencies": ["UAH", "PLN"]}
EUR: Json = {"kind": "currency", "currencies": ["EUR"]}
NORTH: Json = {"kind": "region", "regions": ["North", "West"]}
SOUTH: Json = {"kind": "region", "regions": ["South"]}
NEAR: Json = {"kind": "near", "latitude_e6": 0, "longitude_e6": 0, "radius_m": 500}
TILL: Json = {"kind": "channel", "channels": ["till"]}
ONLINE: Json = {"kind": "channel", "channels": ["till", "app"]}
PLACES = Places(currencies={"UAH"}, regions={"North", "East"})
LOCATED = Places(currencies={"UAH"}, regions={"North", "East"}, have_location=True)
IN_PLACES: list[tuple[str, tuple[Json, ...], Places, list[str]]] = [
    ("a currency that a store sells in", (UAH,), PLACES, []),
    ("a currency that none sells in", (EUR,), PLACES, ["conditions.0.currencies"]),
    ("not the only currency", (no(UAH),), PLACES, ["conditions.0.condition.currencies"]),
    ("not another currency", (no(EUR),), PLACES, []),
    ("a currency, before there are stores", (EUR,), Places(), []),
    ("a region that a store is in", (NORTH,), PLACES, []),
    ("a region that none is in", (SOUTH,), PLACES, ["conditions.0.regions"]),
    ("deep inside", (any_of(every(SOUTH), UAH),), PLACES, ["conditions.0.conditions.0.conditions.0.regions"]),
    ("not one of its regions", (no(NORTH),), PLACES, []),
    ("a region, before there are stores", (SOUTH,), Places(), []),
    ("near, and carts may say where they are", (NEAR,), PLACES, []),
    ("near and at the till, which is nowhere", (NEAR, TILL), PLACES, ["conditions.1.channels"]),
    ("at the till and near", (TILL, any_of(NEAR, UAH)), PLACES, ["conditions.1.conditions.0"]),
    ("near and online", (NEAR, ONLINE), PLACES, []),
    ("near and at the till, not both", (no(every(NEAR, TILL)),), PLACES, []),
    ("at the till, not near", (TILL, no(NEAR)), PLACES, []),
    ("near a store with a location", (NEAR, TILL), LOCATED, []),
    ("near, before there are stores", (NEAR, TILL), Places(), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "places", "refused"),
    [line[1:] for line in IN_PLACES],
    ids=[line[0] for line in IN_PLACES],
)
def test_an_instrument_where_the_stores_are(
    conditions: tuple[Json, ...], places: Places, refused: list[str]
) -> None:
    found = faults_in_campaign(plan(), instrument(*conditions), {}, places)
    assert [fault.field for fault in found] == refused


def test_the_message_says_what_the_stores_are() -> None:
    regions = {f"R{n}" for n in range(1, 8)}
    places = Places(currencies={"UAH", "PLN"}, regions=regions)
    one = instrument(EUR, any_of(SOUTH, TILL), any_of(every(TILL, NEAR), UAH))
    messages = [fault.message for fault in faults_in_campaign(plan(), one, {}, places)]
    assert "its stores, which sell in PLN, UAH, and both" in messages[0]
    assert "its stores, which are in R1, R2, R3, R4, R5 and 2 more, and both" in messages[1]
    assert "give the stores theirs" in messages[2]


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "is_kept"),
    [
        (None, None, True),
        (ENDS, None, False),
        (datetime(2026, 12, 31, 21, 59, tzinfo=UTC), None, True),
        (None, STARTS, False),
        (None, datetime(2026, 12, 4, 22, 1, tzinfo=UTC), True),
    ],
)
def test_codes_must_be_valid_at_some_time_of_the_campaign(
    valid_from: datetime | None, valid_until: datetime | None, is_kept: bool
) -> None:
    used = emission(valid_from, valid_until)
    found = faults_in_campaign(plan(), instrument(code()), used)
    assert [fault.field for fault in found] == ([] if is_kept else ["conditions.0.emission_id"])
    nested = instrument(total(">", 0), any_of(store("s1"), code()))
    assert [fault.field for fault in faults_in_campaign(plan(), nested, used)] == (
        [] if is_kept else ["conditions.1.conditions.1.emission_id"]
    )
    assert faults_in_campaign(plan(), instrument(no(code())), used) == []


@pytest.mark.parametrize(
    ("kind", "conditions", "refused"),
    [
        ("mass", (code(own=True),), ["conditions.0.own"]),
        ("mass", (any_of(store("s1"), code(own=True)),), ["conditions.0.conditions.1.own"]),
        ("mass", (no(code(own=True)),), []),
        ("mass", (code(),), []),
        ("personal", (code(own=True),), []),
    ],
)
def test_nobody_owns_the_word_of_a_mass_emission(
    kind: str, conditions: tuple[Json, ...], refused: list[str]
) -> None:
    used = {"E1": emission()["E1"].model_copy(update={"kind": kind})}
    found = faults_of_codes(instrument(*conditions), used)
    assert [fault.field for fault in found] == refused


def test_the_message_says_what_of_the_campaign_it_is() -> None:
    (fault,) = faults_in_campaign(plan(**HERE), instrument(store("s3")), {})
    assert fault.message == (
        "in campaign december, contradicts its stores, and both must hold: change one of them"
    )


def test_faults_are_named_by_the_place_of_the_instrument_in_the_campaign() -> None:
    fine, far = instrument(total(">", 0)), instrument(store("s9"))
    assert [fault.field for fault in faults_of_campaign(plan(**HERE), [fine, far], {})] == [
        "instruments.1.conditions.0.stores"
    ]


def test_what_an_earlier_version_accepted_of_an_instrument_does_not_stop_its_campaigns() -> None:
    never = instrument(total(">=", 300), total("<", 300))
    assert faults_of_campaign(plan(), [never], {}) == []


@pytest.mark.parametrize(
    ("limit", "benefit", "conditions", "refused"),
    [
        (LimitRule(per=("code",), redemptions=1), OFF, (), ["limits.0.per"]),
        (LimitRule(per=("code",), redemptions=1), OFF, (code(),), []),
        (LimitRule(per=("customer", "day"), redemptions=1), OFF, (), []),
        (LimitRule(money=500), BONUSES, (), ["limits.0.money"]),
        (LimitRule(money=500), MUG, (), ["limits.0.money"]),
        (LimitRule(money=500), OFF, (), []),
        (LimitRule(money=500), {"kind": "amount_off", "amount": 500}, (), []),
        (LimitRule(money=499), {"kind": "amount_off", "amount": 500}, (), ["limits.0.money"]),
        (LimitRule(per=("customer",), redemptions=1), MUG, (STRANGER,), ["limits.0.per"]),
        (LimitRule(per=("store",), redemptions=1), MUG, (STRANGER,), []),
    ],
)
def test_a_limit_of_the_campaign_counts_something(
    limit: LimitRule, benefit: Json, conditions: tuple[Json, ...], refused: list[str]
) -> None:
    limited = plan(limits=(limit,))
    one = instrument(*conditions, benefit=benefit)
    assert [fault.field for fault in faults_of_campaign(limited, [one], {})] == refused


def test_one_instrument_is_enough_for_a_limit_to_count_something() -> None:
    limited = plan(limits=(LimitRule(per=("code",), redemptions=1), LimitRule(money=500)))
    some = [instrument(benefit=MUG), instrument(code(), benefit=OFF)]
    assert faults_of_campaign(limited, some, {}) == []


def test_a_limit_that_one_instrument_never_passes_is_refused() -> None:
    limited = plan(limits=(LimitRule(money=500),))
    some = [instrument(benefit=OFF), instrument(benefit={"kind": "amount_off", "amount": 501})]
    [fault] = faults_of_campaign(limited, some, {})
    name = some[1].instrument_id
    words = f"must be at least 501, the amount of {name}: it is paid whole or not at all"
    assert (fault.field, fault.message) == ("limits.0.money", words)
