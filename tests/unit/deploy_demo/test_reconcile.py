"""The table compares every figure with its own sources, and says which differ."""

from collections import Counter
from dataclasses import replace
from typing import Any

from deploy.comparison import differences
from deploy.demo.books import Ledger, Statistics
from deploy.demo.reconcile import Sources, summary, table_rows
from deploy.demo.till import Tally
from deploy.demo.topics import Logged

WELCOME = ("welcome", "welcome-10")
COUPONS = [("cj-18", "cj-18-1"), ("cj-18", "cj-18-2")]


def uses() -> Counter[tuple[str, str]]:
    return Counter({WELCOME: 2, COUPONS[0]: 1, COUPONS[1]: 3})


def discounts() -> Counter[tuple[str, str]]:
    return Counter({WELCOME: 600, COUPONS[0]: 50, COUPONS[1]: 150})


def lost() -> Counter[tuple[str, str]]:
    return Counter({WELCOME: 1})


SOLD: dict[str, Any] = {
    "receipts": 10,
    "discount": 800,
    "bonuses": 40,
    "campaigns": 3,
    "activations": uses(),
    "discounts": discounts(),
}
RETURNED: dict[str, Any] = {"returns": 2, "refunded": 1_500, "discount_back": 310}
TAKEN: dict[str, Any] = RETURNED | {"bonuses_back": 8, "returned": lost()}


def agreeing() -> Sources:
    """Ten receipts of which three qualify for a WELCOME capped at two; one of these two comes back."""
    standing = uses() - lost()
    tally = Tally(
        carts=10,
        decisions=10,
        sales=10,
        discount=800,
        decided_discount=800,
        bonuses=40,
        paid=9_200,
        qualifying=3,
        given=uses(),
        given_discount=discounts(),
        lost=lost(),
        **RETURNED,
    )
    logged = Logged(
        carts=10,
        sales=12,
        decisions=10,
        decided_discount=800,
        paid=9_200,
        standing=standing,
        **SOLD,
        **TAKEN,
    )
    ledger = Ledger(decided=10, cap=2, cap_used=1, slots=1, **SOLD, **TAKEN)
    counted = Statistics(paid=9_200, standing=standing, **SOLD, **TAKEN)
    return Sources(
        tally=tally,
        logged=logged,
        ledger=ledger,
        rollups=counted,
        dashboard=replace(counted),
        cap=2,
        campaigns=3,
        welcome=WELCOME,
    )


def different(sources: Sources) -> list[str]:
    return [row.what for row in differences(table_rows(sources))]


def test_sources_that_agree_reconcile() -> None:
    rows = table_rows(agreeing())
    assert differences(rows) == []
    assert summary(rows, 2.0, 10)["reconciled"] is True


def test_every_row_compares_two_sources_at_least() -> None:
    assert all(len(row.cells) > 1 for row in table_rows(agreeing()))


def test_a_receipt_that_the_rollups_miss_is_named() -> None:
    sources = agreeing()
    short = replace(sources, rollups=replace(sources.rollups, receipts=9))
    assert different(short) == ["Sales sent = receipts recorded"]
    assert summary(table_rows(short), 2.0, 10)["reconciled"] is False


def test_a_sale_that_the_log_misses_is_named() -> None:
    sources = agreeing()
    short = replace(sources, logged=replace(sources.logged, sales=11))
    assert different(short) == ["Sales and returns sent = logged"]


def test_a_return_that_the_rollups_miss_is_named_with_its_refund() -> None:
    sources = agreeing()
    short = replace(sources, rollups=replace(sources.rollups, returns=1, refunded=500))
    assert different(short) == ["Returns sent = returns recorded", "Refunded (cents)"]


def test_a_slot_that_a_return_did_not_free_is_named() -> None:
    sources = agreeing()
    kept = replace(sources, ledger=replace(sources.ledger, returned=Counter()))
    assert different(kept) == [
        "welcome-10: returned",
        "WELCOME: the first 2 of 3 that qualify",
    ]


def test_an_activation_above_the_cap_is_named() -> None:
    sources = agreeing()
    over = replace(sources, ledger=replace(sources.ledger, cap_used=2, slots=2))
    assert different(over) == [
        "WELCOME: the first 2 of 3 that qualify",
        "WELCOME: activations − returned = used",
    ]


def test_a_counter_that_does_not_match_its_redemptions_is_named() -> None:
    sources = agreeing()
    leaking = replace(sources, ledger=replace(sources.ledger, slots=0))
    assert different(leaking) == ["WELCOME: used + held + free = cap"]


def test_a_coupon_whose_sources_differ_is_shown_alone() -> None:
    sources = agreeing()
    uneven = Counter(uses())
    uneven[COUPONS[1]] -= 1
    one_less = replace(sources, dashboard=replace(sources.dashboard, activations=uneven))
    rows = table_rows(one_less)
    assert [row.what for row in differences(rows)] == ["cj-18-2: activations"]
    assert "cj-18, coupons (1): activations" in [row.what for row in rows]


def test_what_is_given_without_right_never_reconciles() -> None:
    sources = agreeing()
    stolen = replace(sources, logged=replace(sources.logged, unauthorised=1))
    assert different(stolen) == ["Given without right"]
