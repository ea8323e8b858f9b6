"""The process of a training: reads profiles, learns, foretells, and has customers looked at again.

    python -m services.customers.forecast.worker

does the training that was asked for in the database of ``TILLSTREAM_DATABASE``; nothing if there is none, or another
process trains. It ends when its standard input does: with the process that started it. Whatever happens to it, the
lock goes with its connection, and who looks next sees that the training has failed.
"""

import asyncio
import os
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from threadpoolctl import threadpool_limits

from services.customers import store as customer_store
from services.customers.feed.forgotten import hold_off_erasure
from services.customers.forecast import store
from services.customers.forecast.backtest import DAYS
from services.customers.forecast.learning import Learnt, learn
from services.customers.forecast.model import expect
from services.customers.forecast.outlook import outlooks
from services.customers.forecast.purchases import Scale, days_known, history, scale_of
from services.customers.profile import State, seconds, unpack
from shared import clock
from shared.database import Connection, connect

MOST_LEARNT = 5_000
"""Customers that models learn from: of more a sample. What an error is differs by 1% from that of all."""
PORTION = 500
"""Customers of whom is foretold in one transaction."""
_READ = 500
_SAY_SECONDS = 0.5
_COMPARED, _LEARNT, _ALL = 600, 800, 1_000
_TELL_AGAIN = timedelta(days=7)
_NICE = 5


@dataclass(frozen=True)
class Basis:
    """What all histories of a training are made by."""

    now: datetime
    days: int
    scale: Scale


async def train(connection: Connection) -> bool:
    """Do the training that was asked for; False if there is none, or somebody else trains."""
    if not await store.lock(connection):
        return False
    now = clock.now()
    run = await store.begin(connection, now)
    if run is None:
        return False
    customers = await store.customers(connection)
    states = await _sample(connection, customers)
    basis = Basis(now, days_known(states, seconds(now)), scale_of(states))
    learnt = await _learn(connection, run.run_id, states, basis)
    await store.learnt(
        connection,
        run.run_id,
        learnt.model,
        learnt.basis,
        learnt.scores,
        customers=customers,
        learnt_from=len(states),
        history_days=basis.days,
    )
    del states
    foretold, changed = await _foretell(connection, run.run_id, learnt, basis, customers)
    await store.finish(connection, run.run_id, foretold, changed, clock.now())
    return True


async def _sample(connection: Connection, customers: int) -> list[State]:
    """Up to about ``MOST_LEARNT`` customers, the same ones each time."""
    share, after = MOST_LEARNT / max(customers, 1), ""
    states: list[State] = []
    while found := await customer_store.buyers(connection, after, _READ, share):
        after = found[-1][0]
        states += [unpack(packed) for _, packed in found]
    return states


async def _learn(connection: Connection, run_id: str, states: list[State], basis: Basis) -> Learnt:
    """Learn, in a thread: what is done is said meanwhile."""
    done = 0

    def watch(step: int, of: int) -> None:
        nonlocal done
        done = _COMPARED * step // of

    def work() -> Learnt:
        known = history(states, seconds(basis.now), basis.days, basis.scale)
        return learn(known, watch)

    working = asyncio.ensure_future(asyncio.to_thread(work))
    while not working.done():
        stage = "learning" if done == _COMPARED else "comparing"
        await store.progress(connection, run_id, stage, done)
        await asyncio.wait({working}, timeout=_SAY_SECONDS)
    return working.result()


async def _foretell(
    connection: Connection, run_id: str, learnt: Learnt, basis: Basis, customers: int
) -> tuple[int, int]:
    """Foretell of everybody, portion by portion; of how many, and how many are to be looked at."""
    foretold, seen, after = 0, 0, ""
    changed = await _drop_others(connection)
    while True:
        async with connection.transaction():
            await hold_off_erasure(connection)
            found = await customer_store.buyers(connection, after, PORTION)
            told, others = await _portion(connection, found, learnt, basis)
        seen, foretold, changed = seen + len(found), foretold + told, changed + others
        if len(found) < PORTION:
            return foretold, changed
        after = found[-1][0]
        done = _LEARNT + (_ALL - _LEARNT) * min(seen, customers) // max(customers, 1)
        await store.progress(connection, run_id, "foretelling", done)


async def _drop_others(connection: Connection) -> int:
    """Nothing is foretold any more of those whose purchases all came back; of how many."""
    async with connection.transaction():
        await hold_off_erasure(connection)
        others = await store.drop_others(connection)
        await customer_store.attend(connection, others, clock.now(), changed=True)
    return len(others)


async def _portion(
    connection: Connection, found: list[tuple[str, bytes]], learnt: Learnt, basis: Basis
) -> tuple[int, int]:
    """Of so many customers it is foretold, and of so many something else than before."""
    ids = [customer_id for customer_id, _ in found]
    made = history(
        [unpack(packed) for _, packed in found], seconds(basis.now), basis.days, basis.scale
    )
    rows = made.known()
    known = [ids[row] for row in rows]
    others = await store.drop(connection, sorted({*ids} - {*known}))
    if known:
        expected = expect(learnt.fitted, made.of(rows), DAYS)
        others += await store.save(
            connection,
            outlooks(known, expected, basis.now),
            model=learnt.model,
            days=DAYS,
            now=basis.now,
            told_before=basis.now - _TELL_AGAIN,
        )
    await customer_store.attend(connection, others, clock.now(), changed=True)
    return len(known), len(others)


async def _main() -> None:
    connection = await connect(os.environ["TILLSTREAM_DATABASE"])
    try:
        await train(connection)
    finally:
        await connection.close()


def _end_with_input() -> None:
    with suppress(OSError):
        while os.read(sys.stdin.fileno(), 1):
            continue
    os._exit(1)


if __name__ == "__main__":
    os.nice(_NICE)
    threading.Thread(target=_end_with_input, daemon=True).start()
    with threadpool_limits(1):
        asyncio.run(_main())
