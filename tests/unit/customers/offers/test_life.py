"""The life of an offer, step by step; what is told of it, and what it counts for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.customers.offers import life
from services.customers.offers.life import Record, Tally
from services.customers.offers.plan import LEAD, Plan, Raise
from services.customers.offers.policy import Policy
from tests.unit.customers.offers.examples import DAY, KYIV, NOON, policy

ENDS = NOON + 8 * DAY
LATER = NOON + timedelta(hours=1)
QUIET = policy(quiet_hours={"starts": "21:00", "ends": "09:00"})


def a_plan(**fields: Any) -> Plan:
    return replace(Plan(1, "e5", 500, 2_000, NOON, ENDS, KYIV), **fields)


def planned(**fields: Any) -> Record:
    return life.planned("o-1", policy(), 3, "c-1", a_plan(**fields), NOON)


def requested() -> Record:
    return life.requested(planned(), NOON, measured=True)


def issued() -> Record:
    return life.issued(requested(), "ABC", ENDS, NOON)


def offered() -> Record:
    return life.due(issued(), policy(), NOON, running=True)


def used() -> Record:
    return life.used(offered(), "r-1", 1_750, LATER)


def expired() -> Record:
    return life.due(offered(), policy(), ENDS, running=True)


def test_a_plan_is_looked_at_again_shortly_before_it_is_sent() -> None:
    assert planned(send_at=NOON + DAY).due_at == NOON + DAY - LEAD
    assert planned(send_at=NOON).due_at == NOON
    again = life.replanned(planned(), 4, a_plan(step=2, send_at=NOON + 2 * DAY), NOON + DAY)
    assert (again.version, again.step, again.due_at) == (4, 2, NOON + 2 * DAY - LEAD)
    assert (again.offer_id, again.status, again.open) == ("o-1", "planned", True)


def test_the_same_offer_asks_for_the_same_code() -> None:
    first, second = (life.request(requested(), at) for at in (NOON, NOON))
    assert first == second
    assert (first.request_id, first.emission_id, first.customer_id) == ("o-1", "e5", "c-1")
    assert first.valid_until == ENDS


def test_it_is_sent_when_it_is_time_and_then_told_of_with_its_code() -> None:
    early = life.issued(
        life.requested(planned(send_at=LATER), NOON, measured=False), "ABC", ENDS, NOON
    )
    assert (early.status, early.due_at, life.told(early)) == ("issued", LATER, None)
    sent = life.due(early, policy(), LATER, running=True)
    assert (sent.status, sent.due_at) == ("offered", ENDS)
    told = life.told(sent)
    assert told is not None
    assert (told.status, told.code, told.step, told.valid_until) == ("offered", "ABC", 1, ENDS)
    assert (told.reason, told.policy_id, told.send_at) == ("We miss you", "win-back", LATER)


def test_codes_are_in_no_log() -> None:
    assert "ABC" not in repr(offered())


def test_the_code_may_end_sooner_than_was_asked_for() -> None:
    assert life.issued(requested(), "ABC", ENDS - DAY, NOON).valid_until == ENDS - DAY
    assert life.issued(requested(), "ABC", ENDS + DAY, NOON).valid_until == ENDS


def test_what_comes_late_is_not_sent_by_night_nor_after_its_end() -> None:
    late = life.issued(requested(), "ABC", ENDS, NOON + timedelta(hours=12))
    night = NOON + timedelta(hours=12)  # midnight in Kyiv
    waits = life.due(late, QUIET, night, running=True)
    assert (waits.status, waits.due_at, waits.send_at) == ("issued", waits.send_at, waits.due_at)
    assert waits.send_at.astimezone(KYIV).hour == 9
    over = life.due(late, policy(), ENDS, running=True)
    assert (over.status, over.why, over.open, life.told(over)) == (
        "withdrawn",
        "too_late",
        False,
        None,
    )


def test_what_a_paused_policy_has_not_sent_it_does_not_send() -> None:
    found = life.due(issued(), policy(), NOON, running=False)
    assert (found.status, found.why) == ("withdrawn", "not_running")
    # What was sent goes on.
    assert life.due(offered(), policy(), ENDS, running=False).status == "expired"


def test_a_request_that_is_never_answered_or_refused_keeps_nobody_waiting() -> None:
    assert requested().due_at == ENDS
    unanswered = life.due(requested(), policy(), ENDS, running=True)
    assert (unanswered.status, unanswered.why, unanswered.open) == (
        "withdrawn",
        "unanswered",
        False,
    )
    refused = life.refused(requested(), "ended", NOON)
    assert (refused.status, refused.why, refused.open, refused.due_at) == (
        "refused",
        "ended",
        False,
        None,
    )


@pytest.mark.parametrize("state", [planned, issued, offered, used, expired])
def test_an_answer_counts_once(state: Any) -> None:
    record = state()
    assert life.issued(record, "OTHER", ENDS, LATER) == record
    assert life.refused(record, "ended", LATER) == record


def test_an_offer_is_used_once_also_shortly_after_its_end() -> None:
    found = used()
    assert (found.status, found.receipt_id, found.given, found.open) == (
        "used",
        "r-1",
        1_750,
        False,
    )
    assert life.used(found, "r-2", 5, LATER) == found
    assert life.used(expired(), "r-1", 5, ENDS).status == "used"
    told = life.told(found)
    assert told is not None
    assert (told.code, told.receipt_id) == (None, "r-1")


def test_only_a_receipt_of_its_days_can_have_used_it() -> None:
    assert not life.may_be_used(offered(), NOON - timedelta(seconds=1))
    assert life.may_be_used(offered(), NOON)
    assert life.may_be_used(expired(), ENDS + life.LATE - timedelta(seconds=1))
    assert not life.may_be_used(expired(), ENDS + life.LATE)
    assert not life.may_be_used(issued(), NOON)
    assert not life.may_be_used(used(), LATER)


def test_a_returned_receipt_gives_the_offer_back_while_it_lasts() -> None:
    back = life.given_back(used(), "r-1", LATER)
    assert (back.status, back.open, back.due_at, back.receipt_id, back.given) == (
        "offered",
        True,
        ENDS,
        None,
        0,
    )
    told = life.told(back)
    assert told is not None
    assert told.code == "ABC"
    over = life.given_back(used(), "r-1", ENDS)
    assert (over.status, over.open, over.receipt_id) == ("expired", False, None)
    assert life.given_back(used(), "r-2", LATER) == used()


def test_unused_it_is_over_and_the_next_step_follows_after_the_wait() -> None:
    over = expired()
    assert (over.status, over.open, over.due_at) == ("expired", False, None)
    told = life.told(over)
    assert told is not None
    assert (told.status, told.code, told.receipt_id) == ("expired", None, None)
    assert life.next_step(policy(), over) == Raise(2, NOON, ENDS)
    waiting = life.next_step(policy(wait_days=2), replace(over, valid_until=ENDS))
    assert waiting is not None
    assert waiting.earliest.astimezone(KYIV).hour == 0
    assert life.next_step(policy(), replace(over, step=2)) is None
    bigger = life.planned("o-2", policy(), 3, "c-1", a_plan(step=2), ENDS, before=over)
    assert (bigger.series_id, bigger.raised_from, bigger.measured) == ("o-1", NOON, True)
    assert life.after(bigger) == Raise(2, NOON, bigger.send_at)
    assert life.after(planned()) is None


def test_the_control_group_waits_as_long_as_all_steps_would_last() -> None:
    found = life.held_back(planned(), policy(wait_days=1), NOON, measured=True)
    assert (found.status, found.open, found.code, life.told(found)) == (
        "held_back",
        True,
        None,
        None,
    )
    local = found.valid_until.astimezone(KYIV)
    # 10 March 12:00; the first until the 18th, the second from the 19th until the 27th.
    assert (local.month, local.day, local.hour) == (3, 27, 0)
    assert found.due_at == found.valid_until
    over = life.due(found, policy(), found.valid_until, running=True)
    assert (over.status, over.open, over.due_at) == ("held_back", False, None)


def changes(*states: Record) -> dict[tuple[str, int], Tally]:
    total: dict[tuple[str, int], Tally] = {}
    before: Record | None = None
    for state in states:
        for key, one in life.tallied([(before, state)]).items():
            total[key] = total.get(key, Tally()).plus(one)
        before = state
    return total


def test_what_offers_count_for_follows_them() -> None:
    key = ("win-back", 1)
    assert changes(planned()) == {}
    assert changes(planned(), requested()) == {key: Tally(codes=1, likely=2_000)}
    way = (planned(), requested(), issued(), offered())
    assert changes(*way) == {key: Tally(codes=1, offered=1, likely=2_000)}
    assert changes(*way, used()) == {key: Tally(codes=1, offered=1, used=1, given=1_750)}
    assert changes(*way, expired()) == {key: Tally(codes=1, offered=1, expired=1)}
    back = life.given_back(used(), "r-1", LATER)
    assert changes(*way, used(), back) == {key: Tally(codes=1, offered=1, likely=2_000)}
    # What was never sent takes nothing of the budget.
    refused = life.refused(requested(), "ended", NOON)
    assert changes(planned(), requested(), refused) == {key: Tally(refused=1)}
    unsent = life.due(issued(), policy(), NOON, running=False)
    assert changes(planned(), requested(), issued(), unsent) == {key: Tally()}


def test_a_plan_that_moves_to_another_step_counts_there() -> None:
    of: Policy = policy()
    moved = life.replanned(planned(), 3, a_plan(step=2), NOON)
    found = life.tallied([(planned(), life.requested(moved, NOON, measured=False))])
    assert found == {(of.policy_id, 2): Tally(codes=1, likely=2_000)}
