"""Everything that is read from the rollups.

Each question is one pass over a table of cells: cells are summed per place and offer first (a cell
holds little more than one event, there are few places and offers), names are joined to the sums.
What returns took back is in few cells of its own: it is read beside what was sold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.analytics.window import Step, Window, floor
from shared.database import Connection

Sums = dict[str, int]
Key = tuple[str, ...]
Grouping = tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """What is counted; None is everything. Receipts have no campaign: they ignore those two."""

    campaign_id: str | None = None
    instrument_id: str | None = None
    store_id: str | None = None
    device: str | None = None
    region: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Cells:
    """A table of sums per minute: what it sums, its short keys, and the columns those stand for.

    ``returned``: the table with the same keys of what returns took back, whose sums go with these.
    """

    table: str
    measures: tuple[str, ...]
    keys: tuple[str, ...]
    joins: str
    columns: Mapping[str, str]
    returned: "Cells | None" = None


_PLACE = {
    "store_id": "p.store_id",
    "device": "p.device",
    "region": "p.region",
    "currency": "p.currency",
}
_RETURNS = Cells(
    table="return_cells",
    measures=("returns", "refunded"),
    keys=("place_id",),
    joins="join places p using (place_id)",
    columns=_PLACE,
)
RECEIPTS = replace(
    _RETURNS,
    table="receipt_cells",
    measures=("receipts", "total", "discount", "paid", "bonuses"),
    returned=_RETURNS,
)
_TAKE_BACKS = Cells(
    table="take_back_cells",
    measures=(
        "returned",
        "returned_discount",
        "returned_bonuses",
        "returned_unauthorised_discount",
    ),
    keys=("place_id", "offer_id"),
    joins="join places p using (place_id) join offers o using (offer_id)",
    columns=_PLACE | {"campaign_id": "o.campaign_id", "instrument_id": "o.instrument_id"},
)
INSTRUMENTS = replace(
    _TAKE_BACKS,
    table="instrument_cells",
    measures=(
        "carts",
        "decided",
        "activations",
        "discount",
        "revenue",
        "bonuses",
        "unauthorised",
        "unauthorised_discount",
    ),
    returned=_TAKE_BACKS,
)
REFUSALS = Cells(
    table="refusal_cells",
    measures=("refusals",),
    keys=("place_id", "refusal_kind_id"),
    joins="join places p using (place_id) join refusal_kinds k using (refusal_kind_id)",
    columns=_PLACE
    | {
        "campaign_id": "k.campaign_id",
        "instrument_id": "k.instrument_id",
        "reason": "k.reason",
    },
)


async def sums(
    connection: Connection,
    cells: Cells,
    selection: Selection,
    window: Window,
    groupings: Sequence[Grouping],
) -> dict[Grouping, dict[Key, Sums]]:
    """The sums by each grouping (a tuple of columns; ``()`` is everything), by their values.

    Money is minor units, of all currencies unless the selection names one. A key without cells
    is absent, and so are the measures of those that it has none of.
    """
    found = await _sums_of(connection, cells, selection, window, groupings)
    if cells.returned:
        returned = await _sums_of(connection, cells.returned, selection, window, groupings)
        for grouping, rows in returned.items():
            for key, row in rows.items():
                found[grouping].setdefault(key, {}).update(row)
    return found


async def _sums_of(
    connection: Connection,
    cells: Cells,
    selection: Selection,
    window: Window,
    groupings: Sequence[Grouping],
) -> dict[Grouping, dict[Key, Sums]]:
    args: list[Any] = []
    columns = sorted({column for grouping in groupings for column in grouping})
    named = [cells.columns[column] for column in columns]
    sets = ", ".join(f"({', '.join(cells.columns[c] for c in g)})" for g in groupings)
    which = f"grouping({', '.join(named)})" if named else "0"
    measures = ", ".join(f"sum(c.{name})::bigint as {name}" for name in cells.measures)
    inner = ", ".join(f"sum({name}) as {name}" for name in cells.measures)
    keys = ", ".join(cells.keys)
    query = f"""
        select {which} as which, {", ".join(named) + ", " if named else ""}{measures}
        from (
            select {keys}, {inner} from {cells.table}
            where {_within(window, args)} group by {keys}
        ) c {cells.joins}
        where {_selected(cells, selection, args)}
        group by grouping sets ({sets})
        having count(*) > 0
    """  # noqa: S608 - made of this module's own names; every value is a parameter
    found: dict[Grouping, dict[Key, Sums]] = {grouping: {} for grouping in groupings}
    by_bits = {_bits(columns, grouping): grouping for grouping in groupings}
    for row in await connection.fetch(query, *args):
        grouping = by_bits[row["which"]]
        key = tuple(row[column] for column in grouping)
        found[grouping][key] = {name: row[name] for name in cells.measures}
    return found


async def series(
    connection: Connection,
    cells: Cells,
    selection: Selection,
    window: Window,
    *,
    step: Step,
    zone: ZoneInfo,
    most: int,
) -> dict[datetime, Sums]:
    """The sums by the start of their minute, hour or day in ``zone``: the latest ``most`` of them."""
    found = await _series_of(connection, cells, selection, window, step=step, zone=zone, most=most)
    if cells.returned:
        returned = await _series_of(
            connection, cells.returned, selection, window, step=step, zone=zone, most=most
        )
        for start, row in returned.items():
            found.setdefault(start, {}).update(row)
    return found


async def _series_of(
    connection: Connection,
    cells: Cells,
    selection: Selection,
    window: Window,
    *,
    step: Step,
    zone: ZoneInfo,
    most: int,
) -> dict[datetime, Sums]:
    args: list[Any] = [step, zone.key]
    measures = ", ".join(f"sum({name})::bigint as {name}" for name in cells.measures)
    inner = ", ".join(f"sum(c.{name}) as {name}" for name in cells.measures)
    # What a zone makes of an instant is slow to find. Zones differ by whole quarters of an hour, so
    # it is asked once for each of these.
    bin_ = "c.minute" if step == "minute" else "date_bin('15 minutes', c.minute, 'epoch')"
    query = f"""
        select date_trunc($1, c.at, $2) as at, {measures}
        from (
            select {bin_} as at, {inner} from {cells.table} c {cells.joins}
            where {_within(window, args)} and {_selected(cells, selection, args)}
            group by 1
        ) c
        group by 1 order by 1 desc limit {_parameter(args, most)}
    """  # noqa: S608 - made of this module's own names; every value is a parameter
    found: dict[datetime, Sums] = {}
    for row in await connection.fetch(query, *args):
        # Where the clocks go back over a start, PostgreSQL takes the second: ours is the first.
        start = found.setdefault(floor(row["at"], step, zone), dict.fromkeys(cells.measures, 0))
        for name in cells.measures:
            start[name] += row[name]
    return found


async def currencies(
    connection: Connection, selection: Selection, window: Window
) -> list[tuple[str, int]]:
    """The currencies of the selection with their receipts, most first, then by code."""
    any_currency = Selection(
        store_id=selection.store_id, device=selection.device, region=selection.region
    )
    found = await sums(connection, RECEIPTS, any_currency, window, [("currency",)])
    counts = {key[0]: row.get("receipts", 0) for key, row in found["currency",].items()}
    if not counts:
        # Decisions come before the first receipt.
        found = await sums(connection, INSTRUMENTS, any_currency, window, [("currency",)])
        counts = dict.fromkeys((key[0] for key in found["currency",]), 0)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


async def as_of(connection: Connection) -> tuple[datetime, datetime | None]:
    """The instant of this reading, and until when everything in the log has been counted.

    The latter is None before the first batch. Both by the clocks of the servers.
    """
    row = await connection.fetchrow(
        "select now() as at, case when bool_and(read_until is not null) then min(read_until) end"
        " as counted from offsets"
    )
    assert row is not None  # noqa: S101 - an aggregate without groups has one row
    return row["at"], row["counted"]


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
    campaigns = await connection.fetch(
        """
        select campaign_id as id, coalesce(c.name, campaign_id) as name, coalesce(status, 'unknown') as status
        from (select campaign_id from campaigns union select campaign_id from offers) known
        left join campaigns c using (campaign_id)
        order by 2, 1 limit $1
        """,
        most,
    )
    stores = await connection.fetch(
        """
        select store_id as id, coalesce(s.name, store_id) as name
        from (select store_id from stores union select store_id from places) known
        left join stores s using (store_id)
        order by 2, 1 limit $1
        """,
        most,
    )
    devices = await connection.fetch("select distinct device as id from places order by 1")
    regions = await connection.fetch(
        "select distinct region as id from places order by 1 limit $1", most
    )
    return {
        "campaigns": [dict(row) for row in campaigns],
        "stores": [dict(row) for row in stores],
        "devices": [{"id": row["id"], "name": row["id"]} for row in devices],
        "regions": [{"id": row["id"], "name": row["id"]} for row in regions],
    }


def _within(window: Window, args: list[Any]) -> str:
    """The condition on the minute; adds its values to ``args``."""
    conditions = ["true"]
    if window.since is not None:
        conditions.append(f"minute >= {_parameter(args, window.since)}")
    if window.until is not None:
        conditions.append(f"minute < {_parameter(args, window.until)}")
    return " and ".join(conditions)


def _selected(cells: Cells, selection: Selection, args: list[Any]) -> str:
    """The conditions of the selection that the cells know of; adds their values to ``args``."""
    conditions = ["true"]
    for column, expression in cells.columns.items():
        value = getattr(selection, column, None)
        if value is not None:
            conditions.append(f"{expression} = {_parameter(args, value)}")
    return " and ".join(conditions)


def _parameter(args: list[Any], value: object) -> str:
    args.append(value)
    return f"${len(args)}"


def _bits(columns: Sequence[str], grouping: Grouping) -> int:
    """What ``grouping(columns…)`` gives for a grouping: a bit for every column left out."""
    bits = 0
    for column in columns:
        bits = bits << 1 | (column not in grouping)
    return bits
