"""Blocks: from whom promotions are withheld."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.evaluator.promotion.blocks import Blocks, Span, Subject
from shared.database import Connection
from shared.events.customers import Block


async def save(connection: Connection, states: Mapping[Subject, Block | None]) -> None:
    """Save the latest states of subjects; None, and ``blocked`` false, lift a block. Best done last.

    What is older than what is known counts for nothing. A block that is said anew while it lasts has lasted since
    it was said first.
    """
    blocked = [
        (*subject, state.changed_at, state.until)
        for subject, state in sorted(states.items())
        if state is not None and state.blocked
    ]
    lifted = [
        (*subject, state.changed_at if state else None)
        for subject, state in sorted(states.items())
        if state is None or not state.blocked
    ]
    if blocked:
        await connection.executemany(
            "insert into blocks (kind, subject, since, until, changed_at) values ($1, $2, $3, $4, $3)"
            " on conflict (kind, subject) do update set"
            " since = case when blocks.until < excluded.since then excluded.since else blocks.since end,"
            " until = excluded.until, changed_at = excluded.changed_at"
            " where blocks.changed_at <= excluded.changed_at",
            blocked,
        )
    if lifted:
        await connection.executemany(
            "delete from blocks where kind = $1 and subject = $2"
            " and ($3::timestamptz is null or changed_at <= $3)",
            lifted,
        )
    await changed(connection)


async def changed(connection: Connection) -> None:
    """Have everybody read the blocks again."""
    await connection.execute("update ruleset set blocks_version = blocks_version + 1")


async def all_blocks(connection: Connection) -> Blocks:
    """All of them: they are few."""
    rows = await connection.fetch("select kind, subject, since, until from blocks")
    return Blocks({Subject(kind, name): Span(since, until) for kind, name, since, until in rows})


async def blocked_customers(
    connection: Connection, customer_ids: Collection[str], at: datetime
) -> set[str]:
    """Which of the customers are blocked at the instant."""
    rows = await connection.fetch(
        "select subject from blocks where kind = 'customer' and subject = any($1)"
        " and since <= $2 and (until is null or $2 < until)",
        list(customer_ids),
        at,
    )
    return {row["subject"] for row in rows}


async def forget(connection: Connection, before: datetime, most: int) -> int:
    """Delete blocks that ended before then: no event comes that late; how many."""
    rows: Sequence[object] = await connection.fetch(
        "delete from blocks where (kind, subject) in"
        " (select kind, subject from blocks where until < $1 limit $2) returning 1",
        before,
        most,
    )
    return len(rows)
