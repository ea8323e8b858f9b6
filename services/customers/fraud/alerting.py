"""Alerts: one for a subject and rule while it is open, however often the rule is met; what people say of it.

Pure: functions of an alert's state that return the next one. Instants come from the caller.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from services.customers.fraud.conduct import Kind
from services.customers.fraud.model import Sample
from services.customers.fraud.rules import SEVERITIES, Rule, Severity, Suspicion
from shared.events.customers import Alert, Evidence

PUBLISH_EVERY = timedelta(minutes=1)
"""An open alert is told of again at most so often, unless it became more severe."""
QUIET = timedelta(days=28)
"""So long nothing is raised of a subject and rule that were dismissed, unless it gets twice as bad."""
QUIET_CONFIRMED = timedelta(days=1)
SURE, DOUBTFUL = 9_000, 1_000
"""A score from which an alert is at least of medium severity, and up to which it is low."""
MOST_RECEIPTS = 20
_MOST_EVIDENCE = 20
_TWICE = 2

Status = Literal["open", "confirmed", "dismissed"]
Verdict = Literal["confirmed", "dismissed"]
Change = Literal["raised", "updated", "none"]
BLOCKABLE: tuple[Kind, ...] = ("customer", "device", "cashier")


class State(Struct, frozen=True):
    """An alert as it is kept. ``excess`` is the worst yet, in hundredths of the threshold.

    ``sample`` is what the score learns from. ``quiet_until``: of one that was closed, see ``QUIET``. ``untold``: it has
    changed since ``told_at``, when the topic was told last.
    """

    alert_id: str
    rule: str
    kind: Kind
    subject: str
    status: Status
    severity: Severity
    score: int | None
    times: int
    excess: int
    evidence: tuple[Evidence, ...]
    sample: Sample
    first_seen_at: datetime
    last_seen_at: datetime
    changed_at: datetime
    blocked: bool = False
    quiet_until: datetime | None = None
    told_at: datetime | None = None
    untold: bool = True


def is_wanted(suspicion: Suspicion, score: int | None, rule: Rule) -> bool:
    """Whether an alert is raised: the rule is met, or half-way and the score says so."""
    if suspicion.met:
        return True
    return rule.score is not None and score is not None and score >= rule.score


def raised(
    before: State | None, suspicion: Suspicion, sample: Sample, score: int | None, now: datetime
) -> State | None:
    """The alert once a suspicion is added; None if it is to be left at what was said of it before.

    ``before`` is the latest alert of the subject and rule, open or not.
    """
    at = datetime.fromtimestamp(suspicion.at, UTC)
    if before is not None and before.status == "open":
        return _again(before, suspicion, sample, score, at, now)
    if before is not None and not _breaks_silence(before, suspicion, at):
        return None
    return State(
        alert_id=_alert_id(suspicion, now),
        rule=suspicion.rule,
        kind=suspicion.kind,
        subject=suspicion.subject,
        status="open",
        severity=_severity(suspicion, score),
        score=score,
        times=1,
        excess=suspicion.excess,
        evidence=_evidence(suspicion),
        sample=sample,
        first_seen_at=at,
        last_seen_at=at,
        changed_at=now,
    )


def closed(state: State, verdict: Verdict, now: datetime) -> State:
    """The alert once a person has confirmed or dismissed it."""
    quiet = QUIET if verdict == "dismissed" else QUIET_CONFIRMED
    return replace(
        state,
        status=verdict,
        sample=replace(state.sample, abuse=verdict == "confirmed"),
        changed_at=now,
        quiet_until=now + quiet,
        untold=True,
    )


def blocked(state: State, now: datetime, *, blocked: bool) -> State:
    """The alert once its subject is blocked, or is not any more."""
    if state.blocked == blocked:
        return state
    return replace(state, blocked=blocked, changed_at=now, untold=True)


def blocks(state: State, rule: Rule) -> bool:
    """Whether a raised alert blocks its subject by itself. What only the score says does not."""
    return (
        rule.blocks_s is not None
        and state.kind in BLOCKABLE
        and not state.blocked
        and state.excess >= 100  # noqa: PLR2004 - a hundred hundredths: the threshold
    )


def is_due(state: State, before: State | None, now: datetime) -> bool:
    """Whether the topic is to be told of it now."""
    if not state.untold:
        return False
    if before is None or state.told_at is None or before.alert_id != state.alert_id:
        return True
    if (state.status, state.severity, state.blocked) != (
        before.status,
        before.severity,
        before.blocked,
    ):
        return True
    return now >= state.told_at + PUBLISH_EVERY


def told(state: State, now: datetime) -> State:
    """The alert once the topic was told."""
    return replace(state, told_at=now, untold=False)


def event(state: State) -> Alert:
    """The alert as the topic and the API tell of it."""
    return Alert(
        alert_id=state.alert_id,
        rule=state.rule,
        subject_kind=state.kind,
        subject=state.subject,
        status=state.status,
        severity=state.severity,
        score=state.score,
        times=state.times,
        evidence=state.evidence,
        first_seen_at=state.first_seen_at,
        last_seen_at=state.last_seen_at,
        changed_at=state.changed_at,
        blocked=state.blocked,
    )


def worst(severities: Iterable[Severity]) -> Severity:
    """The most severe."""
    return max(severities, key=SEVERITIES.index)


def _again(
    before: State,
    suspicion: Suspicion,
    sample: Sample,
    score: int | None,
    at: datetime,
    now: datetime,
) -> State:
    worse = suspicion.excess >= before.excess
    return replace(
        before,
        severity=worst((before.severity, _severity(suspicion, score))),
        score=before.score if score is None else max(score, before.score or 0),
        times=before.times + 1,
        excess=max(suspicion.excess, before.excess),
        evidence=_joined(_evidence(suspicion), before.evidence) if worse else before.evidence,
        sample=sample if worse else before.sample,
        first_seen_at=min(at, before.first_seen_at),
        last_seen_at=max(at, before.last_seen_at),
        changed_at=now,
        untold=True,
    )


def _breaks_silence(before: State, suspicion: Suspicion, at: datetime) -> bool:
    if before.quiet_until is None or at >= before.quiet_until:
        return True
    return before.status == "dismissed" and suspicion.excess >= _TWICE * before.excess


def _severity(suspicion: Suspicion, score: int | None) -> Severity:
    if score is None or not suspicion.met:
        return suspicion.severity
    if score <= DOUBTFUL:
        return "low"
    return worst((suspicion.severity, "medium")) if score >= SURE else suspicion.severity


def _evidence(suspicion: Suspicion) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            measure=finding.measure,
            value=finding.value,
            usual=finding.usual,
            receipts=finding.receipts[:MOST_RECEIPTS],
        )
        for finding in suspicion.findings[:_MOST_EVIDENCE]
    )


def _joined(new: tuple[Evidence, ...], old: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The new evidence with the receipts of the old, as far as there is room."""
    known = {one.measure: one for one in old}
    return tuple(
        one.model_copy(
            update={
                "receipts": tuple(dict.fromkeys([*one.receipts, *known[one.measure].receipts]))[
                    :MOST_RECEIPTS
                ]
            }
        )
        if one.measure in known
        else one
        for one in new
    )


def _alert_id(suspicion: Suspicion, now: datetime) -> str:
    name = f"{suspicion.rule}/{suspicion.kind}/{suspicion.subject}/{suspicion.at}/{now.isoformat()}"
    return "al-" + blake2b(name.encode(), digest_size=12).hexdigest()
