"""Certificates: slots are numbered as they were taken, and every figure that is off is noticed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.evaluator.certificate import (
    LeaseStanding,
    Standing,
    Sums,
    Use,
    contradictions,
    differences,
    document,
    drawn,
    free_slots,
    highest_cap,
    lease_differences,
    leased_slots,
    owner,
    slots,
)
from services.evaluator.lease import Lease
from services.evaluator.redemption import Change
from shared.events.conditions import PromoCode
from shared.events.outcome import RedemptionStatus
from shared.events.promotion import Campaign, LimitRule
from tests.builders import campaign, instrument

START = datetime(2026, 12, 5, 10, tzinfo=UTC)
LIMIT = "welcome/ten/code"
STANDING = Standing(limit_id=LIMIT, cap=10, counted=Sums(2, 0, 3), taken=Sums(2, 0, 3))
ROLLING = replace(
    STANDING,
    limit_id="welcome/ten/~customer=C1@30d",
    in_window=1,
    noted=3,
    taken_in_window=1,
)


def a_use(number: int = 1, *states: RedemptionStatus, **values: Any) -> Use:
    """A redemption that went through these states, a minute each."""
    went = states or ("held", "committed")
    history = [Change(s, START + timedelta(minutes=number + n)) for n, s in enumerate(went)]
    paid = {"held": "open", "released": "cancelled", "expired": "open"}.get(went[-1], "paid")
    fields: dict[str, Any] = {
        "use_id": f"r-{number}",
        "kind": "redemption",
        "status": went[-1],
        "amount": 1,
        "campaign_id": "welcome",
        "instrument_id": "ten",
        "receipt_id": f"receipt-{number}",
        "receipt_status": paid,
        "keeps_slot": False,
        "taken_at": history[0].at,
        "history": tuple(history),
    }
    return Use(**{**fields, **values})


def test_slots_are_numbered_as_they_were_taken_and_the_free_ones_come_last() -> None:
    uses = [a_use(1), a_use(2, "held"), a_use(3, "committed", "returned", keeps_slot=True)]
    assert [(s.number, s.state, s.receipt_id) for s in slots(uses)] == [
        (1, "used", "receipt-1"),
        (2, "held", "receipt-2"),
        (3, "used", "receipt-3"),
    ]
    assert free_slots(STANDING) == (6, 10)
    assert free_slots(replace(STANDING, cap=5)) is None
    assert free_slots(replace(STANDING, limit_id="welcome/ten/~money")) is None


def test_a_million_free_slots_are_one_range() -> None:
    million = Standing(limit_id=LIMIT, cap=10**6, counted=Sums(), taken=Sums())
    assert free_slots(million) == (1, 10**6)


def a_lease(number: int, amount: int, used: int = 0) -> Lease:
    end = START + timedelta(days=1)
    return Lease(
        f"l-{number}", f"s-{number}", LIMIT, "welcome", "ten", "code", amount, START, end, used
    )


def test_leased_slots_follow_those_taken_and_precede_the_free_ones() -> None:
    standing = replace(STANDING, counted=Sums(1, 3, 2), taken=Sums(1, 3, 2))
    leases = [a_lease(1, 5, used=3), a_lease(2, 1)]
    found = [(one.first, one.last) for one in leased_slots(standing, leases)]
    assert found == [(4, 5), (6, 6)]
    assert free_slots(standing) == (7, 10)
    money = replace(standing, limit_id="welcome/ten/~money")
    assert [(one.first, one.lease.left) for one in leased_slots(money, leases)] == [
        (None, 2),
        (None, 1),
    ]


@pytest.mark.parametrize(
    ("used", "taken", "noticed"), [(2, 2, False), (1, 2, True), (3, 2, True), (None, 1, True)]
)
def test_a_lease_that_is_not_used_as_redemptions_say_is_noticed(
    used: int | None, taken: int, noticed: bool
) -> None:
    assert bool(lease_differences(LeaseStanding(lease_id="l-1", used=used, drawn=taken))) is noticed


@pytest.mark.parametrize(
    ("limit_id", "discount", "mismatch", "expected"),
    [
        (LIMIT, 300, 0, 1),
        ("welcome/ten/~money", 300, 0, 300),
        ("welcome/ten/~money", 300, -50, 300),
        ("welcome/ten/~money", 300, 50, 250),
    ],
    ids=["a slot", "as decided", "less than decided", "more than decided"],
)
def test_a_lease_is_drawn_on_as_its_limit_is_used(
    limit_id: str, discount: int, mismatch: int, expected: int
) -> None:
    assert drawn(limit_id, discount, mismatch) == expected


@pytest.mark.parametrize(
    "states",
    [
        ("held", "released"),
        ("held", "expired"),
        ("unauthorised",),
        ("held", "committed", "returned"),
    ],
)
def test_what_gave_its_slot_back_has_none(states: tuple[RedemptionStatus, ...]) -> None:
    assert slots([a_use(1, *states)]) == []
    assert contradictions(a_use(1, *states)) == []


def test_a_page_goes_on_with_its_own_number() -> None:
    assert [slot.number for slot in slots([a_use(4), a_use(5)], 4)] == [4, 5]


@pytest.mark.parametrize("standing", [STANDING, ROLLING], ids=["plain", "rolling"])
def test_what_agrees_differs_in_nothing(standing: Standing) -> None:
    assert differences(standing) == []


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("side", ["counted", "taken"])
@pytest.mark.parametrize("state", ["held", "leased", "used"])
def test_a_counter_and_a_ledger_that_differ_are_noticed(side: str, state: str, by: int) -> None:
    if (state, by) == ("leased", -1):
        return
    sums = getattr(STANDING, side)
    moved = replace(sums, **{state: getattr(sums, state) + by})
    assert any(words.startswith(state) for words in differences(replace(STANDING, **{side: moved})))


@pytest.mark.parametrize("field", ["in_window", "taken_in_window"])
@pytest.mark.parametrize("by", [-1, 1])
def test_uses_within_a_window_that_differ_are_noticed(field: str, by: int) -> None:
    assert differences(replace(ROLLING, **{field: 1 + by}))


def test_minutes_that_add_up_to_more_than_was_used_are_noticed() -> None:
    assert differences(replace(ROLLING, noted=4))
    assert not differences(replace(ROLLING, noted=2)), "those of two years ago are forgotten"


def test_more_than_the_cap_is_noticed_unless_the_cap_was_lowered() -> None:
    low = replace(STANDING, cap=4)
    assert len(differences(low)) == 2
    assert differences(replace(low, highest_cap=5)) == []
    assert low.free == -1
    assert differences(replace(low, highest_cap=4))


def test_the_highest_cap_is_that_of_any_version_of_the_campaign() -> None:
    def version(redemptions: int, code: int) -> Campaign:
        needs = PromoCode(kind="promo_code", emission_id="welcome", cap=code)
        ten = instrument(
            instrument_id="ten",
            conditions=(needs,),
            max_redemptions=redemptions,
            limits=(LimitRule(money=redemptions * 100, per=("store", "day")),),
        )
        return campaign("welcome", [ten], limits=(LimitRule(redemptions=redemptions + 1),))

    versions = [version(5, 7), version(9, 3)]
    for limit_id, cap in {
        "welcome/ten": 9,
        "welcome/ten/code": 7,
        "welcome/ten/~store.day.money=s1,2026-12-05": 900,
        "welcome/~": 10,
        "welcome/other": None,
    }.items():
        assert highest_cap(limit_id, versions) == cap, limit_id


def test_what_is_taken_of_a_limit_without_a_counter_is_noticed() -> None:
    assert differences(replace(STANDING, cap=None, counted=Sums()))


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (a_use(1, "held", "committed", "released"), "released after committed"),
        (a_use(1, "held", "committed", "held"), "held after committed"),
        (a_use(1, "returned"), "returned after nothing"),
        (a_use(1, "held", status="committed"), "ends with held"),
        (a_use(1, receipt_status=None), "is not there"),
        (a_use(1, receipt_status="open"), "is open"),
        (a_use(1, "held", receipt_status="paid"), "is paid"),
    ],
)
def test_a_use_that_contradicts_itself_says_how(broken: Use, expected: str) -> None:
    assert any(expected in words for words in contradictions(broken))


def test_a_reward_has_no_receipt_and_what_is_old_no_history() -> None:
    reward = a_use(1, kind="reward", receipt_id=None, receipt_status=None, history=())
    assert contradictions(reward) == []
    assert slots([reward])[0].state == "used"


def test_a_hold_may_be_renewed_and_lost_and_still_be_paid() -> None:
    assert (
        contradictions(a_use(1, "held", "held", "released", "held", "expired", "committed")) == []
    )


@dataclass(frozen=True)
class Owner:
    limit_id: str
    campaign: str | None
    instrument: str | None


@pytest.mark.parametrize(
    "case",
    [
        Owner("welcome/ten/code", "welcome", "ten"),
        Owner("welcome/ten", "welcome", "ten"),
        Owner("welcome/ten/~customer.day=C1,2026-12-05@30d", "welcome", "ten"),
        Owner("welcome/~money", "welcome", None),
        Owner("code:00ff", None, None),
    ],
    ids=lambda case: case.limit_id,
)
def test_a_limit_belongs_to_what_its_id_says(case: Owner) -> None:
    assert owner(case.limit_id) == (case.campaign, case.instrument)


def test_a_slot_for_programs_names_events_in_hex() -> None:
    use = a_use(1, history=(Change("committed", START, b"\x01\xff"),))
    [entry] = document(slots([use])[0])["history"]
    assert entry == {"status": "committed", "at": START.isoformat(), "event": "01ff"}
