"""Answers to questions about the statistics, each read within one transaction: one instant."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import asyncpg

from services.analytics import figures, names, tables
from services.analytics.dimensions import OFFER_COLUMNS, REFUSAL_KIND_COLUMNS, Key, Selection
from services.analytics.freshness import Ends, freshness
from services.analytics.queries import REFUSED, SALES, USES, Cube, Grouping, Memory, Sums, extent
from services.analytics.window import Period, Step, Window, before, buckets, of_period, step_of
from shared.database import Connection

Dimension = Literal["store", "device", "region"]

MOST_POINTS = 1_500
"""A series has no more points: a day of minutes, two months of hours."""
# Levels are read by their keys, in what is mostly in memory.
_SETTINGS = """
select set_config('statement_timeout', '20s', true), set_config('random_page_cost', '1.1', true)
"""
_COLUMN: Mapping[Dimension, str] = {"store": "store_id", "device": "device", "region": "region"}
_EVERYTHING = Selection()
_ALWAYS = Window()
_NO_CURRENCY = "none"  # matches nothing, so that amounts of several are never added


@dataclass(frozen=True)
class Question:
    """What is asked: of which sums, when, in how many rows. The same question has one answer.

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

    cube: Cube
    question: Question
    window: Window
    now: datetime
    head: Mapping[str, Any]

    @property
    def connection(self) -> Connection:
        """That of the transaction."""
        return self.cube.connection

    @property
    def selection(self) -> Selection:
        """What is counted, of the one currency that was chosen."""
        return self.cube.selection

    async def totals(self) -> figures.TotalsAnswer:
        """The totals of all, and of the window before."""
        reasons = tables.refusals_of(await self.cube.sums(REFUSED, self.window, ("reason",)))
        return figures.TotalsAnswer(
            **self.head,
            totals=await self._totals(reasons),
            previous=await self._previous(),
        )

    async def series(self) -> figures.SeriesAnswer:
        """The totals over time."""
        step, points = await self._points()
        return figures.SeriesAnswer(**self.head, step=step, points=points)

    async def by(self, dimension: Dimension) -> figures.PlacesAnswer:
        """The totals by store, device or region."""
        rows = await self._places(dimension)
        return figures.PlacesAnswer(**self.head, **await self._cut_places(dimension, rows))

    async def campaigns(self) -> figures.CampaignsAnswer:
        """The totals by campaign."""
        uses = await self.cube.sums(USES, self.window, OFFER_COLUMNS[:1])
        return figures.CampaignsAnswer(**self.head, **self._cut(await self._campaigns(uses)))

    async def codes(self) -> figures.CodesAnswer:
        """The totals by the emission of the code."""
        uses = await self.cube.sums(USES, self.window, OFFER_COLUMNS[2:])
        return figures.CodesAnswer(**self.head, **self._cut(tables.code_rows(uses)))

    async def instruments(self) -> figures.InstrumentsAnswer:
        """The totals by instrument, with the reasons of its refusals."""
        uses = await self.cube.sums(USES, self.window, OFFER_COLUMNS[:2])
        refused = await self.cube.sums(REFUSED, self.window, REFUSAL_KIND_COLUMNS)
        return figures.InstrumentsAnswer(
            **self.head, **self._cut(await self._instruments(uses, refused))
        )

    async def refusals(self) -> figures.RefusalsAnswer:
        """Refusals by reason."""
        refused = await self.cube.sums(REFUSED, self.window, ("reason",))
        return figures.RefusalsAnswer(**self.head, rows=tables.refusals_of(refused))

    async def snapshot(self) -> figures.Snapshot:
        """All of the above."""
        uses = await self.cube.sums(USES, self.window, OFFER_COLUMNS)
        refused = await self.cube.sums(REFUSED, self.window, REFUSAL_KIND_COLUMNS)
        instruments = await self._instruments(tables.by(uses, 0, 1), refused)
        campaigns = await self._campaigns(tables.by(uses, 0))
        codes = tables.code_rows(tables.by(uses, 2))
        places = {dimension: await self._places(dimension) for dimension in _COLUMN}
        step, points = await self._points()
        limit = self.question.limit
        return figures.Snapshot(
            **self.head,
            totals=await self._totals(tables.refusals_of(tables.by(refused, 2))),
            previous=await self._previous(),
            step=step,
            points=points,
            stores=(await self._cut_places("store", places["store"]))["rows"],
            devices=places["device"][:limit],
            regions=places["region"][:limit],
            campaigns=campaigns[:limit],
            instruments=instruments[:limit],
            codes=codes[:limit],
            truncated=max(map(len, (instruments, campaigns, codes, *places.values()))) > limit,
        )

    async def _totals(self, reasons: tuple[figures.Refusals, ...]) -> figures.Totals:
        sales = await self.cube.sums(SALES, self.window)
        uses = await self.cube.sums(USES, self.window)
        return tables.totals_of(sales.get((), {}), uses.get((), {}), reasons)

    async def _previous(self) -> figures.Previous | None:
        question = self.question
        window = before(self.window, question.period, self.now, question.zone)
        if window is None or window.since is None or window.until is None:
            return None
        sales, uses, refused = [
            (await self.cube.sums(subject, window)).get((), {})
            for subject in (SALES, USES, REFUSED)
        ]
        return figures.Previous(
            from_=window.since,
            to=window.until,
            receipts=tables.receipts_of(sales),
            instruments=tables.uses_and_refusals_of(uses, refused),
        )

    async def _points(self) -> tuple[Step, tuple[figures.Point, ...]]:
        question = self.question
        step = question.step or step_of(self.window, question.period, self.now)
        sales, uses = [
            await self.cube.series(
                subject, self.window, step=step, zone=question.zone, most=MOST_POINTS
            )
            for subject in (SALES, USES)
        ]
        starts = buckets(
            sales.keys() | uses.keys(),
            self.window,
            now=self.now,
            step=step,
            zone=question.zone,
            most=MOST_POINTS,
        )
        return step, tables.points_of(starts, sales, uses)

    async def _places(self, dimension: Dimension) -> tuple[figures.PlaceRow, ...]:
        grouping: Grouping = (_COLUMN[dimension],)
        sales = await self.cube.sums(SALES, self.window, grouping)
        uses = await self.cube.sums(USES, self.window, grouping)
        return tables.place_rows(sales, uses)

    async def _campaigns(self, uses: Mapping[Key, Sums]) -> tuple[figures.CampaignRow, ...]:
        found = await names.campaign_names(self.connection, [key[0] for key in uses])
        return tables.campaign_rows(uses, found)

    async def _instruments(
        self, uses: Mapping[Key, Sums], refused: Mapping[Key, Sums]
    ) -> tuple[figures.InstrumentRow, ...]:
        campaign_ids = sorted({key[0] for key in (*uses, *refused)})
        connection = self.connection
        return tables.instrument_rows(
            uses,
            refused,
            await names.campaign_names(connection, campaign_ids),
            await names.instrument_names(connection, campaign_ids),
        )

    async def _cut_places(
        self, dimension: Dimension, rows: tuple[figures.PlaceRow, ...]
    ) -> dict[str, Any]:
        """The first rows, with the names of stores."""
        cut = self._cut(rows)
        if dimension == "store":
            ids = [row.id for row in cut["rows"]]
            found = await names.store_names(self.connection, ids)
            cut["rows"] = tuple(
                row.model_copy(update={"name": found.get(row.id, row.id)}) for row in cut["rows"]
            )
        return cut

    def _cut(self, rows: tuple[Any, ...]) -> dict[str, Any]:
        limit = self.question.limit
        return {"rows": rows[:limit], "truncated": len(rows) > limit}


