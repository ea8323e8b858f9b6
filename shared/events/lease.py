"""Leases: quotas of limits that stores keep for the time they may have no network."""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.values import MAX_MONEY, Event, Id, Instant, Text

MOST_SECONDS = 7 * 86_400

Amount = Annotated[
    int, Field(ge=0, le=MAX_MONEY, description="redemptions or, of a limit on money, minor units")
]


class LeaseRequest(Event):
    """A store asks for ``amount`` of a limit, for so many ``seconds``; it gets all of that, or nothing.

    ``condition`` names the limit as refusals do: a code condition's id, ``limit.money``,
    ``limit.store``, ``campaign_limit``, …; none = the instrument's redemptions in all. ``lease_id``
    is chosen here if the store chooses none.
    """

    lease_id: Id | None = None
    store_id: Id
    campaign_id: Id
    instrument_id: Id
    condition: Text | None = None
    amount: Annotated[Amount, Field(ge=1)]
    seconds: Annotated[int, Field(ge=60, le=MOST_SECONDS)]


class LeaseState(Event):
    """A lease as it is. It covers sales of ``granted_at`` ≤ ``occurred_at`` < ``expires_at``.

    ``left`` is what is neither used nor given back. ``expired``: past its end and not yet returned, so
    that it still counts; ``reconciled``: returned after its end.
    """

    lease_id: Id
    store_id: Id
    campaign_id: Id
    instrument_id: Id
    condition: Text | None = None
    amount: Amount
    used: Amount
    left: Amount
    status: Literal["active", "expired", "returned", "reconciled"]
    granted_at: Instant
    expires_at: Instant
    ended_at: Instant | None = None


class LeasePage(Event):
    """Leases in the order of their ends; ``next`` is where the next page begins, if there is more."""

    items: tuple[LeaseState, ...]
    next: Id | None = None
