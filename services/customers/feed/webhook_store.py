"""Webhooks in PostgreSQL: who they are, how far they are, what became of attempts.

Every function runs in its caller's transaction. A webhook's row is locked before its positions, else two would wait for each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.customers.feed.cloud_events import Move
from shared.database import Connection

CHANNEL = "webhooks"
"""Told the id of a webhook that somebody has changed."""
_ATTEMPTS_KEPT = 100


class MovedError(RuntimeError):
    """A webhook stands elsewhere by now: it is to be replayed, or another process has delivered."""


@dataclass(frozen=True)
class Webhook:
    """A webhook, as its table has it."""

    webhook_id: str
    name: str
    url: str
    topics: tuple[str, ...]
    since: datetime
    secret_number: int
    former_secret_until: datetime | None
    created_at: datetime
    created_by: str
    changed_at: datetime
    paused_at: datetime | None
    paused_because: str | None
    failures: int
    failing_since: datetime | None
    last_error: str | None
    due_at: datetime | None
    deliveries: int
    events: int
    failed_attempts: int
    lost: int
    delivered_at: datetime | None
    behind: int

    def secret_numbers(self, now: datetime) -> list[int]:
        """The numbers of the secrets that are valid, the latest first."""
        former = self.former_secret_until is not None and now < self.former_secret_until
        return [self.secret_number, *([self.secret_number - 1] if former else [])]


@dataclass(frozen=True)
class Attempt:
    """An attempt to deliver: how it ended, never what was sent."""

    delivery_id: str
    attempted_at: datetime
    events: int
    taken: bool
    status: int | None
    error: str | None
    milliseconds: int


def _webhook(row: asyncpg.Record) -> Webhook:
    return Webhook(**{**dict(row), "topics": tuple(row["topics"])})


async def create(
    connection: Connection,
    webhook_id: str,
    name: str,
    url: str,
    topics: Sequence[str],
    since: datetime,
    by: str,
    now: datetime,
) -> Webhook:
    """Make a webhook, which is told of what happens from ``since`` on."""
    [row] = await connection.fetch(
        "insert into webhooks (webhook_id, name, url, topics, since, created_at, created_by, changed_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $6) returning *",
        webhook_id,
        name,
        url,
        list(topics),
        since,
        now,
        by,
    )
    await _tell(connection, webhook_id)
    return _webhook(row)


async def every(connection: Connection) -> list[Webhook]:
    """All webhooks, in the order of their making."""
    rows = await connection.fetch("select * from webhooks order by created_at, webhook_id")
    return [_webhook(row) for row in rows]


async def find(connection: Connection, webhook_id: str) -> Webhook | None:
    """The webhook with that id."""
    row = await connection.fetchrow("select * from webhooks where webhook_id = $1", webhook_id)
    return None if row is None else _webhook(row)


async def running(connection: Connection) -> set[str]:
    """The webhooks that are not paused."""
    rows = await connection.fetch("select webhook_id from webhooks where paused_at is null")
    return {row["webhook_id"] for row in rows}


async def edit(
    connection: Connection,
    webhook_id: str,
    name: str,
    url: str,
    topics: Sequence[str],
    now: datetime,
) -> None:
    """Change a webhook. Of topics that are new to it, it is told what happens from now on."""
    await connection.execute(
        "update webhooks set name = $2, url = $3, topics = $4, since = $5, changed_at = $5"
        " where webhook_id = $1",
        webhook_id,
        name,
        url,
        list(topics),
        now,
    )
    await _tell(connection, webhook_id)


async def forget_positions(
    connection: Connection, webhook_id: str, kept: Sequence[str] = ()
) -> None:
    """Forget where a webhook is, but for the topics that are ``kept`` (by their full names)."""
    await connection.execute(
        "delete from webhook_positions where webhook_id = $1 and not topic = any($2::text[])",
        webhook_id,
        list(kept),
    )


async def replay(connection: Connection, webhook_id: str, since: datetime, now: datetime) -> None:
    """Have everything delivered again that happened from ``since`` on, at once."""
    await connection.execute(
        "update webhooks set since = $2, due_at = null, changed_at = $3 where webhook_id = $1",
        webhook_id,
        since,
        now,
    )
    await forget_positions(connection, webhook_id)
    await _tell(connection, webhook_id)


async def pause(connection: Connection, webhook_id: str, because: str, now: datetime) -> None:
    """Tell a webhook nothing more, until it is resumed."""
    await connection.execute(
        "update webhooks set paused_at = $2, paused_because = $3, changed_at = $2"
        " where webhook_id = $1 and paused_at is null",
        webhook_id,
        now,
        because,
    )
    await _tell(connection, webhook_id)


async def resume(connection: Connection, webhook_id: str, now: datetime) -> None:
    """Go on where it was paused, or try again at once where it fails."""
    await connection.execute(
        "update webhooks set paused_at = null, paused_because = null, due_at = null, changed_at = $2"
        " where webhook_id = $1",
        webhook_id,
        now,
    )
    await _tell(connection, webhook_id)


async def renew_secret(
    connection: Connection, webhook_id: str, former_until: datetime, now: datetime
) -> int | None:
    """Give a webhook another secret; the one it has is valid until then, too. Returns the new one's number."""
    number: int | None = await connection.fetchval(
        "update webhooks set secret_number = secret_number + 1, former_secret_until = $2, changed_at = $3"
        " where webhook_id = $1 returning secret_number",
        webhook_id,
        former_until,
        now,
    )
    await _tell(connection, webhook_id)
    return number


