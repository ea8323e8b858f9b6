"""Every check sees what it is for: a run in which all agrees, and one tampering for each check."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.events.checkout import GivenBenefit
from shared.topics import (
    BONUSES,
    DECISIONS,
    RECEIPTS,
    REDEMPTIONS,
    RETURNS,
    SALES,
)
from tests.faults.checks import differences
from tests.faults.evidence import Run
from tests.faults.log import Entry
from tests.faults.offers import CAP_OF_WORD
from tests.unit.faults.agreement import (
    OF_ONE,
    OF_TWO,
    SOLD,
    agreeing,
    decided,
    entry,
    moved,
    one_of_two,
    recorded,
    redemption,
    returned,
    row,
    sold,
)


def test_a_run_in_which_all_agrees_has_no_differences() -> None:
    assert differences(agreeing()) == []


def _changed(name: str, position: int = 0, **values: Any) -> Callable[[Run], Run]:
    """The run with a row of a table changed."""

    def change(run: Run) -> Run:
        rows = [dict(one) for one in getattr(run.found, name)]
        rows[position].update(values)
        more: dict[str, Any] = {name: rows}
        return replace(run, found=replace(run.found, **more))

    return change


def _with(*more: Entry) -> Callable[[Run], Run]:
    return lambda run: replace(run, found=replace(run.found, entries=[*run.found.entries, *more]))


def _without(event_id: str) -> Callable[[Run], Run]:
    def change(run: Run) -> Run:
        kept = [one for one in run.found.entries if one.event_id != event_id]
        return replace(run, found=replace(run.found, entries=kept))

    return change


def _dead(event_id: str, reason: str) -> Entry:
    letter = entry(SALES, sold(), event_id)
    return replace(letter, topic=SALES.dead_letter_name, reason=reason)


TAMPERINGS = {
    "committed ≤ cap, by counters": _changed("limits", used=CAP_OF_WORD + 1),
    "no hold leaks (held, leased, used)": _changed("limits", held=1),
    "leases": _changed("leases", used=1),
    "acknowledged sales, ledger": _changed("receipts", status="open"),
    "acknowledged sales, promo.sales.v1": _without("s-r1"),
    "acknowledged sales, passed on": _with(entry(RECEIPTS, recorded(), "s-r1", 17)),
    "ledger = events": _changed("redemptions", mismatch=-1),
    "rollups = ledger": _changed("instruments", activations=2),
    "rollups = tills": _changed("sums", paid=12_701),
    "ledger = Σ decisions given": _changed("redemptions", discount=99),
    "punctual sales": _changed("redemptions", status="unauthorised"),
    "one answer": _with(entry(DECISIONS, decided().model_copy(update={"total": 1_001}), "d1", 17)),
    "bonuses: an entry": _changed("bonuses", 1, points=-44),
    "bonuses: ledger = events": _without("b1"),
    "bonuses: events = redemptions": _changed("redemptions", 1, bonuses=44),
    "bonuses: passed on": _with(entry(BONUSES, moved("b1", "accrual", 45), "b1", 17)),
    "returns": _changed("returned", refund=901),
    "returns, sums": _changed("returned", 1, refund=5_799),
    "refunded ≤ paid": _changed("returned", 1, refund=6_001),
    "what remains is decided again": _with(
        entry(REDEMPTIONS, redemption("m3", "committed", **OF_TWO, receipt_id="r2"), "e7", 17)
    ),
    "returns, promo.returns.v1": _without("back-1"),
    "returns, passed on": _with(entry(RETURNS, returned(), "back-1", 17)),
    "dead letters": _with(_dead("s1", "invalid_field")),
    "Kafka keeps what it acknowledged": _without("c1"),
    "relayed numbers": _without("e1"),
}


@pytest.mark.parametrize("check", TAMPERINGS)
def test_a_check_sees_what_it_is_for(check: str) -> None:
    found = differences(TAMPERINGS[check](agreeing()))
    assert check in {difference.check for difference in found}


def test_committed_beyond_the_cap_is_seen_in_the_events_alone() -> None:
    """Whatever the ledger's own counter says."""
    beyond = [
        entry(REDEMPTIONS, redemption(f"x{n}", "committed", **OF_ONE), f"x{n}", 20 + n)
        for n in range(CAP_OF_WORD + 1)
    ]
    found = {d.check: d for d in differences(_with(*beyond)(agreeing()))}
    difference = found["committed ≤ cap, by events"]
    assert (difference.expected, difference.found) == (f"≤ {CAP_OF_WORD}", CAP_OF_WORD + 1)
    assert "word" in str(difference)


@pytest.mark.parametrize(
    ("refunds", "seen"), [((5_800, 6_000), False), ((5_800, 5_999), True), ((5_801, 6_000), True)]
)
def test_all_of_a_sale_in_parts_is_refunded_to_the_cent(
    refunds: tuple[int, int], seen: bool
) -> None:
    """Whatever each part was worth when what remained was decided again."""
    run = agreeing()
    run.book.write("back3", one_of_two(2)).acknowledged = True
    lines = [
        {"receipt_id": "r2", "line": n, "quantity": 1_000, "refund": refund}
        for n, refund in enumerate(refunds, start=1)
    ]
    rows = [*run.found.returned[:1], *lines]
    more = [
        entry(SALES, one_of_two(2), "back3", at=SOLD),
        entry(RETURNS, returned("r2", refunds[1]), "back-3", 15),
    ]
    sums = [{"store_id": "s1", "returns": 3, "refunded": 12_700}]
    entries = [*run.found.entries, *more]
    found = replace(run.found, returned=rows, entries=entries, return_sums=sums, numbers=(0, 15))
    checks = {difference.check for difference in differences(replace(run, found=found))}
    assert ("refunded ≤ paid" in checks) is bool(checks) is seen


@pytest.mark.parametrize("quantity", [1_000, 3_000])
def test_a_line_that_comes_back_another_time_is_seen(quantity: int) -> None:
    found = {d.check for d in differences(_changed("returned", 1, quantity=quantity)(agreeing()))}
    assert ("returns" in found) is (quantity != 1_000)


def test_a_dead_letter_that_was_to_be_expected_is_no_difference() -> None:
    run = agreeing()
    run.book.write("s3", sold(), ["already_paid"]).acknowledged = True
    [second] = [_dead("s3", "already_paid")]
    run = _with(entry(SALES, sold(), "s3", at=SOLD), second)(run)
    assert json.loads(second.value)["receipt_id"] == "r1"
    assert differences(run) == []


@pytest.mark.parametrize(("status", "seen"), [("committed", False), ("unauthorised", True)])
def test_what_was_given_of_a_lease_must_be_committed(status: str, seen: bool) -> None:
    run = agreeing()
    given = GivenBenefit(**OF_ONE, lease_id="l1")
    offline = sold().model_copy(update={"receipt_id": "r3", "given": (given,)})
    run.book.write("s3", offline)
    more = {**row("m4", "f1-word", status=status, discount=100), "receipt_id": "r3"}
    found = replace(run.found, redemptions=[*run.found.redemptions, more])
    checks = {difference.check for difference in differences(replace(run, found=found))}
    assert ("leased slots" in checks) is seen
