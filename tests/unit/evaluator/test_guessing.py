"""Who is locked out for guessing codes, by what, for how long; and who never is."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.evaluator import answer
from services.evaluator.answer import Decision, Outcome
from services.evaluator.guessing import (
    LONGEST,
    MINUTE,
    NOTHING,
    PAGE,
    POLICY,
    REMEMBERED,
    TILL,
    Caller,
    Guesses,
    Lockout,
    Rule,
    Subject,
    Tally,
    address_hash,
    blame,
    failed_codes,
    subjects_of,
)
from services.evaluator.promotion.verdict import UnusedCode
from shared.codes import digest
from shared.events.values import MAX_CODES
from tests.builders import CODE_KEY, NOON, cart

RULE = Rule(5, 10 * MINUTE, 10 * MINUTE)
TERMINAL = Subject("till", "terminal", "store-1:till-1")
STORE = Subject("till", "store", "store-1")


def words(count: int, start: int = 0) -> list[bytes]:
    """Digests of so many different codes."""
    return [digest(f"GUESS{n}", CODE_KEY) for n in range(start, start + count)]


def decision(reason: str, code: int = 0, outcome: Outcome = "decided") -> Decision:
    """A decision that leaves one code unused."""
    found = answer.of(
        cart(),
        None,
        decision_id="d-1",
        outcome=outcome,
        region="West",
        device="till",
        decided_at=NOON,
        expires_at=None,
        ruleset_version=1,
        ruleset_hash="00",
        unknown_codes=(),
    )
    return replace(found, unused_codes=(UnusedCode(code, reason),))  # type: ignore[arg-type]


def after(attempts: Iterable[tuple[timedelta, Sequence[bytes]]], rule: Rule = RULE) -> Tally:
    tally = NOTHING
    for when, failed in attempts:
        tally = blame(tally, failed, rule, NOON + when)
    return tally


def test_enough_different_wrong_codes_within_the_window_lock_out() -> None:
    four = after([(n * MINUTE, words(1, n)) for n in range(4)])
    assert not four.is_locked(NOON + 4 * MINUTE)
    five = blame(four, words(1, 4), RULE, NOON + 4 * MINUTE)
    assert five.locked_until == NOON + 14 * MINUTE
    assert five.is_locked(NOON + 13 * MINUTE)
    assert not five.is_locked(NOON + 14 * MINUTE)


def test_the_same_wrong_code_counts_once_however_often_it_comes() -> None:
    """A cart is sent again with every item, and many a customer has a word that is over."""
    assert not after([(n * MINUTE / 10, words(1)) for n in range(100)]).locked_until
    assert len(after([(0 * MINUTE, words(2)), (MINUTE, words(2))]).failed) == 2


def test_what_failed_before_the_window_does_not_count() -> None:
    tally = after([(0 * MINUTE, words(4)), (10 * MINUTE, words(4, 4))])
    assert tally.locked_until is None
    assert tally.since == NOON + 10 * MINUTE


def test_each_lock_out_that_follows_soon_is_twice_as_long_up_to_a_day() -> None:
    now, tally, lasted = NOON, NOTHING, []
    for _ in range(12):
        tally = blame(tally, words(5), RULE, now)
        assert tally.locked_until
        lasted.append((tally.locked_until - now) / MINUTE)
        now = tally.locked_until
    assert lasted[:4] == [10, 20, 40, 80]
    assert lasted[-1] == LONGEST / MINUTE


def test_a_day_without_a_lock_out_and_the_next_is_short_again() -> None:
    first = after([(0 * MINUTE, words(5))])
    assert first.locked_until
    later = first.locked_until + REMEMBERED
    assert blame(first, words(5), RULE, later).locked_until == later + RULE.lockout


def test_a_tally_is_kept_as_long_as_it_matters() -> None:
    assert after([(0 * MINUTE, words(1))]).forgotten_from(RULE) == NOON + RULE.window
    locked = after([(0 * MINUTE, words(5))])
    assert locked.forgotten_from(RULE) == NOON + RULE.lockout + REMEMBERED


@given(
    st.lists(st.tuples(st.integers(0, 3_600), st.sets(st.integers(0, 30), min_size=1)), max_size=60)
)
def test_only_who_failed_with_enough_codes_within_a_window_is_ever_locked_out(
    attempts: list[tuple[int, set[int]]],
) -> None:
    tally, earlier = NOTHING, list[tuple[int, set[int]]]()
    for second, codes in sorted(attempts, key=lambda one: one[0]):
        now = NOON + timedelta(seconds=second)
        before = tally
        tally = blame(tally, [digest(f"{n}", CODE_KEY) for n in codes], RULE, now)
        earlier.append((second, codes))
        within = set().union(*[c for s, c in earlier if s > second - RULE.window.total_seconds()])
        if tally.lockouts > before.lockouts:
            assert len(within) >= RULE.failures
        assert len(tally.failed) < RULE.failures


@pytest.mark.parametrize("rule", [*POLICY.values(), PAGE])
def test_a_receipt_full_of_old_coupons_locks_nobody_out(rule: Rule) -> None:
    assert not blame(NOTHING, words(MAX_CODES), rule, NOON).locked_until


def test_one_till_does_not_lock_out_its_store() -> None:
    """What it can get in is a receipt more than locks it out."""
    for rule in (POLICY["terminal"], PAGE):
        assert rule.failures + MAX_CODES < POLICY["store"].failures
        assert rule.lockout >= POLICY["store"].window


def test_callers_are_counted_as_all_that_they_are() -> None:
    assert subjects_of("s", "t", "c", "till", TILL) == (
        Subject("till", "store", "s"),
        Subject("till", "terminal", "s:t"),
        Subject("till", "customer", "c"),
    )
    page = subjects_of("s", "t", None, "web", Caller(anonymous=True, address="hash"))
    assert page == (
        Subject("anonymous", "store", "s"),
        Subject("anonymous", "terminal", "s:t"),
        Subject("anonymous", "address", "hash"),
    )


def test_anonymous_callers_lock_out_no_till() -> None:
    """They state store, terminal and channel as they like."""
    page = subjects_of("s", "t", "c", "till", Caller(anonymous=True, address="hash"))
    assert not set(page) & set(subjects_of("s", "t", "c", "till", TILL))


def test_the_terminal_of_a_web_shop_is_everybodys() -> None:
    till, shop = (subjects_of("s", "t", None, c, TILL)[1].rule for c in ("till", "web"))
    assert (till, shop) == (POLICY["terminal"], PAGE)


@pytest.mark.parametrize("reason", ["unknown_code", "code_not_valid", "code_not_yours"])
def test_codes_that_nobody_could_use_have_failed(reason: str) -> None:
    assert failed_codes(words(3), decision(reason, 1), {}) == words(1, 1)


@pytest.mark.parametrize(
    "reason",
    ["no_campaign", "wrong_store", "condition_not_met", "outranked", "limit_reached", "locked_out"],
)
def test_codes_that_were_refused_for_something_else_are_no_guesses(reason: str) -> None:
    free = {"campaign-1/instrument-1/code": 0}
    assert failed_codes(words(1), decision(reason), free) == []


def test_a_code_is_used_up_by_a_limit_of_its_own() -> None:
    found = decision("limit_reached")
    [word] = words(1)
    assert failed_codes([word], found, {f"code:{word.hex()}": 0}) == [word]
    assert failed_codes([word], found, {f"c/i/~customer.code=C1,{word.hex()}@30d": 0}) == [word]
    assert failed_codes([word], found, {f"code:{word.hex()}": 1}) == []


def test_what_was_paid_is_not_counted_again() -> None:
    assert failed_codes(words(1), decision("unknown_code", outcome="paid"), {}) == []


def test_within_a_transaction_a_lock_out_counts_from_the_next_cart_on() -> None:
    guesses = Guesses()
    for n in range(POLICY["terminal"].failures):
        assert guesses.lockout([STORE, TERMINAL], NOON) is None
        guesses.blame([STORE, TERMINAL], words(1, n), NOON)
    until = NOON + POLICY["terminal"].lockout
    assert guesses.lockout([STORE, TERMINAL], NOON) == Lockout(TERMINAL, until)
    assert guesses.blamed == {one: words(POLICY["terminal"].failures) for one in (STORE, TERMINAL)}


def test_who_may_be_locked_out_before_the_transaction_ends_is_known_before() -> None:
    most = POLICY["terminal"].failures
    guesses = Guesses({TERMINAL: after([(0 * MINUTE, words(3))], POLICY["terminal"])})
    assert guesses.may_lock({TERMINAL: words(most - 4, 3), STORE: words(most)}) == set()
    assert guesses.may_lock({TERMINAL: words(most - 3, 3)}) == {TERMINAL}


def test_the_longest_lock_out_is_told() -> None:
    short, long = (Tally((), None, 1, NOON + n * MINUTE) for n in (5, 6))
    assert Guesses({TERMINAL: short, STORE: long}).lockout([TERMINAL, STORE], NOON) == Lockout(
        STORE, NOON + 6 * MINUTE
    )


TODAY, TOMORROW = date(2026, 12, 10), date(2026, 12, 11)


def test_an_address_is_another_hash_each_day_and_under_another_key() -> None:
    found = {
        address_hash("203.0.113.5", CODE_KEY, TODAY),
        address_hash("203.0.113.5", CODE_KEY, TOMORROW),
        address_hash("203.0.113.5", b"other", TODAY),
        address_hash("203.0.113.6", CODE_KEY, TODAY),
    }
    assert len(found) == 4


def test_the_addresses_of_a_household_are_one() -> None:
    def hashed(address: str) -> str:
        return address_hash(address, CODE_KEY, TODAY)

    assert hashed("2001:db8:1:2::1") == hashed("2001:db8:1:2:ffff::9")
    assert hashed("2001:db8:1:2::1") != hashed("2001:db8:1:3::1")
    assert hashed("::ffff:203.0.113.5") == hashed("203.0.113.5")


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="testclient"):
        address_hash("testclient", CODE_KEY, TODAY)
