"""Receipts to look at, and what was found of groups on them, in PostgreSQL."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from services.customers.cross_sell.pairs import Pair
from shared.database import Connection

_ALL = 100.0
_PORTION = 2_000
Order = Literal["lift", "together", "confidence"]


class Made(NamedTuple):
    """When pairs were looked for last, in how many of the receipts since when."""

    made_at: datetime
    since: datetime
    receipts: int
    of_receipts: int


@dataclass(frozen=True)
class Wanted:
    """Which pairs: with a group or any, with at least so much support, confidence (basis points), lift (hundredths)."""

    group: str | None = None
    receipts: int = 1
    support: int = 0
    confidence: int = 0
    lift: int = 0
    order: Order = "lift"
    limit: int = 100


class Directed(NamedTuple):
    """A pair seen from one group."""

    group: str
    pair: Pair


class Group(NamedTuple):
    """A group of products, and on how many receipts it was."""

    group: str
    receipts: int


async def count(connection: Connection, since: datetime) -> int:
    """How many receipts there are since a time."""
    number: int = await connection.fetchval(
        "select count(*) from receipts where occurred_at >= $1", since
    )
    return number


async def there_are(connection: Connection, receipts: int) -> bool:
    """Whether there are so many receipts."""
    found = await connection.fetchval(
        "select count(*) from (select from receipts limit $1) as first", receipts
    )
    return bool(found >= receipts)


async def bodies(
    connection: Connection, since: datetime, of: int, most: int
) -> AsyncIterator[Sequence[bytes]]:
    """What is kept of receipts since a time, a portion at a time; of more than ``most``, those of random pages.

    Within the caller's transaction.
    """
    share = _ALL if of <= most else _ALL * most / of
    cursor = await connection.cursor(
        "select body from receipts tablesample system ($1) where occurred_at >= $2", share, since
    )
    while rows := await cursor.fetch(_PORTION):
        yield [row["body"] for row in rows]


async def made(connection: Connection) -> Made | None:
    """When it was done last."""
    row = await connection.fetchrow(
        "select made_at, since, receipts, of_receipts from cross_sell where one"
    )
    return None if row is None else Made(*row)


async def save(
    connection: Connection, what: Made, groups: dict[str, int], pairs: Iterable[Pair]
) -> None:
    """Save what was found, instead of what was found before."""
    await connection.execute(
        "insert into cross_sell (made_at, since, receipts, of_receipts) values ($1, $2, $3, $4)"
        " on conflict (one) do update set made_at = excluded.made_at, since = excluded.since,"
        " receipts = excluded.receipts, of_receipts = excluded.of_receipts",
        *what,
    )
    await connection.execute("delete from cross_sell_groups")
    await connection.execute("delete from cross_sell_pairs")
    await connection.copy_records_to_table(
        "cross_sell_groups", records=sorted(groups.items()), columns=("group_name", "receipts")
    )
    await connection.copy_records_to_table(
        "cross_sell_pairs",
        records=[(p.first, p.second, p.together, p.of_first, p.of_second) for p in pairs],
        columns=("first", "second", "together", "of_first", "of_second"),
    )


# Without a group, a pair is seen from the one on fewer receipts: that has the higher confidence.
_DIRECTED = """
select * from (
    select first = from_group as is_first, first, second, together, of_first, of_second
    from cross_sell_pairs cross join lateral (
        select unnest(
            case when $1::text is not null then array[first, second]
            when of_first <= of_second then array[first] else array[second] end
        ) as from_group
    ) as seen
    where $1::text is null or from_group = $1
) as directed
where together >= $2 and together * 10000 >= $3::bigint * $6::bigint
    and together * 10000 >= $4::bigint * case when is_first then of_first else of_second end
    and together::numeric * $6 * 100 >= $5::numeric * of_first * of_second
"""
_ORDERS: dict[Order, str] = {
    "lift": "together::numeric * $6 / (of_first * of_second)",
    "together": "together",
    "confidence": "together::numeric / case when is_first then of_first else of_second end",
}


async def pairs(connection: Connection, wanted: Wanted, receipts: int) -> list[Directed]:
    """Pairs, of so many receipts, the best first."""
    rows = await connection.fetch(
        f"{_DIRECTED} order by {_ORDERS[wanted.order]} desc, together desc, first, second limit $7",
        wanted.group,
        wanted.receipts,
        wanted.support,
        wanted.confidence,
        wanted.lift,
        receipts,
        wanted.limit,
    )
    return [
        Directed(
            row["first"] if row["is_first"] else row["second"],
            Pair(
                row["first"],
                row["second"],
                row["together"],
                row["of_first"],
                row["of_second"],
                receipts,
            ),
        )
        for row in rows
    ]


async def groups(connection: Connection, words: Sequence[str], limit: int) -> list[Group]:
    """Groups whose names have all the words in them, those on the most receipts first."""
    patterns = [f"%{_escaped(word)}%" for word in words]
    rows = await connection.fetch(
        "select group_name, receipts from cross_sell_groups"
        " where lower(group_name) like all($1::text[])"
        " order by receipts desc, group_name limit $2",
        patterns,
        limit,
    )
    return [Group(*row) for row in rows]


def _escaped(word: str) -> str:
    """The word without what a pattern would take for something else."""
    return word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
