"""Millions of sparse minute cells, made by numpy and written by binary COPY: for ``tests.bench.query``.

Big and small stores, opening hours, most of it at tills; what campaigns do is spread evenly over them.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np

from services.analytics.cells import (
    INSTRUMENTS,
    RECEIPTS,
    REFUSALS,
    RETURNS,
    TAKE_BACKS,
    Kind,
)

STORES = 500
CAMPAIGNS = 50
_REGIONS = 20
_INSTRUMENTS = 3
_DEVICES = ("till", "mobile", "app", "desktop")
_DEVICE_SHARES = (0.75, 0.1, 0.1, 0.05)
_REASONS = ("condition_not_met", "code_missing", "limit_reached")
# How much of all cells each kind has.
_SHARES = {RECEIPTS: 0.4, INSTRUMENTS: 0.4, REFUSALS: 0.16, RETURNS: 0.02, TAKE_BACKS: 0.02}
_EPOCH_OF_POSTGRES = datetime(2000, 1, 1, tzinfo=UTC)
_MINUTES = 24 * 60
_BYTES = {"int": 4, "bigint": 8}

Say = Callable[[str], None]


async def fill(
    connection: asyncpg.Connection, now: datetime, *, days: int, count: int, say: Say
) -> int:
    """Fill empty tables with about ``count`` cells of the days until now; returns how many."""
    places = await _add_dimensions(connection)
    chance = np.random.default_rng(7)
    rows = 0
    for kind, share in _SHARES.items():
        indexes = await _without_indexes(connection, kind)
        per_day = round(count * share / (days - 0.5))
        added = await _copy(connection, kind, _days(chance, kind, places, now, days, per_day))
        for index in indexes:
            await connection.execute(index, timeout=3_600)
        rows += added
        say(f"{added:,} {kind.name} cells")
    return rows


async def _add_dimensions(connection: asyncpg.Connection) -> np.ndarray:
    """Places, offers and refusal kinds numbered from 1, and what stands for all; the weights of places."""
    devices = ", ".join(f"('{device}', {n})" for n, device in enumerate(_DEVICES))
    await connection.execute(f"""
        truncate places, offers, refusal_kinds restart identity;
        insert into places (store_id, device, region, currency)
        select 'store-' || s, d.device, 'region-' || s % {_REGIONS}, 'UAH'
        from generate_series(1, {STORES}) s cross join (values {devices}) d (device, n)
        order by s, d.n;
        insert into offers (campaign_id, instrument_id, emission_id)
        select 'campaign-' || c, 'instrument-' || c || '-' || i,
            case when i = 1 then 'emission-' || c else '' end
        from generate_series(1, {CAMPAIGNS}) c, generate_series(1, {_INSTRUMENTS}) i order by c, i;
        insert into refusal_kinds (campaign_id, instrument_id, reason)
        select campaign_id, instrument_id, reason from offers,
            unnest(array{list(_REASONS)}) reason order by 1, 2, 3;
        insert into places (store_id, device, region, currency)
        select distinct '', device, region, currency from places
        union select distinct '', device, '', currency from places
        union select '', '', '', 'UAH';
        insert into offers values (default, '', '', '');
        insert into refusal_kinds (campaign_id, instrument_id, reason)
        select distinct '', '', reason from refusal_kinds;
    """)  # noqa: S608 - constants of ours
    sizes = np.random.default_rng(11).lognormal(sigma=0.7, size=STORES)
    weights: np.ndarray = np.outer(sizes, _DEVICE_SHARES).ravel()
    weights /= weights.sum()
    return weights


def _days(
    chance: np.random.Generator,
    kind: Kind,
    places: np.ndarray,
    now: datetime,
    days: int,
    per_day: int,
) -> Sequence[Callable[[], np.ndarray]]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    last_minute = (now - midnight) // timedelta(minutes=1)

    def of(day: datetime, until: int) -> Callable[[], np.ndarray]:
        return lambda: _rows(chance, kind, places, day, until, per_day)

    return [
        of(midnight - timedelta(days=back), _MINUTES if back else last_minute)
        for back in reversed(range(days))
    ]


def _rows(
    chance: np.random.Generator,
    kind: Kind,
    weights: np.ndarray,
    day: datetime,
    until: int,
    count: int,
) -> np.ndarray:
    """The cells of a day in the order of their minutes: as records of binary COPY."""
    whats = {"offer_id": CAMPAIGNS * _INSTRUMENTS}
    whats["refusal_kind_id"] = CAMPAIGNS * _INSTRUMENTS * len(_REASONS)
    drawn = round(1.15 * count)
    minutes = np.clip(chance.normal(15 * 60, 3.5 * 60, drawn), 0, _MINUTES - 1).astype(np.int64)
    minutes = minutes[minutes < until]
    place = chance.choice(len(weights), len(minutes), p=weights)
    what = chance.integers(0, whats[kind.what], len(minutes)) if kind.what else 0 * place
    keys = np.unique((minutes * len(weights) + place) * 1_000 + what)
    if len(keys) > count:
        keys = np.sort(chance.choice(keys, count, replace=False))
    columns = {
        "minute": (day - _EPOCH_OF_POSTGRES) // timedelta(microseconds=1)
        + keys // 1_000 // len(weights) * 60_000_000,
        **({kind.what: 1 + keys % 1_000} if kind.what else {}),
        "place_id": 1 + keys // 1_000 % len(weights),
        **{
            name: chance.integers(1, 3 if type_ == "int" else 50_000, len(keys))
            for name, type_ in kind.measures.items()
        },
    }
    return _records(kind, columns)


def _records(kind: Kind, columns: dict[str, np.ndarray]) -> np.ndarray:
    sizes = {"minute": 8} | dict.fromkeys(kind.keys, 4)
    sizes |= {name: _BYTES[type_] for name, type_ in kind.measures.items()}
    fields = [("fields", ">i2")]
    for name in columns:
        fields += [(f"{name} size", ">i4"), (name, f">i{sizes[name]}")]
    records = np.zeros(len(columns["minute"]), fields)
    records["fields"] = len(columns)
    for name, values in columns.items():
        records[f"{name} size"] = sizes[name]
        records[name] = values
    return records


async def _copy(
    connection: asyncpg.Connection, kind: Kind, days: Sequence[Callable[[], np.ndarray]]
) -> int:
    count = 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal count
        yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
        for day in days:
            records = day()
            count += len(records)
            yield records.tobytes()
        yield b"\xff\xff"

    await connection.copy_to_table(
        kind.cells,
        source=source(),
        columns=["minute", *kind.keys, *kind.measures],
        format="binary",
        timeout=3_600,
    )
    return count


async def _without_indexes(connection: asyncpg.Connection, kind: Kind) -> list[str]:
    """Drop the indexes of a kind's cells; returns the statements that make them again."""
    keys = ", ".join(("minute", *kind.keys))
    rows = await connection.fetch(
        "select indexname, indexdef from pg_indexes where tablename = $1 and indexname !~ 'pkey$'",
        kind.cells,
    )
    await connection.execute(f"alter table {kind.cells} drop constraint {kind.cells}_pkey")
    for row in rows:
        await connection.execute(f"drop index {row['indexname']}")
    return [f"alter table {kind.cells} add primary key ({keys})", *(r["indexdef"] for r in rows)]
