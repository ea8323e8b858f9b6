"""One snapshot of every source: the ledger first, then events and statistics, once they have caught up."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from deploy.log import ends_of
from deploy.verification import events as topics
from deploy.verification.events import Events
from deploy.verification.figures import Key, Sums
from services.evaluator import certificate
from services.evaluator.certificate import Leased, LeaseStanding, Slot, Standing
from services.evaluator.store import certificate as certificates
from services.evaluator.store import ledger as arbiter
from services.evaluator.store import proof
from services.evaluator.store.proof import Bonuses, Cut, Decided
from shared import clock
from shared.database import Connection
from shared.topics import REDEMPTIONS

_POLL_S = 0.2
_EVERY = 1_000
_MOST_LIMITS = 1_000
_MOST_CONTRADICTIONS = 100
_CONSUMER = "analytics.rollup"

Progress = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, and of how much, if that is known."""


@dataclass(kw_only=True)
class Ledger:
    """The evaluator's tables at one instant.

    ``standings`` are the limits that differ and the first of the others, ``limits`` how many there are;
    ``contradictions`` are the first of redemptions that contradict themselves, by their ids; ``leases`` are all.
    """

    now: datetime
    cut: Cut
    limits: int = 0
    standings: list[Standing] = field(default_factory=list)
    leases: Sequence[LeaseStanding] = ()
    redemptions: int = 0
    contradictory: int = 0
    contradictions: dict[str, list[str]] = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)
    decided: Mapping[Key, Decided] = field(default_factory=dict)
    bonuses: Bonuses | None = None
    certificate: "Certificate | None" = None


@dataclass
class Certificate:
    """The limit that was asked for, with all its slots."""

    standing: Standing
    slots: list[Slot]
    leased: list[Leased]


@dataclass
class Statistics:
    """The rollups, and how far the topics had been read for them."""

    sums: Sums
    read: dict[tuple[str, int], int]


async def ledger(database: str, limit_id: str | None, progress: Progress) -> Ledger:
    """Read the ledger, as of one instant."""
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            found = Ledger(now=await arbiter.now(connection), cut=await proof.cut(connection))
            await _limits(connection, found, progress)
            progress("leases", 0, None)
            found.leases = await certificates.all_leases(connection, found.now)
            if limit_id is not None:
                found.certificate = await _certificate(connection, limit_id, found.now)
            await _redemptions(connection, found, progress)
            progress("sums", 0, None)
            found.sums = Sums(await proof.receipts(connection))
            for key, figures in (await proof.sums(connection)).items():
                found.sums.instruments[key] = Counter(figures)
            progress("decisions", 0, None)
            found.decided = await proof.decided(connection)
            progress("bonuses", 0, None)
            found.bonuses = await proof.bonuses(connection)
    finally:
        await connection.close()
    return found


async def _limits(connection: Connection, found: Ledger, progress: Progress) -> None:
    agreeing: list[Standing] = []
    async for standing in certificates.all_standings(connection, found.now):
        found.limits += 1
        if certificate.differences(standing):
            found.standings.append(standing)
        elif len(agreeing) < _MOST_LIMITS:
            agreeing.append(standing)
        if found.limits % _EVERY == 0:
            progress("limits", found.limits, None)
    found.standings += agreeing


async def _certificate(connection: Connection, limit_id: str, now: datetime) -> Certificate | None:
    standings = await certificates.standings(connection, [limit_id], now)
    if not standings:
        return None
    uses = [use async for use in certificates.uses(connection, limit_id, now)]
    leased = certificate.leased_slots(standings[0], await certificates.leases(connection, limit_id))
    return Certificate(standings[0], certificate.slots(uses), leased)


async def _redemptions(connection: Connection, found: Ledger, progress: Progress) -> None:
    total = await certificates.count_redemptions(connection)
    async for use in certificates.all_redemptions(connection):
        found.redemptions += 1
        wrong = certificate.contradictions(use)
        if wrong:
            found.contradictory += 1
            if len(found.contradictions) < _MOST_CONTRADICTIONS:
                found.contradictions[use.use_id] = wrong
        if found.redemptions % _EVERY == 0:
            progress("redemptions", found.redemptions, total)


async def catch_up(
    evaluator: str, analytics: str, kafka: str, cut: Cut, within_s: float
) -> list[str]:
    """Wait until the ledger's events are sent and counted; what is still missing after so long, in words."""
    deadline = clock.monotonic() + within_s
    unsent = await _until_none(evaluator, lambda c: proof.unsent(c, cut), deadline)
    if unsent:
        return [f"{unsent} rows of the evaluator's outbox have not been sent: does its relay run?"]
    ends = await ends_of(kafka, [topic.name for topic in topics.COUNTED])

    async def behind(connection: Connection) -> int:
        read = await _read_until(connection)
        return sum(max(0, end - read.get(place, 0)) for place, end in ends.items())

    lag = await _until_none(analytics, behind, deadline)
    return [f"analytics has {lag} records still to read: does it run?"] if lag else []


async def _until_none(
    database: str, count: Callable[[Connection], Awaitable[int]], deadline: float
) -> int:
    connection = await asyncpg.connect(database)
    try:
        while (found := await count(connection)) and clock.monotonic() < deadline:
            await asyncio.sleep(_POLL_S)
        return found
    finally:
        await connection.close()


async def _read_until(connection: Connection) -> dict[tuple[str, int], int]:
    rows = await connection.fetch(
        "select topic, partition, next from offsets where consumer = $1", _CONSUMER
    )
    return {(row["topic"], row["partition"]): row["next"] for row in rows}


_ROLLUPS = """
with given as (
    select campaign_id, instrument_id, sum(activations)::bigint as activations,
        sum(discount)::bigint as discount, sum(bonuses)::bigint as bonuses,
        sum(unauthorised)::bigint as unauthorised,
        sum(unauthorised_discount)::bigint as unauthorised_discount
    from instrument_minutes group by 1, 2
), back as (
    select campaign_id, instrument_id, sum(returned)::bigint as released,
        sum(returned_discount)::bigint as discount_returned,
        sum(returned_bonuses)::bigint as bonuses_returned,
        sum(returned_unauthorised_discount)::bigint as unauthorised_returned
    from take_back_minutes group by 1, 2
)
select * from given full join back using (campaign_id, instrument_id)
"""


async def statistics(database: str) -> Statistics:
    """Read the rollups, and how far they go, as of one instant."""
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            read = await _read_until(connection)
            receipts = await connection.fetchval(
                "select coalesce(sum(receipts), 0)::bigint from receipt_minutes"
            )
            rows = await connection.fetch(_ROLLUPS)
    finally:
        await connection.close()
    sums = Sums(receipts)
    for row in rows:
        fields = dict(row)
        key = (fields.pop("campaign_id"), fields.pop("instrument_id"))
        sums.instruments[key] = Counter({name: n or 0 for name, n in fields.items()})
    return Statistics(sums, read)


def sources(found: Ledger, events: Events, rollups: Statistics) -> dict[str, Sums]:
    """The sums of every source, all as of the ledger's instant.

    Of the rollups what they have counted since is taken off, and what they have not yet is added: by the
    events. Topics that have lost their beginning have no sums.
    """
    compared = {"ledger": found.sums}
    if REDEMPTIONS.name not in events.missing:
        compared["redemptions"] = events.by_state
    if not {topic.name for topic in topics.COUNTED} & events.missing.keys():
        compared["sales, returns"] = events.said
    # What is in one of the two and not in the other came last: no lost beginning matters here.
    compared["rollups"] = rollups.sums.less(events.counted.less(events.said))
    return compared
