"""Runs backtests: lists recordings, has processes of its own decide them, settles caps, reports.

    python -m services.evaluator.backtesting

reads a request (a line of JSON) from standard input, with the database in ``TILLSTREAM_DATABASE``, and
writes a line of JSON for every step: ``{"done": …, "total": …}``, at last ``{"report": …}`` or
``{"error": …, "errors": […]}``. It stops when its standard input ends.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from zoneinfo import available_timezones

import asyncpg
import msgspec

from services.evaluator import backtest_worker
from services.evaluator.backtest.caps import Entry, Full, Key, Settlement, settle
from services.evaluator.backtest.draft import (
    Draft,
    KnownEmissions,
    Plan,
    Request,
    emission_ids,
    plan,
)
from services.evaluator.backtest.folding import Page, fold, in_order
from services.evaluator.backtest.report import Report
from services.evaluator.backtest.trial import Outcome
from services.evaluator.store import backtest as backtest_store
from services.evaluator.store import reference as reference_store
from shared.codec import InvalidMessageError, decode, encode
from shared.database import Connection

WORKERS = 2
_PAGE = 500
_AHEAD = 3
"""Pages that wait for each worker: enough to keep it busy, few enough to be held."""

Watch = Callable[[int, int], None]
"""Told how many receipts are done, and of how many."""


async def run(database: str, request: Request, watch: Watch, *, workers: int = WORKERS) -> Report:
    """The report on a draft. Raises ``InvalidMessageError`` naming fields of the request at fault.

    All is read as it is at one instant; the same recordings give the same report.
    """
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            planned = await prepare(connection, request)
            watch(0, total := await backtest_store.count(connection, planned.start))
            snapshot = await backtest_store.snapshot(connection)
            with _pool(workers, database, snapshot, planned) as pool:
                page = await _decide(
                    connection, pool, planned, lambda n: watch(n, total), workers * _AHEAD
                )
                page.entries = in_order(page.entries)
                settled = await _settle(pool, page.entries, page.variants)
        return fold(planned, page, settled)
    finally:
        await connection.close()


async def prepare(connection: Connection, request: Request) -> Plan:
    """What to run, with what is known of the codes. Raises ``InvalidMessageError``."""
    known = await known_emissions(connection, request.campaign)
    return plan(request, known, frozenset(available_timezones()))


async def known_emissions(connection: Connection, draft: Draft) -> KnownEmissions:
    """What is known of the emissions that the draft asks for."""
    asked = emission_ids(draft)
    if not asked:
        return KnownEmissions({}, {})
    held = await reference_store.codes_held(connection)
    return KnownEmissions(held, await backtest_store.known_emissions(connection, asked))


@contextmanager
def _pool(
    workers: int, database: str, snapshot: str, planned: Plan
) -> Iterator[ProcessPoolExecutor]:
    # A forked copy of a process with threads and connections could hang: these start afresh.
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=backtest_worker.start,
        initargs=(database, snapshot, planned),
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


async def _decide(
    connection: Connection,
    pool: ProcessPoolExecutor,
    planned: Plan,
    watch: Callable[[int], None],
    ahead: int,
) -> Page:
    """All receipts, decided while the draft's caps are free."""
    loop, whole, done, full = asyncio.get_running_loop(), Page(), 0, Full()
    waiting: set[asyncio.Future[tuple[Page, int]]] = set()

    def take(finished: set[asyncio.Future[tuple[Page, int]]]) -> None:
        nonlocal done
        for one in finished:
            page, count = one.result()
            whole.add(page)
            full.add(page.entries)
            done += count
        watch(done)

    async def decided(listed: Sequence[backtest_store.Listed]) -> tuple[Page, int]:
        work = loop.run_in_executor(pool, backtest_worker.decide, listed, frozenset(full.limit_ids))
        return await work, len(listed)

    async for listed in backtest_store.listed(connection, planned.start, _PAGE):
        waiting.add(asyncio.ensure_future(decided(listed)))
        if len(waiting) >= ahead:
            finished, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            take(finished)
    while waiting:
        finished, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        take(finished)
    return whole


async def _settle(
    pool: ProcessPoolExecutor, entries: Sequence[Entry], variants: dict[Key, Outcome]
) -> Settlement:
    """The caps settled; receipts that found too little left are decided again until none is new."""
    loop = asyncio.get_running_loop()
    while (settled := settle(entries, variants)).missing:
        pages = [settled.missing[n : n + _PAGE] for n in range(0, len(settled.missing), _PAGE)]
        for found in await asyncio.gather(
            *(loop.run_in_executor(pool, backtest_worker.again, page) for page in pages)
        ):
            variants |= found
    return settled


async def _serve(body: bytes, ended: asyncio.Future[None]) -> None:
    """Run one request, and write what becomes of it."""
    said = -1

    def watch(done: int, total: int) -> None:
        nonlocal said
        if done * 1_000 // max(total, 1) > said:
            said = done * 1_000 // max(total, 1)
            _say({"done": done, "total": total})

    try:
        request = decode(Request, body)
        work = asyncio.ensure_future(run(os.environ["TILLSTREAM_DATABASE"], request, watch))
        ended.add_done_callback(lambda _: work.cancel())
        _say({"report": msgspec.Raw(encode(await work))})
    except InvalidMessageError as error:
        errors = [{"field": e.field, "message": e.message} for e in error.errors]
        _say({"error": str(error), "errors": errors})


def _say(what: dict[str, object]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    loop.add_signal_handler(signal.SIGTERM, end)
    body = sys.stdin.buffer.readline()
    # Whoever asked keeps it open for as long as the answer is wanted.
    loop.add_reader(sys.stdin.fileno(), lambda: end() if not os.read(0, 1) else None)
    await _serve(body, ended)


if __name__ == "__main__":
    os.nice(10)
    try:
        asyncio.run(_main())
    except asyncio.CancelledError:
        sys.exit(1)
