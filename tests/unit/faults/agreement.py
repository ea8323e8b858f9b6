"""A run in which all agrees: one receipt that came back whole, and one of two lines of which one did."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

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
from tests.builders import cart, line, sold_line, utc
from tests.faults.book import Book
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
OF_TWO: Mapping[str, Any] = {"campaign_id": "c", "instrument_id": "f1-thrice", "discount": 200}
POINTS: Mapping[str, Any] = {"campaign_id": "c", "instrument_id": "f1-points", "bonuses": 45}
RECEIPT: Mapping[str, Any] = {
    "receipt_id": "r1",
    "store_id": "s1",
    "terminal_id": "t1",
    "occurred_at": NOW,
    "currency": "UAH",
    "customer_id": "f1-c0",
}
OF_R2: Mapping[str, Any] = {**RECEIPT, "receipt_id": "r2"}
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


def sold_together() -> Sale:
    """Offline: two lines of 60.00, which together earn 2.00 off."""
    return Sale(
        **OF_R2,
        lines=tuple(sold_line(n, amount=6_000, discount=100) for n in (1, 2)),
        given=(GivenBenefit(**OF_TWO),),
    )


def brought_back(receipt_id: str = "r1", **values: Any) -> Return:
    return Return(
        intent="return",
        receipt_id=receipt_id,
        store_id="s1",
        terminal_id="t1",
        occurred_at=NOW,
        **values,
    )


def one_of_two(line: int = 1) -> Return:
    """What remains is decided again, and earns nothing any more."""
    return brought_back("r2", lines=({"line": line, "quantity": 1_000},), policy="reprice")


def redemption(redemption_id: str, status: Any, **values: Any) -> Redemption:
    fields = {**OUTCOME, "discount": 0, "bonuses": 0, **values}
    return Redemption(redemption_id=redemption_id, status=status, changed_at=NOW, **fields)


def given_back(redemption_id: str, **values: Any) -> Redemption:
    back = values.get("discount", 0)
    return redemption(redemption_id, "returned", discount_returned=back, **values)


def recorded(**values: Any) -> Receipt:
    amounts = {"total": 1_000, "discount": 100, "paid": 900, "bonuses": 45}
    return Receipt(
        **{**OUTCOME, **amounts, **values},
        channel="till",
        recorded_at=NOW,
        lines=({"line": 1, "sku": "x", "quantity": 1_000, "amount": 1_000, "discount": 100},),  # type: ignore[arg-type]
        redemptions=(),
    )


SUMS_OF_R2: Mapping[str, Any] = {
    "receipt_id": "r2",
    "total": 12_000,
    "discount": 200,
    "paid": 11_800,
    "bonuses": 0,
}


def moved(entry_id: str, kind: Any, points: int) -> BonusEntry:
    return BonusEntry(
        entry_id=entry_id,
        customer_id="f1-c0",
        kind=kind,
        points=points,
        occurred_at=NOW,
        recorded_at=NOW,
    )


def returned(receipt_id: str = "r1", refund: int = 900) -> Returned:
    return Returned(
        **{name: RECEIPT[name] for name in ("store_id", "terminal_id", "currency")},
        receipt_id=receipt_id,
        return_id=f"back-{receipt_id}",
        sold_in="s1",
        region="North",
        device="till",
        sold_at=NOW,
        occurred_at=NOW,
        recorded_at=NOW,
        complete=True,
        refund=refund,
        money=refund,
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
    for event_id, event in (
        ("c1", asked()),
        ("s1", sold()),
        ("back", brought_back()),
        ("s2", sold_together()),
        ("back2", one_of_two()),
    ):
        book.write(event_id, event).acknowledged = True
    book.page("r1").followed = decided()
    found = Found(**_ledger(), **_statistics(), entries=_entries(), numbers=(0, 14))
    return Run(OFFERS, book, found)


def _entries() -> list[Entry]:
    return [
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
        entry(SALES, sold_together(), "s2", at=SOLD),
        entry(SALES, one_of_two(), "back2", at=SOLD),
        entry(REDEMPTIONS, redemption("m3", "committed", **OF_TWO, receipt_id="r2"), "e6", 11),
        entry(RECEIPTS, recorded(**SUMS_OF_R2), "s-r2", 12),
        entry(REDEMPTIONS, given_back("m3", **OF_TWO, receipt_id="r2"), "e7", 13),
        entry(RETURNS, returned("r2", 5_800), "back-2", 14),
    ]


def _ledger() -> dict[str, Any]:
    gone = {"status": "returned"}
    return {
        "receipts": [
            {"receipt_id": "r1", "status": "paid", "revision": 0},
            {"receipt_id": "r2", "status": "paid", "revision": 0},
        ],
        "redemptions": [
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
            row("m3", "f1-thrice", **gone, receipt_id="r2", discount=200, returned=200),
        ],
        "limits": [
            {
                "limit_id": "c/f1-word/code",
                "cap": CAP_OF_WORD,
                "held": 0,
                "leased": 0,
                "used": 0,
            }
        ],
        "leases": [{"lease_id": "l1", "amount": 3, "used": 0, "status": "returned"}],
        "bonuses": [
            {"entry_id": "b1", "account": "customer/f1-c0", "points": 45},
            {"entry_id": "b1", "account": "campaign/c", "points": -45},
            {"entry_id": "b2", "account": "customer/f1-c0", "points": -45},
            {"entry_id": "b2", "account": "campaign/c", "points": 45},
        ],
        "returned": [
            {"receipt_id": "r1", "line": 1, "quantity": 1_000, "refund": 900},
            {"receipt_id": "r2", "line": 1, "quantity": 1_000, "refund": 5_800},
        ],
    }


def _statistics() -> dict[str, Any]:
    counted = {"activations": 1, "decided": 1, "unauthorised": 0, "unauthorised_discount": 0}
    return {
        "sums": [
            {
                "store_id": "s1",
                "receipts": 2,
                "total": 13_000,
                "discount": 300,
                "paid": 12_700,
            }
        ],
        "instruments": [
            {"instrument_id": "f1-word", "discount": 100, "bonuses": 0, **counted},
            {"instrument_id": "f1-points", "discount": 0, "bonuses": 45, **counted},
            {"instrument_id": "f1-thrice", "activations": 1, "discount": 200},
        ],
        "return_sums": [{"store_id": "s1", "returns": 2, "refunded": 6_700}],
        "take_backs": [
            {"instrument_id": "f1-word", "returned": 1, "returned_discount": 100},
            {"instrument_id": "f1-points", "returned": 1, "returned_bonuses": 45},
            {"instrument_id": "f1-thrice", "returned": 1, "returned_discount": 200},
        ],
    }
