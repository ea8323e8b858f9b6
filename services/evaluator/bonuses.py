"""The bonus ledger: double entry, one pair of entries for each accrual. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.redemption import Redemption
from shared.events.outcome import BonusEntry, Decision


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of an entry; the points of an ``entry_id`` add up to zero."""

    entry_id: str
    account: str
    points: int
    redemption_id: str


def accruals(redemptions: Iterable[Redemption]) -> list[Redemption]:
    """The redemptions that bonuses are accrued for."""
    return [r for r in redemptions if r.status == "committed" and r.bonuses]


def accrue(customer_id: str, redemptions: Iterable[Redemption]) -> list[Entry]:
    """What committed redemptions give the customer, and what the campaigns owe for it."""
    return [
        entry
        for r in accruals(redemptions)
        for entry in (
            Entry(f"b-{r.redemption_id}", f"customer/{customer_id}", r.bonuses, r.redemption_id),
            Entry(f"b-{r.redemption_id}", f"campaign/{r.campaign_id}", -r.bonuses, r.redemption_id),
        )
    ]


def events(
    decision: Decision, customer_id: str, redemptions: Iterable[Redemption], now: datetime
) -> list[BonusEntry]:
    """The accruals as they are published."""
    return [
        BonusEntry(
            entry_id=f"b-{r.redemption_id}",
            customer_id=customer_id,
            redemption_id=r.redemption_id,
            campaign_id=r.campaign_id,
            instrument_id=r.instrument_id,
            receipt_id=decision.receipt_id,
            kind="accrual",
            points=r.bonuses,
            occurred_at=decision.occurred_at,
            recorded_at=now,
        )
        for r in accruals(redemptions)
    ]
