"""Reference data: the ruleset's campaigns, codes, stores, customers' groups."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.codec import decode
from shared.database import Connection
from shared.events.promotion import Campaign
from shared.events.reference import Store


@dataclass(frozen=True, slots=True)
class Place:
    """What the evaluator must know of a store."""

    region: str
    currency: str


_VERSIONS = "select version, codes_version from ruleset"
_VERSIONS_LOCKED = _VERSIONS + " for share"


async def ruleset_versions(connection: Connection, *, lock: bool) -> tuple[int, int]:
    """(version of the rules, version of the codes); ``lock`` keeps them until the commit."""
    [row] = await connection.fetch(_VERSIONS_LOCKED if lock else _VERSIONS)
    return row["version"], row["codes_version"]


async def campaigns_since(connection: Connection, version: int) -> list[Campaign]:
    """The campaigns whose latest state is newer than ``version``, oldest first."""
    rows = await connection.fetch(
        "select definition from campaigns where version > $1 order by version", version
    )
    return [decode(Campaign, row["definition"], ignore_unknown=True) for row in rows]


async def codes_held(connection: Connection) -> dict[str, int]:
    """How many codes are held of each emission."""
    rows = await connection.fetch("select emission_id, codes_held from emissions")
    return {row["emission_id"]: row["codes_held"] for row in rows}


async def save_campaigns(
    connection: Connection, campaigns: Mapping[str, tuple[int, bytes]]
) -> None:
    """Save the latest state of campaigns, by id: (offset, definition); it is a new ruleset."""
    ids = sorted(campaigns)
    await connection.execute(
        "insert into campaigns (campaign_id, version, definition)"
        " select * from unnest($1::text[], $2::bigint[], $3::bytea[])"
        " on conflict (campaign_id) do update"
        " set version = excluded.version, definition = excluded.definition",
        ids,
        [campaigns[i][0] for i in ids],
        [campaigns[i][1] for i in ids],
    )
    newest = max(offset for offset, _ in campaigns.values())
    await connection.execute("update ruleset set version = greatest(version, $1)", newest)


async def save_codes(
    connection: Connection,
    emission_id: str,
    posted_at: datetime,
    chunk: int,
    digests: Sequence[bytes],
) -> None:
    """Add a chunk of an emission's codes; a chunk that is there already is not counted again.

    A word is free for another emission once its own has ended. The one posted later has it, in
    whatever order they are read: emissions lie on different partitions.
    """
    added = await connection.fetchval(
        "insert into code_chunks (emission_id, chunk) values ($1, $2)"
        " on conflict do nothing returning true",
        emission_id,
        chunk,
    )
    if not added:
        return
    await connection.execute(
        "insert into emissions (emission_id, posted_at, codes_held) values ($1, $2, $3)"
        " on conflict (emission_id) do update"
        " set codes_held = emissions.codes_held + excluded.codes_held",
        emission_id,
        posted_at,
        len(digests),
    )
    await connection.execute(
        "insert into codes (digest, emission_id) select digest, $1"
        " from (select distinct unnest($2::bytea[]) as digest) as fresh order by digest"
        " on conflict (digest) do update set emission_id = excluded.emission_id"
        " where $3 > (select posted_at from emissions e where e.emission_id = codes.emission_id)",
        emission_id,
        digests,
        posted_at,
    )


async def codes_changed(connection: Connection) -> None:
    """Note that codes have arrived: campaigns that waited for them may become active."""
    await connection.execute("update ruleset set codes_version = codes_version + 1")


async def save_stores(connection: Connection, stores: Iterable[Store]) -> None:
    """Save the latest state of stores (the last of an id counts)."""
    latest = {store.store_id: store for store in stores}
    await connection.executemany(
        "insert into stores (store_id, region, currency) values ($1, $2, $3)"
        " on conflict (store_id) do update"
        " set region = excluded.region, currency = excluded.currency",
        [(s.store_id, s.region, s.currency) for _, s in sorted(latest.items())],
    )


async def save_groups(connection: Connection, groups: Mapping[str, Sequence[str]]) -> None:
    """Save the latest groups of customers, by customer id."""
    await connection.executemany(
        "insert into customer_groups (customer_id, groups) values ($1, $2)"
        " on conflict (customer_id) do update set groups = excluded.groups",
        [(customer, list(names)) for customer, names in sorted(groups.items())],
    )


async def places(connection: Connection, store_ids: Collection[str]) -> dict[str, Place]:
    """The known ones of the stores."""
    rows = await connection.fetch(
        "select store_id, region, currency from stores where store_id = any($1)", list(store_ids)
    )
    return {row["store_id"]: Place(row["region"], row["currency"]) for row in rows}


async def groups_of(
    connection: Connection, customer_ids: Collection[str]
) -> dict[str, frozenset[str]]:
    """The groups of the customers that have any."""
    rows = await connection.fetch(
        "select customer_id, groups from customer_groups where customer_id = any($1)",
        list(customer_ids),
    )
    return {row["customer_id"]: frozenset(row["groups"]) for row in rows}


async def emissions_of(connection: Connection, digests: Collection[bytes]) -> dict[bytes, str]:
    """The emission of each digest that is a code."""
    rows = await connection.fetch(
        "select digest, emission_id from codes where digest = any($1)", list(digests)
    )
    return {row["digest"]: row["emission_id"] for row in rows}
