"""Reference data: the ruleset's campaigns, codes, stores, and what is known of customers."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from shared import codes
from shared.codec import decode
from shared.database import Connection, Query, together
from shared.events.promotion import Campaign
from shared.events.reference import NOBODY, CodeChunk, Customer, SegmentChange, Store
from shared.events.values import Location


@dataclass(frozen=True, slots=True)
class Place:
    """What the evaluator must know of a store; ``bonus_share`` of a receipt is in basis points."""

    region: str
    currency: str
    time_zone: str
    location: Location | None = None
    bonus_share: int = 5_000


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """What is known of a customer; ``birthday`` is MM-DD."""

    groups: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    birthday: str | None = None


@dataclass(frozen=True, slots=True)
class KnownCode:
    """The emission that a code is of, and the customer that it is bound to, if it is.

    ``valid_until``: it ends before its emission does.
    """

    emission_id: str
    holder: str | None = None
    valid_until: datetime | None = None


class Versions(NamedTuple):
    """What is known of the rules, by what has changed: campaigns (an offset), codes, blocks (counts)."""

    rules: int
    codes: int
    blocks: int


_VERSIONS = "select version, codes_version, blocks_version, clock_timestamp() as now from ruleset"
_VERSIONS_LOCKED = _VERSIONS + " for share"


async def ruleset_versions(connection: Connection, *, lock: bool) -> tuple[Versions, datetime]:
    """The versions, and the arbiter's time; ``lock`` keeps them until the commit."""
    [row] = await connection.fetch(_VERSIONS_LOCKED if lock else _VERSIONS)
    return Versions(row["version"], row["codes_version"], row["blocks_version"]), row["now"]


async def campaigns_since(connection: Connection, version: int) -> list[Campaign]:
    """The campaigns whose latest state is newer than ``version``, oldest first."""
    rows = await connection.fetch(
        "select definition from campaigns where version > $1 order by version", version
    )
    return [decode(Campaign, row["definition"], ignore_unknown=True) for row in rows]


async def codes_held(
    connection: Connection, after: int = -1, emission_ids: Collection[str] = ()
) -> dict[str, int]:
    """How many codes are held of emissions: of those with news ``after`` a version of the codes, and of these."""
    rows = await connection.fetch(
        "select emission_id, codes_held from emissions where changed > $1"
        " union select emission_id, codes_held from emissions where emission_id = any($2)",
        after,
        list(emission_ids),
    )
    return {row["emission_id"]: row["codes_held"] for row in rows}


class _Emission(msgspec.Struct, frozen=True, gc=False):
    emission_id: str
    posted_codes: int


class _Asking(msgspec.Struct, frozen=True, gc=False):
    """What a campaign must hold before it may become active."""

    emissions: tuple[_Emission, ...] = ()


_ASKING = msgspec.json.Decoder(_Asking)


async def save_campaigns(
    connection: Connection, campaigns: Mapping[str, tuple[int, bytes]]
) -> None:
    """Save the latest state of campaigns, by id: (offset, definition); it is a new ruleset.

    Of their emissions is noted how many codes they wait for. Who adds codes meanwhile has the emission's row, or
    waits for it: either the codes are there with the new ruleset, or they are known to be waited for.
    """
    ids = sorted(campaigns)
    needed: dict[str, int] = {}
    for _, definition in campaigns.values():
        for one in _ASKING.decode(definition).emissions:
            needed[one.emission_id] = max(one.posted_codes, needed.get(one.emission_id, 0))
    await connection.execute(
        "insert into emissions (emission_id, codes_held, needed)"
        " select id, 0, needed from unnest($1::text[], $2::bigint[]) as asked (id, needed) order by id"
        " on conflict (emission_id) do update set needed = excluded.needed"
        " where emissions.needed < excluded.needed",
        list(needed),
        list(needed.values()),
    )
    await connection.execute(
        "insert into campaigns (campaign_id, version, definition)"
        " select * from unnest($1::text[], $2::bigint[], $3::bytea[])"
        " on conflict (campaign_id) do update"
        " set version = excluded.version, definition = excluded.definition",
        ids,
        [campaigns[i][0] for i in ids],
        [campaigns[i][1] for i in ids],
    )
    await connection.execute(
        "insert into campaign_versions (version, campaign_id, definition)"
        " select * from unnest($1::bigint[], $2::text[], $3::bytea[]) on conflict do nothing",
        [campaigns[i][0] for i in ids],
        ids,
        [campaigns[i][1] for i in ids],
    )
    newest = max(offset for offset, _ in campaigns.values())
    await connection.execute("update ruleset set version = greatest(version, $1)", newest)


async def save_stops(connection: Connection, campaigns: Mapping[str, datetime | None]) -> None:
    """Note since when campaigns have not been running (None: they are), unless it is known."""
    ids = sorted(campaigns)
    await connection.execute(
        "update campaigns set stopped_at = case when new.at is not null"
        " then least(stopped_at, new.at) end"
        " from unnest($1::text[], $2::timestamptz[]) as new (id, at) where campaign_id = new.id",
        ids,
        [campaigns[i] for i in ids],
    )


