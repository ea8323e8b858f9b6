"""The life of an offer: planned → requested → issued → offered → used or expired; or it never comes to that. Pure.

Who is in the control group has an offer that is ``held_back`` at the time at which a code would have been asked for, until the last
step would have ended. ``open`` offers keep others for the same reason away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.customers.offers import moment
from services.customers.offers.plan import LEAD, Plan, Raise, SkipReason
from services.customers.offers.policy import Policy
from shared.events.customers import CodeRequest, Offer, OfferStatus

Status = Literal[
    "planned",
    "requested",
    "issued",
    "offered",
    "used",
    "expired",
    "withdrawn",
    "refused",
    "held_back",
]
Why = (
    SkipReason
    | Literal[
        "unanswered",
        "too_late",
        "no_such_emission",
        "not_personal",
        "not_posted",
        "ended",
        "erased",
    ]
)
LATE = timedelta(days=1)
"""So long after its end a receipt with a code of its emission may still be of an offer: what was held in time is paid later."""


@dataclass(frozen=True, slots=True)
class Record:
    """An offer as it stands. ``series_id`` is the first step's: the steps that followed one another.

    ``due_at``: when time alone changes something next. ``cost`` is what the code is likely to give if it is used, ``given`` what it
    gave (minor units). ``raised_from``: when the step before was sent. ``measured``: the first series that this policy
    has had for the customer, which its outcome is told by. ``why`` it came to nothing.
    """

    offer_id: str
    series_id: str
    policy_id: str
    version: int
    customer_id: str
    reason: str
    step: int
    emission_id: str
    discount: int
    cost: int
    currency: str
    zone: str
    status: Status
    send_at: datetime
    valid_until: datetime
    due_at: datetime | None
    changed_at: datetime
    open: bool = True
    measured: bool = False
    raised_from: datetime | None = None
    code: str | None = field(default=None, repr=False)
    receipt_id: str | None = None
    given: int = 0
    why: Why | None = None


def planned(
    offer_id: str,
    policy: Policy,
    version: int,
    customer_id: str,
    plan: Plan,
    now: datetime,
    *,
    before: Record | None = None,
) -> Record:
    """An offer that will be made as the plan says; ``before``: the step that was not used."""
    return Record(
        offer_id,
        before.series_id if before else offer_id,
        policy.policy_id,
        version,
        customer_id,
        policy.reason,
        plan.step,
        plan.emission_id,
        plan.discount,
        plan.cost,
        policy.currency,
        plan.zone.key,
        "planned",
        plan.send_at,
        plan.valid_until,
        max(now, plan.send_at - LEAD),
        now,
        measured=before is not None and before.measured,
        raised_from=before.send_at if before else None,
    )


def replanned(record: Record, version: int, plan: Plan, now: datetime) -> Record:
    """The same offer by what is known now. It is due at once if it is time to ask for its code."""
    return replace(
        record,
        version=version,
        step=plan.step,
        emission_id=plan.emission_id,
        discount=plan.discount,
        cost=plan.cost,
        zone=plan.zone.key,
        send_at=plan.send_at,
        valid_until=plan.valid_until,
        due_at=max(now, plan.send_at - LEAD),
        changed_at=now,
    )


def after(record: Record) -> Raise | None:
    """What a step that followed another one is decided by; None for a first one."""
    if record.raised_from is None:
        return None
    return Raise(record.step, record.raised_from, record.send_at)


def next_step(policy: Policy, record: Record) -> Raise | None:
    """The step that follows an offer which was not used; None after the last."""
    if record.step >= len(policy.steps):
        return None
    earliest = moment.after_days(record.valid_until, policy.wait_days, ZoneInfo(record.zone))
    return Raise(record.step + 1, record.send_at, earliest)


def withdrawn(record: Record, why: Why, now: datetime) -> Record:
    """It does not come to that."""
    return _closed(record, "withdrawn", now, why=why)


def requested(record: Record, now: datetime, *, measured: bool) -> Record:
    """Its code is asked for. One that never comes is given up when it would have ended."""
    return replace(
        record,
        status="requested",
        due_at=record.valid_until,
        changed_at=now,
        measured=record.measured or measured,
    )


def request(record: Record, now: datetime) -> CodeRequest:
    """What emission is asked for; the same offer always asks for the same code."""
    return CodeRequest(
        request_id=record.offer_id,
        emission_id=record.emission_id,
        customer_id=record.customer_id,
        valid_until=record.valid_until,
        requested_at=now,
    )


def held_back(record: Record, policy: Policy, now: datetime, *, measured: bool) -> Record:
    """Nothing is sent to the control group; as long as the steps would have lasted nothing else is, either."""
    steps = policy.steps[record.step - 1 :]
    spans = moment.windows(steps, policy.wait_days, record.send_at, ZoneInfo(record.zone))
    return replace(
        record,
        status="held_back",
        valid_until=spans[-1][1],
        due_at=spans[-1][1],
        changed_at=now,
        measured=record.measured or measured,
    )


def issued(record: Record, code: str, valid_until: datetime, now: datetime) -> Record:
    """The code has come; it is sent when it is time."""
    if record.status != "requested":
        return record
    return replace(
        record,
        status="issued",
        code=code,
        valid_until=min(record.valid_until, valid_until),
        due_at=max(now, record.send_at),
        changed_at=now,
    )


def refused(record: Record, why: Why, now: datetime) -> Record:
    """Emission has no code for it."""
    if record.status != "requested":
        return record
    return _closed(record, "refused", now, why=why)


def due(record: Record, policy: Policy, now: datetime, *, running: bool) -> Record:
    """What time makes of an offer, but for one that is planned: it is sent, has ended, or was never answered."""
    match record.status:
        case "requested":
            return withdrawn(record, "unanswered", now)
        case "issued":
            if not running:
                return withdrawn(record, "not_running", now)
            return _sent(record, policy, now)
        case "offered":
            return _closed(record, "expired", now)
        case "held_back":
            return replace(record, open=False, due_at=None, changed_at=now)
        case _:
            return replace(record, due_at=None)


def _sent(record: Record, policy: Policy, now: datetime) -> Record:
    """Offered, unless it came so late that it is quiet by now, or over."""
    send_at = moment.after_quiet(now, policy.quiet_hours, ZoneInfo(record.zone))
    if send_at >= record.valid_until:
        return withdrawn(record, "too_late", now)
    if send_at > now:
        return replace(record, send_at=send_at, due_at=send_at, changed_at=now)
    # A little late is still when it was meant to be.
    return replace(record, status="offered", due_at=record.valid_until, changed_at=now)


def used(record: Record, receipt_id: str, given: int, now: datetime) -> Record:
    """A receipt used it; also one that is over, if its code was held in time."""
    if record.status not in ("offered", "expired"):
        return record
    found = _closed(record, "used", now)
    return replace(found, receipt_id=receipt_id, given=given)


def may_be_used(record: Record, at: datetime) -> bool:
    """Whether a code of its emission on a receipt of its customer may be this one."""
    return (
        record.status in ("offered", "expired") and record.send_at <= at < record.valid_until + LATE
    )


def given_back(record: Record, receipt_id: str, now: datetime) -> Record:
    """The receipt that used it was returned and its code may be used again: it is offered again, or over."""
    if record.status != "used" or record.receipt_id != receipt_id:
        return record
    back = replace(record, receipt_id=None, given=0)
    if now >= record.valid_until:
        return _closed(back, "expired", now)
    return replace(back, status="offered", open=True, due_at=record.valid_until, changed_at=now)


def _closed(record: Record, status: Status, now: datetime, why: Why | None = None) -> Record:
    return replace(record, status=status, open=False, due_at=None, changed_at=now, why=why)


_TOLD: Mapping[Status, OfferStatus] = {
    "offered": "offered",
    "used": "used",
    "expired": "expired",
}


def told(record: Record) -> Offer | None:
    """What the CRM is told of it; nothing until it is to be sent. The code only while it can be used."""
    status = _TOLD.get(record.status)
    if status is None:
        return None
    return Offer(
        offer_id=record.offer_id,
        customer_id=record.customer_id,
        policy_id=record.policy_id,
        status=status,
        reason=record.reason,
        step=record.step,
        emission_id=record.emission_id,
        code=record.code if status == "offered" else None,
        send_at=record.send_at,
        valid_until=record.valid_until,
        changed_at=record.changed_at,
        receipt_id=record.receipt_id,
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many offers of a step stand how, and what they cost: changes of it, or sums.

    ``codes`` were asked for, ``offered`` ever sent, ``likely`` is what open ones may give, ``given`` what used ones gave (minor units).
    """

    codes: int = 0
    offered: int = 0
    used: int = 0
    expired: int = 0
    refused: int = 0
    held_back: int = 0
    likely: int = 0
    given: int = 0

    def plus(self, other: "Tally", sign: int = 1) -> "Tally":
        """The sum; with ``sign`` −1 the difference."""
        return Tally(
            self.codes + sign * other.codes,
            self.offered + sign * other.offered,
            self.used + sign * other.used,
            self.expired + sign * other.expired,
            self.refused + sign * other.refused,
            self.held_back + sign * other.held_back,
            self.likely + sign * other.likely,
            self.given + sign * other.given,
        )


_NONE = Tally()
_ASKED: frozenset[Status] = frozenset({"requested", "issued", "offered", "used", "expired"})
_SENT: frozenset[Status] = frozenset({"offered", "used", "expired"})


def counted(record: Record | None) -> Tally:
    """What an offer counts for as it stands. One given up before it was sent takes nothing of the budget."""
    if record is None:
        return _NONE
    status = record.status
    return Tally(
        codes=status in _ASKED,
        offered=status in _SENT,
        used=status == "used",
        expired=status == "expired",
        refused=status == "refused",
        held_back=status == "held_back",
        likely=record.cost if status in ("requested", "issued", "offered") else 0,
        given=record.given,
    )


def tallied(
    changes: Iterable[tuple[Record | None, Record]],
) -> dict[tuple[str, int], Tally]:
    """What the changes (before, after) make of each policy's steps."""
    sums: dict[tuple[str, int], Tally] = {}
    for before, now in changes:
        if before is not None:
            key = (before.policy_id, before.step)
            sums[key] = sums.get(key, _NONE).plus(counted(before), -1)
        key = (now.policy_id, now.step)
        sums[key] = sums.get(key, _NONE).plus(counted(now))
    return {key: sums[key] for key in sorted(sums) if sums[key] != _NONE}
