"""Answers to questions about the statistics, each read within one transaction: one instant."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import asyncpg

from services.analytics import figures, queries
from services.analytics.queries import INSTRUMENTS, RECEIPTS, REFUSALS, Cells, Selection
from services.analytics.window import Period, Step, Window, before, buckets, of_period, step_of
from shared.database import Connection

Dimension = Literal["store", "device", "region"]

_SETTINGS = "set local statement_timeout = '20s'"
_COLUMN: Mapping[Dimension, str] = {"store": "store_id", "device": "device", "region": "region"}
_OFFER = ("campaign_id", "instrument_id")
_EVERYTHING = Selection()
_ALWAYS = Window()
_NO_CURRENCY = "none"  # matches nothing, so that amounts of several are never added


@dataclass(frozen=True)
class Question:
    """What is asked: of which cells, when, in how many rows. The same question has one answer.

    Either ``period`` or ``window`` says when. ``step`` None: one that gives a readable chart.
    """

    selection: Selection = _EVERYTHING
    window: Window = _ALWAYS
    period: Period | None = None
    time_zone: str = "UTC"
    step: Step | None = None
    limit: int = 100

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days and hours count."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True)
class Reading:
    """An open transaction that answers one question; its head is what every answer has."""

    connection: Connection
    question: Question
    selection: Selection
    window: Window
    now: datetime
    head: Mapping[str, Any]

    async def totals(self) -> figures.TotalsAnswer:
        """The totals of all, and of the window before."""
        receipts = await self._sums(RECEIPTS, ())
        uses = await self._sums(INSTRUMENTS, ())
        refusals = await self._sums(REFUSALS, ("reason",))
        return figures.TotalsAnswer(
            **self.head,
            totals=figures.totals_of(
                receipts[()].get((), {}),
                uses[()].get((), {}),
                figures.refusals_of(refusals["reason",]),
            ),
            previous=await self._previous(),
        )

    async def series(self) -> figures.SeriesAnswer:
        """The totals over time."""
        step, points = await self._points()
        return figures.SeriesAnswer(**self.head, step=step, points=points)

    async def by(self, dimension: Dimension) -> figures.PlacesAnswer:
        """The totals by store, device or region."""
        grouping = (_COLUMN[dimension],)
        receipts = await self._sums(RECEIPTS, grouping)
        uses = await self._sums(INSTRUMENTS, grouping)
        rows = figures.place_rows(receipts[grouping], uses[grouping], {})
        limit = self.question.limit
        return figures.PlacesAnswer(
            **self.head,
            rows=await self._named(rows[:limit]) if dimension == "store" else rows[:limit],
            truncated=len(rows) > limit,
        )

    async def instruments(self) -> figures.InstrumentsAnswer:
        """The totals by instrument, with the reasons of its refusals."""
        uses = await self._sums(INSTRUMENTS, _OFFER)
        refusals = await self._sums(REFUSALS, (*_OFFER, "reason"))
        rows = await self._instrument_rows(uses[_OFFER], refusals[*_OFFER, "reason"])
        limit = self.question.limit
        return figures.InstrumentsAnswer(
            **self.head, rows=rows[:limit], truncated=len(rows) > limit
        )

    async def refusals(self) -> figures.RefusalsAnswer:
        """Refusals by reason."""
        refusals = await self._sums(REFUSALS, ("reason",))
        return figures.RefusalsAnswer(**self.head, rows=figures.refusals_of(refusals["reason",]))

    async def snapshot(self) -> figures.Snapshot:
        """All of the above, with one pass over each table for everything but time."""
        places = [(column,) for column in _COLUMN.values()]
        receipts = await self._sums(RECEIPTS, (), *places)
        uses = await self._sums(INSTRUMENTS, (), *places, _OFFER)
        refusals = await self._sums(REFUSALS, ("reason",), (*_OFFER, "reason"))
        rows = {
            dimension: figures.place_rows(receipts[column,], uses[column,], {})
            for dimension, column in _COLUMN.items()
        }
        instruments = await self._instrument_rows(uses[_OFFER], refusals[*_OFFER, "reason"])
        step, points = await self._points()
        limit = self.question.limit
        return figures.Snapshot(
            **self.head,
            totals=figures.totals_of(
                receipts[()].get((), {}),
                uses[()].get((), {}),
                figures.refusals_of(refusals["reason",]),
            ),
            previous=await self._previous(),
            step=step,
            points=points,
            stores=await self._named(rows["store"][:limit]),
            devices=rows["device"][:limit],
            regions=rows["region"][:limit],
            instruments=instruments[:limit],
            truncated=max(len(instruments), *map(len, rows.values())) > limit,
        )

    async def _sums(
        self, cells: Cells, *groupings: queries.Grouping
    ) -> dict[queries.Grouping, dict[queries.Key, queries.Sums]]:
        return await queries.sums(self.connection, cells, self.selection, self.window, groupings)

    async def _previous(self) -> figures.Previous | None:
        question = self.question
        window = before(self.window, question.period, self.now, question.zone)
        if window is None or window.since is None or window.until is None:
            return None
        found = [
            (await queries.sums(self.connection, cells, self.selection, window, [()]))[()]
            for cells in (RECEIPTS, INSTRUMENTS)
        ]
        return figures.Previous(
            from_=window.since,
            to=window.until,
            receipts=figures.receipts_of(found[0].get((), {})),
            instruments=figures.uses_of(found[1].get((), {})),
        )

    async def _points(self) -> tuple[Step, tuple[figures.Point, ...]]:
        question = self.question
        step = question.step or step_of(self.window, question.period, self.now)
        receipts, uses = [
            await queries.series(
                self.connection,
                cells,
                self.selection,
                self.window,
                step=step,
                zone=question.zone,
                most=MOST_POINTS,
            )
            for cells in (RECEIPTS, INSTRUMENTS)
        ]
        starts = buckets(
            receipts.keys() | uses.keys(),
            self.window,
            now=self.now,
            step=step,
            zone=question.zone,
            most=MOST_POINTS,
        )
        return step, figures.points_of(starts, receipts, uses)

    async def _named(self, rows: tuple[figures.PlaceRow, ...]) -> tuple[figures.PlaceRow, ...]:
        names = await queries.store_names(self.connection, [row.id for row in rows])
        return tuple(row.model_copy(update={"name": names.get(row.id, row.id)}) for row in rows)

    async def _instrument_rows(
        self,
        uses: Mapping[queries.Key, queries.Sums],
        refusals: Mapping[queries.Key, queries.Sums],
    ) -> tuple[figures.InstrumentRow, ...]:
        campaign_ids = sorted({key[0] for key in (*uses, *refusals)})
        return figures.instrument_rows(
            uses,
            refusals,
            await queries.campaign_names(self.connection, campaign_ids),
            await queries.instrument_names(self.connection, campaign_ids),
        )


MOST_POINTS = 1_500
"""A series has no more points: a day of minutes, two months of hours."""


@asynccontextmanager
async def reading(pool: asyncpg.Pool, question: Question, now: datetime) -> AsyncIterator[Reading]:
    """A reading of one instant of the statistics.

    Raises ``asyncpg.QueryCanceledError`` when a query takes longer than 20 s.
    """
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(_SETTINGS)
        window = question.window
        if question.period is not None:
            window = of_period(question.period, now, question.zone)
        found = await queries.currencies(connection, question.selection, window)
        currency = question.selection.currency or (found[0][0] if found else None)
        read_at, counted_until = await queries.as_of(connection)
        yield Reading(
            connection=connection,
            question=question,
            selection=replace(question.selection, currency=currency or _NO_CURRENCY),
            window=window,
            now=now,
            head={
                "as_of": read_at,
                "counted_until": counted_until,
                "from_": window.since,
                "to": window.until,
                "period": question.period,
                "time_zone": question.time_zone,
                "currency": currency,
                "currencies": tuple(
                    figures.CurrencyCount(currency=code, receipts=count) for code, count in found
                ),
            },
        )
