"""Every check sees what it is for: a run in which all agrees, and one tampering for each check."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.codec import encode
from shared.events.checkout import Cart, GivenBenefit, Return, Sale, SoldLine
from shared.events.outcome import (
    Applied,
    BonusEntry,
    Decision,
    LineDiscount,
    Receipt,
    Redemption,
    Returned,
)
from shared.events.values import Event
from shared.topics import (
    BONUSES,
    CARTS,
    DECISIONS,
    RECEIPTS,
    REDEMPTIONS,
    RETURNS,
    SALES,
    Topic,
)
from tests.builders import cart, line, utc
from tests.faults.book import Book
from tests.faults.checks import differences
from tests.faults.evidence import Run
from tests.faults.log import Entry
from tests.faults.offers import CAP_OF_WORD, Offers
from tests.faults.sources import Found

NOW = utc(2026, 12, 10, 12)
SOLD = NOW + timedelta(seconds=2)
OFFERS = Offers(
    run="f1",
    stores=("s1", "s2"),
    probes="s3",
    campaign_id="c",
    word="WORD",
    codes=(),
    customers=("f1-c0",),
    caps={"c/f1-word/code": CAP_OF_WORD},
    per_customer="c/f1-thrice/~customer=",
)
OF_ONE: Mapping[str, Any] = {"campaign_id": "c", "instrument_id": "f1-word", "discount": 100}
POINTS: Mapping[str, Any] = {"campaign_id": "c", "instrument_id": "f1-points", "bonuses": 45}
RECEIPT: Mapping[str, Any] = {
    "receipt_id": "r1",
    "store_id": "s1",
    "terminal_id": "t1",
    "occurred_at": NOW,
    "currency": "UAH",
    "customer_id": "f1-c0",
}
OUTCOME: Mapping[str, Any] = {**RECEIPT, "region": "North", "device": "till"}


def asked() -> Cart:
    return cart([line(amount=1_000)], **RECEIPT)


def decided() -> Decision:
    return Decision(
        **OUTCOME,
        decision_id="d1",
        revision=0,
        intent="checkout",
        outcome="decided",
        decided_at=NOW,
        expires_at=NOW + timedelta(seconds=6),
        ruleset_version=1,
        total=1_000,
        discount=100,
        bonuses=45,
        lines=(),
        applied=(
            Applied(**OF_ONE, lines=(LineDiscount(line=1, discount=100),)),
            Applied(**POINTS),
        ),
        not_applied=(),
    )


def sold() -> Sale:
    bought = line(amount=1_000)
    return Sale(
        **RECEIPT,
        decision_id="d1",
        lines=(SoldLine(**dict(bought), discount=100),),
        given=(GivenBenefit(**OF_ONE),),
    )


def brought_back() -> Return:
    return Return(
        intent="return", receipt_id="r1", store_id="s1", terminal_id="t1", occurred_at=NOW
    )


def redemption(redemption_id: str, status: Any, **values: Any) -> Redemption:
    amounts = {"discount": 0, "bonuses": 0, **values}
    return Redemption(
        **OUTCOME, redemption_id=redemption_id, status=status, changed_at=NOW, **amounts
    )


def given_back(redemption_id: str, **values: Any) -> Redemption:
    back = values.get("discount", 0)
    return redemption(redemption_id, "returned", discount_returned=back, **values)


def recorded() -> Receipt:
    return Receipt(
        **OUTCOME,
        channel="till",
        recorded_at=NOW,
        total=1_000,
        discount=100,
        paid=900,
        bonuses=45,
        lines=({"line": 1, "sku": "x", "quantity": 1_000, "amount": 1_000, "discount": 100},),  # type: ignore[arg-type]
        redemptions=(),
    )


def moved(entry_id: str, kind: Any, points: int) -> BonusEntry:
    return BonusEntry(
        entry_id=entry_id,
        customer_id="f1-c0",
        kind=kind,
        points=points,
        occurred_at=NOW,
        recorded_at=NOW,
    )


def returned() -> Returned:
    return Returned(
        **{name: RECEIPT[name] for name in ("receipt_id", "store_id", "terminal_id", "currency")},
        return_id="back-1",
        sold_in="s1",
        region="North",
        device="till",
        sold_at=NOW,
        occurred_at=NOW,
        recorded_at=NOW,
        complete=True,
        refund=900,
        money=900,
        bonuses=0,
        lines=(),
        redemptions=(),
    )


def entry(topic: Topic, event: Event, event_id: str, number: int = 0, at: datetime = NOW) -> Entry:
    producer = "p" if number else ""
    return Entry(
        topic.name,
        int(at.timestamp() * 1_000),
        event_id,
        encode(event),
        "",
        producer,
        number,
    )


def row(redemption_id: str, instrument_id: str, **values: Any) -> dict[str, Any]:
    return {
        "redemption_id": redemption_id,
        "receipt_id": "r1",
        "campaign_id": "c",
        "instrument_id": instrument_id,
        "status": "committed",
        "discount": 0,
        "bonuses": 0,
        "mismatch": 0,
        "returned": 0,
        "bonuses_returned": 0,
        "limit_ids": [],
        "limit_amounts": [],
        **values,
    }


def agreeing() -> Run:
    book = Book()
    for event_id, event in (("c1", asked()), ("s1", sold()), ("back", brought_back())):
        book.write(event_id, event).acknowledged = True
    book.page("r1").followed = decided()
    entries = [
        entry(CARTS, asked(), "c1"),
        entry(SALES, sold(), "s1", at=SOLD),
        entry(SALES, brought_back(), "back", at=SOLD),
        entry(DECISIONS, decided(), "d1", 1),
        entry(DECISIONS, decided(), "d1", 1),  # relayed twice
        entry(REDEMPTIONS, redemption("m1", "held", **OF_ONE), "e1", 2),
        entry(REDEMPTIONS, redemption("m1", "committed", **OF_ONE), "e2", 3),
        entry(REDEMPTIONS, redemption("m2", "committed", **POINTS), "e3", 4),
        entry(RECEIPTS, recorded(), "s-r1", 5),
        entry(BONUSES, moved("b1", "accrual", 45), "b1", 6),
        entry(REDEMPTIONS, given_back("m1", **OF_ONE), "e4", 7),
        entry(REDEMPTIONS, given_back("m2", **POINTS), "e5", 8),
        entry(RETURNS, returned(), "back-1", 9),
        entry(BONUSES, moved("b2", "take_back", -45), "b2", 10),
    ]
    counted = {"activations": 1, "decided": 1, "unauthorised": 0, "unauthorised_discount": 0}
    gone = {"status": "returned"}
    return Run(
        OFFERS,
        book,
        Found(
            receipts=[{"receipt_id": "r1", "status": "paid", "revision": 0}],
            redemptions=[
                row(
                    "m1",
                    "f1-word",
                    **gone,
                    discount=100,
                    returned=100,
                    limit_ids=["c/f1-word/code"],
                    limit_amounts=[1],
                ),
                row("m2", "f1-points", **gone, bonuses=45, bonuses_returned=45),
            ],
            limits=[
                {
                    "limit_id": "c/f1-word/code",
                    "cap": CAP_OF_WORD,
                    "held": 0,
                    "leased": 0,
                    "used": 0,
                }
            ],
            leases=[{"lease_id": "l1", "amount": 3, "used": 0, "status": "returned"}],
            bonuses=[
                {"entry_id": "b1", "account": "customer/f1-c0", "points": 45},
                {"entry_id": "b1", "account": "campaign/c", "points": -45},
                {"entry_id": "b2", "account": "customer/f1-c0", "points": -45},
                {"entry_id": "b2", "account": "campaign/c", "points": 45},
            ],
            returned=[{"receipt_id": "r1", "line": 1, "quantity": 1_000, "refund": 900}],
            entries=entries,
            sums=[{"store_id": "s1", "receipts": 1, "total": 1_000, "discount": 100, "paid": 900}],
            instruments=[
                {"instrument_id": "f1-word", "discount": 100, "bonuses": 0, **counted},
                {"instrument_id": "f1-points", "discount": 0, "bonuses": 45, **counted},
            ],
            return_sums=[{"store_id": "s1", "returns": 1, "refunded": 900}],
            take_backs=[
                {"instrument_id": "f1-word", "returned": 1, "returned_discount": 100},
                {"instrument_id": "f1-points", "returned": 1, "returned_bonuses": 45},
            ],
            numbers=(0, 10),
        ),
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
    "rollups = tills": _changed("sums", paid=901),
    "ledger = Σ decisions given": _changed("redemptions", discount=99),
    "punctual sales": _changed("redemptions", status="unauthorised"),
    "one answer": _with(entry(DECISIONS, decided().model_copy(update={"total": 1_001}), "d1", 17)),
    "bonuses: an entry": _changed("bonuses", 1, points=-44),
    "bonuses: ledger = events": _without("b1"),
    "bonuses: events = redemptions": _changed("redemptions", 1, bonuses=44),
    "bonuses: passed on": _with(entry(BONUSES, moved("b1", "accrual", 45), "b1", 17)),
    "returns": _changed("returned", refund=901),
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


def test_a_dead_letter_that_was_to_be_expected_is_no_difference() -> None:
    run = agreeing()
    run.book.write("s2", sold(), ["already_paid"]).acknowledged = True
    [second] = [_dead("s2", "already_paid")]
    run = _with(entry(SALES, sold(), "s2", at=SOLD), second)(run)
    assert json.loads(second.value)["receipt_id"] == "r1"
    assert differences(run) == []


@pytest.mark.parametrize(("status", "seen"), [("committed", False), ("unauthorised", True)])
def test_what_was_given_of_a_lease_must_be_committed(status: str, seen: bool) -> None:
    run = agreeing()
    given = GivenBenefit(**OF_ONE, lease_id="l1")
    offline = sold().model_copy(update={"receipt_id": "r2", "given": (given,)})
    run.book.write("s2", offline)
    more = {**row("m3", "f1-word", status=status, discount=100), "receipt_id": "r2"}
    found = replace(run.found, redemptions=[*run.found.redemptions, more])
    checks = {difference.check for difference in differences(replace(run, found=found))}
    assert ("leased slots" in checks) is seen
