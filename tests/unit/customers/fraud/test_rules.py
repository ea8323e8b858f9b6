"""Rules: met from their threshold on, by what stands out from others, each by what it is about and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.customers.fraud import conduct as conducts
from services.customers.fraud import detection, rules
from services.customers.fraud.conduct import Conduct, Signal, Subject
from services.customers.fraud.rules import DEFAULTS, Rule, Ruleset, Suspicion
from services.customers.messages import (
    CodeAttempt,
    Decision,
    Receipt,
    Redemption,
    Returned,
    ReturnedRedemption,
    UnusedCode,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
START = int(NOON.timestamp())
LATER = NOON + timedelta(days=300)
CODE = Redemption("c", "i", "committed", 100, 0, "e")
WRONG = Redemption("c", "i", "unauthorised", 100, 0)
Fact = Receipt | Returned | Decision | CodeAttempt


def receipt(n: int, at: datetime = NOON, *redemptions: Redemption, **fields: Any) -> Receipt:
    """Receipt ``n`` at a store."""
    return Receipt(
        receipt_id=f"r-{n}",
        store_id="s",
        terminal_id="t",
        region="",
        device="till",
        currency="EUR",
        occurred_at=at,
        discount=0,
        paid=1_000,
        lines=(),
        redemptions=redemptions,
        **fields,
    )


def back(n: int, sold_at: datetime, at: datetime, **fields: Any) -> Returned:
    """All of receipt ``n`` comes back."""
    lost = ReturnedRedemption("c", "i", "returned", True, 100, 0, "e")
    return Returned(
        return_id=f"b-{n}",
        receipt_id=f"r-{n}",
        store_id="s",
        sold_at=sold_at,
        occurred_at=at,
        currency="EUR",
        complete=True,
        refund=1_000,
        lines=(),
        redemptions=(lost,),
        **fields,
    )


def asked(n: int, *reasons: str, at: datetime = NOON, foreign: tuple[int, ...] = ()) -> Decision:
    """The answer to a cart of Anna's with codes that were not used."""
    unused = tuple(UnusedCode(place, reason) for place, reason in enumerate(reasons))
    return Decision(f"r-{n}", "decided", "s", at, unused, foreign, "anna")


def found(
    *facts: Fact, chain: Conduct | None = None, of: tuple[Rule, ...] = DEFAULTS
) -> list[Suspicion]:
    """All suspicions."""
    signals = list(detection.Listening().signals(facts, LATER))
    return [one for one, _ in detection.observe(signals, {}, chain or Conduct(), Ruleset(of))]


def met(
    *facts: Fact, chain: Conduct | None = None, of: tuple[Rule, ...] = DEFAULTS
) -> set[tuple[str, str, str]]:
    """The rules that were met: rule, kind, subject."""
    return {
        (one.rule, one.kind, one.subject) for one in found(*facts, chain=chain, of=of) if one.met
    }


def others(receipts: int, **sums: int) -> Conduct:
    """What other stores did on the day."""
    chain = Conduct()
    everything = {"receipts": receipts, **sums}
    conducts.add(chain, Signal(Subject("store", "other"), START, "x", everything))  # type: ignore[arg-type]
    return chain


@pytest.mark.parametrize(("codes", "is_met"), [(5, False), (6, True)])
def test_unknown_codes_are_guessing_from_the_threshold_on(codes: int, is_met: bool) -> None:
    facts = [asked(n, "unknown_code", at=NOON + timedelta(minutes=n)) for n in range(codes)]
    assert (("code_guessing", "customer", "anna") in met(*facts)) is is_met


def test_codes_that_are_over_are_no_guesses() -> None:
    assert met(*[asked(n, *["code_not_valid"] * 5) for n in range(5)]) == set()


def test_a_cart_that_is_sent_again_presents_its_codes_once() -> None:
    assert met(*[asked(1, "unknown_code", "unknown_code")] * 9) == set()


def test_a_lock_out_is_guessing_at_once() -> None:
    attempt = CodeAttempt("a-1", "customer", "anna", "s", 3, NOON)
    assert met(attempt) == {("code_guessing", "customer", "anna")}


def test_codes_of_others_count_used_or_not() -> None:
    facts = [asked(n, foreign=(0,)) for n in range(3)]
    facts += [asked(n, "code_not_yours") for n in (3, 4)]
    assert met(*facts) == {("foreign_code", "customer", "anna")}
    assert met(*facts[:4]) == set()


def test_most_that_was_bought_with_codes_comes_back() -> None:
    days = [NOON + timedelta(days=n) for n in range(6)]
    last = days[5] + timedelta(days=1)
    bought = [receipt(n, day, CODE, customer_id="anna") for n, day in enumerate(days)]
    backs = [back(n, day, last, customer_id="anna") for n, day in enumerate(days[:4])]
    assert met(*bought, *backs) == {("buy_use_return", "customer", "anna")}
    more = [receipt(n, days[5], CODE, customer_id="anna") for n in range(10, 15)]
    assert met(*bought, *more, *backs) == set()


