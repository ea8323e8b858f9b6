"""Who is in which segment, in PostgreSQL. Every function runs in its caller's transaction."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.customers.segments.definition import Definition
from services.customers.segments.rfm import Fifths
from shared.codec import decode
from shared.database import Connection
from shared.events.customers import ErasedTable, Rfm
from shared.events.reference import SegmentChange


class Standing(NamedTuple):
    """Whether a customer is in a segment, and since when that is so."""

    member: bool
    changed_at: datetime


class Membership(NamedTuple):
    """A segment that a customer is in, and since when."""

    segment_id: str
    name: str
    since: datetime


class Member(NamedTuple):
    """A customer who is in a segment, and since when."""

    customer_id: str
    since: datetime


Scores = tuple[int, int, int]
"""A customer's fifths: recency, frequency, monetary."""


async def revision(connection: Connection) -> int:
    """Rises whenever customers are to be evaluated by something else."""
    found: int = await connection.fetchval("select revision from segments_revision")
    return found


async def revise(connection: Connection) -> None:
    """Customers are evaluated by something else from now on."""
    await connection.execute("update segments_revision set revision = revision + 1")


async def definitions(connection: Connection) -> dict[str, Definition]:
    """What the segments are that are not archived."""
    rows = await connection.fetch(
        "select segment_id, definition from segments where not archived order by segment_id"
    )
    return {
        row["segment_id"]: decode(Definition, row["definition"].encode(), ignore_unknown=True)
        for row in rows
    }


async def fifths(connection: Connection) -> Fifths | None:
    """Where the fifths of all customers end, as it was found last."""
    row = await connection.fetchrow(
        "select days, purchases, paid from rfm_fifths order by made_at desc limit 1"
    )
    return None if row is None else Fifths.stored(row["days"], row["purchases"], row["paid"])


async def standings(
    connection: Connection, customer_ids: Collection[str]
) -> dict[str, dict[str, Standing]]:
    """By customer: the segments that they are or were in."""
    rows = await connection.fetch(
        "select customer_id, segment_id, member, changed_at from memberships"
        " where customer_id = any($1)",
        list(customer_ids),
    )
    found: dict[str, dict[str, Standing]] = {}
    for customer_id, segment_id, member, changed_at in rows:
        found.setdefault(customer_id, {})[segment_id] = Standing(member, changed_at)
    return found


async def save(connection: Connection, changes: Sequence[SegmentChange], now: datetime) -> None:
    """Save who entered and who left, and count them."""
    await connection.execute(
        "insert into memberships (customer_id, segment_id, member, changed_at)"
        " select * from unnest($1::text[], $2::text[], $3::boolean[], $4::timestamptz[])"
        " on conflict (customer_id, segment_id) do update"
        " set member = excluded.member, changed_at = excluded.changed_at",
        [change.customer_id for change in changes],
        [change.segment_id for change in changes],
        [change.member for change in changes],
        [change.changed_at for change in changes],
    )
    entered = Counter(change.segment_id for change in changes if change.member)
    gone = Counter(change.segment_id for change in changes if not change.member)
    await _count(connection, entered, gone, now)


async def _count(
    connection: Connection, entered: Mapping[str, int], gone: Mapping[str, int], now: datetime
) -> None:
    segment_ids = sorted({*entered, *gone})
    columns = (
        segment_ids,
        [entered.get(one, 0) for one in segment_ids],
        [gone.get(one, 0) for one in segment_ids],
    )
    await connection.execute(
        # In order: an erasure and an author change the same rows.
        "with counted as (select * from unnest($1::text[], $2::bigint[], $3::bigint[])"
        "  as one (segment_id, entered, gone)),"
        " locked as (select segment_id from segments where segment_id = any($1)"
        "  order by segment_id for update)"
        " update segments set members = members + entered - gone"
        " from counted join locked using (segment_id)"
        " where segments.segment_id = counted.segment_id",
        *columns,
    )
    await connection.execute(
        "insert into segment_days (segment_id, entered, gone, day)"
        " select *, ($4::timestamptz at time zone 'UTC')::date"
        " from unnest($1::text[], $2::bigint[], $3::bigint[])"
        " on conflict (segment_id, day) do update"
        " set entered = segment_days.entered + excluded.entered,"
        " gone = segment_days.gone + excluded.gone",
        *columns,
        now,
    )


