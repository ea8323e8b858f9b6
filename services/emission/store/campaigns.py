"""Instruments and campaigns."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from services.emission.campaigns import CampaignPlan, CampaignState, Known, Places
from services.emission.history import Authored
from services.emission.store.changes import authored
from services.emission.store.listing import Listing, Page, Where
from shared.codec import decode, encode
from shared.database import Connection
from shared.events.promotion import Instrument

_AUTHORING = 0x7111_A070
_USES_CODES = (
    "jsonb_path_exists(body, '$.conditions.** ? (@.kind == \"promo_code\" && @.emission_id == $id)', "
    "jsonb_build_object('id', {}::text))"
)
_HAS_SUCH = (
    f"body -> 'instruments' ?| array(select instrument_id from instruments where {_USES_CODES})"  # noqa: S608 - no values
)


@dataclass(frozen=True)
class InstrumentRow:
    """An instrument, and who wrote it."""

    instrument: Instrument
    authored: Authored


@dataclass(frozen=True)
class CampaignRow:
    """A campaign, and who wrote it."""

    state: CampaignState
    authored: Authored


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


async def instrument_row(connection: Connection, instrument_id: str) -> InstrumentRow | None:
    """The instrument and who wrote it, or None."""
    row = await connection.fetchrow(
        "select * from instruments where instrument_id = $1", instrument_id
    )
    return None if row is None else _instrument(row)


INSTRUMENTS = Listing(
    """
    select *, body ->> 'name' as name, (body ->> 'priority')::int as priority,
        lower(instrument_id || ' ' || (body ->> 'name')) as search
    from instruments
    """,
    "instrument_id",
    {name: name for name in ("instrument_id", "priority", "created_at", "changed_at")}
    | {"name": "lower(name)"},
)


@dataclass(frozen=True)
class WantedInstruments:
    """Which instruments: with one of these benefits and triggers, using codes of an emission, in a campaign."""

    benefit: Sequence[str] = ()
    trigger: Sequence[str] = ()
    emission: str | None = None
    campaign: str | None = None


async def list_instruments(
    connection: Connection, wanted: WantedInstruments, page: Page
) -> tuple[list[InstrumentRow], int]:
    """A page of instruments, and how many there are."""
    where = Where()
    where.search("search", page.search)
    where.add("body -> 'benefit' ->> 'kind' = any({}::text[])", list(wanted.benefit))
    where.add("body ->> 'trigger' = any({}::text[])", list(wanted.trigger))
    where.add(_USES_CODES, wanted.emission)
    where.add(
        "instrument_id in (select jsonb_array_elements_text(body -> 'instruments') "
        "from campaigns where campaign_id = {})",
        wanted.campaign,
    )
    rows, total = await INSTRUMENTS.page(connection, where, page)
    return [_instrument(row) for row in rows], total


async def save_instrument(
    connection: Connection, new: Instrument, actor: str, now: datetime
) -> None:
    """Keep the instrument in place of its earlier body."""
    await connection.execute(
        """
        insert into instruments (
            instrument_id, body, created_by, created_at, changed_by, changed_at
        ) values ($1, $2, $3, $4, $3, $4)
        on conflict (instrument_id) do update set body = excluded.body,
            changed_by = excluded.changed_by, changed_at = excluded.changed_at
        """,
        new.instrument_id,
        encode(new).decode(),
        actor,
        now,
    )


async def campaign(connection: Connection, campaign_id: str) -> CampaignState | None:
    """The campaign, or None."""
    row = await connection.fetchrow("select * from campaigns where campaign_id = $1", campaign_id)
    return None if row is None else _campaign(row)


async def campaign_row(connection: Connection, campaign_id: str) -> CampaignRow | None:
    """The campaign and who wrote it, or None."""
    row = await connection.fetchrow("select * from campaigns where campaign_id = $1", campaign_id)
    return None if row is None else CampaignRow(_campaign(row), authored(row))


CAMPAIGNS = Listing(
    """
    select *, body ->> 'name' as name, (body ->> 'priority')::int as priority,
        body ->> 'first_day' as first_day, body ->> 'last_day' as last_day,
        lower(concat_ws(' ', campaign_id, body ->> 'name', body ->> 'comment')) as search
    from campaigns
    """,
    "campaign_id",
    {
        name: name
        for name in (
            "campaign_id",
            "status",
            "priority",
            "first_day",
            "last_day",
            "created_at",
            "changed_at",
        )
    }
    | {"name": "lower(name)"},
)


@dataclass(frozen=True)
class WantedCampaigns:
    """Which campaigns: of one of these statuses, one of whose days is ``on``, using an instrument or emission.

    ``store``: that run there, as those do that name no store.
    """

    status: Sequence[str] = ()
    on: date | None = None
    store: str | None = None
    instrument: str | None = None
    emission: str | None = None


async def campaigns(
    connection: Connection, wanted: WantedCampaigns, page: Page
) -> tuple[list[CampaignRow], int]:
    """A page of campaigns, and how many there are."""
    where = Where()
    where.search("search", page.search)
    where.add("status = any({}::text[])", list(wanted.status))
    where.add("{} between first_day and last_day", wanted.on and wanted.on.isoformat())
    where.add("(body -> 'stores' ? {0} or coalesce(body -> 'stores', '[]') = '[]')", wanted.store)
    where.add("body -> 'instruments' ? {}", wanted.instrument)
    where.add(_HAS_SUCH, wanted.emission)
    rows, total = await CAMPAIGNS.page(connection, where, page)
    return [CampaignRow(_campaign(row), authored(row)) for row in rows], total


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


async def save_campaign(
    connection: Connection, state: CampaignState, actor: str, now: datetime
) -> None:
    """Keep the campaign in place of its earlier state."""
    await connection.execute(
        """
        insert into campaigns (
            campaign_id, body, status, version, created_by, created_at, changed_by, changed_at
        ) values ($1, $2, $3, $4, $5, $6, $5, $6)
        on conflict (campaign_id) do update
        set body = excluded.body, status = excluded.status, version = excluded.version,
            changed_by = excluded.changed_by, changed_at = excluded.changed_at
        """,
        state.plan.campaign_id,
        encode(state.plan).decode(),
        state.status,
        state.version,
        actor,
        now,
    )


def _instrument(row: asyncpg.Record) -> InstrumentRow:
    return InstrumentRow(decode(Instrument, row["body"].encode()), authored(row))


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
