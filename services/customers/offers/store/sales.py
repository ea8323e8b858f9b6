"""Sales by day, and what running campaigns give for codes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import msgspec

from services.customers.offers.backing import Backing
from services.customers.offers.sales import Asked, Cell, Sold, share
from shared.database import Connection

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Backing).decode


async def add(connection: Connection, sums: Mapping[Cell, Sold]) -> None:
    """Add to the days; in their order, so that two transactions do not wait for each other."""
    if not sums:
        return
    cells = sorted(sums, key=lambda one: (one.kind, one.id, one.day, one.currency))
    await connection.execute(
        "insert into sales_days as kept (day, kind, id, currency, purchases, paid)"
        " select * from unnest($1::date[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])"
        " on conflict (kind, id, day, currency) do update"
        " set purchases = kept.purchases + excluded.purchases, paid = kept.paid + excluded.paid",
        [one.day for one in cells],
        [one.kind for one in cells],
        [one.id for one in cells],
        [one.currency for one in cells],
        [sums[one].purchases for one in cells],
        [sums[one].paid for one in cells],
    )


async def shares(
    connection: Connection, questions: Collection[tuple[Asked, str]]
) -> dict[tuple[Asked, str], int | None]:
    """What recent sales are of the others, in basis points; money is that of the currency asked with."""
    if not questions:
        return {}
    asked = sorted(questions)
    rows = await connection.fetch(
        "select number,"
        " sum(case when of_money then paid else purchases end) filter (where day >= recent and day < recent_end),"
        " sum(case when of_money then paid else purchases end) filter (where day >= base and day < base_end)"
        " from unnest($1::text[], $2::text[], $3::bool[], $4::text[], $5::date[], $6::date[], $7::date[], $8::date[])"
        " with ordinality as asked"
        " (kind, id, of_money, currency, recent, recent_end, base, base_end, number)"
        " join sales_days as sold on sold.kind = asked.kind and sold.id = asked.id"
        " and sold.day >= least(base, recent) and sold.day < greatest(recent_end, base_end)"
        " and (not of_money or sold.currency = asked.currency)"
        " group by number",
        [one.place.kind for one, _ in asked],
        [one.place.id for one, _ in asked],
        [one.measure == "paid" for one, _ in asked],
        [currency for _, currency in asked],
        [one.recent[0] for one, _ in asked],
        [one.recent[1] for one, _ in asked],
        [one.base[0] for one, _ in asked],
        [one.base[1] for one, _ in asked],
    )
    found = {row[0]: share(int(row[1] or 0), int(row[2] or 0)) for row in rows}
    return {question: found.get(number) for number, question in enumerate(asked, start=1)}


async def forget(connection: Connection, before: date) -> int:
    """Delete days before that one; how many rows."""
    tag = await connection.execute("delete from sales_days where day < $1", before)
    return int(tag.rsplit(" ", 1)[1])


async def save_backings(
    connection: Connection, campaign_id: str, backings: Sequence[Backing]
) -> None:
    """What a campaign gives for codes, instead of what was known of it."""
    await connection.execute("delete from backings where campaign_id = $1", campaign_id)
    await connection.executemany(
        "insert into backings (campaign_id, emission_id, number, body) values ($1, $2, $3, $4)",
        [(campaign_id, one.emission_id, n, _ENCODE(one)) for n, one in enumerate(backings)],
    )


async def backings(
    connection: Connection, emission_ids: Collection[str]
) -> dict[str, list[Backing]]:
    """What running campaigns give for the codes of emissions."""
    rows = await connection.fetch(
        "select emission_id, body from backings where emission_id = any($1)"
        " order by campaign_id, number",
        sorted(emission_ids),
    )
    found: dict[str, list[Backing]] = {}
    for row in rows:
        found.setdefault(row["emission_id"], []).append(_DECODE(row["body"]))
    return found
