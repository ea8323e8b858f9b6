"""Snapshots for those who watch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from services.analytics import live
from services.analytics.changes import Changes
from services.analytics.dimensions import Selection
from services.analytics.figures import Receipts, Snapshot, Totals
from services.analytics.live import Live, ReadingFailedError, Update
from services.analytics.reading import Question

NOW = datetime(2026, 12, 10, tzinfo=UTC)
ALL = Question()


@dataclass
class Statistics:
    """Statistics whose one figure is ``receipts``; counts how often they are read."""

    receipts: int = 0
    readings: int = 0
    broken: bool = False
    changes: Changes = field(default_factory=Changes)

    async def read(self, _: Question) -> Snapshot:
        self.readings += 1
        if self.broken:
            message = "no database"
            raise OSError(message)
        return Snapshot(
            as_of=NOW + timedelta(seconds=self.readings),
            counted_until=None,
            sources=(),
            from_=None,
            to=None,
            period=None,
            time_zone="UTC",
            currency="EUR",
            currencies=(),
            totals=Totals(receipts=Receipts(receipts=self.receipts)),
            previous=None,
            step="day",
            points=(),
            stores=(),
            devices=(),
            regions=(),
            campaigns=(),
            instruments=(),
            codes=(),
            truncated=False,
        )

    def sell(self) -> None:
        self.receipts += 1
        self.changes.publish()

    def live(self, refresh_seconds: float = 60) -> Live:
        return Live(
            self.changes,
            self.read,
            least_pause_seconds=0,
            refresh_seconds=refresh_seconds,
            tick_seconds=refresh_seconds,
        )


@asynccontextmanager
async def watching(
    watched: Live, question: Question = ALL, seen: str | None = None
) -> AsyncIterator[AsyncIterator[Update | None]]:
    async with aclosing(watched.watch(question, seen)) as updates:
        yield updates


async def following(updates: AsyncIterator[Update | None]) -> Update:
    update = await asyncio.wait_for(anext(updates), 5)
    assert update is not None
    return update


async def test_a_viewer_gets_the_figures_at_once_and_again_when_they_change() -> None:
    statistics = Statistics(receipts=1)
    async with watching(statistics.live()) as updates:
        first = await following(updates)
        statistics.sell()
        second = await following(updates)
    assert '"receipts":1' in first.body
    assert '"receipts":2' in second.body
    assert first.digest != second.digest


async def test_viewers_of_the_same_question_share_its_readings() -> None:
    statistics = Statistics()
    watched = statistics.live()
    async with watching(watched) as one, watching(watched) as other:
        assert await following(one) == await following(other)
        statistics.sell()
        assert await following(one) == await following(other)
    assert statistics.readings == 2


async def test_viewers_of_different_questions_do_not_share() -> None:
    statistics = Statistics()
    watched = statistics.live()
    store = Question(selection=Selection(store_id="s1"))
    async with watching(watched) as one, watching(watched, store) as other:
        await following(one)
        await following(other)
    assert statistics.readings == 2


async def test_who_comes_back_with_the_latest_figures_gets_only_the_next() -> None:
    statistics = Statistics(receipts=1)
    watched = statistics.live()
    async with watching(watched) as updates:
        seen = (await following(updates)).digest
    async with watching(watched, seen=seen) as updates:
        reading = asyncio.create_task(following(updates))
        while statistics.readings < 2:
            await asyncio.sleep(0)
        statistics.sell()
        assert '"receipts":2' in (await reading).body


async def test_who_comes_back_with_old_figures_gets_the_latest_at_once() -> None:
    async with watching(Statistics().live(), seen="old") as updates:
        assert (await following(updates)).digest != "old"


async def test_a_change_of_other_figures_is_not_sent() -> None:
    statistics = Statistics()
    async with watching(statistics.live(refresh_seconds=0.05)) as updates:
        await following(updates)
        statistics.changes.publish()
        assert await asyncio.wait_for(anext(updates), 5) is None
    assert statistics.readings >= 2


async def test_without_viewers_nothing_is_read() -> None:
    statistics = Statistics()
    watched = statistics.live()
    async with watching(watched) as updates:
        await following(updates)
    statistics.sell()
    for _ in range(10):
        await asyncio.sleep(0)
    assert statistics.readings == 1


async def test_a_failed_reading_ends_the_watch_and_the_next_begins_anew() -> None:
    statistics = Statistics(broken=True)
    watched = statistics.live()
    async with watching(watched) as updates:
        with pytest.raises(ReadingFailedError):
            await following(updates)
    statistics.broken = False
    async with watching(watched) as updates:
        await following(updates)


async def test_too_many_different_questions_are_noticed_before_they_are_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "MOST_QUESTIONS", 1)
    watched = Statistics().live()
    async with watching(watched) as updates:
        await following(updates)
        assert not watched.is_full(ALL)
        assert watched.is_full(Question(selection=Selection(store_id="s1")))
    assert not watched.is_full(Question(selection=Selection(store_id="s1")))


async def test_operators_see_how_many_watch() -> None:
    def open_dashboards() -> float | None:
        return REGISTRY.get_sample_value("tillstream_dashboards_open")

    watched = Statistics().live()
    assert open_dashboards() == 0
    async with watching(watched) as one, watching(watched) as other:
        await following(one)
        await following(other)
        assert open_dashboards() == 2
    assert open_dashboards() == 0


async def test_operators_see_what_readings_take_and_how_many_fail() -> None:
    def counts() -> tuple[float, float]:
        names = ("tillstream_reading_seconds_count", "tillstream_readings_failed_total")
        return tuple(REGISTRY.get_sample_value(name) or 0.0 for name in names)  # type: ignore[return-value]

    statistics = Statistics()
    before = counts()
    async with watching(statistics.live()) as updates:
        await following(updates)
    statistics.broken = True
    async with watching(statistics.live()) as updates:
        with pytest.raises(ReadingFailedError):
            await following(updates)
    assert counts() == (before[0] + 1, before[1] + 1)
