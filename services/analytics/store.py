"""Everything that analytics writes: the sums of a rollup, added within the caller's transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter

from services.analytics.messages import Campaign, Store
from services.analytics.rollup import Rollup
from shared.database import Connection

CHANNEL = "analytics_changes"
"""What PostgreSQL notifies when a transaction that changed the statistics commits."""


@dataclass(frozen=True)
class Dimension:
    """A table that gives tuples of texts small numbers."""

    table: str
    id_column: str
    columns: tuple[str, ...]

    @property
    def select(self) -> str:
        """Numbers of the tuples that have one, with the tuples' positions (from 1)."""
        match = " and ".join(f"d.{column} = k.{column}" for column in self.columns)
        return (
            f"select k.n::int, d.{self.id_column} from {self._keys} join {self.table} d on {match}"  # noqa: S608 - names of ours
        )

    @property
    def insert(self) -> str:
        """The same for tuples without number, which they get; waits for who adds the same one."""
        columns = ", ".join(self.columns)
        keys = ", ".join(f"k.{column}" for column in self.columns)
        match = " and ".join(f"a.{column} = k.{column}" for column in self.columns)
        first = self.columns[0]
        return (
            f"with added as (insert into {self.table} ({columns}) select {keys} from {self._keys}"  # noqa: S608
            f" order by {keys} on conflict ({columns}) do update set {first} = excluded.{first}"
            f" returning *) select k.n::int, a.{self.id_column}"
            f" from {self._keys} join added a on {match}"
        )

    @property
    def _keys(self) -> str:
        arrays = ", ".join(f"${n}::text[]" for n in range(1, len(self.columns) + 1))
        return f"unnest({arrays}) with ordinality as k ({', '.join(self.columns)}, n)"


PLACES = Dimension("places", "place_id", ("store_id", "device", "region", "currency"))
OFFERS = Dimension("offers", "offer_id", ("campaign_id", "instrument_id"))
REFUSAL_KINDS = Dimension(
    "refusal_kinds", "refusal_kind_id", ("campaign_id", "instrument_id", "reason")
)


@dataclass
class Numbering:
    """The numbers of a dimension's tuples, remembered once they are known to be committed."""

    dimension: Dimension
    _committed: dict[tuple[str, ...], int] = field(default_factory=dict)

    async def of(
        self, connection: Connection, keys: Iterable[tuple[str, ...]]
    ) -> dict[tuple[str, ...], int]:
        """The numbers of (at least) ``keys``; new ones are added in the caller's transaction."""
        unknown = [key for key in set(keys) if key not in self._committed]
        if not unknown:
            return self._committed
        # What a select finds before we insert is committed. What we insert is not remembered: the
        # transaction may still roll back, and a number would point to nothing.
        self._committed |= await _numbers(connection, self.dimension.select, unknown)
        new = [key for key in unknown if key not in self._committed]
        if not new:
            return self._committed
        return self._committed | await _numbers(connection, self.dimension.insert, new)


async def _numbers(
    connection: Connection, sql: str, keys: list[tuple[str, ...]]
) -> dict[tuple[str, ...], int]:
    rows = await connection.fetch(sql, *(list(column) for column in zip(*keys, strict=True)))
    return {keys[position - 1]: number for position, number in rows}