async def save_codes(connection: Connection, chunks: Sequence[CodeChunk]) -> list[str]:
    """Add chunks of codes; one that is there already is not counted again. Raises ``ValueError`` for a bad one.

    Returns the emissions of which a campaign may have waited for these (``codes_changed``). Mostly there are
    none: of a personal emission codes are issued one by one long after its campaigns began.

    A word is free for another emission once its own has ended. The one posted later has it, in
    whatever order they are read: emissions lie on different partitions.
    """
    rows = await connection.fetch(
        "insert into code_chunks (emission_id, chunk)"
        " select * from unnest($1::text[], $2::int[]) as came (emission_id, chunk) order by 1, 2"
        " on conflict do nothing returning emission_id, chunk",
        [one.emission_id for one in chunks],
        [one.chunk for one in chunks],
    )
    added = {tuple(row) for row in rows}
    fresh = {key: one for one in chunks if (key := (one.emission_id, one.chunk)) in added}
    # Said again is what held the id of an erased customer. It may stand beside the first in one batch.
    await _take_from_holders(connection, [one for one in chunks if NOBODY in one.holders])
    if not fresh:
        return []
    posted = {one.emission_id: one.posted_at for one in fresh.values()}
    came: list[tuple[bytes, str, str | None, datetime | None]] = []
    for one in fresh.values():
        digests = codes.unpack(one.digests)
        holders = one.holders or (None,) * len(digests)
        came += [
            (digest, one.emission_id, holder, one.valid_until)
            for digest, holder in zip(digests, holders, strict=True)
        ]
    counts = Counter([emission_id for _, emission_id, _, _ in came])
    rows = await connection.fetch(
        "insert into emissions (emission_id, posted_at, codes_held)"
        " select * from unnest($1::text[], $2::timestamptz[], $3::bigint[]) as came (id, at, count)"
        " order by id on conflict (emission_id) do update set posted_at = excluded.posted_at,"
        " codes_held = emissions.codes_held + excluded.codes_held"
        " returning emission_id, codes_held, needed",
        list(posted),
        list(posted.values()),
        [counts[emission_id] for emission_id in posted],
    )
    await _add_codes(connection, came, posted)
    return [name for name, held, needed in rows if held - counts[name] < needed]


async def _take_from_holders(connection: Connection, chunks: Sequence[CodeChunk]) -> None:
    """Codes that were bound to a customer who was erased since are nobody's."""
    for one in chunks:
        digests = codes.unpack(one.digests)
        gone = [d for d, holder in zip(digests, one.holders, strict=True) if holder == NOBODY]
        await connection.execute(
            "update codes set holder = $3 where digest = any($1) and emission_id = $2",
            gone,
            one.emission_id,
            NOBODY,
        )


async def _add_codes(
    connection: Connection,
    came: Sequence[tuple[bytes, str, str | None, datetime | None]],
    posted: Mapping[str, datetime],
) -> None:
    """Add codes: digest, emission, holder, end. Of those that are there the emission posted later has each."""
    # Of two in one statement the first is kept: those of later emissions go first.
    ordered = sorted(came, key=lambda code: posted[code[1]], reverse=True)
    first = {code[0]: code for code in reversed(ordered)}
    found = [first[digest] for digest in sorted(first)]
    await connection.execute(
        "insert into codes (digest, emission_id, holder, valid_until)"
        " select * from unnest($1::bytea[], $2::text[], $3::text[], $4::timestamptz[])"
        " on conflict (digest) do update set emission_id = excluded.emission_id,"
        " holder = excluded.holder, valid_until = excluded.valid_until"
        " where (select posted_at from emissions e where e.emission_id = excluded.emission_id)"
        " > (select posted_at from emissions e where e.emission_id = codes.emission_id)",
        *map(list, zip(*found, strict=True)),
    )


async def codes_changed(connection: Connection, emission_ids: Collection[str]) -> None:
    """Note that codes of these have arrived: campaigns that waited for them may become active.

    Best done last: the rules' row is what carts wait for.
    """
    await connection.execute(
        "with counted as (update ruleset set codes_version = codes_version + 1 returning codes_version)"
        " update emissions set changed = codes_version from counted where emission_id = any($1)",
        list(emission_ids),
    )


async def save_stores(connection: Connection, stores: Iterable[Store]) -> None:
    """Save the latest state of stores (the last of an id counts)."""
    latest = {store.store_id: store for store in stores}
    await connection.executemany(
        "insert into stores"
        " (store_id, region, currency, time_zone, latitude_e6, longitude_e6, bonus_share)"
        " values ($1, $2, $3, $4, $5, $6, $7)"
        " on conflict (store_id) do update set region = excluded.region,"
        " currency = excluded.currency, time_zone = excluded.time_zone,"
        " latitude_e6 = excluded.latitude_e6, longitude_e6 = excluded.longitude_e6,"
        " bonus_share = excluded.bonus_share",
        [
            (
                s.store_id,
                s.region,
                s.currency,
                s.time_zone,
                s.location.latitude_e6 if s.location else None,
                s.location.longitude_e6 if s.location else None,
                s.bonus_share,
            )
            for _, s in sorted(latest.items())
        ],
    )


