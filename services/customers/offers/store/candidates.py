"""Who is to be considered by the running policies: whoever has changed, and once a day everybody."""

from collections.abc import Collection
from datetime import date, datetime

from shared.database import Connection


async def consider(connection: Connection, customer_ids: Collection[str], due_at: datetime) -> None:
    """Have customers considered, whose profile, segments or forecast has changed; nothing if no policy runs."""
    await connection.execute(
        "insert into offer_candidates (customer_id, due_at)"
        " select customer_id, $2 from unnest($1::text[]) as changed (customer_id)"
        " where exists (select from policies where status = 'running') on conflict do nothing",
        sorted(set(customer_ids)),
        due_at,
    )


async def take(connection: Connection, now: datetime, most: int) -> list[str]:
    """Some who are to be considered; they no longer are."""
    rows = await connection.fetch(
        "delete from offer_candidates where customer_id in (select customer_id from offer_candidates"
        " where due_at <= $1 order by due_at limit $2 for update skip locked) returning customer_id",
        now,
        most,
    )
    return [row["customer_id"] for row in rows]


async def waiting(connection: Connection, now: datetime) -> bool:
    """Whether there is anything to do for planning."""
    return bool(
        await connection.fetchval(
            "select exists (select from offers where due_at <= $1)"
            " or exists (select from offer_candidates where due_at <= $1)"
            " or exists (select from offer_scan where not done or day < $2)",
            now,
            now.date(),
        )
    )


async def scan_again(connection: Connection, day: date) -> None:
    """Have everybody considered, from the first one."""
    await connection.execute(
        "update offer_scan set day = $1, bought = true, after = '', done = false", day
    )


async def scanned(connection: Connection, day: date, most: int) -> list[str]:
    """The next customers of today's pass over everybody: first who has bought something; empty at its end."""
    [row] = await connection.fetch("select day, bought, after, done from offer_scan for update")
    if row["done"] and row["day"] >= day:
        return []
    bought, after = (True, "") if row["day"] < day else (row["bought"], row["after"])
    found = await _next(connection, bought, after, most)
    if bought and len(found) < most:
        bought = False
        found += await _next(connection, bought, "", most - len(found))
    await connection.execute(
        "update offer_scan set day = $1, bought = $2, after = $3, done = $4",
        day,
        bought,
        found[-1] if found else after,
        len(found) < most,
    )
    return found


async def _next(connection: Connection, bought: bool, after: str, most: int) -> list[str]:
    rows = await connection.fetch(
        "select customer_id from profiles where bought = $1 and customer_id > $2"
        " order by customer_id limit $3",
        bought,
        after,
        most,
    )
    return [row["customer_id"] for row in rows]
