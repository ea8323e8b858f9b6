"""Looking at customers: once after each change, again when time is due, and never past a change; on the real PostgreSQL."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from services import customers
from services.customers import profile, store
from services.customers.attention import _LOCK, MOST, Attention, Finding
from services.customers.store import Due
from shared import database
from shared.database import Connection
from shared.events.customers import Forecast
from shared.migrate import migrate
from shared.outbox import unpack
from shared.topics import PROFILES
from tests.unit.customers.facts import DAY, NOON, a_receipt
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
async def tables(pool: asyncpg.Pool) -> asyncpg.Pool:
    """The pool of a database with the tables of customers."""
    async with pool.acquire() as connection:
        await migrate(connection, [Path(customers.__file__).parent / "migrations"])
    return pool


async def bought(pool: asyncpg.Pool, customer_id: str, number: int = 1) -> None:
    """The customer has bought, and is to be looked at from noon on."""
    async with pool.acquire() as connection, connection.transaction():
        [state] = (await store.load(connection, [customer_id])).values()
        profile.add_receipt(state, a_receipt(number, customer_id=customer_id))
        await store.save(connection, {customer_id: state}, NOON)


async def nothing_expected(_: Connection, __: Collection[str]) -> Mapping[str, Forecast]:
    return {}


class Evaluation:
    """Finds the same of everybody; does something else meanwhile, if asked to."""

    def __init__(self, finding: Finding = Finding()) -> None:  # noqa: B008 - it is frozen
        self.finding = finding
        self.seen: list[str] = []

    async def meanwhile(self) -> None:
        """Nothing."""

    async def __call__(
        self, _: Connection, seen: Sequence[Due], __: Mapping[str, Forecast], ___: datetime
    ) -> dict[str, Finding]:
        self.seen += [one.customer_id for one in seen]
        await self.meanwhile()
        return {one.customer_id: self.finding for one in seen}


async def published(pool: asyncpg.Pool) -> list[str]:
    """Whose profiles are in the outbox, in the order in which they leave."""
    rows = await pool.fetch("select packed from outbox order by id")
    messages = [message for row in rows for message in unpack(row["packed"])]
    return [
        key.decode() for topic, key, _, _ in messages if topic == PROFILES.name and key is not None
    ]


async def due(pool: asyncpg.Pool) -> dict[str, datetime]:
    rows = await pool.fetch("select customer_id, due_at from attention")
    return {row["customer_id"]: row["due_at"] for row in rows}


async def test_who_bought_is_looked_at_and_published_once(tables: asyncpg.Pool) -> None:
    evaluation = Evaluation()
    attention = Attention(tables, evaluation, nothing_expected)
    await bought(tables, "a")
    await bought(tables, "b")
    await bought(tables, "a", 2)
    await attention.look_at_some(NOON)
    await attention.look_at_some(NOON + DAY)
    assert sorted(evaluation.seen) == sorted(await published(tables)) == ["a", "b"]
    assert await due(tables) == {}


async def test_nobody_is_looked_at_before_the_time_is_due(tables: asyncpg.Pool) -> None:
    evaluation = Evaluation()
    await bought(tables, "a")
    attention = Attention(tables, evaluation, nothing_expected)
    await attention.look_at_some(NOON - timedelta(seconds=1))
    assert evaluation.seen == []


async def test_who_changes_by_time_alone_is_looked_at_then_and_published_if_something_changed(
    tables: asyncpg.Pool,
) -> None:
    evaluation = Evaluation(Finding(until=NOON + DAY))
    attention = Attention(tables, evaluation, nothing_expected)
    await bought(tables, "a")
    await attention.look_at_some(NOON)
    assert await due(tables) == {"a": NOON + DAY}
    evaluation.finding = Finding(until=NOON + 2 * DAY)
    await attention.look_at_some(NOON + DAY)
    assert await published(tables) == ["a"]
    evaluation.finding = Finding(changed=True)
    await attention.look_at_some(NOON + 2 * DAY)
    assert await published(tables) == ["a", "a"]
    assert await due(tables) == {}


async def test_who_buys_while_being_looked_at_is_looked_at_again(tables: asyncpg.Pool) -> None:
    """Else what was bought meanwhile would not be known to segments until the next purchase."""
    evaluation = Evaluation(Finding(until=NOON + DAY))

    async def buys() -> None:
        await bought(tables, "a", 2)

    evaluation.meanwhile = buys  # type: ignore[method-assign]
    attention = Attention(tables, evaluation, nothing_expected)
    await bought(tables, "a")
    await attention.look_at_some(NOON)
    assert await due(tables) == {"a": NOON}
    evaluation.meanwhile = Evaluation().meanwhile  # type: ignore[method-assign]
    await attention.look_at_some(NOON)
    assert evaluation.seen == ["a", "a"]
    assert await published(tables) == ["a", "a"]
    assert await due(tables) == {"a": NOON + DAY}


async def test_one_process_looks_at_a_time(tables: asyncpg.Pool, dsn: str) -> None:
    evaluation = Evaluation()
    await bought(tables, "a")
    other = await database.connect(dsn)
    try:
        async with other.transaction():
            await other.execute("select pg_advisory_xact_lock($1)", _LOCK)
            assert not await Attention(tables, evaluation, nothing_expected).look_at_some(NOON)
            assert evaluation.seen == []
    finally:
        await other.close()
    await Attention(tables, evaluation, nothing_expected).look_at_some(NOON)
    assert evaluation.seen == ["a"]


async def test_who_is_asked_for_again_while_being_looked_at_is_looked_at_again(
    tables: asyncpg.Pool,
) -> None:
    """A segment that was changed meanwhile changes no profile, but who is in it."""
    evaluation = Evaluation()

    async def asked() -> None:
        async with tables.acquire() as connection:
            await store.attend(connection, ["a"], NOON, changed=False)

    evaluation.meanwhile = asked  # type: ignore[method-assign]
    await bought(tables, "a")
    await Attention(tables, evaluation, nothing_expected).look_at_some(NOON)
    assert await due(tables) == {"a": NOON}


async def test_looking_and_buying_do_not_wait_for_each_other(
    tables: asyncpg.Pool, dsn: str
) -> None:
    """Both lock the list's rows in the order of the customers, whoever is due first."""
    names = [f"c{number:02}" for number in range(40)]
    for number, name in enumerate(reversed(names)):
        await bought(tables, name)
        await tables.execute(
            "update attention set due_at = due_at - make_interval(mins => $2) where customer_id = $1",
            name,
            100 - number,
        )
    other = await database.connect(dsn)
    lock = "select from attention where customer_id = $1 for update"
    try:
        async with other.transaction():
            await other.execute(lock, names[0])
            looking = asyncio.create_task(
                Attention(tables, Evaluation(), nothing_expected).look_at_some(NOON)
            )

            async def is_waiting() -> bool:
                query = "select exists (select from pg_locks where not granted)"
                return bool(await tables.fetchval(query))

            await until(is_waiting, what="attention waits for the first customer")
            for name in names[1:]:
                await other.execute(lock, name)
        await looking
    finally:
        await other.close()
    assert await due(tables) == {}


async def test_who_buys_is_looked_at_before_the_many_whom_a_change_concerns(
    tables: asyncpg.Pool,
) -> None:
    """Codes for two hundred thousand customers, or a changed segment, would keep them waiting for minutes."""
    many = [f"m-{number:04}" for number in range(2 * MOST)]
    async with tables.acquire() as connection:
        await store.attend(connection, many, NOON - DAY, changed=False)
    await bought(tables, "z-buyer")
    async with tables.acquire() as connection:
        # Who is one of the many and buys is no longer one of the many.
        await store.attend(connection, [many[-1]], NOON, changed=True, urgent=True)
    evaluation = Evaluation()
    attention = Attention(tables, evaluation, nothing_expected)
    assert await attention.look_at_some(NOON)
    assert {"z-buyer", many[-1]} <= {*evaluation.seen}
    assert len(evaluation.seen) == MOST
    while await attention.look_at_some(NOON):
        pass
    assert sorted(evaluation.seen) == sorted([*many, "z-buyer"])
