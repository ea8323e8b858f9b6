"""Planning of offers on a database of its own, at times of the test's choosing."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

import services.customers
import shared
from services.customers import profile, store
from services.customers.messages import CodeIssued, Message, Receipt
from services.customers.offers import stream
from services.customers.offers.backing import Backing
from services.customers.offers.life import Record
from services.customers.offers.planning import Planning
from services.customers.offers.policy import Policy
from services.customers.offers.store import candidates, policies, records
from services.customers.offers.store import sales as sales_store
from services.customers.offers.view import Knowledge
from services.customers.stores import save as save_stores
from shared import database
from shared.codec import decode
from shared.events.customers import CodeRequest, Forecast, Offer
from shared.events.reference import Store
from shared.events.values import Currency
from shared.migrate import migrate
from shared.topics import CODE_REQUESTS, OFFERS
from tests.integration.outgoing import waiting
from tests.unit.customers.offers.examples import BACKINGS, DAY, NOON
from tests.unit.customers.offers.test_sales import receipt

_MIGRATIONS = [Path(module.__path__[0]) / "migrations" for module in (shared, services.customers)]


@dataclass
class Desk:
    """What is planned with: a pool, and what is known of customers, for a test to say."""

    pool: asyncpg.Pool
    segments: dict[str, frozenset[str]] = field(default_factory=dict)
    forecasts: dict[str, Forecast] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)

    @property
    def knowledge(self) -> Knowledge:
        """As the planning asks for it."""

        async def segments_of(_: object, ids: Collection[str]) -> Mapping[str, Collection[str]]:
            return {one: self.segments[one] for one in ids if one in self.segments}

        async def expect(_: object, ids: Collection[str]) -> Mapping[str, Forecast]:
            return {one: self.forecasts[one] for one in ids if one in self.forecasts}

        async def blocked_among(_: object, ids: Collection[str]) -> Collection[str]:
            return self.blocked & {*ids}

        return Knowledge(segments_of, expect, blocked_among)

    async def start(self, *started: Policy, at: datetime = NOON) -> None:
        """Have policies run."""
        async with self.pool.acquire() as connection, connection.transaction():
            for one in started:
                await policies.add(connection, one, "test", at)
                await policies.turn(connection, one.policy_id, "running", "test", at)
            await candidates.scan_again(connection, at.date())

    async def edit(self, policy: Policy, at: datetime = NOON) -> None:
        """Have a policy say something else."""
        async with self.pool.acquire() as connection, connection.transaction():
            await policies.edit(connection, policy, "test", at)

    async def pause(self, policy_id: str) -> None:
        """Have a policy make no more offers."""
        async with self.pool.acquire() as connection, connection.transaction():
            await policies.turn(connection, policy_id, "paused", "test", NOON)

    async def customers(self, *ids: str, bought_at: datetime = NOON - 20 * DAY) -> None:
        """Customers who bought once in store s-1, for 400.00."""
        for one in ids:
            bought = receipt(
                receipt_id=f"first-{one}",
                customer_id=one,
                occurred_at=bought_at,
                paid=40_000,
                lines=(),
            )
            await self.profile(one, bought)

    async def profile(self, customer_id: str, *receipts: Receipt) -> None:
        """What a customer has bought."""
        async with self.pool.acquire() as connection, connection.transaction():
            states = await store.load(connection, [customer_id])
            for one in receipts:
                profile.add_receipt(states[customer_id], one)
            await store.save(connection, states, NOON)

    async def plan(self, now: datetime) -> None:
        """Do all that is due at that time."""
        planning = Planning(self.pool, self.knowledge)
        while await planning.plan_due(now):
            pass

    async def consider(self, *ids: str, at: datetime) -> None:
        """Something has changed of customers."""
        async with self.pool.acquire() as connection, connection.transaction():
            await candidates.consider(connection, ids, at)

    async def apply(self, *facts: Message, at: datetime = NOON) -> None:
        """Facts are read."""
        async with self.pool.acquire() as connection, connection.transaction():
            await stream.apply(connection, facts, at)

    async def answer(self, now: datetime) -> None:
        """Emission answers every request that has not been answered: code X for offer x."""
        answers = [
            CodeIssued(
                one.request_id,
                one.emission_id,
                one.customer_id,
                one.valid_until,
                now,
                f"CODE-{one.request_id}",
            )
            for one in await self.requests()
        ]
        await self.apply(*answers, at=now)

    async def requests(self) -> list[CodeRequest]:
        """The codes that were asked for so far, in order."""
        bodies = await waiting(self.pool, CODE_REQUESTS)
        return [decode(CodeRequest, body or b"") for body in bodies]

    async def told(self) -> list[Offer]:
        """What the CRM was told so far, in order."""
        return [decode(Offer, body or b"") for body in await waiting(self.pool, OFFERS)]

    async def offers(self, customer_id: str) -> list[Record]:
        """A customer's offers, by step."""
        async with self.pool.acquire() as connection:
            found = await records.of_customer(connection, customer_id, 100)
        return sorted(found, key=lambda one: (one.policy_id, one.step))

    async def states(self, *ids: str) -> list[tuple[str, int, str]]:
        """Policy, step and status of all offers of customers."""
        return [
            (one.policy_id, one.step, one.status)
            for customer_id in ids
            for one in await self.offers(customer_id)
        ]

    async def back(self, backings: Mapping[str, Sequence[Backing]]) -> None:
        """Campaigns give this for codes, and nothing else."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("delete from backings")
            await sales_store.save_backings(
                connection, "c1", [one for each in backings.values() for one in each]
            )


@asynccontextmanager
async def desk_at(dsn: str) -> AsyncIterator[Desk]:
    """A desk on a fresh database, with a store in Kyiv and a campaign that gives 5% and 10%."""
    connection = await asyncpg.connect(dsn)
    await migrate(connection, _MIGRATIONS)
    await connection.close()
    async with await database.pool(dsn) as pool:
        desk = Desk(pool)
        await desk.back(BACKINGS)
        shop = Store(
            store_id="s-1",
            name="First",
            region="North",
            time_zone="Europe/Kyiv",
            currency=Currency("UAH"),
        )
        async with pool.acquire() as opened:
            await save_stores(opened, [shop])
            await opened.execute("update offer_cap set offers = 100, days = 1")
        yield desk


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """In March 2026, when Kyiv is two hours ahead of UTC; the clock is Kyiv's."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=2)


def forecast(**fields: Any) -> Forecast:
    """Sure to buy within a week."""
    known: dict[str, Any] = {
        "model": "m",
        "made_at": NOON,
        "days": 7,
        "probability": 9_000,
        "expected_purchases": 1_000,
    }
    return Forecast(**(known | fields))
