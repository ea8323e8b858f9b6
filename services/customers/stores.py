"""Stores, as emission publishes them."""

from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

from shared.database import Connection
from shared.events.reference import Store


async def save(connection: Connection, stores: Iterable[Store]) -> None:
    """Save stores as they are now."""
    await connection.executemany(
        "insert into stores (store_id, name, region, time_zone, currency, latitude_e6, longitude_e6)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict (store_id) do update set name = $2,"
        " region = $3, time_zone = $4, currency = $5, latitude_e6 = $6, longitude_e6 = $7",
        [
            (
                one.store_id,
                one.name,
                one.region,
                one.time_zone,
                one.currency,
                one.location.latitude_e6 if one.location else None,
                one.location.longitude_e6 if one.location else None,
            )
            for one in stores
        ],
    )


async def zones(connection: Connection, store_ids: Collection[str]) -> dict[str, ZoneInfo]:
    """The time zones of those stores that are known."""
    if not store_ids:
        return {}
    rows = await connection.fetch(
        "select store_id, time_zone from stores where store_id = any($1)", sorted(store_ids)
    )
    return {row["store_id"]: ZoneInfo(row["time_zone"]) for row in rows}
