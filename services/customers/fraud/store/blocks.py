"""From whom promotions are withheld."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from shared.database import Connection

Blockable = Literal["customer", "device", "cashier"]


class Blocked(NamedTuple):
    """A block, ``until`` when (None: until it is lifted); ``blocked_by`` None: a rule."""

    kind: Blockable
    subject: str
    alert_id: str | None
    until: datetime | None
    blocked_at: datetime
    blocked_by: str | None


_COLUMNS = "kind, subject, alert_id, until, blocked_at, blocked_by"


async def put(connection: Connection, block: Blocked) -> None:
    """Block a subject, or have it blocked otherwise than it was."""
    await connection.execute(
        f"insert into blocks ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6)"  # noqa: S608 - constants
        " on conflict (kind, subject) do update set alert_id = excluded.alert_id,"
        " until = excluded.until, blocked_at = excluded.blocked_at, blocked_by = excluded.blocked_by",
        *block,
    )


async def extend(connection: Connection, blocks: Iterable[Blocked]) -> list[Blocked]:
    """Block subjects, unless they are blocked for longer already; the blocks that are new or longer now."""
    longer = []
    for block in sorted(blocks, key=lambda one: (one.kind, one.subject)):
        status = await connection.execute(
            f"insert into blocks ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6)"  # noqa: S608 - constants
            " on conflict (kind, subject) do update set alert_id = excluded.alert_id,"
            " until = excluded.until, blocked_at = excluded.blocked_at,"
            " blocked_by = excluded.blocked_by where blocks.until < excluded.until",
            *block,
        )
        longer += [block] if status.endswith(" 1") else []
    return longer


async def lift(connection: Connection, block: Blocked) -> bool:
    """Lift a block, if it still is as it was read; whether it was. Its alert is locked before."""
    status = await connection.execute(
        "delete from blocks where kind = $1 and subject = $2 and blocked_at = $3"
        " and until is not distinct from $4",
        block.kind,
        block.subject,
        block.blocked_at,
        block.until,
    )
    return status.endswith(" 1")


async def one(connection: Connection, kind: str, subject: str) -> Blocked | None:
    """A subject's block."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from blocks where kind = $1 and subject = $2",  # noqa: S608 - constants
        kind,
        subject,
    )
    return None if row is None else Blocked(**dict(row))


async def page(connection: Connection, after: tuple[str, str], limit: int) -> list[Blocked]:
    """Blocks by kind and subject, those after ``after``."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from blocks where (kind, subject) > ($1, $2)"  # noqa: S608 - constants
        " order by kind, subject limit $3",
        *after,
        limit,
    )
    return [Blocked(**dict(row)) for row in rows]


async def over(connection: Connection, now: datetime, limit: int) -> list[Blocked]:
    """Blocks that are over by ``now``."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from blocks where until <= $1 order by until limit $2",  # noqa: S608 - constants
        now,
        limit,
    )
    return [Blocked(**dict(row)) for row in rows]


async def blocked_among(connection: Connection, customer_ids: Collection[str]) -> frozenset[str]:
    """The customers from whom promotions are withheld now."""
    rows = await connection.fetch(
        "select subject from blocks where kind = 'customer' and subject = any($1)"
        " and (until is null or until > now())",
        list(customer_ids),
    )
    return frozenset(row["subject"] for row in rows)


async def count_by_kind(connection: Connection) -> dict[str, int]:
    """How many are blocked, by kind."""
    rows = await connection.fetch("select kind, count(*) as n from blocks group by kind")
    return {row["kind"]: row["n"] for row in rows}
