"""Instruments and campaigns."""

from collections.abc import Collection, Sequence

import asyncpg

from services.emission.campaigns import CampaignPlan, CampaignState, Known, Places
from shared.codec import decode, encode
from shared.database import Connection
from shared.events.promotion import Instrument

_AUTHORING = 0x7111_A070


async def lock_authoring(connection: Connection) -> None:
    """One author at a time: what campaigns publish must leave in the order of their versions."""
    await connection.execute("select pg_advisory_xact_lock($1)", _AUTHORING)


async def instrument(connection: Connection, instrument_id: str) -> Instrument | None:
    """The instrument, or None."""
    return (await instruments(connection, [instrument_id])).get(instrument_id)


async def instruments(connection: Connection, ids: Sequence[str]) -> dict[str, Instrument]:
    """Those of ``ids`` that exist."""
    rows = await connection.fetch(
        "select instrument_id, body from instruments where instrument_id = any($1)", ids
    )
    return {row["instrument_id"]: decode(Instrument, row["body"].encode()) for row in rows}


async def list_instruments(connection: Connection, after: str, limit: int) -> list[Instrument]:
    """Instruments by id, from the first after ``after``."""
    rows = await connection.fetch(
        "select body from instruments where instrument_id > $1 order by instrument_id limit $2",
        after,
        limit,
    )
    return [decode(Instrument, row["body"].encode()) for row in rows]


async def save_instrument(connection: Connection, new: Instrument) -> None:
    """Keep the instrument in place of its earlier body."""
    await connection.execute(
        """
        insert into instruments (instrument_id, body) values ($1, $2)
        on conflict (instrument_id) do update set body = excluded.body
        """,
        new.instrument_id,
        encode(new).decode(),
    )


async def campaign(connection: Connection, campaign_id: str) -> CampaignState | None:
    """The campaign, or None."""
    row = await connection.fetchrow("select * from campaigns where campaign_id = $1", campaign_id)
    return None if row is None else _campaign(row)


async def campaigns(connection: Connection, after: str, limit: int) -> list[CampaignState]:
    """Campaigns by id, from the first after ``after``."""
    rows = await connection.fetch(
        "select * from campaigns where campaign_id > $1 order by campaign_id limit $2", after, limit
    )
    return [_campaign(row) for row in rows]


async def unfinished_campaigns_with(
    connection: Connection, instrument_id: str
) -> list[CampaignState]:
    """Drafts, running and paused campaigns that use the instrument, by id."""
    rows = await connection.fetch(
        "select * from campaigns where status <> 'finished' "
        "and body -> 'instruments' ? $1 order by campaign_id",
        instrument_id,
    )
    return [_campaign(row) for row in rows]


async def save_campaign(connection: Connection, state: CampaignState) -> None:
    """Keep the campaign in place of its earlier state."""
    await connection.execute(
        """
        insert into campaigns (campaign_id, body, status, version) values ($1, $2, $3, $4)
        on conflict (campaign_id) do update
        set body = excluded.body, status = excluded.status, version = excluded.version
        """,
        state.plan.campaign_id,
        encode(state.plan).decode(),
        state.status,
        state.version,
    )


def _campaign(row: asyncpg.Record) -> CampaignState:
    return CampaignState(decode(CampaignPlan, row["body"].encode()), row["status"], row["version"])


async def places(connection: Connection, stores: Collection[str]) -> Places:
    """What the stores are; of none: what all stores are."""
    found = await connection.fetchrow(
        """
        select
            array_agg(distinct body ->> 'currency') as currencies,
            array_agg(distinct body ->> 'region') as regions,
            bool_or(body ? 'location') as have_location
        from stores where $1 = '{}'::text[] or store_id = any($1)
        """,
        list(stores),
    )
    if found is None or found["currencies"] is None:
        return Places()
    return Places(
        currencies=frozenset(found["currencies"]),
        regions=frozenset(found["regions"]),
        have_location=found["have_location"],
    )


async def known(
    connection: Connection,
    zones: frozenset[str],
    *,
    stores: Collection[str] = (),
    groups: Collection[str] = (),
    instrument_ids: Collection[str] = (),
    emission_ids: Collection[str] = (),
) -> Known:
    """Which of these exist."""
    found = await connection.fetchrow(
        """
        select
            array(select store_id from stores where store_id = any($1)),
            array(select group_id from customer_groups where group_id = any($2)),
            array(select instrument_id from instruments where instrument_id = any($3)),
            array(select emission_id from emissions where emission_id = any($4))
        """,
        list(stores),
        list(groups),
        list(instrument_ids),
        list(emission_ids),
    )
    sets = [frozenset(ids) for ids in found or ((), (), (), ())]
    return Known(
        stores=sets[0], groups=sets[1], instruments=sets[2], emissions=sets[3], zones=zones
    )
