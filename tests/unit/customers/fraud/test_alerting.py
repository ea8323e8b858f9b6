"""Alerts: one while it is open, quiet after what was said of it, told of seldom unless it gets worse."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from services.customers.fraud import alerting
from services.customers.fraud.alerting import QUIET, State
from services.customers.fraud.model import sample_of
from services.customers.fraud.rules import DEFAULTS, Finding, Suspicion

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULE = DEFAULTS[0]


def suspicion(value: int = 6, after: timedelta = timedelta(), *, met: bool = True) -> Suspicion:
    """So many unknown codes, of six that are too many."""
    finding = Finding("unknown_codes", value, 6, None, (f"r-{value}",))
    at = int((NOW + after).timestamp())
    return Suspicion("code_guessing", "customer", "anna", at, met, (finding,))


def raised(
    before: State | None, one: Suspicion, score: int | None = None, after: timedelta = timedelta()
) -> State | None:
    """The alert after another suspicion."""
    return alerting.raised(before, one, sample_of(one, [0.0]), score, NOW + after)


def first(value: int = 6) -> State:
    """An alert that was told of."""
    state = raised(None, suspicion(value))
    assert state is not None
    return alerting.told(state, NOW)


def test_it_is_one_alert_while_it_is_open() -> None:
    again = raised(first(), suspicion(12, timedelta(minutes=1)))
    assert again is not None
    assert (again.alert_id, again.times, again.excess) == (first().alert_id, 2, 200)
    assert (again.severity, again.last_seen_at) == ("medium", NOW + timedelta(minutes=1))
    assert again.evidence[0].receipts == ("r-12", "r-6")


def test_a_milder_one_leaves_the_worst_evidence() -> None:
    again = raised(first(18), suspicion(6))
    assert again is not None
    assert (again.severity, again.evidence[0].value, again.times) == ("high", 18, 2)


def test_it_is_told_of_at_once_when_it_gets_more_severe_else_once_a_minute() -> None:
    soon, later = NOW + timedelta(seconds=30), NOW + timedelta(seconds=60)
    same = raised(first(), suspicion(7))
    worse = raised(first(), suspicion(18))
    assert same is not None
    assert worse is not None
    assert not alerting.is_due(same, first(), soon)
    assert alerting.is_due(same, first(), later)
    assert alerting.is_due(worse, first(), soon)


def test_dismissed_it_is_quiet_unless_it_gets_twice_as_bad() -> None:
    closed = alerting.closed(first(), "dismissed", NOW)
    day = timedelta(days=1)
    assert raised(closed, suspicion(11, day)) is None
    worse = raised(closed, suspicion(12, day))
    assert worse is not None
    assert worse.alert_id != closed.alert_id
    assert raised(closed, suspicion(6, QUIET)) is not None
    assert closed.sample.abuse is False


def test_confirmed_it_is_raised_anew_after_a_day() -> None:
    closed = alerting.closed(first(), "confirmed", NOW)
    assert raised(closed, suspicion(60, timedelta(hours=23))) is None
    assert raised(closed, suspicion(6, timedelta(days=1))) is not None
    assert closed.sample.abuse is True


def test_half_way_is_an_alert_only_if_the_score_says_so() -> None:
    half = suspicion(3, met=False)
    assert not alerting.is_wanted(half, None, RULE)
    assert not alerting.is_wanted(half, 7_999, RULE)
    assert alerting.is_wanted(half, 8_000, RULE)
    assert not alerting.is_wanted(half, 10_000, replace(RULE, score=None))
    assert alerting.is_wanted(suspicion(), None, RULE)


def test_the_score_makes_it_more_or_less_severe() -> None:
    sure, doubtful = raised(None, suspicion(), 9_000), raised(None, suspicion(18), 1_000)
    assert sure is not None
    assert doubtful is not None
    assert (sure.severity, doubtful.severity) == ("medium", "low")


def test_a_rule_blocks_only_if_told_to_and_never_by_score_alone() -> None:
    blocking = replace(RULE, blocks_s=3_600)
    half = raised(None, suspicion(3, met=False), 9_900)
    assert half is not None
    assert alerting.blocks(first(), blocking)
    assert not alerting.blocks(first(), RULE)
    assert not alerting.blocks(half, blocking)
    assert not alerting.blocks(replace(first(), kind="store"), blocking)
    assert not alerting.blocks(replace(first(), blocked=True), blocking)
