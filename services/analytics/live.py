"""Snapshots for those who watch: one reading per question, however many viewers ask it."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from services.analytics.changes import Changes
from services.analytics.figures import Snapshot
from services.analytics.metrics import OPEN_DASHBOARDS, READING_SECONDS, READINGS_FAILED
from services.analytics.reading import Question
from shared import clock

MOST_QUESTIONS = 100
_LEAST_PAUSE_SECONDS = 0.5
_REFRESH_SECONDS = 15.0
_TICK_SECONDS = 2.0
_CONCURRENT_READINGS = 2

Read = Callable[[Question], Awaitable[Snapshot]]

log = structlog.get_logger()


class ReadingFailedError(RuntimeError):
    """The statistics could not be read; the viewer may come back later."""


@dataclass(frozen=True)
class Update:
    """A snapshot as JSON. ``digest`` tells its figures from others, not when it was read."""

    digest: str
    body: str


@dataclass
class _Feed:
    """What the viewers of one question share."""

    updates: Changes = field(default_factory=Changes)
    latest: Update | None = None
    failed: bool = False
    viewers: int = 0
    task: asyncio.Task[None] | None = None


@dataclass
class Live:
    """Reads a question again when something changed, at most twice a second.

    A reading that takes longer makes the pause as long: half of a core at most goes to a question.
    Without changes it is read every 15 s, since windows move on with the time.
    """

    changes: Changes
    read: Read
    least_pause_seconds: float = _LEAST_PAUSE_SECONDS
    refresh_seconds: float = _REFRESH_SECONDS
    tick_seconds: float = _TICK_SECONDS
    _feeds: dict[Question, _Feed] = field(default_factory=dict)
    _readings: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_CONCURRENT_READINGS)
    )

    def is_full(self, question: Question) -> bool:
        """Whether there are too many different questions for another one."""
        return question not in self._feeds and len(self._feeds) >= MOST_QUESTIONS

    async def watch(self, question: Question, seen: str | None) -> AsyncGenerator[Update | None]:
        """The snapshot now, unless its digest is ``seen``, then each that differs from the last.

        None after 2 s without one. Raises ``ReadingFailedError``.
        """
        feed = self._feeds.setdefault(question, _Feed())
        feed.viewers += 1
        OPEN_DASHBOARDS.inc()
        if feed.task is None:
            feed.task = asyncio.create_task(self._fill(question, feed))
        version = -1 if feed.latest is not None else 0
        try:
            while True:
                try:
                    version = await asyncio.wait_for(feed.updates.wait(version), self.tick_seconds)
                except TimeoutError:
                    yield None
                    continue
                if feed.failed:
                    raise ReadingFailedError
                if feed.latest is not None and feed.latest.digest != seen:
                    seen = feed.latest.digest
                    yield feed.latest
        finally:
            self._leave(question, feed)

    def _leave(self, question: Question, feed: _Feed) -> None:
        feed.viewers -= 1
        OPEN_DASHBOARDS.dec()
        if feed.viewers:
            return
        if feed.task is not None:
            feed.task.cancel()
        if self._feeds.get(question) is feed:
            del self._feeds[question]

    async def _fill(self, question: Question, feed: _Feed) -> None:
        try:
            seen = -1
            while True:
                seen = await self._changed(seen)
                started = clock.monotonic()
                async with self._readings:
                    update = _update(await self.read(question))
                READING_SECONDS.observe(clock.monotonic() - started)
                if feed.latest is None or update.digest != feed.latest.digest:
                    feed.latest = update
                    feed.updates.publish()
                took = clock.monotonic() - started
                await asyncio.sleep(max(self.least_pause_seconds - took, took))
        except Exception:
            # Its viewers are told, and come back to a new feed.
            log.exception("statistics could not be read")
            READINGS_FAILED.inc()
            feed.failed = True
            if self._feeds.get(question) is feed:
                del self._feeds[question]
            feed.updates.publish()

    async def _changed(self, seen: int) -> int:
        try:
            return await asyncio.wait_for(self.changes.wait(seen), self.refresh_seconds)
        except TimeoutError:
            return seen


def _update(snapshot: Snapshot) -> Update:
    figures = snapshot.model_dump_json(by_alias=True, exclude={"as_of", "counted_until", "sources"})
    return Update(
        digest=hashlib.blake2b(figures.encode(), digest_size=12).hexdigest(),
        body=snapshot.model_dump_json(by_alias=True),
    )
