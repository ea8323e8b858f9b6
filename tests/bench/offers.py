"""Whether an offer, or a receipt, costs more when a hundred times as many offers have been made.

``make bench-offers``; a few minutes with a PostgreSQL of its own. The last line printed is a JSON object. At each size there
are so many customers, each with an offer that is over and the days in which their purchases were counted. Then are
timed: passing over customers of whom nothing is to be done (the nightly pass), beginning with others (decided, planned,
asked for), and a batch of receipts of customers whose days are being counted; each for one customer or receipt.
"""

import json
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import uvloop

import services.customers
from deploy.local import stack as local
from services.customers import store
from services.customers.messages import Receipt
from services.customers.offers import life, stream
from services.customers.offers.planning import MOST, Planning
from services.customers.offers.store import candidates, policies
from services.customers.profile import State, add_receipt, pack
from shared import clock, database
from shared.migrate import migrate
from tests.integration.offer_plans import Desk
from tests.unit.customers.offers.examples import BACKINGS, KYIV, policy
from tests.unit.customers.offers.test_sales import receipt

SIZES = (2_000, 200_000)
TURNS = 15
RECEIPTS = 1_000
_CHUNK = 10_000
_DAY = timedelta(days=1)


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


def bought(customer_id: str, at: datetime, number: int = 0) -> Receipt:
    """A receipt of 400.00 in store s-1."""
    values: dict[str, Any] = {"customer_id": customer_id, "occurred_at": at, "paid": 40_000}
    return receipt(receipt_id=f"r-{customer_id}-{number}", **values)


def profile_of(customer_id: str, now: datetime) -> bytes:
    """Twenty purchases, every fifth day until lately."""
    state = State()
    for n in range(20):
        add_receipt(state, bought(customer_id, now - (n * 5 + 2) * _DAY, n))
    return pack(state)


def past_offer(customer_id: str, now: datetime) -> life.Record:
    """An offer of ten days ago that was not used: its pause lasts."""
    first = policy()
    return life.Record(
        offer_id=f"o-{customer_id}",
        series_id=f"o-{customer_id}",
        policy_id=first.policy_id,
        version=1,
        customer_id=customer_id,
        reason=first.reason,
        step=1,
        emission_id="e5",
        discount=500,
        cost=2_000,
        currency="UAH",
        zone=KYIV.key,
        status="expired",
        send_at=now - 10 * _DAY,
        valid_until=now - 2 * _DAY,
        due_at=None,
        changed_at=now - 2 * _DAY,
        open=False,
        measured=True,
    )


async def fill(pool: asyncpg.Pool, first: int, last: int, now: datetime) -> None:
    """Customers with these numbers, with an offer that is over, and days in which purchases count."""
    body = profile_of("c", now)
    for start in range(first, last, _CHUNK):
        ids = [f"c-{n:07}" for n in range(start, min(start + _CHUNK, last))]
        await _copy(
            pool, "profiles", ("customer_id", "version", "state"), [(one, 1, body) for one in ids]
        )
        await _copy(pool, "offers", *_offers([past_offer(one, now) for one in ids]))
        windows = [
            ("win-back", one, step, False, now - 10 * _DAY, now + 5 * _DAY, "UAH")
            for one in ids
            for step in (0, 1, 2)
        ]
        names = (
            "policy_id",
            "customer_id",
            "step",
            "held_back",
            "starts_at",
            "ends_at",
            "currency",
        )
        await _copy(pool, "offer_windows", names, windows)
    await pool.execute("analyze")


def _offers(rows: Sequence[life.Record]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    names = tuple(life.Record.__dataclass_fields__)
    return names, [tuple(getattr(row, name) for name in names) for row in rows]


async def _copy(
    pool: asyncpg.Pool, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    async with pool.acquire() as connection:
        await connection.copy_records_to_table(table, records=rows, columns=columns)


async def timed(turns: int, each: int, work: Callable[[int], Awaitable[object]]) -> float:
    """The median time of a turn, in microseconds for each of so many."""
    times = []
    for turn in range(turns):
        started = clock.monotonic()
        await work(turn)
        times.append(clock.monotonic() - started)
    return round(median(times) / each * 1e6, 1)


def spread(size: int, count: int, turn: int) -> Iterator[str]:
    """So many customers from all over, others each time."""
    step = max(1, size // count)
    return (f"c-{(n * step + turn) % size:07}" for n in range(count))


async def measure(desk: Desk, size: int, now: datetime) -> dict[str, float]:
    """What things cost with so many customers."""
    planning = Planning(desk.pool, desk.knowledge)

    async def passed(turn: int) -> None:
        await desk.consider(*spread(size, MOST, turn), at=now)
        await planning.plan_due(now)

    async def begun(turn: int) -> None:
        fresh = [f"new-{size}-{turn}-{n}" for n in range(MOST)]
        async with desk.pool.acquire() as connection, connection.transaction():
            states = await store.load(connection, fresh)
            for one in fresh:
                add_receipt(states[one], bought(one, now - 3 * _DAY))
            await store.save(connection, states, now)
        await desk.consider(*fresh, at=now)
        started = clock.monotonic()
        while await planning.plan_due(now):
            pass
        of_begun.append(clock.monotonic() - started)

    of_begun: list[float] = []

    async def sold(turn: int) -> None:
        facts = [bought(one, now, 100 + turn) for one in spread(size, RECEIPTS, turn)]
        async with desk.pool.acquire() as connection, connection.transaction():
            await stream.apply(connection, facts, now)

    considered = await timed(TURNS, MOST, passed)
    receipts = await timed(TURNS, RECEIPTS, sold)
    await timed(TURNS, MOST, begun)
    return {
        "considered_us": considered,
        "begun_us": round(median(of_begun) / MOST * 1e6, 1),
        "receipt_us": receipts,
    }


async def run(postgres: str) -> None:
    """Fill and measure, size by size, in a database of one's own."""
    admin = await asyncpg.connect(postgres)
    await admin.execute("create database offers_bench")
    await admin.close()
    dsn = f"{postgres.rsplit('/', 1)[0]}/offers_bench"
    connection = await asyncpg.connect(dsn)
    root = Path(services.customers.__path__[0])
    await migrate(connection, [root.parents[1] / "shared/migrations", root / "migrations"])
    await connection.close()
    now = clock.now()
    found: dict[str, dict[str, float]] = {}
    async with await database.pool(dsn) as pool:
        desk = Desk(pool)
        lasting = {
            name: [replace_ends(one, now) for one in each] for name, each in BACKINGS.items()
        }
        await desk.back(lasting)
        async with pool.acquire() as opened, opened.transaction():
            await policies.add(opened, policy(control_share=1_000), "bench", now)
            await policies.turn(opened, "win-back", "running", "bench", now)
            await candidates.scan_again(opened, now.date())
            await opened.execute("update offer_scan set done = true")
        before = 0
        for size in SIZES:
            await fill(pool, before, size, now)
            before = size
            found[str(size)] = await measure(desk, size, now)
            say(f"{size:>9,} customers: {found[str(size)]}")
    say(json.dumps({"offers": found}))


def replace_ends(one: Any, now: datetime) -> Any:
    """The campaign, so that it lasts."""
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return type(one)(**(values | {"ends_at": now + 300 * _DAY}))


def main() -> None:
    """Measure on a PostgreSQL of our own."""
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            uvloop.run(run(local.up(state, only=("postgres",)).postgres))
        finally:
            local.down(state, delete=True)


if __name__ == "__main__":
    main()