async def scores(connection: Connection, customer_ids: Collection[str]) -> dict[str, Scores]:
    """The fifths that are kept of customers."""
    rows = await connection.fetch(
        "select customer_id, recency, frequency, monetary from rfm_scores"
        " where customer_id = any($1)",
        list(customer_ids),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


async def save_scores(connection: Connection, found: Mapping[str, Rfm | None]) -> None:
    """Keep customers' fifths; none: those who are in no class any more."""
    none = sorted(customer_id for customer_id, rfm in found.items() if rfm is None)
    if none:
        await connection.execute("delete from rfm_scores where customer_id = any($1)", none)
    rows = [(one, r.recency, r.frequency, r.monetary) for one, r in sorted(found.items()) if r]
    if rows:
        await connection.execute(
            "insert into rfm_scores (customer_id, recency, frequency, monetary)"
            " select * from unnest($1::text[], $2::smallint[], $3::smallint[], $4::smallint[])"
            " on conflict (customer_id) do update set recency = excluded.recency,"
            " frequency = excluded.frequency, monetary = excluded.monetary",
            *(list(column) for column in zip(*rows, strict=True)),
        )


async def segments_of(
    connection: Connection, customer_ids: Iterable[str]
) -> dict[str, frozenset[str]]:
    """The segments that customers are in."""
    rows = await connection.fetch(
        "select customer_id, array_agg(segment_id) as segments from memberships"
        " where member and customer_id = any($1) group by customer_id",
        list(customer_ids),
    )
    return {row["customer_id"]: frozenset(row["segments"]) for row in rows}


async def segments_known(connection: Connection, customer_id: str) -> list[str]:
    """The segments that a customer is in, or was: all of whom the topic tells."""
    rows = await connection.fetch(
        "select segment_id from memberships where customer_id = $1 order by segment_id", customer_id
    )
    return [row["segment_id"] for row in rows]


async def of_customer(connection: Connection, customer_id: str) -> list[Membership]:
    """The segments that a customer is in, the latest first."""
    rows = await connection.fetch(
        "select segment_id, name, memberships.changed_at as since"
        " from memberships join segments using (segment_id)"
        " where member and customer_id = $1 order by since desc, segment_id",
        customer_id,
    )
    return [Membership(*row) for row in rows]


async def members(connection: Connection, segment_id: str, after: str, limit: int) -> list[Member]:
    """Who is in a segment, by id, behind ``after``."""
    rows = await connection.fetch(
        "select customer_id, changed_at from memberships"
        " where segment_id = $1 and member and customer_id > $2 order by customer_id limit $3",
        segment_id,
        after,
        limit,
    )
    return [Member(*row) for row in rows]


async def erase(connection: Connection, customer_id: str) -> list[ErasedTable]:
    """Forget in which segments a customer was; the numbers of who entered and left stay."""
    rows = await connection.fetch(
        "delete from memberships where customer_id = $1 returning segment_id, member", customer_id
    )
    left = sorted(row["segment_id"] for row in rows if row["member"])
    await connection.execute(
        "update segments set members = members - 1 from (select segment_id from segments"
        " where segment_id = any($1) order by segment_id for update) as locked"
        " where segments.segment_id = locked.segment_id",
        left,
    )
    tag = await connection.execute("delete from rfm_scores where customer_id = $1", customer_id)
    # A pass goes on from a little before: it may call some once more.
    await connection.execute(
        "update passes set cursor = left(cursor, length(cursor) - 1) where cursor = $1", customer_id
    )
    return [
        ErasedTable(table="memberships", deleted=len(rows)),
        ErasedTable(table="rfm_scores", deleted=int(tag.rsplit(" ", 1)[1])),
    ]
