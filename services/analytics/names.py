"""What is read beside the sums: names, and what there is to filter by."""

from collections.abc import Sequence

from shared.database import Connection


async def store_names(connection: Connection, store_ids: Sequence[str]) -> dict[str, str]:
    """The names of those of the stores that are known."""
    rows = await connection.fetch(
        "select store_id, name from stores where store_id = any($1)", store_ids
    )
    return {row["store_id"]: row["name"] for row in rows}


async def campaign_names(connection: Connection, campaign_ids: Sequence[str]) -> dict[str, str]:
    """The names of those of the campaigns that are known."""
    rows = await connection.fetch(
        "select campaign_id, name from campaigns where campaign_id = any($1)", campaign_ids
    )
    return {row["campaign_id"]: row["name"] for row in rows}


async def instrument_names(
    connection: Connection, campaign_ids: Sequence[str]
) -> dict[tuple[str, str], str]:
    """The names of the campaigns' instruments, by campaign and instrument."""
    rows = await connection.fetch(
        "select campaign_id, instrument_id, name from instruments where campaign_id = any($1)",
        campaign_ids,
    )
    return {(row["campaign_id"], row["instrument_id"]): row["name"] for row in rows}


async def choices(connection: Connection, most: int) -> dict[str, list[dict[str, str]]]:
    """What a viewer may filter by, each at most ``most``, by name."""
    found = {}
    for name, sql in _CHOICES.items():
        found[name] = [dict(row) for row in await connection.fetch(sql, most)]
    return found


# Of places and offers, an empty text stands for all of them (decision 13).
_CHOICES = {
    "campaigns": """
        select campaign_id as id, coalesce(c.name, campaign_id) as name,
            coalesce(status, 'unknown') as status
        from (select campaign_id from campaigns
            union select campaign_id from offers where campaign_id <> '') known
        left join campaigns c using (campaign_id)
        order by 2, 1 limit $1
        """,
    "instruments": """
        select instrument_id as id, coalesce(i.name, instrument_id) as name, campaign_id
        from (select campaign_id, instrument_id from instruments
            union select campaign_id, instrument_id from offers where campaign_id <> '') known
        left join instruments i using (campaign_id, instrument_id)
        order by 2, 1, 3 limit $1
        """,
    "emissions": """
        select distinct emission_id as id, emission_id as name
        from offers where emission_id <> '' order by 1 limit $1
        """,
    "stores": """
        select store_id as id, coalesce(s.name, store_id) as name
        from (select store_id from stores
            union select store_id from places where store_id <> '') known
        left join stores s using (store_id)
        order by 2, 1 limit $1
        """,
    "devices": """
        select distinct device as id, device as name
        from places where device <> '' order by 1 limit $1
        """,
    "regions": """
        select distinct region as id, region as name
        from places where region <> '' order by 1 limit $1
        """,
}