async def save_customers(connection: Connection, customers: Mapping[str, Customer | None]) -> None:
    """Save the latest state of customers, by id; of None forget it."""
    await connection.executemany(
        "insert into customers (customer_id, groups, birthday) values ($1, $2, $3)"
        " on conflict (customer_id) do update"
        " set groups = excluded.groups, birthday = excluded.birthday",
        [(i, list(c.groups), c.birthday) for i, c in sorted(customers.items()) if c is not None],
    )
    gone = [customer_id for customer_id, customer in customers.items() if customer is None]
    if gone:
        await connection.execute("delete from customers where customer_id = any($1)", gone)


async def save_segments(connection: Connection, changes: Iterable[SegmentChange]) -> None:
    """Save who is in which segment; a change that is older than what is known counts for nothing."""
    ordered = sorted(changes, key=lambda c: (c.customer_id, c.segment_id, c.changed_at))
    await connection.executemany(
        "insert into customer_segments (customer_id, segment_id, member, changed_at)"
        " values ($1, $2, $3, $4) on conflict (customer_id, segment_id) do update"
        " set member = excluded.member, changed_at = excluded.changed_at"
        " where excluded.changed_at >= customer_segments.changed_at",
        [(c.customer_id, c.segment_id, c.member, c.changed_at) for c in ordered],
    )


async def forget_segments(connection: Connection, keys: Collection[str]) -> None:
    """Forget that somebody was in a segment or left it: by keys of ``customers.segments.v1``, ``customer:segment``.

    Both ids may have colons.
    """
    halves = [
        (key[:n], key[n + 1 :]) for key in keys for n, letter in enumerate(key) if letter == ":"
    ]
    await connection.execute(
        "delete from customer_segments where (customer_id, segment_id) in"
        " (select * from unnest($1::text[], $2::text[]))",
        [customer_id for customer_id, _ in halves],
        [segment_id for _, segment_id in halves],
    )


async def known(
    connection: Connection,
    store_ids: Collection[str],
    customer_ids: Collection[str],
    digests: Collection[bytes],
) -> tuple[dict[str, Place], dict[str, KnownCustomer], dict[bytes, KnownCode]]:
    """What ``places``, ``known_customers`` and ``known_codes`` find, at once."""
    return await together(
        connection, _places(store_ids), _known_customers(customer_ids), _known_codes(digests)
    )


async def places(connection: Connection, store_ids: Collection[str]) -> dict[str, Place]:
    """The known ones of the stores."""
    return await _places(store_ids).of(connection)


async def known_customers(
    connection: Connection, customer_ids: Collection[str]
) -> dict[str, KnownCustomer]:
    """What is known of each of the customers; of a new one that is nothing."""
    return await _known_customers(customer_ids).of(connection)


async def known_codes(connection: Connection, digests: Collection[bytes]) -> dict[bytes, KnownCode]:
    """What is known of each digest that is a code."""
    return await _known_codes(digests).of(connection)


def _places(store_ids: Collection[str]) -> Query[dict[str, Place]]:
    return Query(
        "select store_id, region, currency, time_zone, latitude_e6, longitude_e6, bonus_share"
        " from stores where store_id = any($1)",
        (list(store_ids),),
        lambda rows: {
            store_id: Place(region, currency, time_zone, _location(latitude, longitude), share)
            for store_id, region, currency, time_zone, latitude, longitude, share in rows
        },
    )


def _location(latitude_e6: int | None, longitude_e6: int | None) -> Location | None:
    if latitude_e6 is None or longitude_e6 is None:
        return None
    return Location(latitude_e6=latitude_e6, longitude_e6=longitude_e6)


def _known_customers(customer_ids: Collection[str]) -> Query[dict[str, KnownCustomer]]:
    return Query(
        "select customer_id, coalesce(groups, '{}') as groups, birthday, array("
        "  select segment_id from customer_segments s"
        "  where s.customer_id = asked.customer_id and member) as segments"
        " from unnest($1::text[]) as asked (customer_id) left join customers using (customer_id)",
        (list(customer_ids),),
        lambda rows: {
            customer_id: KnownCustomer(frozenset(groups), frozenset(segments), birthday)
            for customer_id, groups, birthday, segments in rows
        },
    )


def _known_codes(digests: Collection[bytes]) -> Query[dict[bytes, KnownCode]]:
    return Query(
        "select digest, emission_id, holder, valid_until from codes where digest = any($1)",
        (list(digests),),
        lambda rows: {
            digest: KnownCode(emission_id, holder, valid_until)
            for digest, emission_id, holder, valid_until in rows
        },
    )
