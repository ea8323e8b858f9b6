"""The bonus ledger: double entry, one pair of entries for each movement of a customer's points. Pure.

Entries are named after what caused them, so that the ledger takes each once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal, NamedTuple

import msgspec

from services.evaluator.counters import Taken
from services.evaluator.promotion.benefits.offer import Lifetime
from services.evaluator.redemption import Key, Redemption
from shared.events.outcome import BonusEntry


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of an entry; the points of an ``entry_id`` add up to zero."""

    entry_id: str
    account: str
    points: int
    redemption_id: str | None


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What points move for, as the events say it; ``occurred_at`` is when that was."""

    occurred_at: datetime
    redemption_id: str | None = None
    campaign_id: str | None = None
    instrument_id: str | None = None
    receipt_id: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None


class Movement(NamedTuple):
    """Points that a customer gets or gives (``entry``), and the account that they are ``against``."""

    entry: BonusEntry
    against: str

    @property
    def entries(self) -> tuple[Entry, Entry]:
        """Both sides."""
        name, points, caused_by = self.entry.entry_id, self.entry.points, self.entry.redemption_id
        return (
            Entry(name, f"customer/{self.entry.customer_id}", points, caused_by),
            Entry(name, self.against, -points, caused_by),
        )


def movement(
    kind: Literal["accrual", "spend", "refund", "take_back", "expiry"],
    entry_id: str,
    customer_id: str,
    points: int,
    against: str,
    cause: Cause,
    now: datetime,
    span: tuple[datetime, datetime | None] | None = None,
) -> Movement:
    """So many points (signed: what the customer has more) that move now; ``span``: their lifetime."""
    active_at, expires_at = span or (None, None)
    entry = BonusEntry(
        entry_id=entry_id,
        customer_id=customer_id,
        kind=kind,
        points=points,
        active_at=active_at,
        expires_at=expires_at,
        recorded_at=now,
        **msgspec.structs.asdict(cause),
    )
    return Movement(entry, against)


def campaign_account(campaign_id: str) -> str:
    """Where points come from, and go back to when they are taken back or expire."""
    return f"campaign/{campaign_id}"


def store_account(store_id: str) -> str:
    """Where points go that are paid with."""
    return f"store/{store_id}"


def entry_id(kind: str, *cause: str) -> str:
    """The name of an entry of a kind (a letter): the same whenever the same causes it."""
    return f"{kind}-" + blake2b("/".join(cause).encode(), digest_size=12).hexdigest()


def accrual_id(redemption_id: str) -> str:
    """The entry of what a redemption gives; its lot has the same name."""
    return f"b-{redemption_id}"


def span(
    earned_at: datetime, active_after_days: int, expires_after_days: int | None
) -> tuple[datetime, datetime | None]:
    """From when until when points can be spent that were earned then; days are of 24 hours."""
    active_at = earned_at + timedelta(days=active_after_days)
    if expires_after_days is None:
        return active_at, None
    return active_at, active_at + timedelta(days=expires_after_days)


@dataclass(frozen=True, slots=True)
class PeriodReward:
    """Points for what a customer bought in a period: ``start`` ≤ t < ``end``, in UTC.

    ``redemption_id`` is the same for all that is given for the period, ``entry_id`` however often it
    is worked out, so that the ledger takes it once. ``taken`` is taken of limits. The points can be
    spent from ``active_at`` until ``expires_at``.
    """

    entry_id: str
    redemption_id: str
    campaign_id: str
    instrument_id: str
    customer_id: str
    start: datetime
    end: datetime
    points: int
    taken: tuple[Taken, ...]
    active_at: datetime
    expires_at: datetime | None

    @property
    def cause(self) -> Cause:
        """What the points are for; they are earned as the period ends."""
        return Cause(
            occurred_at=self.end,
            redemption_id=self.redemption_id,
            campaign_id=self.campaign_id,
            instrument_id=self.instrument_id,
            period_start=self.start,
            period_end=self.end,
        )


def reward(
    key: Key,
    customer_id: str,
    period: tuple[datetime, datetime],
    points: int,
    before: int,
    taken: tuple[Taken, ...],
    lifetime: Lifetime,
) -> PeriodReward:
    """A reward of so many points on top of those given ``before``: a late sale may bring more."""
    start, end = period
    name = "/".join((*key, customer_id, start.isoformat()))
    redemption_id = "p-" + blake2b(name.encode(), digest_size=12).hexdigest()
    name = accrual_id(redemption_id) + (f"-{before}" if before else "")
    return PeriodReward(
        name, redemption_id, *key, customer_id, start, end, points, taken, *span(end, *lifetime)
    )


def accruals(redemptions: Iterable[Redemption]) -> list[Redemption]:
    """The redemptions that bonuses are accrued for."""
    return [r for r in redemptions if r.status == "committed" and r.bonuses]
