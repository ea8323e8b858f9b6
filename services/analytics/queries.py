"""The sums that are read: of the widest and longest levels that can tell, of minutes where none can.

Names are not joined: which numbers a question is about, and what they stand for, is known before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
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
    Level,
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
_FEW_SPANS = 4
_WHERES: tuple[Where, ...] = ("place", "area", "device", "everywhere")
_WHATS = {
    "offer_id": ("offers", OFFER_COLUMNS),
    "refusal_kind_id": ("refusal_kinds", REFUSAL_KIND_COLUMNS),
}
_COUNTS = """
select (select count(*) from places), (select count(*) from offers),
    (select count(*) from refusal_kinds)
"""


@dataclass(frozen=True, eq=False)
class Known:
    """Every place, and every offer and refusal kind (by their columns), as of a transaction."""

    places: Sequence[Named]
    whats: Mapping[str, Sequence[Named]]

    @lru_cache(maxsize=256)  # noqa: B019 - a few of them live at any time
    def places_of(self, where: Where, selection: Selection, grouping: Grouping) -> Chosen:
        """The places of that width that are selected."""
        return dimensions.places(self.places, where, selection, grouping)

    @lru_cache(maxsize=256)  # noqa: B019
    def whats_of(self, column: str, what: What, selection: Selection, grouping: Grouping) -> Chosen:
        """The offers or refusal kinds of that width that are selected."""
        return dimensions.whats(self.whats[column], what, selection, grouping)


@dataclass
class Memory:
    """What was known when it was last read: as rows are only ever added, as many are the same."""

    _known: Known | None = None
    _counts: tuple[int, ...] = ()

    async def known(self, connection: Connection) -> Known:
        """What there is to ask about, as of the transaction."""
        counts = tuple(await connection.fetchrow(_COUNTS) or ())
        if self._known is None or counts != self._counts:
            self._known, self._counts = await _known(connection), counts
        return self._known


@dataclass
class _Statement:
    """Text and values of a statement that is being made."""

    values: list[Any] = field(default_factory=list)

    def parameter(self, value: object, type_: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{type_}"


async def _known(connection: Connection) -> Known:
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
    """The sums of a selection, as of a transaction; there are none outside of ``extent``."""

    connection: Connection
    known: Known
    extent: Window
    selection: Selection

    async def sums(
        self, subject: Subject, window: Window, grouping: Grouping = ()
    ) -> Mapping[Key, Sums]:
        """The sums by the values of the grouping's columns; of ``()``, which is everything.

        Money is minor units, of all currencies unless the selection names one. A key without sums
        is absent.
        """
        levels = self._levels(subject[0], grouping)
        within = self._within(window)
        if within is None:
            return {}
        statement = _Statement()
        keys: list[Key] = [] if grouping else [()]
        parts = [
            self._part(kind, subject, levels[hours], those, statement, (grouping, keys))
            for hours, those in _by_hours(spans(within, _longest_first(levels)))
            for kind in subject
        ]
        measures = _measures(subject)
        sums = ", ".join(f"sum({name})::bigint" for name in measures)
        sql = f"select key, {sums} from ({' union all '.join(parts)}) p group by 1"  # noqa: S608
        rows = map(tuple, await self.connection.fetch(sql, *statement.values))
        return {keys[row[0]]: dict(zip(measures, row[1:], strict=True)) for row in rows}

    async def series(
        self, subject: Subject, window: Window, *, step: Step, zone: ZoneInfo, most: int
    ) -> Mapping[datetime, Sums]:
        """The sums by the start of their minute, hour or day in ``zone``: the latest ``most`` of them."""
        levels = self._levels(subject[0], ())
        within = self._within(window)
        if within is None:
            return {}
        statement = _Statement()
        parts = [
            self._part(kind, subject, levels[hours], those, statement, step)
            for hours, those in _by_hours(
                spans_of_series(within, _longest_first(levels), step=step, zone=zone)
            )
            for kind in subject
        ]
        measures = _measures(subject)
        sums = ", ".join(f"sum({name})::bigint" for name in measures)
        sql = f"""
            select date_trunc({statement.parameter(step, "text")}, key,
                {statement.parameter(zone.key, "text")}) as start, {sums}
            from ({" union all ".join(parts)}) p
            group by 1 order by 1 desc limit {statement.parameter(most, "int")}
        """  # noqa: S608
        found: dict[datetime, dict[str, int]] = {}
        for row in map(tuple, await self.connection.fetch(sql, *statement.values)):
            # Where the clocks go back over a start, PostgreSQL takes the second: ours is the first.
            start = found.setdefault(floor(row[0], step, zone), dict.fromkeys(measures, 0))
            for name, value in zip(measures, row[1:], strict=True):
                start[name] += value
        return found

    def _levels(self, kind: Kind, grouping: Grouping) -> Mapping[int, Level]:
        """The widest levels that tell what is selected and grouped, by their hours; 0: the minutes."""
        where = dimensions.where_of([*self.selection.of(PLACE_COLUMNS), *grouping])
        what: What = "each"
        if kind.what:
            what = dimensions.what_of([*self.selection.of(_WHATS[kind.what][1]), *grouping])
        return _levels_that_tell(kind, what, where)

    def _part(
        self,
        kind: Kind,
        subject: Subject,
        level: Level,
        those: Sequence[Span],
        statement: _Statement,
        by: tuple[Grouping, list[Key]] | Step,
    ) -> str:
        """The sums of a level in some spans by ``key``: a number of keys, or the time.

        They have the columns of all measures of the subject; keys that it has not met are added.
        """
        hours = level[0]
        time = "at" if hours else "minute"
        conditions = [f"hours = {hours}"] if hours else []
        join, key = "", "0"
        grouping, keys = ((), []) if isinstance(by, str) else by
        if isinstance(by, str):
            # What a zone makes of an instant is slow to find. Zones differ by whole quarters of an
            # hour, so it is asked once for each of these.
            coarse = not hours and by != "minute"
            key = f"date_bin('15 minutes', {time}, 'epoch')" if coarse else time
        for column, chosen, grouped in self._chosen(kind, level, grouping):
            if chosen.everything and not hours and not grouped:
                continue
            numbers = statement.parameter(list(chosen.keys), "int[]")
            if hours or not chosen.everything:
                conditions.append(f"{column} = any({numbers})")
            if grouped:
                positions = statement.parameter(_positions(chosen.keys.values(), keys), "int[]")
                join = f"join unnest({numbers}, {positions}) k ({column}, key) using ({column})"
                key = "k.key"
        sums = ", ".join(
            f"sum(c.{name})::bigint as {name}" if name in kind.measures else f"0 as {name}"
            for name in _measures(subject)
        )
        table = kind.levels if hours else kind.cells
        return f"""
            select {key} as key, {sums}
            from {_rows(table, conditions, time, those, statement)} c {join} group by 1
        """  # noqa: S608 - made of names of ours; every value is a parameter

    def _chosen(
        self, kind: Kind, level: Level, grouping: Grouping
    ) -> Iterable[tuple[str, Chosen, bool]]:
        """The columns of numbers, which numbers are asked for, and whether they are grouped by."""
        _, what, where = level
        of_places = tuple(column for column in grouping if column in PLACE_COLUMNS)
        of_whats = tuple(column for column in grouping if column not in PLACE_COLUMNS)
        yield "place_id", self.known.places_of(where, self.selection, of_places), bool(of_places)
        if kind.what:
            chosen = self.known.whats_of(kind.what, what, self.selection, of_whats)
            yield kind.what, chosen, bool(of_whats)

    def _within(self, window: Window) -> Window | None:
        """The window as far as there is anything in it."""
        first, last = self.extent.since, self.extent.until
        if first is None or last is None:
            return None
        since = max(window.since or first, first)
        until = min(window.until or last, last)
        return Window(since, until) if since < until else None


async def extent(connection: Connection, known: Known) -> Window:
    """From the first day (UTC) that has anything to the end of the last; without both if none has."""
    statement = _Statement()
    wide = known.places_of("everywhere", Selection(), ())
    places = statement.parameter(list(wide.keys), "int[]")
    days = []
    for kind in (*SALES, *USES, *REFUSED):
        condition = f"hours = 24 and place_id = any({places})"
        if kind.what:
            all_of_it = known.whats_of(kind.what, "all", Selection(), ())
            condition += (
                f" and {kind.what} = any({statement.parameter(list(all_of_it.keys), 'int[]')})"
            )
        days.append(f"select min(at), max(at) from {kind.levels} where {condition}")  # noqa: S608
    row = await connection.fetchrow(
        f"select min(first), max(last) + interval '24 hours'"  # noqa: S608
        f" from ({' union all '.join(days)}) d (first, last)",
        *statement.values,
    )
    assert row is not None  # noqa: S101 - an aggregate without groups has one row
    return Window(row[0], row[1])


def _measures(subject: Subject) -> tuple[str, ...]:
    return tuple(name for kind in subject for name in kind.measures)


@cache
def _levels_that_tell(kind: Kind, what: What, where: Where) -> Mapping[int, Level]:
    found: dict[int, Level] = {0: (0, "each", "place")}
    narrow_enough = _WHERES[: _WHERES.index(where) + 1]
    for level in levels_of(kind):  # the finest first: the widest stays
        if level[1] == what and level[2] in narrow_enough:
            found[level[0]] = level
    return found


def _longest_first(levels: Mapping[int, Level]) -> tuple[int, ...]:
    return tuple(sorted((hours for hours in levels if hours), reverse=True))


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


def _rows(
    table: str, conditions: list[str], time: str, those: Sequence[Span], statement: _Statement
) -> str:
    """The rows of a table in one of the spans."""
    select = f"select * from {table} where {' and '.join(['true', *conditions])}"  # noqa: S608
    if len(those) > _FEW_SPANS:
        # Each span by itself, by the index; PostgreSQL would read the whole table for all of them.
        since = statement.parameter([one.since for one in those], "timestamptz[]")
        until = statement.parameter([one.until for one in those], "timestamptz[]")
        within = f"{time} >= s.since and {time} < s.until offset 0"
        return (
            f"unnest({since}, {until}) s (since, until) cross join lateral ({select} and {within})"
        )
    ranges = [
        f"{time} >= {statement.parameter(one.since, 'timestamptz')}"
        f" and {time} < {statement.parameter(one.until, 'timestamptz')}"
        for one in those
    ]
    return f"({select} and ({' or '.join(ranges)}))"
