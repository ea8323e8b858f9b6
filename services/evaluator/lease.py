"""A lease: what a store keeps of a limit for the time it may have no network, and its life. Pure.

Granted → active → returned, or past its end (expired) → reconciled. Time alone frees nothing: sales made
before the end may still be on their way, so that what is left is free only when the store says that it
has sent them all.
"""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

Kept = Literal["active", "returned", "reconciled"]
Status = Literal["active", "expired", "returned", "reconciled"]


class Lease(msgspec.Struct, frozen=True):
    """So much (``amount``) of a limit for one store's sales of ``granted_at`` ≤ t < ``expires_at``.

    ``amount`` and ``used`` are redemptions or, of a limit on money, minor units. ``condition`` is what
    the store called the limit by: the name that refusals of the instrument have for it.
    """

    lease_id: str
    store_id: str
    limit_id: str
    campaign_id: str
    instrument_id: str
    condition: str | None
    amount: int
    granted_at: datetime
    expires_at: datetime
    used: int = 0
    status: Kept = "active"
    ended_at: datetime | None = None

    @property
    def left(self) -> int:
        """What is neither used nor given back."""
        return self.amount - self.used if self.status == "active" else 0

    def covers(self, store_id: str, at: datetime) -> bool:
        """Whether it is there for a sale in this store at that instant, however late the sale comes."""
        ours = self.status == "active" and self.store_id == store_id
        return ours and self.granted_at <= at < self.expires_at

    def status_at(self, now: datetime) -> Status:
        """Its state, by the arbiter's clock."""
        return "expired" if self.status == "active" and now >= self.expires_at else self.status


def take(lease: Lease, amount: int) -> Lease:
    """The lease after a sale used so much of it. Raises ``ValueError`` beyond what is left."""
    if amount > lease.left:
        message = f"{amount} of a lease that has {lease.left} left"
        raise ValueError(message)
    return replace(lease, used=lease.used + amount)


def end(lease: Lease, now: datetime) -> Lease:
    """The lease once its store has sent all its sales; nothing is left of it. Ending it again changes nothing."""
    match lease.status_at(now):
        case "active":
            return replace(lease, status="returned", ended_at=now)
        case "expired":
            return replace(lease, status="reconciled", ended_at=now)
        case _:
            return lease
