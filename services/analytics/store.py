"""Everything that analytics writes: the sums of a rollup, added within the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

from services.analytics.cells import (
    ALL_OFFERS,
    INSTRUMENTS,
    KINDS,
    RECEIPTS,
    REFUSALS,
    RETURNS,
    TAKE_BACKS,
    Kind,
    Offer,
    Place,
    RefusalKind,
    for_reason,
    widened,
)
from services.analytics.messages import Campaign, Store
from services.analytics.rollup import Activation, Rollup
from services.analytics.statements import additions
from shared.database import Connection

CHANNEL = "analytics_changes"
"""What PostgreSQL notifies when a transaction that changed the statistics commits."""


MOST_ACTIVATIONS = 100_000
"""How many of the latest are kept, none of them longer than a day."""

What = TypeVar("What", Offer, RefusalKind)
Numbers = tuple[int, ...]
"""Of a place, offer or refusal kind, and of what stands for more than it."""


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
OFFERS = Dimension("offers", "offer_id", ("campaign_id", "instrument_id", "emission_id"))
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


# The row of activation_ids is locked until the commit, so that whoever sees an activation sees all
# before it. What is too much or a day old goes as the new comes: from the beginning, a bit at a time.
_ACTIVATIONS = """
with ids as (update activation_ids set latest = latest + $1::bigint returning latest),
trimmed as (
    delete from activations
    where activation_id in (select activation_id from activations order by activation_id limit $1 + 100)
        and (activation_id <= (select latest from ids) - $2::bigint
            or counted_at < now() - interval '1 day')
)
insert into activations
    (activation_id, occurred_at, offer_id, place_id, discount, bonuses, paid)
select latest - $1 + n, occurred_at, offer_id, place_id, discount, bonuses, paid
from ids, unnest($3::timestamptz[], $4::int[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[])
    with ordinality as a (occurred_at, offer_id, place_id, discount, bonuses, paid, n)
"""
_ADDITIONS = {kind: additions(kind) for kind in KINDS}
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
        """Add the sums, once per call: one statement per kind, in the same order for every writer."""
        places = await self._places(connection, rollup)
        for kind, cells in ((RECEIPTS, rollup.receipts), (RETURNS, rollup.returns)):
            if cells:
                await _add(connection, kind, cells, [places[place] for _, place in cells])
        if rollup.instruments or rollup.take_backs:
            offers = await self._offers(connection, rollup)
            await _add_by_offer(connection, INSTRUMENTS, rollup.instruments, places, offers)
            await _add_by_offer(connection, TAKE_BACKS, rollup.take_backs, places, offers)
        if rollup.refusals:
            kinds = await self._refusal_kinds(connection, rollup)
            await _add_by_offer(connection, REFUSALS, rollup.refusals, places, kinds)
        await _save_names(connection, rollup.campaigns.values(), rollup.stores.values())
        if rollup.activations:
            # Last, since others who have activations wait from here to the commit.
            await self._add_activations(connection, rollup.activations)
        await connection.execute("select pg_notify($1, '')", CHANNEL)

    async def _add_activations(
        self, connection: Connection, activations: Sequence[Activation]
    ) -> None:
        places = await self.places.of(connection, (one.place for one in activations))
        offers = await self.offers.of(connection, (one.offer for one in activations))
        await connection.execute(
            _ACTIVATIONS,
            len(activations),
            MOST_ACTIVATIONS,
            [one.at for one in activations],
            [offers[one.offer] for one in activations],
            [places[one.place] for one in activations],
            *zip(*map(_AMOUNTS, activations), strict=True),
        )

    async def _places(self, connection: Connection, rollup: Rollup) -> Mapping[Place, Numbers]:
        """Of each place its number, and those of what it is counted with."""
        keys = {place for _, place in chain(rollup.receipts, rollup.returns)}
        keys |= {place for _, place, _ in chain(rollup.instruments, rollup.refusals)}
        numbers = await self.places.of(connection, chain(keys, *map(widened, keys)))
        return {key: tuple(numbers[one] for one in (key, *widened(key))) for key in keys}

    async def _offers(self, connection: Connection, rollup: Rollup) -> Mapping[Offer, Numbers]:
        keys = {cell[2] for cell in chain(rollup.instruments, rollup.take_backs)}
        numbers = await self.offers.of(connection, chain(keys, [ALL_OFFERS]))
        return {key: (numbers[key], numbers[ALL_OFFERS]) for key in keys}

    async def _refusal_kinds(
        self, connection: Connection, rollup: Rollup
    ) -> Mapping[RefusalKind, Numbers]:
        keys = {cell[2] for cell in rollup.refusals}
        numbers = await self.refusal_kinds.of(connection, chain(keys, map(for_reason, keys)))
        return {key: (numbers[key], numbers[for_reason(key)]) for key in keys}


_CAMPAIGN_STATE = attrgetter(
    "campaign_id", "version", "name", "status", "time_zone", "starts_at", "ends_at"
)
_AMOUNTS = attrgetter("discount", "bonuses", "paid")
_SUMS = {kind: attrgetter(*kind.measures) for kind in KINDS if len(kind.measures) > 1}


async def _add(
    connection: Connection, kind: Kind, cells: Mapping[Any, Any], keys: Iterable[Numbers]
) -> None:
    sums = map(_SUMS[kind], cells.values()) if kind in _SUMS else ((n,) for n in cells.values())
    await connection.execute(
        _ADDITIONS[kind],
        [cell[0] for cell in cells],
        *zip(*keys, strict=True),
        *zip(*sums, strict=True),
    )


async def _add_by_offer(
    connection: Connection,
    kind: Kind,
    cells: Mapping[tuple[int, Place, What], Any],
    places: Mapping[Place, Numbers],
    offers: Mapping[What, Numbers],
) -> None:
    if cells:
        keys = [offers[offer] + places[place] for _, place, offer in cells]
        await _add(connection, kind, cells, keys)


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