def test_new_customers_on_one_device_are_a_farm_known_ones_a_family() -> None:
    def used(at: datetime, n: int, device: str) -> Receipt:
        return receipt(n, at, CODE, customer_id=f"c-{n % 10}", device_id=device)

    new = [used(NOON, n, "farm") for n in range(5)]
    assert met(*new) == {("shared_device", "device", "farm")}
    before = [used(NOON - timedelta(days=9), n, f"own-{n}") for n in range(5)]
    again = [used(NOON, n + 10, "farm") for n in range(5)]
    assert met(*before, *again) == set()


def test_a_cashier_who_gives_without_right_more_than_others() -> None:
    wrong = [receipt(n, NOON, WRONG, cashier_id="bob") for n in range(4)]
    expected = ("unauthorised", "cashier", "s:bob")
    assert expected in met(*wrong, chain=others(200, unauthorised=1))
    assert expected not in met(*wrong, chain=others(200, unauthorised=100))
    assert expected not in met(*wrong), "nothing is known of others"


def test_a_cashier_is_compared_with_those_of_the_store_which_was_offline() -> None:
    chain = others(900, unauthorised=1)
    store = [receipt(n, NOON, *([WRONG] if n % 2 else []), cashier_id="cleo") for n in range(200)]
    wrong = [receipt(n + 500, NOON, WRONG, cashier_id="bob") for n in range(4)]
    assert ("unauthorised", "cashier", "s:bob") not in met(*store, *wrong, chain=chain)


def test_codes_used_faster_than_anybody_shops() -> None:
    facts = [receipt(n, NOON + timedelta(minutes=n), CODE, customer_id="anna") for n in range(9)]
    assert ("velocity", "customer", "anna") in met(*facts)
    assert ("velocity", "customer", "anna") not in met(*facts[:8])


def test_from_one_address_within_minutes() -> None:
    facts = [receipt(n, NOON + timedelta(seconds=n), CODE, address="a") for n in range(7)]
    assert met(*facts) == {("velocity", "address", "a")}
    slowly = [receipt(n, NOON + timedelta(minutes=20 * n), CODE, address="a") for n in range(7)]
    assert met(*slowly) == set()


def test_a_store_with_far_more_codes_than_others() -> None:
    facts = [receipt(n, NOON, CODE) for n in range(20)]
    assert met(*facts, chain=others(1_000, code_receipts=50)) == {("velocity", "store", "s")}
    assert met(*facts, chain=others(1_000, code_receipts=400)) == set()


def test_returns_within_the_hour_but_not_of_who_only_takes_returns() -> None:
    sold = [receipt(n, NOON, cashier_id="bob") for n in range(10)]
    soon = [back(n, NOON, NOON + timedelta(minutes=9), cashier_id="bob") for n in range(4)]
    chain = others(500, quick_returns=1)
    assert met(*sold, *soon, chain=chain) == {("quick_returns", "cashier", "s:bob")}
    late = [back(n, NOON, NOON + timedelta(hours=2), cashier_id="bob") for n in range(4)]
    assert met(*sold, *late, chain=chain) == set()
    assert met(*soon, chain=chain) == set(), "a desk for returns sells nothing"


def test_one_card_on_many_receipts_of_a_cashier() -> None:
    facts = [receipt(n, NOON, customer_id="card", cashier_id="bob") for n in range(7)]
    assert met(*facts) == {("borrowed_card", "cashier", "s:bob")}
    busy = [receipt(n + 50, NOON, customer_id=f"c-{n}", cashier_id="bob") for n in range(60)]
    assert met(*busy, *facts) == set()


def test_half_way_is_a_suspicion_that_meets_no_rule() -> None:
    half = found(*[asked(n, "unknown_code") for n in range(4)])
    assert {(one.rule, one.met, one.excess) for one in half} == {
        ("code_guessing", False, 50),
        ("code_guessing", False, 66),
    }


def test_a_late_fact_completes_the_window_that_it_is_in() -> None:
    early = [asked(n, "unknown_code", at=NOON + timedelta(minutes=n)) for n in range(6)]
    evening = asked(99, "unknown_code", at=NOON + timedelta(hours=6))
    late = [*early[:2], *early[3:], evening, early[2]]
    assert ("code_guessing", "customer", "anna") in met(*late)


def test_what_is_said_to_be_in_the_future_is_now() -> None:
    future = asked(1, "unknown_code", at=LATER + timedelta(days=1_000))
    signals = detection.Listening().signals([future], LATER)
    assert [one.at for one in signals] == [int(LATER.timestamp())]


def test_a_rule_that_is_off_is_not_met() -> None:
    off = (Rule("code_guessing", DEFAULTS[0].tests, enabled=False),)
    assert met(*[asked(n, "unknown_code") for n in range(9)], of=off) == set()


def test_the_delivered_rules_can_be_used_and_none_blocks() -> None:
    assert [one for rule in DEFAULTS for one in rules.objections(rule)] == []
    assert all(rule.blocks_s is None for rule in DEFAULTS)
    assert tuple(rule.rule for rule in DEFAULTS) == rules.NAMES
