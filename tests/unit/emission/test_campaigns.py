"""Campaigns: life, period, event."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.emission.campaigns import (
    Action,
    CampaignPlan,
    CampaignState,
    Known,
    NotPossibleError,
    Status,
    act,
    edit,
    emission_ids,
    event,
    faults_of_instrument,
    faults_of_plan,
    faults_of_posting,
    group_ids,
    is_over,
    period,
    renewed,
    store_ids,
)
from shared.events.benefits import PercentOff
from shared.events.conditions import All, AnyOf, CustomerGroup, InStore, Not, PromoCode
from shared.events.promotion import EmissionSummary, Instrument, LimitRule

WELCOME = Instrument(
    instrument_id="welcome",
    name="10% off",
    conditions=(
        PromoCode(emission_id="e1", cap=1000),
        CustomerGroup(groups=("regulars", "staff")),
    ),
    benefit=PercentOff(percent=1000),
)
SUMMARY = EmissionSummary(emission_id="e1", kind="mass", single_use=False, posted_codes=1)


def _plan(**fields: Any) -> CampaignPlan:
    known: dict[str, Any] = {
        "campaign_id": "december",
        "name": "December",
        "time_zone": "Europe/Kyiv",
        "first_day": date(2026, 12, 5),
        "last_day": date(2026, 12, 31),
        "stores": ("s1",),
        "instruments": ("welcome",),
    }
    return CampaignPlan(**(known | fields))


KNOWN = Known(
    stores=frozenset({"s1"}),
    groups=frozenset({"regulars"}),
    instruments=frozenset({"welcome"}),
    emissions=frozenset({"e1"}),
    zones=frozenset({"Europe/Kyiv"}),
)


def test_a_campaign_is_over_when_its_last_day_has_ended_in_its_zone() -> None:
    ends = datetime(2026, 12, 31, 22, tzinfo=UTC)  # midnight in Kyiv
    assert is_over(_plan(), ends)
    assert not is_over(_plan(), ends - timedelta(microseconds=1))


def test_the_last_day_is_included_and_the_period_is_half_open() -> None:
    assert period(_plan()) == (
        datetime(2026, 12, 4, 22, tzinfo=UTC),
        datetime(2026, 12, 31, 22, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("zone", "day", "starts_at", "hours"),
    [
        ("Europe/Kyiv", date(2026, 3, 29), datetime(2026, 3, 28, 22, tzinfo=UTC), 23),
        ("Europe/Kyiv", date(2026, 10, 25), datetime(2026, 10, 24, 21, tzinfo=UTC), 25),
        # Clocks skip midnight: the day begins at one o'clock, which is when midnight would be.
        ("Asia/Beirut", date(2022, 3, 27), datetime(2022, 3, 26, 22, tzinfo=UTC), 23),
        # Midnight comes twice: the day begins with the first.
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC), 25),
        ("Asia/Kathmandu", date(2026, 5, 1), datetime(2026, 4, 30, 18, 15, tzinfo=UTC), 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(
    zone: str, day: date, starts_at: datetime, hours: int
) -> None:
    start, end = period(_plan(time_zone=zone, first_day=day, last_day=day))
    assert start == starts_at
    assert end - start == timedelta(hours=hours)


@given(
    st.dates(date(1990, 1, 1), date(2050, 1, 1)),
    st.sampled_from(["Europe/Kyiv", "America/Santiago", "Pacific/Apia", "Asia/Beirut", "UTC"]),
)
def test_days_follow_each_other_without_a_gap(day: date, zone: str) -> None:
    _, end = period(_plan(time_zone=zone, first_day=day, last_day=day))
    following = day + timedelta(days=1)
    start, _ = period(_plan(time_zone=zone, first_day=following, last_day=following))
    assert end == start


@pytest.mark.parametrize(
    ("status", "action", "after"),
    [
        ("draft", "start", "running"),
        ("draft", "pause", None),
        ("draft", "finish", None),
        ("running", "start", "running"),
        ("running", "pause", "paused"),
        ("running", "finish", "finished"),
        ("paused", "start", "running"),
        ("paused", "pause", "paused"),
        ("paused", "finish", "finished"),
        ("finished", "start", None),
        ("finished", "pause", None),
        ("finished", "finish", "finished"),
    ],
)
def test_a_campaign_goes_from_draft_to_finished(
    status: Status, action: Action, after: Status | None
) -> None:
    before = CampaignState(_plan(), status, 3)
    if after is None:
        with pytest.raises(NotPossibleError, match=status):
            act(before, action)
        return
    state = act(before, action)
    assert state.status == after
    assert state.version == (3 if after == status else 4)


def test_an_edit_makes_a_new_version_once_a_campaign_was_started() -> None:
    other = _plan(name="Winter")
    assert edit(CampaignState(_plan()), other) == CampaignState(other, "draft", 0)
    assert edit(CampaignState(_plan(), "running", 1), other) == CampaignState(other, "running", 2)
    assert edit(CampaignState(_plan(), "paused", 2), other) == CampaignState(other, "paused", 3)


def test_the_same_plan_again_changes_nothing() -> None:
    for status in ("draft", "running", "finished"):
        state = CampaignState(_plan(), status, 1)
        assert edit(state, _plan()) is state


def test_a_finished_campaign_cannot_be_edited() -> None:
    with pytest.raises(NotPossibleError):
        edit(CampaignState(_plan(), "finished", 3), _plan(name="Winter"))


def test_a_draft_is_not_renewed_with_its_instruments() -> None:
    assert renewed(CampaignState(_plan())).version == 0
    assert renewed(CampaignState(_plan(), "running", 1)).version == 2


def test_the_event_holds_all_that_an_evaluator_needs() -> None:
    published = event(CampaignState(_plan(), "running", 1), [WELCOME], [SUMMARY])
    assert published.instruments == (WELCOME,)
    assert published.emissions == (SUMMARY,)
    assert (published.starts_at, published.ends_at) == period(_plan())
    assert (published.status, published.version) == ("running", 1)


def test_segments_control_group_and_limits_are_published() -> None:
    plan = _plan(
        segments=("rare",), control_group=500, limits=(LimitRule(per=("customer",), redemptions=1),)
    )
    published = event(CampaignState(plan, "running", 1), [WELCOME], [SUMMARY])
    assert (published.segments, published.control_group) == (("rare",), 500)
    assert published.limits == plan.limits


@pytest.mark.parametrize("share", [-1, 10_001])
def test_a_control_group_is_a_share_of_the_customers(share: int) -> None:
    with pytest.raises(ValidationError, match="control_group"):
        _plan(control_group=share)


def test_a_draft_is_never_published() -> None:
    with pytest.raises(NotPossibleError):
        event(CampaignState(_plan()), [WELCOME], [SUMMARY])


def test_a_plan_of_known_things_has_no_faults() -> None:
    assert faults_of_plan(_plan(), KNOWN) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"stores": ("s1", "s2")}, "stores.1"),
        ({"stores": ("s1", "s1")}, "stores.1"),
        ({"customer_groups": ("nobody",)}, "customer_groups.0"),
        ({"instruments": ("welcome", "gone")}, "instruments.1"),
        ({"instruments": ("welcome", "welcome")}, "instruments.1"),
        ({"segments": ("rare", "new", "rare")}, "segments.2"),
        ({"limits": (LimitRule(redemptions=5), LimitRule(redemptions=6))}, "limits.1"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"last_day": date(2026, 12, 4)}, "last_day"),
    ],
)
def test_a_fault_of_a_plan_names_its_field(fields: dict[str, Any], field: str) -> None:
    assert [fault.field for fault in faults_of_plan(_plan(**fields), KNOWN)] == [field]


def test_a_limit_of_redemptions_and_one_of_money_go_together() -> None:
    limits = (
        LimitRule(redemptions=5),
        LimitRule(money=6),
        LimitRule(per=("customer", "day"), redemptions=5),
        LimitRule(per=("customer",), redemptions=5),
    )
    assert faults_of_plan(_plan(limits=limits), KNOWN) == []


def test_a_campaign_may_last_one_day() -> None:
    assert faults_of_plan(_plan(last_day=date(2026, 12, 5)), KNOWN) == []


def test_an_instrument_refers_to_what_exists() -> None:
    assert [f.field for f in faults_of_instrument(WELCOME, KNOWN)] == ["conditions.1.groups.1"]
    assert [f.field for f in faults_of_instrument(WELCOME, Known())] == [
        "conditions.0.emission_id",
        "conditions.1.groups.0",
        "conditions.1.groups.1",
    ]


NESTED = WELCOME.model_copy(
    update={
        "conditions": (
            All(
                conditions=(
                    InStore(stores=("s1", "s2")),
                    Not(condition=CustomerGroup(groups=("staff",))),
                )
            ),
            AnyOf(conditions=(InStore(stores=("s1",)), PromoCode(emission_id="e2"))),
        )
    }
)


def test_references_are_found_however_deep() -> None:
    assert [f.field for f in faults_of_instrument(NESTED, KNOWN)] == [
        "conditions.0.conditions.0.stores.1",
        "conditions.0.conditions.1.condition.groups.0",
        "conditions.1.conditions.1.emission_id",
    ]
    assert emission_ids([WELCOME, NESTED]) == ["e1", "e2"]
    assert group_ids(NESTED) == {"staff"}
    assert store_ids(NESTED) == {"s1", "s2"}
    (fault,) = faults_of_posting([WELCOME, NESTED], {"e1"})
    assert fault.field == "instruments.1.conditions.1.conditions.1.emission_id"


def test_a_campaign_runs_on_posted_emissions_only() -> None:
    assert faults_of_posting([WELCOME], {"e1"}) == []
    (fault,) = faults_of_posting([WELCOME], set())
    assert fault.field == "instruments.0.conditions.0.emission_id"


def test_an_emission_is_named_once_however_often_it_is_used() -> None:
    assert emission_ids([WELCOME, WELCOME]) == ["e1"]
