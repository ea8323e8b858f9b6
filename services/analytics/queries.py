"""The sums that are read: of the widest and longest levels that can tell, of minutes where none can.

Names are not joined: which numbers a question is about, and what they stand for, is known before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from services.analytics import dimensions
from services.analytics.cells import (
    INSTRUMENTS,
    RECEIPTS,
    REFUSALS,
    RETURNS,
    TAKE_BACKS,
    Kind,
    What,
    Where,
    levels_of,
)
from services.analytics.dimensions import (
    OFFER_COLUMNS,
    PLACE_COLUMNS,
    REFUSAL_KIND_COLUMNS,
    Chosen,
    Key,
    Named,
    Selection,
)
from services.analytics.window import Span, Step, Window, floor, spans, spans_of_series
from shared.database import Connection

Sums = Mapping[str, int]
Grouping = tuple[str, ...]
Subject = tuple[Kind, ...]
"""Kinds of sums that are asked for together: what was sold, and what returns took back of it."""

SALES: Subject = (RECEIPTS, RETURNS)
USES: Subject = (INSTRUMENTS, TAKE_BACKS)
REFUSED: Subject = (REFUSALS,)
_DAY = timedelta(days=1)
_FEW_SPANS = 4
_WHATS = {
    "offer_id": ("offers", OFFER_COLUMNS),
    "refusal_kind_id": ("refusal_kinds", REFUSAL_KIND_COLUMNS),
}


@dataclass(frozen=True)
class Known:
    """Every place, and every offer and refusal kind (by their columns), as of a transaction."""

    places: Sequence[Named]
    whats: Mapping[str, Sequence[Named]]


@dataclass
class _Statement:
    """Text and values of a statement that is being made."""

    values: list[Any] = field(default_factory=list)

    def parameter(self, value: object, type_: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{type_}"


async def known(connection: Connection) -> Known:
    """What there is to ask about."""
    return Known(
        await _named(connection, "places", "place_id", PLACE_COLUMNS),
        {
            column: await _named(connection, table, column, columns)
            for column, (table, columns) in _WHATS.items()
        },
    )


async def _named(
    connection: Connection, table: str, number: str, columns: tuple[str, ...]
) -> list[Named]:
    rows = await connection.fetch(
        f"select {number}, {', '.join(columns)} from {table}"  # noqa: S608 - names of ours
    )
    return [Named(row[0], dict(zip(columns, row[1:], strict=True))) for row in map(tuple, rows)]


@dataclass(frozen=True)
class Cube:
    """The sums of a selection, as of a transaction."""

    connection: Connection
    known: Known
    selection: Selection

    async def sums(
        self, subject: Subject, window: Window, grouping: Grouping = ()
    ) -> Mapping[Key, Sums]:
        """The sums by the values of the grouping's columns; of ``()``, which is everything.

        Money is minor units, of all currencies unless the selection names one. A key without sums
        is absent, and so are the measures that it has none of.
        """
        found: dict[Key, dict[str, int]] = {}
        for kind in subject:
            for key, row in (await self._sums(kind, window, grouping)).items():
                found.setdefault(key, {}).update(row)
        return found

    async def _sums(self, kind: Kind, window: Window, grouping: Grouping) -> Mapping[Key, Sums]:
        where, what = self._width(kind, grouping)
        statement = _Statement()
        keys: list[Key] = []
        parts = [
            self._part(kind, (what, where), (hours, those), grouping, statement, keys)
            for hours, those in _by_hours(spans(window, _hours(kind, what, where)))
        ]
        sums = ", ".join(f"sum({name})::bigint" for name in kind.measures)
        sql = f"select key, {sums} from ({' union all '.join(parts)}) p group by 1"  # noqa: S608
        found: dict[Key, dict[str, int]] = {}
        for row in await self.connection.fetch(sql, *statement.values) if parts else ():
            _add(found.setdefault(keys[row[0]], {}), kind, tuple(row)[1:])
        return found

    async def series(
        self, subject: Subject, window: Window, *, step: Step, zone: ZoneInfo, most: int
    ) -> Mapping[datetime, Sums]:
        """The sums by the start of their minute, hour or day in ``zone``: the latest ``most`` of them."""
        found: dict[datetime, dict[str, int]] = {}
        for kind in subject:
            for start, row in (await self._series(kind, window, step, zone, most)).items():
                found.setdefault(start, {}).update(row)
        return found

    async def _series(
        self, kind: Kind, window: Window, step: Step, zone: ZoneInfo, most: int
    ) -> Mapping[datetime, Sums]:
        where, what = self._width(kind, ())
        bounded = await self._bounded(window)
        hours = _hours(kind, what, where)
        statement = _Statement()
        parts = [
            self._part(kind, (what, where), part, None, statement, [], step)
            for part in _by_hours(spans_of_series(bounded, hours, step=step, zone=zone))
        ]
        sums = ", ".join(f"sum({name})::bigint" for name in kind.measures)
        sql = f"""
            select date_trunc({statement.parameter(step, "text")}, key,
                {statement.parameter(zone.key, "text")}) as start, {sums}
            from ({" union all ".join(parts)}) p
            group by 1 order by 1 desc limit {statement.parameter(most, "int")}
        """  # noqa: S608
        found: dict[datetime, dict[str, int]] = {}
        for row in await self.connection.fetch(sql, *statement.values) if parts else ():
            # Where the clocks go back over a start, PostgreSQL takes the second: ours is the first.
            _add(found.setdefault(floor(row[0], step, zone), {}), kind, tuple(row)[1:])
        return found

    def _width(self, kind: Kind, grouping: Grouping) -> tuple[Where, What]:
        """How narrow sums must be, to tell what is selected and grouped."""
        where = dimensions.where_of([*self.selection.of(PLACE_COLUMNS), *grouping])
        if not kind.what:
            return where, "each"
        columns = _WHATS[kind.what][1]
        return where, dimensions.what_of([*self.selection.of(columns), *grouping])

    def _part(
        self,
        kind: Kind,
        width: tuple[What, Where],
        part: tuple[int, Sequence[Span]],
        grouping: Grouping | None,
        statement: _Statement,
        keys: list[Key],
        step: Step = "minute",
    ) -> str:
        """The sums of some spans of the same level by ``key``: a number of ``keys``, or (no grouping) the time."""
        hours, those = part
        what, where = width if hours else ("each", "place")
        time = "at" if hours else "minute"
        conditions = [f"hours = {hours}"] if hours else []
        join, key = "", "0"
        if grouping is None:
            # What a zone makes of an instant is slow to find. Zones differ by whole quarters of an
            # hour, so it is asked once for each of these.
            coarse = not hours and step != "minute"
            key = f"date_bin('15 minutes', {time}, 'epoch')" if coarse else time
        elif not grouping:
            keys[:] = [()]
        for column, chosen, grouped in self._chosen(kind, what, where, grouping or ()):
            if chosen.everything and not hours and not grouped:
                continue
            numbers = statement.parameter(list(chosen.keys), "int[]")
            if hours or not chosen.everything:
                conditions.append(f"{column} = any({numbers})")
            if grouped:
                positions = statement.parameter(_positions(chosen.keys.values(), keys), "int[]")
                join = f"join unnest({numbers}, {positions}) k ({column}, key) using ({column})"
                key = "k.key"
        source, within = _within(time, those, statement)
        sums = ", ".join(f"sum(c.{name})::bigint as {name}" for name in kind.measures)
        return f"""
            select {key} as key, {sums}
            from {source}{kind.levels if hours else kind.cells} c {join}
            where {" and ".join([*conditions, within])} group by 1
        """  # noqa: S608 - made of names of ours; every value is a parameter

    def _chosen(
        self, kind: Kind, what: What, where: Where, grouping: Grouping
    ) -> Iterable[tuple[str, Chosen, bool]]:
        """The columns of numbers, which numbers are asked for, and whether they are grouped by."""
        of_places = [column for column in grouping if column in PLACE_COLUMNS]
        of_whats = [column for column in grouping if column not in PLACE_COLUMNS]
        chosen = dimensions.places(self.known.places, where, self.selection, of_places)
        yield "place_id", chosen, bool(of_places)
        if kind.what:
            known = self.known.whats[kind.what]
            chosen = dimensions.whats(known, what, self.selection, of_whats)
            yield kind.what, chosen, bool(of_whats)

    async def _bounded(self, window: Window) -> Window:
        """The window from the first day that has anything to the end of the last."""
        if window.since is not None and window.until is not None:
            return window
        first, last = await extent(self.connection, self.known)
        if first is None or last is None:
            return Window(window.since or window.until, window.until or window.since)
        return Window(window.since or first, window.until or last + _DAY)


async def extent(connection: Connection, known: Known) -> tuple[datetime | None, datetime | None]:
    """The first and the last day (UTC) that have anything."""
    everywhere = dimensions.places(known.places, "everywhere", Selection(), ())
    all_ = {
        column: dimensions.whats(known.whats[column], "all", Selection(), ()) for column in _WHATS
    }
    statement = _Statement()
    places = statement.parameter(list(everywhere.keys), "int[]")
    of = {column: statement.parameter(list(one.keys), "int[]") for column, one in all_.items()}
    days = " union all ".join(
        f"select min(at) as first, max(at) as last from {kind.levels}"  # noqa: S608
        f" where hours = 24 and place_id = any({places})"
        + (f" and {kind.what} = any({of[kind.what]})" if kind.what else "")
        for kind in (*SALES, *USES, *REFUSED)
    )
    row = await connection.fetchrow(
        f"select min(first), max(last) from ({days}) d",  # noqa: S608
        *statement.values,
    )
    assert row is not None  # noqa: S101 - an aggregate without groups has one row
    return row[0], row[1]


@cache
def _hours(kind: Kind, what: What, where: Where) -> tuple[int, ...]:
    """How long the levels are that tell this, longest first."""
    kept = (hours for hours, *width in levels_of(kind) if width == [what, where])
    return tuple(sorted(kept, reverse=True))


def _by_hours(those: Iterable[Span]) -> Iterable[tuple[int, Sequence[Span]]]:
    found: dict[int, list[Span]] = {}
    for one in those:
        found.setdefault(one.hours, []).append(one)
    return found.items()


def _positions(wanted: Iterable[Key], keys: list[Key]) -> list[int]:
    """The position of each in ``keys``, to which new ones are added."""
    known = {key: position for position, key in enumerate(keys)}
    found = [known.setdefault(key, len(known)) for key in wanted]
    keys[:] = known
    return found


def _within(time: str, those: Sequence[Span], statement: _Statement) -> tuple[str, str]:
    """What is read besides, and the condition that rows are in one of the spans."""
    if len(those) > _FEW_SPANS:
        since = statement.parameter([one.since for one in those], "timestamptz[]")
        until = statement.parameter([one.until for one in those], "timestamptz[]")
        return (
            f"unnest({since}, {until}) s (since, until) cross join ",
            f"{time} >= s.since and {time} < s.until",
        )
    ranges = []
    for one in those:
        bounds = ["true"]
        if one.since is not None:
            bounds.append(f"{time} >= {statement.parameter(one.since, 'timestamptz')}")
        if one.until is not None:
            bounds.append(f"{time} < {statement.parameter(one.until, 'timestamptz')}")
        ranges.append(" and ".join(bounds))
    return "", f"({' or '.join(ranges)})"


def _add(sums: dict[str, int], kind: Kind, values: Sequence[int]) -> None:
    for name, value in zip(kind.measures, values, strict=True):
        sums[name] = sums.get(name, 0) + value
