"""Recordings: events as they were decided, with the facts, and the campaigns of any time."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import asyncpg

from shared.codec import decode
from shared.database import Connection
from shared.events.promotion import Campaign


@dataclass(frozen=True, slots=True)
class Recording:
    """An event that was decided by the rules. ``facts`` as ``recording.encode_facts`` gave them."""

    event_key: bytes
    kind: Literal["cart", "sale"]
    body: bytes
    decision: bytes
    facts: bytes
    received_at: datetime


_COLUMNS = "event_key, kind, body, decision, facts, received_at"
_PREFETCH = 500


async def recording(connection: Connection, event_key: bytes) -> Recording | None:
    """The recording of one event; None if there is none, or it was not decided by the rules."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from checkout_events where event_key = $1 and facts is not null",  # noqa: S608
        event_key,
    )
    return _recording(row) if row else None


async def recordings(
    connection: Connection, start: datetime, end: datetime
) -> AsyncIterator[Recording]:
    """Those of ``start`` ≤ received < ``end``, oldest first; needs a transaction around it."""
    async for row in connection.cursor(
        f"select {_COLUMNS} from checkout_events"  # noqa: S608
        " where received_at >= $1 and received_at < $2 and facts is not null"
        " order by received_at, event_key",
        start,
        end,
        prefetch=_PREFETCH,
    ):
        yield _recording(row)


async def count(connection: Connection, start: datetime, end: datetime) -> int:
    """How many there are."""
    return int(
        await connection.fetchval(
            "select count(*) from checkout_events"
            " where received_at >= $1 and received_at < $2 and facts is not null",
            start,
            end,
        )
    )


def _recording(row: asyncpg.Record) -> Recording:
    return Recording(**row)


async def campaigns_between(connection: Connection, after: int, until: int) -> Sequence[Campaign]:
    """The states that campaigns took in versions ``after`` < v ≤ ``until``, oldest first."""
    rows = await connection.fetch(
        "select definition from campaign_versions where version > $1 and version <= $2"
        " order by version",
        after,
        until,
    )
    return [decode(Campaign, row["definition"], ignore_unknown=True) for row in rows]


async def campaigns_as_of(
    connection: Connection, campaign_ids: Collection[str], version: int
) -> Sequence[Campaign]:
    """The campaigns as they were at a version of the ruleset."""
    rows = await connection.fetch(
        "select distinct on (campaign_id) definition from campaign_versions"
        " where campaign_id = any($1) and version <= $2 order by campaign_id, version desc",
        list(campaign_ids),
        version,
    )
    return [decode(Campaign, row["definition"], ignore_unknown=True) for row in rows]


async def decision_of_receipt(connection: Connection, receipt_id: str) -> bytes | None:
    """The decision (JSON) that a receipt's redemptions come from."""
    found: bytes | None = await connection.fetchval(
        "select e.decision from receipts r join checkout_events e on e.event_key = r.decided_by"
        " where r.receipt_id = $1",
        receipt_id,
    )
    return found