# Arrays, because COPY needs a temporary table, which the service's role may not create; it would
# save the client 1 µs of the 14 µs that an event takes, and PostgreSQL nothing.
# Each upsert goes in the order of its key, so that two writers never wait for each other in a ring.
_MINUTE = "'epoch'::timestamptz + minute * interval '1 minute'"
_RECEIPTS = f"""
insert into receipt_cells as c
    (minute, place_id, receipts, total, discount, paid, bonuses)
select {_MINUTE}, place_id, receipts, total, discount, paid, bonuses
from unnest($1::int[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    as x (minute, place_id, receipts, total, discount, paid, bonuses)
order by x.minute, place_id
on conflict (minute, place_id) do update set
    receipts = c.receipts + excluded.receipts,
    total = c.total + excluded.total,
    discount = c.discount + excluded.discount,
    paid = c.paid + excluded.paid,
    bonuses = c.bonuses + excluded.bonuses
"""  # noqa: S608 - built from constants
_INSTRUMENTS = f"""
insert into instrument_cells as c
    (minute, offer_id, place_id, carts, decided, activations, discount, revenue, bonuses,
     unauthorised, unauthorised_discount)
select {_MINUTE}, offer_id, place_id, carts, decided, activations, discount, revenue, bonuses,
    unauthorised, unauthorised_discount
from unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::int[], $11::bigint[])
    as x (minute, offer_id, place_id, carts, decided, activations, discount, revenue, bonuses,
          unauthorised, unauthorised_discount)
order by x.minute, offer_id, place_id
on conflict (minute, offer_id, place_id) do update set
    carts = c.carts + excluded.carts,
    decided = c.decided + excluded.decided,
    activations = c.activations + excluded.activations,
    discount = c.discount + excluded.discount,
    revenue = c.revenue + excluded.revenue,
    bonuses = c.bonuses + excluded.bonuses,
    unauthorised = c.unauthorised + excluded.unauthorised,
    unauthorised_discount = c.unauthorised_discount + excluded.unauthorised_discount
"""  # noqa: S608
_REFUSALS = f"""
insert into refusal_cells as c (minute, refusal_kind_id, place_id, refusals)
select {_MINUTE}, refusal_kind_id, place_id, refusals
from unnest($1::int[], $2::int[], $3::int[], $4::int[])
    as x (minute, refusal_kind_id, place_id, refusals)
order by x.minute, refusal_kind_id, place_id
on conflict (minute, refusal_kind_id, place_id) do update set
    refusals = c.refusals + excluded.refusals
"""  # noqa: S608
_RETURNS = f"""
insert into return_cells as c (minute, place_id, returns, refunded)
select {_MINUTE}, place_id, returns, refunded
from unnest($1::int[], $2::int[], $3::int[], $4::bigint[])
    as x (minute, place_id, returns, refunded)
order by x.minute, place_id
on conflict (minute, place_id) do update set
    returns = c.returns + excluded.returns,
    refunded = c.refunded + excluded.refunded
"""  # noqa: S608
_TAKE_BACKS = f"""
insert into take_back_cells as c
    (minute, offer_id, place_id,
     returned, returned_discount, returned_bonuses, returned_unauthorised_discount)
select {_MINUTE}, offer_id, place_id,
    returned, returned_discount, returned_bonuses, returned_unauthorised_discount
from unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[])
    as x (minute, offer_id, place_id,
          returned, returned_discount, returned_bonuses, returned_unauthorised_discount)
order by x.minute, offer_id, place_id
on conflict (minute, offer_id, place_id) do update set
    returned = c.returned + excluded.returned,
    returned_discount = c.returned_discount + excluded.returned_discount,
    returned_bonuses = c.returned_bonuses + excluded.returned_bonuses,
    returned_unauthorised_discount =
        c.returned_unauthorised_discount + excluded.returned_unauthorised_discount
"""  # noqa: S608
_CAMPAIGN = """
insert into campaigns (campaign_id, version, name, status, time_zone, starts_at, ends_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (campaign_id) do update set
    version = excluded.version, name = excluded.name, status = excluded.status,
    time_zone = excluded.time_zone, starts_at = excluded.starts_at, ends_at = excluded.ends_at
where campaigns.version <= excluded.version
"""
_INSTRUMENT = """
insert into instruments (campaign_id, instrument_id, name) values ($1, $2, $3)
on conflict (campaign_id, instrument_id) do update set name = excluded.name
"""
_STORE = """
insert into stores (store_id, name, region, time_zone, currency) values ($1, $2, $3, $4, $5)
on conflict (store_id) do update set
    name = excluded.name, region = excluded.region,
    time_zone = excluded.time_zone, currency = excluded.currency
"""