@dataclass(frozen=True)
class Statistics:
    """Where they are read from; ``ends`` are those of the log."""

    pool: asyncpg.Pool
    ends: Ends
    memory: Memory = field(default_factory=Memory)

    @asynccontextmanager
    async def reading(self, question: Question, now: datetime) -> AsyncIterator[Reading]:
        """A reading of one instant of the statistics.

        Raises ``asyncpg.QueryCanceledError`` when a query takes longer than 20 s.
        """
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(_SETTINGS)
            window = question.window
            if question.period is not None:
                window = of_period(question.period, now, question.zone)
            known = await self.memory.known(connection)
            cube = Cube(connection, known, await extent(connection, known), question.selection)
            found = await _currencies(cube, window)
            currency = question.selection.currency or await _currency(cube, window, found)
            fresh = await freshness(connection, self.ends.known)
            selection = replace(question.selection, currency=currency or _NO_CURRENCY)
            yield Reading(
                cube=replace(cube, selection=selection),
                question=question,
                window=window,
                now=now,
                head={
                    **dict(fresh),
                    "from_": window.since,
                    "to": window.until,
                    "period": question.period,
                    "time_zone": question.time_zone,
                    "currency": currency,
                    "currencies": tuple(found),
                },
            )


async def _currency(
    cube: Cube, window: Window, found: Sequence[figures.CurrencyCount]
) -> str | None:
    """What is answered in unless one is asked for: a campaign's own, if it is about one; else the most used."""
    asked = cube.selection
    if asked.campaign_id or asked.instrument_id or asked.emission_id:
        uses = await cube.sums(USES, window, ("currency",))
        if uses:
            return min(uses, key=lambda key: (-uses[key]["activations"], -uses[key]["carts"], key))[
                0
            ]
    return found[0].currency if found else None


async def _currencies(cube: Cube, window: Window) -> list[figures.CurrencyCount]:
    """The currencies of the selection with their receipts, most first, then by code."""
    selection = cube.selection
    places = Selection(
        store_id=selection.store_id, device=selection.device, region=selection.region
    )
    any_currency = replace(cube, selection=places)
    sales = await any_currency.sums(SALES, window, ("currency",))
    # Decisions come before the first receipt.
    found = sales or await any_currency.sums(USES, window, ("currency",))
    counts = [
        figures.CurrencyCount(currency=key[0], receipts=sales.get(key, {}).get("receipts", 0))
        for key in found
    ]
    return sorted(counts, key=lambda one: (-one.receipts, one.currency))
