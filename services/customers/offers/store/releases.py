"""Returns that came before the receipt whose code they released."""

from collections.abc import Collection, Mapping
from datetime import datetime

from shared.database import Connection


async def among(connection: Connection, receipt_ids: Collection[str]) -> set[tuple[str, str]]:
    """Of these receipts: receipt and emission of codes that are not used any more."""
    if not receipt_ids:
        return set()
    rows = await connection.fetch(
        "select receipt_id, emission_id from early_releases where receipt_id = any($1)",
        sorted(receipt_ids),
    )
    return {(row[0], row[1]) for row in rows}


async def keep(
    connection: Connection, released: Mapping[tuple[str, str], str], now: datetime
) -> None:
    """Keep what was released (receipt and emission) of which customer."""
    if not released:
        return
    keys = sorted(released)
    await connection.execute(
        "insert into early_releases (receipt_id, emission_id, customer_id, released_at)"
        " select *, $4 from unnest($1::text[], $2::text[], $3::text[]) on conflict do nothing",
        [receipt_id for receipt_id, _ in keys],
        [emission_id for _, emission_id in keys],
        [released[key] for key in keys],
        now,
    )
