"""Grants leases and takes them back: what is asked for is applied in one transaction, in the order it came.

A lease costs no receipt: only the limits are locked, in the order of ids, as at the desk.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import structlog

from services.evaluator import metrics
from services.evaluator.counters import Counters
from services.evaluator.desk import Outcome
from services.evaluator.facts import Demand
from services.evaluator.lease import Lease
from services.evaluator.promotion.basket import Basket, read
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.receipt import ConflictError
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import leases as lease_store
from services.evaluator.store import ledger
from services.evaluator.store import limits as limit_store
from services.evaluator.store import reference as reference_store
from services.evaluator.store.reference import Place
from shared.codec import encode
from shared.database import Connection
from shared.events.lease import LeaseRequest, LeaseState

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ending:
    """A store has sent all its sales, or will use no more of a lease."""

    lease_id: str


Ask = LeaseRequest | Ending


@dataclass(frozen=True, slots=True)
class Leasing:
    """Applies what stores ask for, all in the caller's transaction."""

    rulesets: Rulesets

    async def apply(self, connection: Connection, asked: Sequence[Ask]) -> list[Outcome]:
        """For each its lease as it is then, or what is in the way."""
        ruleset, now = await self.rulesets.current(connection, lock=True)
        asked = [_named(one) for one in asked]
        stores = {one.store_id for one in asked if isinstance(one, LeaseRequest)}
        places = await reference_store.places(connection, stores)
        known = await lease_store.limits_of(connection, {str(one.lease_id) for one in asked})
        demand = Demand()
        for limit_id in known.values():
            demand.add(limit_id, None, None)
        limits = {
            one: _limit(one, ruleset, places, now) for one in asked if isinstance(one, LeaseRequest)
        }
        for limit in limits.values():
            if isinstance(limit, Limit):
                demand.add(limit.limit_id, limit.cap, limit.since)
        counters = (
            await limit_store.lock_limits(
                connection, demand.caps, demand.windows, {str(one.lease_id) for one in asked}
            )
            if demand.caps
            else Counters({})
        )
        outcomes = [
            _end(one, counters, now)
            if isinstance(one, Ending)
            else _grant(one, limits[one], counters, now)
            for one in asked
        ]
        await limit_store.save_limits(connection, counters)
        return outcomes


@dataclass(frozen=True, slots=True)
class Overdue:
    """Tells of leases that are past their end and not returned: they still count, and only stores can end them."""

    pool: asyncpg.Pool
    interval_seconds: float = 60.0

    async def run(self) -> None:
        """Look until cancelled."""
        before = 0
        while True:
            async with self.pool.acquire() as connection:
                count = await lease_store.overdue(connection, await ledger.now(connection))
            metrics.LEASES_OVERDUE.set(count)
            if count > before:
                log.warning("leases are overdue", count=count)
            before = count
            await asyncio.sleep(self.interval_seconds)


def answer_of(lease: Lease, now: datetime) -> LeaseState:
    """A lease as its store is told of it."""
    return LeaseState(
        lease_id=lease.lease_id,
        store_id=lease.store_id,
        campaign_id=lease.campaign_id,
        instrument_id=lease.instrument_id,
        condition=lease.condition,
        amount=lease.amount,
        used=lease.used,
        left=lease.left,
        status=lease.status_at(now),
        granted_at=lease.granted_at,
        expires_at=lease.expires_at,
        ended_at=lease.ended_at,
    )


def _named(asked: Ask) -> Ask:
    if isinstance(asked, Ending) or asked.lease_id is not None:
        return asked
    return asked.model_copy(update={"lease_id": f"l-{uuid4()}"})


def _limit(
    request: LeaseRequest, ruleset: Ruleset, places: Mapping[str, Place], now: datetime
) -> Limit | ConflictError:
    """The limit that a store asks for, in its window of now."""
    place = places.get(request.store_id)
    if place is None:
        message = "store_id: no such store; create it in emission first"
        return ConflictError("unknown_store", message)
    instrument = ruleset.instrument(request.campaign_id, request.instrument_id)
    if instrument is None:
        message = "instrument_id: no campaign that may run has such an instrument for sales"
        return ConflictError("unknown_limit", message)
    rule = instrument.rule(request.condition)
    if rule is None:
        message = "condition: the instrument has no such limit"
        return ConflictError("unknown_limit", message)
    reading = read(
        Basket(store_id=request.store_id, occurred_at=now, lines=(), time_zone=place.time_zone)
    )
    absent = ruleset.absence(instrument, reading)
    if absent is not None:
        field = "store_id" if absent.reason == "wrong_store" else "campaign_id"
        return ConflictError(absent.reason, f"{field}: the campaign does not run there and then")
    limit = rule.limit(reading, None) if set(rule.per) <= {"store"} else None
    if limit is None:
        message = (
            f"condition: is counted per {', '.join(rule.per)}; a lease is of what a store may use"
        )
        return ConflictError("not_leasable", message)
    return limit


def _end(asked: Ending, counters: Counters, now: datetime) -> Outcome:
    if counters.lease(asked.lease_id) is None:
        return ConflictError("unknown_lease", "lease_id: no lease is known by it")
    return encode(answer_of(counters.end_lease(asked.lease_id, now), now))


def _grant(
    asked: LeaseRequest, limit: Limit | ConflictError, counters: Counters, now: datetime
) -> Outcome:
    known = counters.lease(str(asked.lease_id))
    if known is not None:
        if _asks_for(asked, known):
            return encode(answer_of(known, now))
        message = "lease_id: a lease of this name was asked for with other terms"
        return ConflictError("conflicting_lease", message)
    if isinstance(limit, ConflictError):
        return limit
    left = max(0, counters.free(limit))
    if left < asked.amount:
        return ConflictError("limit_reached", f"amount: {left} are left")
    granted = _granted(asked, limit, now)
    counters.grant(granted)
    return encode(answer_of(granted, now))


def _granted(asked: LeaseRequest, limit: Limit, now: datetime) -> Lease:
    return Lease(
        lease_id=str(asked.lease_id),
        store_id=asked.store_id,
        limit_id=limit.limit_id,
        campaign_id=asked.campaign_id,
        instrument_id=asked.instrument_id,
        condition=asked.condition,
        amount=asked.amount,
        granted_at=now,
        expires_at=now + timedelta(seconds=asked.seconds),
    )


def _asks_for(asked: LeaseRequest, lease: Lease) -> bool:
    """Whether the lease is what was asked for."""
    return (
        asked.store_id,
        asked.campaign_id,
        asked.instrument_id,
        asked.condition,
        asked.amount,
        timedelta(seconds=asked.seconds),
    ) == (
        lease.store_id,
        lease.campaign_id,
        lease.instrument_id,
        lease.condition,
        lease.amount,
        lease.expires_at - lease.granted_at,
    )