async def delete(connection: Connection, webhook_id: str) -> bool:
    """Delete a webhook with all that is known of it; whether it was there."""
    tag = await connection.execute("delete from webhooks where webhook_id = $1", webhook_id)
    await _tell(connection, webhook_id)
    return bool(tag == "DELETE 1")


async def positions(connection: Connection, webhook_id: str) -> dict[tuple[str, int], int]:
    """The offset to deliver next, by topic and partition."""
    rows = await connection.fetch(
        "select topic, partition, next from webhook_positions where webhook_id = $1", webhook_id
    )
    return {(row["topic"], row["partition"]): row["next"] for row in rows}


async def begin(connection: Connection, webhook_id: str, found: dict[tuple[str, int], int]) -> None:
    """Keep where partitions are begun that had no position; nothing of a webhook that is being deleted."""
    await connection.execute(
        "with hook as (select webhook_id from webhooks where webhook_id = $1 for key share)"
        " insert into webhook_positions (webhook_id, topic, partition, next)"
        " select webhook_id, one.* from hook, unnest($2::text[], $3::int[], $4::bigint[]) as one"
        " on conflict do nothing",
        webhook_id,
        [topic for topic, _ in found],
        [partition for _, partition in found],
        list(found.values()),
    )


async def move(connection: Connection, webhook_id: str, moves: Iterable[Move]) -> None:
    """Go on to the ends of the moves. Raises ``MovedError`` if the webhook does not stand at their starts."""
    moves = list(moves)
    tag = await connection.execute(
        "update webhook_positions set next = one.finish"
        " from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) as one (topic, partition, start, finish)"
        " where webhook_id = $1 and webhook_positions.topic = one.topic"
        " and webhook_positions.partition = one.partition and next = one.start",
        webhook_id,
        [one.topic for one in moves],
        [one.partition for one in moves],
        [one.start for one in moves],
        [one.end for one in moves],
    )
    if int(tag.rsplit(" ", 1)[1]) != len(moves):
        raise MovedError(webhook_id)


async def skip(connection: Connection, webhook_id: str, moves: Iterable[Move]) -> int:
    """Go on past what a topic does not keep any more; returns how much that was. Raises ``MovedError``."""
    moves = list(moves)
    if not moves:
        return 0
    lost = sum(max(0, one.end - one.start) for one in moves)
    await connection.execute(
        "update webhooks set lost = lost + $2 where webhook_id = $1", webhook_id, lost
    )
    await move(connection, webhook_id, moves)
    return lost


async def note_taken(
    connection: Connection, webhook_id: str, attempt: Attempt, behind: int
) -> None:
    """A batch was taken: whatever had failed does not any more."""
    await connection.execute(
        "update webhooks set failures = 0, failing_since = null, last_error = null, due_at = null,"
        " deliveries = deliveries + 1, events = events + $2, delivered_at = $3, behind = $4"
        " where webhook_id = $1",
        webhook_id,
        attempt.events,
        attempt.attempted_at,
        behind,
    )
    await _keep(connection, webhook_id, attempt)


async def note_failed(
    connection: Connection, webhook_id: str, attempt: Attempt, due_at: datetime, behind: int
) -> None:
    """A batch was not taken; it is tried again at ``due_at``."""
    await connection.execute(
        "update webhooks set failures = failures + 1, failing_since = coalesce(failing_since, $2),"
        " last_error = $3, due_at = $4, failed_attempts = failed_attempts + 1, behind = $5"
        " where webhook_id = $1",
        webhook_id,
        attempt.attempted_at,
        attempt.error,
        due_at,
        behind,
    )
    await _keep(connection, webhook_id, attempt)


async def _keep(connection: Connection, webhook_id: str, attempt: Attempt) -> None:
    """Keep an attempt, and of those before the latest ones."""
    await connection.execute(
        "insert into webhook_attempts"
        " (webhook_id, delivery_id, attempted_at, events, taken, status, error, milliseconds)"
        " select webhook_id, $2, $3, $4, $5, $6, $7, $8 from webhooks where webhook_id = $1",
        webhook_id,
        attempt.delivery_id,
        attempt.attempted_at,
        attempt.events,
        attempt.taken,
        attempt.status,
        attempt.error,
        attempt.milliseconds,
    )
    await connection.execute(
        "delete from webhook_attempts where webhook_id = $1 and attempt_id <= ("
        " select attempt_id from webhook_attempts where webhook_id = $1"
        " order by attempt_id desc offset $2 limit 1)",
        webhook_id,
        _ATTEMPTS_KEPT,
    )


async def attempts(connection: Connection, webhook_id: str) -> list[Attempt]:
    """The latest attempts, the latest first."""
    rows = await connection.fetch(
        "select delivery_id, attempted_at, events, taken, status, error, milliseconds"
        " from webhook_attempts where webhook_id = $1 order by attempt_id desc",
        webhook_id,
    )
    return [Attempt(**dict(row)) for row in rows]


async def counted(connection: Connection) -> dict[str, int]:
    """How many webhooks are in which state."""
    row = await connection.fetchrow(
        "select count(*) filter (where paused_at is null and failing_since is null) as active,"
        " count(*) filter (where paused_at is null and failing_since is not null) as failing,"
        " count(*) filter (where paused_at is not null) as paused from webhooks"
    )
    return dict(row or {})


async def _tell(connection: Connection, webhook_id: str) -> None:
    await connection.execute("select pg_notify($1, $2)", CHANNEL, webhook_id)