@dataclass
class RollupStore:
    """Adds rollups to the tables. Remembers the numbers of places, offers and refusal kinds."""

    places: Numbering = field(default_factory=lambda: Numbering(PLACES))
    offers: Numbering = field(default_factory=lambda: Numbering(OFFERS))
    refusal_kinds: Numbering = field(default_factory=lambda: Numbering(REFUSAL_KINDS))

    async def add(self, connection: Connection, rollup: Rollup) -> None:
        """Add the sums, once per call: one statement per table, in the same order for every writer."""
        places = await self.places.of(
            connection,
            chain(
                (place for _, place in rollup.receipts),
                (place for _, place, _ in rollup.instruments),
                (place for _, place, _ in rollup.refusals),
                (place for _, place in rollup.returns),
            ),
        )
        if rollup.receipts:
            await _add_receipts(connection, rollup, places)
        if rollup.instruments:
            offers = await self.offers.of(connection, (cell[2] for cell in rollup.instruments))
            await _add_instruments(connection, rollup, places, offers)
        if rollup.refusals:
            kinds = await self.refusal_kinds.of(connection, (cell[2] for cell in rollup.refusals))
            await _add_refusals(connection, rollup, places, kinds)
        if rollup.returns:
            offers = await self.offers.of(connection, (cell[2] for cell in rollup.take_backs))
            await _add_returns(connection, rollup, places, offers)
        await _save_names(connection, rollup.campaigns.values(), rollup.stores.values())
        await connection.execute("select pg_notify($1, '')", CHANNEL)


Numbers = Mapping[tuple[str, ...], int]

_RECEIPT_SUMS = attrgetter("receipts", "total", "discount", "paid", "bonuses")
_CAMPAIGN_STATE = attrgetter(
    "campaign_id", "version", "name", "status", "time_zone", "starts_at", "ends_at"
)
_INSTRUMENT_SUMS = attrgetter(
    "carts",
    "decided",
    "activations",
    "discount",
    "revenue",
    "bonuses",
    "unauthorised",
    "unauthorised_discount",
)
_RETURN_SUMS = attrgetter("returns", "refunded")
_TAKE_BACK_SUMS = attrgetter(
    "returned", "returned_discount", "returned_bonuses", "returned_unauthorised_discount"
)


async def _add_receipts(connection: Connection, rollup: Rollup, places: Numbers) -> None:
    cells = rollup.receipts
    await connection.execute(
        _RECEIPTS,
        [minute for minute, _ in cells],
        [places[place] for _, place in cells],
        *zip(*map(_RECEIPT_SUMS, cells.values()), strict=True),
    )


async def _add_instruments(
    connection: Connection, rollup: Rollup, places: Numbers, offers: Numbers
) -> None:
    cells = rollup.instruments
    await connection.execute(
        _INSTRUMENTS,
        [minute for minute, _, _ in cells],
        [offers[offer] for _, _, offer in cells],
        [places[place] for _, place, _ in cells],
        *zip(*map(_INSTRUMENT_SUMS, cells.values()), strict=True),
    )


async def _add_refusals(
    connection: Connection, rollup: Rollup, places: Numbers, kinds: Numbers
) -> None:
    cells = rollup.refusals
    await connection.execute(
        _REFUSALS,
        [minute for minute, _, _ in cells],
        [kinds[kind] for _, _, kind in cells],
        [places[place] for _, place, _ in cells],
        list(cells.values()),
    )


async def _add_returns(
    connection: Connection, rollup: Rollup, places: Numbers, offers: Numbers
) -> None:
    cells = rollup.returns
    await connection.execute(
        _RETURNS,
        [minute for minute, _ in cells],
        [places[place] for _, place in cells],
        *zip(*map(_RETURN_SUMS, cells.values()), strict=True),
    )
    taken = rollup.take_backs
    if taken:
        await connection.execute(
            _TAKE_BACKS,
            [minute for minute, _, _ in taken],
            [offers[offer] for _, _, offer in taken],
            [places[place] for _, place, _ in taken],
            *zip(*map(_TAKE_BACK_SUMS, taken.values()), strict=True),
        )


async def _save_names(
    connection: Connection, campaigns: Iterable[Campaign], stores: Iterable[Store]
) -> None:
    for campaign in sorted(campaigns, key=attrgetter("campaign_id")):
        if await connection.execute(_CAMPAIGN, *_CAMPAIGN_STATE(campaign)) == "INSERT 0 0":
            continue  # a later version is there, and its instruments' names
        await connection.executemany(
            _INSTRUMENT,
            [
                (campaign.campaign_id, instrument.instrument_id, instrument.name)
                for instrument in sorted(campaign.instruments, key=attrgetter("instrument_id"))
            ],
        )
    rows = [(s.store_id, s.name, s.region, s.time_zone, s.currency) for s in stores]
    if rows:
        await connection.executemany(_STORE, sorted(rows))
