"""How fast the dashboard's questions are answered over 90 days of sparse statistics.

``make bench-query``: a PostgreSQL of its own is filled by COPY with 20 million minute cells of 500 stores and
50 campaigns, which is sparse: hardly two events share a cell. The levels are what the database makes of them.
Then every question of the API is asked, for every period, of everything and of each filter. The last line
printed is a JSON object. ``CELLS=1000000`` fills less.
"""

import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
from httpx import AsyncClient

import shared
from deploy.local import stack as local
from services.analytics.freshness import Ends
from services.analytics.parameters import StreamFilter
from services.analytics.reading import Statistics
from services.analytics.window import Period
from shared import clock
from shared.migrate import migrate
from tests.bench import cells, insights
from tests.integration.statistics import Api, opened

DAYS = 90
TARGET_MS = 300
_PLUMBING = Path(shared.__file__).parent / "migrations"
_ZONE = "Europe/Kyiv"
_PERIODS: tuple[Period, ...] = ("15m", "hour", "today", "yesterday", "7d", "30d", "90d", "all")
_PATHS = (
    *("totals", "series", "by/store", "by/device", "by/region"),
    *("campaigns", "instruments", "codes", "refusals"),
)
_PLACES = {"store_id", "device", "region"}
_OF_INSIGHTS = {
    "effectiveness": {"campaign_id", *_PLACES},
    "customers": {"campaign_id", *_PLACES},
    "categories": {"campaign_id", "instrument_id", "emission_id"},
}
"""What marketers learn, and what each can be filtered by."""
_SLOWEST = 12


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


@dataclass(frozen=True)
class Asked:
    """A question and how long its answer took."""

    path: str
    parameters: dict[str, str]
    seconds: float

    def __str__(self) -> str:
        asked = "&".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{1_000 * self.seconds:6.0f} ms  {self.path}?{asked}"


def _filters() -> Iterator[dict[str, str]]:
    campaign, store = {"campaign_id": "campaign-7"}, {"store_id": "store-42"}
    device, region = {"device": "till"}, {"region": "region-3"}
    instrument = campaign | {"instrument_id": "instrument-7-1"}
    yield from ({}, campaign, instrument, {"emission_id": "emission-7"}, store, device, region)
    yield from (campaign | store, campaign | device, campaign | region, device | region)
    yield from (store | device, instrument | store)


def _windows(now: datetime) -> Iterator[dict[str, str]]:
    for period in _PERIODS:
        yield {"period": period, "time_zone": _ZONE}
    since, until = now - timedelta(days=40, hours=3, minutes=17), now - timedelta(hours=5)
    yield {"from": since.isoformat(), "to": until.isoformat(), "time_zone": _ZONE}
    yield {"period": "30d", "time_zone": "Asia/Kolkata"}


def _questions(now: datetime) -> Iterator[tuple[dict[str, str], dict[str, str], str]]:
    """Every window with every filter of every question, as far as it has them."""
    yield from product(_windows(now), _filters(), _PATHS)
    for window, filters in product(_windows(now), _filters()):
        known = filters.keys()
        for path, names in _OF_INSIGHTS.items():
            if known <= names:
                yield window, filters, path
    yield from (({}, filters, "caps") for filters in ({}, {"campaign_id": "campaign-7"}))


async def _ask_all(api: Api, now: datetime) -> list[Asked]:
    found = []
    questions = list(_questions(now))
    for number, (window, filters, path) in enumerate(questions, 1):
        found.append(await _ask(api.client, path, window | filters))
        if number % 200 == 0:
            say(f"asked {number} of {len(questions)} questions")
    return found


async def _ask(client: AsyncClient, path: str, parameters: dict[str, str]) -> Asked:
    started = clock.monotonic()
    answer = await client.get(f"/v1/statistics/{path}", params=parameters)
    if answer.status_code != 200:
        message = f"{path} {parameters}: {answer.text}"
        raise RuntimeError(message)
    return Asked(path, parameters, clock.monotonic() - started)


async def _snapshots(api: Api, now: datetime) -> list[Asked]:
    """Everything that a dashboard shows at once: what its stream reads twice a second at most."""
    found = []
    source = Statistics(api.pool, Ends())
    for window, filters in product(_windows(now), _filters()):
        question = StreamFilter.model_validate(window | filters).question
        started = clock.monotonic()
        async with source.reading(question, clock.now()) as read:
            await read.snapshot()
        found.append(Asked("snapshot", window | filters, clock.monotonic() - started))
    return found


def _p95_ms(found: list[Asked]) -> int:
    seconds = [one.seconds for one in found]
    return round(1_000 * statistics.quantiles(seconds, n=20, method="inclusive")[-1])


async def _fill(connection: asyncpg.Connection, now: datetime, count: int) -> int:
    started = clock.monotonic()
    rows = await cells.fill(connection, now, days=DAYS, count=count, say=say)
    say(f"{rows:,} minute cells after {clock.monotonic() - started:.0f} s")
    await connection.execute("set work_mem = '192MB'")
    await connection.execute("select fill_levels()", timeout=3_600)
    say(f"levels after {clock.monotonic() - started:.0f} s")
    await insights.fill(connection, now, days=DAYS, say=say)
    await connection.execute("vacuum analyze", timeout=3_600)
    say(f"analysed after {clock.monotonic() - started:.0f} s")
    return rows


async def measure(admin: str) -> dict[str, Any]:
    """Fill, ask, and tell."""
    connection = await asyncpg.connect(admin)
    await connection.execute("create database bench")
    await connection.close()
    dsn = admin.rsplit("/", 1)[0] + "/bench"
    now = clock.now()
    connection = await asyncpg.connect(dsn)
    await migrate(connection, [_PLUMBING])
    await connection.close()
    async with opened(dsn) as api:
        connection = await asyncpg.connect(dsn)
        try:
            rows = await _fill(connection, now, int(os.environ.get("CELLS", "20000000")))
        finally:
            await connection.close()
        found = await _ask_all(api, now)
        snapshots = await _snapshots(api, now)
    for title, those in (("questions", found), ("snapshots", snapshots)):
        say(f"the slowest {title}:")
        for one in sorted(those, key=lambda one: -one.seconds)[:_SLOWEST]:
            say(f"  {one}")
    return {
        "query_p95_ms": _p95_ms(found),
        "query_p95_ms_by_path": {
            path: _p95_ms([one for one in found if one.path == path])
            for path in sorted({one.path for one in found})
        },
        "query_median_ms": round(1_000 * statistics.median(one.seconds for one in found)),
        "snapshot_p95_ms": _p95_ms(snapshots),
        "queries": len(found),
        "rows": rows,
    }


async def main() -> None:
    """Start a server, measure, and say what was found."""
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = await asyncio.to_thread(local.up, state, ("postgres",))
            found = await measure(stack.postgres)
        finally:
            await asyncio.to_thread(local.down, state, delete=True)
    reached = found["query_p95_ms"] < TARGET_MS
    say(f"{'reached' if reached else 'NOT reached'}: p95 under {TARGET_MS} ms")
    say(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
